"""`polytag evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import ForeignLabels, ForeignTask


def evaluate_cli(
    tagger: Annotated[
        str,
        typer.Argument(help="Tagger or token classifier of transformers: folder, hub name, or name@revision."),
    ],
    corpus: Annotated[
        str, typer.Option("--corpus", "-c", help="A file, a folder, train=FILE,test=FILE, a hub dataset, or `sample`.")
    ],
    split: Annotated[
        str | None, typer.Option(help="Split to score.", show_default="test, or else the last one")
    ] = None,
    decoding: Annotated[
        str | None, typer.Option(help="viterbi or argmax.", show_default="as the tagger was trained")
    ] = None,
    reader: Annotated[str | None, typer.Option(help="Reader of the corpus.", show_default="recognised")] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns of a column file, separated by commas.", show_default="by their number"),
    ] = None,
    corpus_scheme: Annotated[
        str | None, typer.Option(help="Label scheme the corpus is in.", show_default="recognised")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Metric beside the tasks' own, such as partial; give it again for several.", show_default="none"
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Count only spans written as their label scheme demands.")
    ] = False,
    confusions: Annotated[
        int, typer.Option(min=0, help="Show so many of the most frequent confusions of each task.")
    ] = 0,
    errors: Annotated[
        Path | None,
        typer.Option(
            help="File to write every sentence with a mistake to: word, gold tag, predicted tag, and * where they"
            " differ, with tabs between.",
            show_default="none",
        ),
    ] = None,
    task: ForeignTask = None,
    labels: ForeignLabels = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON on stdout.")] = False,
) -> None:
    """Score a tagger on a split of a corpus.

    Every word counts, and headline scores come with 95% confidence intervals.
    """
    from polytag.cli.plugins import mention_problems
    from polytag.cli.tables import print_evaluation, print_json
    from polytag.corpus.source import column_names
    from polytag.evaluation.evaluate import evaluate
    from polytag.tagger.viterbi import check_decoding

    mention_problems()
    result = evaluate(
        tagger,
        corpus,
        split,
        reader=reader,
        columns=column_names(columns),
        corpus_scheme=corpus_scheme,
        decoding=check_decoding(decoding),
        metrics=metric or (),
        strict=strict,
        confusions=confusions,
        errors=errors,
        task=task,
        labels=labels,
    )
    if as_json:
        print_json(result.to_dict())
    else:
        print_evaluation(result)
