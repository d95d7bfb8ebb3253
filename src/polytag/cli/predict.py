"""`polytag predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import DecodingName, ForeignLabels, ForeignTask, Quiet, RuntimeName, reads_columns
from polytag.cli.stages import stages_shown
from polytag.plugin.reader import ReadingKeywords


@reads_columns
def predict_cli(
    tagger: Annotated[
        str,
        typer.Argument(help="Tagger or token classifier of transformers: folder, hub name, or name@revision."),
    ],
    file: Annotated[str, typer.Argument(help="File to tag; - for standard input.")] = "-",
    text: Annotated[
        str | None, typer.Option("--text", help="Text to tag instead of a file, as one document.", show_default="none")
    ] = None,
    input_format: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="text: one text per line; document: one text; words: one sentence per line, words separated by spaces;"
            " conll: one word per line, in columns; jsonl: objects with `text`, or `tokens` (and `document`); other"
            " fields are passed on.",
            show_default="by the file extension, else text",
        ),
    ] = None,
    output_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="jsonl, conll, doccano (for correction in doccano), table, or html (one page with marks).",
            show_default="table on a terminal, else jsonl",
        ),
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(help="Label scheme of span tasks in column format.", show_default="the tagger's own"),
    ] = None,
    decoding: DecodingName = None,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Drop spans with a lower probability.")] = 0.0,
    lines: Annotated[
        bool,
        typer.Option("--lines", help="Tag each line of a document as a text of its own: no span crosses a line end."),
    ] = False,
    task: ForeignTask = None,
    labels: ForeignLabels = None,
    runtime: RuntimeName = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write to.", show_default="standard output")
    ] = None,
    quiet: Quiet = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print the stages of the work and the runtime on stderr.")
    ] = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Tag text, a file or standard input.

    What a pipe or a terminal has given is answered before more is awaited.

    Output: JSON Lines with spans and exact character offsets, columns, a coloured table, or a web page.
    """
    from polytag.prediction.predict import predict

    with stages_shown(elsewhere=verbose, quiet=quiet):
        predict(
            tagger,
            file,
            text=text,
            input_format=input_format,
            output_format=output_format,
            scheme=scheme,
            decoding=decoding,
            min_score=min_score,
            lines=lines,
            runtime=runtime,
            output=output,
            verbose=verbose,
            task=task,
            labels=labels,
            **reading,
        )
