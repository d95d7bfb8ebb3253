"""`polytag corpus check`: find likely annotation errors, by rules and with models."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import CorpusScheme, CorpusSource, Json, ReaderName, SplitterName, reads_corpora
from polytag.errors import CorpusWarning, PolytagError
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.splitter import STANDARD
from polytag.terminal import console

_Encoder = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        help="Report words that the tokenizer of this checkpoint (folder or hub name) cannot tokenise. With "
        "--with-model, also the encoder to train: compact, or the checkpoint.",
        show_default="none, or compact with --with-model",
    ),
]
_WithModel = Annotated[
    bool,
    typer.Option(
        "--with-model",
        help="Report labels that a tagger contradicts which was trained without their part of the corpus.",
    ),
]
_Tagger = Annotated[
    str | None,
    typer.Option(
        "--tagger",
        help="Report labels that this tagger contradicts, which was trained on other sentences: folder or hub name.",
        show_default="one per fold is trained",
    ),
]
_Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        "-t",
        metavar="NAME[=COLUMN]",
        help="Task whose labels a model judges; for several, repeat the option.",
        show_default="all with a column of the corpus, or all of --tagger",
    ),
]
_Folds = Annotated[int, typer.Option("--folds", min=2, help="Number of parts, with a tagger for each.")]
_Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        help="Folder for what the taggers say; an interrupted check continues from it.",
        show_default="polytag in the user's caches",
    ),
]
_Corrections = Annotated[
    Path | None,
    typer.Option(
        "--corrections",
        help="File to write suspicious sentences to, for doccano (.jsonl) or Label Studio (.json).",
        show_default="none",
    ),
]


@reads_corpora
def check_cli(
    source: CorpusSource,
    reader: ReaderName = None,
    splitter: SplitterName = STANDARD,
    corpus_scheme: CorpusScheme = None,
    encoder: _Encoder = None,
    with_model: _WithModel = False,
    folds: _Folds = 5,
    tagger: _Tagger = None,
    task: _Tasks = None,
    cache: _Cache = None,
    corrections: _Corrections = None,
    examples: Annotated[int, typer.Option(min=1, help="Places to show per finding.")] = 3,
    as_json: Json = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Find likely annotation errors in a corpus.

    Exit status 1 with errors, 0 with only warnings and notes.
    """
    from polytag.cli.tables import print_json
    from polytag.corpus.check.check import check
    from polytag.corpus.check.findings import by_severity, plain_lines, render
    from polytag.corpus.load import load_corpus

    models = with_model or tagger is not None
    if not models and (task or cache or corrections):
        raise PolytagError("--task, --cache and --corrections are for labels that a model judges. Add --with-model.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorpusWarning)  # they are among the findings
        corpus = load_corpus(source, reader=reader, splitter=splitter, **reading)
    if models:
        from polytag.labelling.label_errors import find_label_errors
        from polytag.training.config import DEFAULT_ENCODER

        chosen = encoder or DEFAULT_ENCODER
        encoder = None if encoder == DEFAULT_ENCODER else encoder  # it has no tokenizer to check
    findings = check(corpus, corpus_scheme=corpus_scheme, encoder=encoder, examples=examples)
    if models:
        found = find_label_errors(
            corpus,
            task=task or (),
            tagger=tagger,
            folds=folds,
            encoder=chosen,
            cache=cache,
            corrections=corrections,
            corpus_scheme=corpus_scheme,
        )
        findings = by_severity([*findings, *found.findings(None if as_json else examples)])
    if as_json:
        print_json({"reference": source, "findings": [finding.to_dict() for finding in findings]})
    else:
        shown = console()
        if shown.is_terminal:
            shown.print(render(findings))
        else:
            typer.echo("\n".join(plain_lines(findings)))
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)
