"""`polytag predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import DecodingName, ForeignLabels, ForeignTask


def predict_cli(
    tagger: Annotated[
        str,
        typer.Argument(help="Tagger or token classifier of transformers: folder, hub name, or name@revision."),
    ],
    file: Annotated[str, typer.Argument(help="File to tag; - for standard input.")] = "-",
    input_format: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="text: one text a line; document: one text; words: one sentence a line, words between spaces; conll: "
            "one word a line, words in the first column; jsonl: objects with `text`, or `tokens` (and `document`).",
            show_default="by the file's ending, else text",
        ),
    ] = None,
    output_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="jsonl, conll, doccano (texts to correct there) or table.",
            show_default="table on a terminal, else jsonl",
        ),
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(help="Label scheme of span tasks in column format.", show_default="as the tagger was trained"),
    ] = None,
    decoding: DecodingName = None,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Drop spans that are less probable than this.")] = 0.0,
    task: ForeignTask = None,
    labels: ForeignLabels = None,
    runtime: Annotated[
        str | None, typer.Option(help="tensorflow or onnx.", show_default="what the folder is for")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write to.", show_default="standard output")
    ] = None,
) -> None:
    """Tag text, a file or standard input.

    What comes out: JSON Lines with spans and exact character offsets, columns, or a coloured table.
    """
    from polytag.cli.plugins import mention_problems
    from polytag.prediction.predict import predict

    mention_problems()
    predict(
        tagger,
        file,
        input_format=input_format,
        output_format=output_format,
        scheme=scheme,
        decoding=decoding,
        min_score=min_score,
        runtime=runtime,
        output=output,
        task=task,
        labels=labels,
    )
