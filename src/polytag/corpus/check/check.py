"""Look a corpus over as a careful annotator would."""

from __future__ import annotations

from polytag.corpus.check.context import EXAMPLES, CheckContext
from polytag.corpus.check.findings import SEVERITIES, Finding, Place
from polytag.corpus.check.sentences import check_sentences
from polytag.corpus.check.tags import check_tags
from polytag.corpus.check.words import check_encoder, check_words
from polytag.corpus.corpus import Corpus, remarks_by_rule


def check(
    corpus: Corpus, *, declared: str | None = None, encoder: str | None = None, examples: int = EXAMPLES
) -> list[Finding]:
    """Everything odd about a corpus, the gravest first.

    Args:
        corpus: The corpus.
        declared: Name of the scheme that the spans are in; recognised when None.
        encoder: A checkpoint (a folder or a name on the hub); its tokenizer is asked which words it makes nothing of.
        examples: How many places each finding names.

    Raises:
        PolytagError: The encoder has no tokenizer that can be loaded.
        UnknownNameError: No scheme has the declared name.
    """
    context = CheckContext(corpus, declared, examples)
    findings = [*check_tags(context), *check_sentences(context), *check_words(context)]
    if encoder is not None:
        findings += check_encoder(context, encoder)
    for rule, remarks in remarks_by_rule(corpus).items():
        places = tuple(Place(remark.location, remark.example) for remark in remarks[:examples])
        findings.append(Finding("warning", remarks[0].code, f"{len(remarks):,}: {rule}", len(remarks), None, places))
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
