"""`polytag predict`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from polytag.cli.lake import is_lake, tag_lake
from polytag.cli.options import (
    DecodingName,
    DeviceName,
    ForeignLabels,
    ForeignTask,
    Quiet,
    RuntimeName,
    TaggerName,
    reads_columns,
    unless_stdout,
)
from polytag.cli.stages import stages_shown
from polytag.errors import PolytagError
from polytag.plugin.reader import ReadingKeywords

LAKE = "Columns and folders"

Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT",
        help="File to tag, - for standard input; or several files, folders, patterns and URLs such as s3://bucket/in.",
        show_default="-",
    ),
]
InputFormat = Annotated[
    str | None,
    typer.Option(
        "--input",
        help="text: one text per line; document: one text; words: one sentence per line, words separated by spaces;"
        " conll: one word per line, in columns; jsonl: objects with `text`, or `tokens` (and `document`); parquet:"
        " the same as columns. Other fields and columns are passed on.",
        show_default="by the file extension, else text",
    ),
]
OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="jsonl, conll, doccano (for correction in doccano), table, or html (one page with marks); parquet or"
        " jsonl for columns and folders.",
        show_default="parquet for parquet; else table on a terminal, else jsonl",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write to; for several inputs, a folder, a pattern or --workers: a folder, where the same"
        " command continues after a kill.",
        show_default="standard output",
        callback=unless_stdout,
    ),
]
TextColumn = Annotated[
    str | None, typer.Option(help="Column or field with the texts.", show_default="text", rich_help_panel=LAKE)
]
TokensColumn = Annotated[
    str | None,
    typer.Option(help="Column or field with lists of words.", show_default="tokens", rich_help_panel=LAKE),
]
DocumentColumn = Annotated[
    str | None,
    typer.Option(
        help="Column or field with the document of a list of words.", show_default="document", rich_help_panel=LAKE
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Number of processes, or of Ray actors.", show_default="1", rich_help_panel=LAKE),
]
Runner = Annotated[
    str | None,
    typer.Option(
        help="processes on this machine, or ray for a cluster (extra `ray`).",
        metavar="[processes|ray]",
        show_default="processes",
        rich_help_panel=LAKE,
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        help="Address of the Ray cluster, such as auto or ray://host:10001.",
        show_default="a new one on this machine",
        rich_help_panel=LAKE,
    ),
]
Events = Annotated[bool, typer.Option("--json", help="Print progress as JSON events on stdout.", rich_help_panel=LAKE)]


@reads_columns
def predict_cli(
    tagger: TaggerName,
    inputs: Inputs = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Text to tag instead of a file, as one document.", show_default="none")
    ] = None,
    input_format: InputFormat = None,
    output_format: OutputFormat = None,
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
    device: DeviceName = None,
    output: Output = None,
    text_column: TextColumn = None,
    tokens_column: TokensColumn = None,
    document_column: DocumentColumn = None,
    workers: Workers = None,
    runner: Runner = None,
    ray_address: RayAddress = None,
    as_json: Events = False,
    quiet: Quiet = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print the stages of the work and the runtime on stderr.")
    ] = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Tag text, files, folders, or standard input.

    What a pipe or a terminal has given is answered before more is awaited.

    Output: JSON Lines with spans and exact character offsets, columns, a coloured table, a web page, or Parquet.

    Exit status of a folder of outputs: 3 if rows were left out because they cannot be tagged.
    """
    files = inputs or ["-"]
    options: dict[str, Any] = {
        "input_format": input_format,
        "output_format": output_format,
        "decoding": decoding,
        "min_score": min_score,
        "lines": lines,
        "runtime": runtime,
        "device": device,
        "output": output,
        "task": task,
        "labels": labels,
        "text_column": text_column,
        "tokens_column": tokens_column,
        "document_column": document_column,
        **reading,
    }
    if is_lake(files, workers, runner, ray_address):
        for given, option in ((text, "--text"), (scheme, "--scheme")):
            if given is not None:
                raise PolytagError(f"{option} is for one text or file, and not for a folder of outputs. Leave it out.")
        placed = {"workers": workers or 1, "runner": runner or "processes", "ray_address": ray_address}
        with stages_shown(elsewhere=verbose, quiet=quiet):
            tag_lake(tagger, files, as_json, quiet, **options, **placed)
        return
    if as_json:
        raise PolytagError("--json is for a folder of outputs. For results as JSON Lines: --format jsonl")
    from polytag.prediction.predict import predict

    with stages_shown(elsewhere=verbose, quiet=quiet):
        predict(tagger, files[0], text=text, scheme=scheme, verbose=verbose, **options)
