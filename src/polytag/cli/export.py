"""`polytag export`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import Json, Quiet
from polytag.cli.stages import stages_shown
from polytag.terminal import visible


def export_cli(
    tagger: Annotated[str, typer.Argument(help="Folder of a tagger, hub name, or name@revision.")],
    output: Annotated[
        Path | None, typer.Argument(help="Folder to write to; none with --in-place.", show_default=False)
    ] = None,
    to: Annotated[str, typer.Option("--to", help="savedmodel, onnx, litert or transformers.")] = "onnx",
    task: Annotated[
        str | None,
        typer.Option("--task", "-t", help="Export only this task.", show_default="all; transformers allows one"),
    ] = None,
    quantize: Annotated[
        str | None, typer.Option(help="int8: 8-bit weights, only with onnx.", show_default="none")
    ] = None,
    corpus: Annotated[
        str, typer.Option("--corpus", "-c", help="Corpus of the 200 sentences on which the export is checked.")
    ] = "sample",
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place",
            help="Write the ONNX model into the tagger's own folder: the tagger then runs without TensorFlow.",
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing tagger or export.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Export a tagger to another runtime.

    TensorFlow Serving, ONNX Runtime, LiteRT or transformers. The export must agree with the tagger.
    """
    from polytag.cli.tables import print_json
    from polytag.exporting.export import export
    from polytag.tagger.description import TaggerDescription
    from polytag.tagger.runtimes import choose_runtime

    with stages_shown(elsewhere=False, quiet=quiet):
        done = export(
            tagger, output, to, task=task, quantize=quantize, corpus=corpus, overwrite=overwrite, in_place=in_place
        )
    if as_json:
        print_json({**asdict(done), "output": str(done.output)})
        return
    for name, share in done.agreement.items():
        typer.echo(visible(f"{name}: {share:.2%} of words have the same tag"))
    checked = f"Checked in {done.runtime} on {done.sentences:,} sentences, {done.words:,} words of {done.corpus}."
    typer.echo(visible(checked))
    if in_place:
        written = "onnx-int8" if quantize else "onnx"
        usual = choose_runtime(done.output, TaggerDescription.read(done.output), None)
        chosen = "" if usual == written else f" --runtime {written}"
        typer.echo(
            "The tagger has its ONNX model in its folder. Tag text with it: "
            f"polytag predict {visible(tagger)}{chosen} FILE"
        )
        return
    written = visible(str(done.output))
    typer.echo(f"The export is in {written}. Try it: python {written}/example.py")
    if to == "onnx":
        typer.echo(f"Or tag text with it: polytag predict {written} FILE")
