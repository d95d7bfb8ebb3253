"""`polytag suggest`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import DeviceName, Quiet, RuntimeName, TaggerName, reads_columns, unless_stdout
from polytag.cli.stages import stages_shown
from polytag.plugin.reader import ReadingKeywords

Strategy = Annotated[
    str,
    typer.Option(
        help="margin between the two most probable labels, entropy of the labels, disagreement of several taggers,"
        " or random.",
        metavar="[margin|entropy|disagreement|random]",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write to.", show_default="standard output", callback=unless_stdout),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        help="doccano, labelstudio (with a project's label names, from `label` to `text`), or jsonl.",
        metavar="[doccano|labelstudio|jsonl]",
    ),
]


@reads_columns
def suggest_cli(
    tagger: TaggerName,
    raw: Annotated[str, typer.Argument(help="Raw text to choose from: a file, or - for standard input.")],
    number: Annotated[int, typer.Option("--number", "-n", help="Number of sentences.")] = 200,
    strategy: Strategy = "margin",
    diverse: Annotated[
        bool, typer.Option("--diverse", help="Choose sentences that are unlike each other, by the encoder's vectors.")
    ] = False,
    also: Annotated[
        list[str] | None,
        typer.Option(metavar="TAGGER", help="A further tagger that counts; repeat the option.", show_default="none"),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            "-t",
            help="Task that counts and is suggested; repeat the option.",
            show_default="all shared tasks",
        ),
    ] = None,
    labelled: Annotated[
        str | None,
        typer.Option(
            metavar="CORPUS", help="Corpus with labels; its sentences are not chosen again.", show_default="none"
        ),
    ] = None,
    output_format: Format = "doccano",
    output: Output = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the strategy random.")] = 0,
    input_format: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="text, document, words, conll or jsonl, as for `polytag predict`.",
            show_default="by the file extension, else text",
        ),
    ] = None,
    runtime: RuntimeName = None,
    device: DeviceName = None,
    quiet: Quiet = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Choose which sentences of raw text to label next, and write them with the tagger's tags, to be corrected.

    Without near-duplicates. Says on stderr what it left out.
    """
    from polytag.files import expand_home
    from polytag.prediction.inputs import check_output
    from polytag.prediction.outputs import open_output
    from polytag.prediction.preannotations import FORMATS
    from polytag.prediction.row_options import check_name
    from polytag.prediction.suggest import suggest

    check_name("output format", output_format, FORMATS)
    check_output(output, raw, *filter(None, [labelled]))
    with stages_shown(elsewhere=False, quiet=quiet):
        found = suggest(
            tagger,
            raw,
            number,
            strategy=strategy,
            diverse=diverse,
            also=also or (),
            task=task or (),
            labelled=labelled,
            seed=seed,
            input_format=input_format,
            runtime=runtime,
            device=device,
            **reading,
        )
    with open_output(None if output is None else expand_home(output)) as sink:
        found.write(sink, output_format)
    if not quiet:
        print(f"polytag: {found!r}.", file=sys.stderr)
