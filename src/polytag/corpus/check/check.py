"""Find likely annotation errors in a corpus."""

from __future__ import annotations

import warnings
from typing import Unpack

from polytag.corpus.check.context import EXAMPLES, CheckContext
from polytag.corpus.check.findings import Finding, Place, by_severity
from polytag.corpus.check.sentences import check_sentences
from polytag.corpus.check.tags import check_tags
from polytag.corpus.check.words import check_encoder, check_words
from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus, remarks_by_rule
from polytag.errors import CorpusWarning
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.splitter import STANDARD


@attributed
def check(
    corpus: Corpus | str,
    *,
    reader: str | None = None,
    corpus_scheme: str | None = None,
    encoder: str | None = None,
    examples: int = EXAMPLES,
    splitter: str = STANDARD,
    **reading: Unpack[ReadingKeywords],
) -> list[Finding]:
    """Find likely annotation errors in a corpus.

    Warnings of the reader are among the findings, and are not issued as warnings.

    Args:
        corpus: A corpus, or its name.
        reader, splitter, **reading: How to read the corpus, as in `load_corpus`.
        corpus_scheme: Name of the scheme of the spans; recognised if None.
        encoder: A checkpoint (a folder or a name on the hub); words that its tokenizer cannot tokenise are reported.
        examples: Number of places per finding.

    Returns:
        All findings, the most severe first.

    Raises:
        CorpusError: The corpus cannot be read.
        PolytagError: The encoder's tokenizer cannot be loaded.
        UnknownNameError: No scheme has the declared name.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorpusWarning)
        corpus = as_corpus(corpus, reader=reader, splitter=splitter, **reading)
    context = CheckContext(corpus, corpus_scheme, examples)
    findings = [*check_tags(context), *check_sentences(context), *check_words(context)]
    if encoder is not None:
        findings += check_encoder(context, encoder)
    for rule, remarks in remarks_by_rule(corpus).items():
        places = tuple(Place(remark.location, remark.example) for remark in remarks[:examples])
        findings.append(Finding("warning", remarks[0].code, f"{len(remarks):,}: {rule}", len(remarks), None, places))
    return by_severity(findings)
