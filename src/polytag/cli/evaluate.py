"""`polytag evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import (
    CorpusOption,
    CorpusScheme,
    DecodingName,
    DeviceName,
    ForeignLabels,
    Json,
    Quiet,
    ReaderName,
    RuntimeName,
    TagsAsIs,
    reads_corpora,
)
from polytag.cli.stages import stages_shown
from polytag.plugin.reader import ReadingKeywords

_System = Annotated[
    str,
    typer.Argument(
        help="Tagger or token classifier of transformers: folder, hub name, or name@revision; or a file written by"
        " `polytag predict` (jsonl, or conll: words in the first column)."
    ),
]
_Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        "-t",
        help="Task of a token classifier of transformers; or task to score of a file; repeat the option for several. Of"
        " column files, the tasks in the order of the tag columns, with _ to skip one.",
        show_default="inferred from the labels; all in the file",
    ),
]


@reads_corpora
def evaluate_cli(
    tagger: _System,
    corpus: CorpusOption,
    split: Annotated[str | None, typer.Option(help="Split to score.", show_default="test, else the last one")] = None,
    decoding: DecodingName = None,
    reader: ReaderName = None,
    corpus_scheme: CorpusScheme = None,
    tags_as_is: TagsAsIs = False,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Metric in addition to the tasks' own, such as partial; repeat the option for several.",
            show_default="none",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Count only spans that are valid in their label scheme.")
    ] = False,
    confusions: Annotated[int, typer.Option(min=0, help="Number of most frequent confusions to show per task.")] = 0,
    errors: Annotated[
        Path | None,
        typer.Option(
            help="File to write every sentence with a mistake to: word, gold tag, predicted tag, and * if they differ,"
            " separated by tabs.",
            show_default="none",
        ),
    ] = None,
    task: _Tasks = None,
    labels: ForeignLabels = None,
    runtime: RuntimeName = None,
    device: DeviceName = None,
    as_json: Json = False,
    quiet: Quiet = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Score a tagger, or a file of predictions, on a split of a corpus.

    Every word is scored, and headline scores have 95% confidence intervals.
    """
    from polytag.cli.tables import print_evaluation, print_json
    from polytag.evaluation.evaluate import evaluate
    from polytag.prediction.inputs import check_output
    from polytag.tagger.viterbi import check_decoding

    check_output(errors, tagger, corpus)
    with stages_shown(quiet=quiet):
        result = evaluate(
            tagger,
            corpus,
            split,
            reader=reader,
            **reading,
            corpus_scheme=corpus_scheme,
            tags_as_is=tags_as_is,
            decoding=check_decoding(decoding),
            metrics=metric or (),
            strict=strict,
            confusions=confusions,
            errors=errors,
            task=task or (),
            labels=labels,
            runtime=runtime,
            device=device,
        )
    if as_json:
        print_json(result.to_dict())
    else:
        print_evaluation(result)
