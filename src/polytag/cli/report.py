"""`polytag report`."""

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
    ForeignTask,
    Json,
    Quiet,
    ReaderName,
    RuntimeName,
    TaggerName,
    TagsAsIs,
    reads_corpora,
)
from polytag.cli.stages import stages_shown
from polytag.plugin.reader import ReadingKeywords
from polytag.terminal import visible


@reads_corpora
def report_cli(
    tagger: TaggerName,
    corpus: CorpusOption,
    split: Annotated[
        str | None, typer.Option(help="Split to report on.", show_default="test, else the last one")
    ] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="HTML file to write; a JSON file of the same name has its figures."),
    ] = Path("report.html"),
    against: Annotated[
        str | None,
        typer.Option(
            help="Tagger, or file written by `polytag predict`, to compare the tagger with.", show_default="none"
        ),
    ] = None,
    decoding: DecodingName = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the intervals and p values.")] = 0,
    reader: ReaderName = None,
    corpus_scheme: CorpusScheme = None,
    tags_as_is: TagsAsIs = False,
    task: ForeignTask = None,
    labels: ForeignLabels = None,
    runtime: RuntimeName = None,
    device: DeviceName = None,
    as_json: Json = False,
    quiet: Quiet = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Write a page that shows where a tagger is right and wrong.

    The page is one HTML file without network: scores with intervals, confusions, calibration, buckets, every mistake,
    learning curves and the corpus. It needs the extra `report`.
    """
    from polytag.cli.tables import print_json
    from polytag.publishing.report.report import report
    from polytag.tagger.viterbi import check_decoding

    with stages_shown(elsewhere=False, quiet=quiet):
        found = report(
            tagger,
            corpus,
            split,
            output=output,
            against=against,
            reader=reader,
            **reading,
            corpus_scheme=corpus_scheme,
            tags_as_is=tags_as_is,
            decoding=check_decoding(decoding),
            seed=seed,
            task=task,
            labels=labels,
            runtime=runtime,
            device=device,
        )
    if as_json:
        print_json(found.figures)
    else:
        typer.echo(f"The report is in {visible(str(found.page))}, its figures in {visible(str(found.data))}.")
