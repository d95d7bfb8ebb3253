"""`polytag corpus correct`: apply corrected sentences to a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import CorpusScheme, CorpusSource, Json, ReaderName, SplitterName, reads_corpora
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.splitter import STANDARD
from polytag.terminal import visible


@reads_corpora
def correct_cli(
    source: CorpusSource,
    corrected: Annotated[
        Path,
        typer.Argument(
            help="File of `corpus check --corrections`, exported from doccano (.jsonl) or Label Studio (.json)."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write, with one file per split.")],
    column: Annotated[
        str | None,
        typer.Option(help="Tag column that was corrected.", show_default="the one that the file names"),
    ] = None,
    reader: ReaderName = None,
    splitter: SplitterName = STANDARD,
    corpus_scheme: CorpusScheme = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a corrected corpus.")] = False,
    as_json: Json = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Apply corrected sentences to the corpus that they come from, and write it; all else stays as it is."""
    from polytag.cli.tables import print_json, print_reading, say_losses
    from polytag.labelling.corrections import correct_corpus

    done = correct_corpus(
        source,
        corrected,
        output,
        column=column,
        reader=reader,
        splitter=splitter,
        **reading,
        corpus_scheme=corpus_scheme,
        overwrite=overwrite,
    )
    written = done.conversion
    say_losses(written)
    if as_json:
        print_json({"read": done.read, "changed": done.changed, "folder": str(written.folder)})
        return
    changed = f"{len(done.changed):,} of {done.read:,} sentences changed"
    typer.echo(visible(f"{written.folder} ({written.format}): {changed}"))
    for place in done.changed:
        typer.echo(f"    {visible(place)}")
    print_reading(written)
