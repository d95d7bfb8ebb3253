"""`polytag corpus`: describe, show, check, correct and convert corpora."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polytag.cli.check import check_cli
from polytag.cli.correct import correct_cli
from polytag.cli.options import (
    Command,
    CorpusScheme,
    CorpusSource,
    Group,
    Json,
    ReaderName,
    SplitterName,
    TagsAsIs,
    reads_corpora,
)
from polytag.errors import PolytagError
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.splitter import STANDARD
from polytag.terminal import console, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polytag.training.aligned import AlignedWords

app = typer.Typer(cls=Group, help="Describe, show, check, correct and convert corpora.", no_args_is_help=True)


@app.command("describe", cls=Command)
@reads_corpora
def describe_cli(
    source: CorpusSource,
    reader: ReaderName = None,
    splitter: SplitterName = STANDARD,
    split: Annotated[str | None, typer.Option(help="Describe only this split.", show_default="all")] = None,
    as_json: Json = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Show the size of a corpus, its tag columns with their label schemes and labels, and an example."""
    from polytag.cli.tables import print_json
    from polytag.corpus.describe import describe, render

    description = describe(source, split, reader=reader, splitter=splitter, **reading)
    if as_json:
        print_json(description.to_dict())
    else:
        console().print(render(description))


@app.command("show", cls=Command)
@reads_corpora
def show_cli(
    source: CorpusSource,
    reader: ReaderName = None,
    splitter: SplitterName = STANDARD,
    split: Annotated[str | None, typer.Option(help="Split to show.", show_default="the first")] = None,
    row: Annotated[int, typer.Option(min=0, help="Index of the first sentence in the split, from 0.")] = 0,
    n: Annotated[int, typer.Option("-n", min=1, help="Number of sentences.")] = 1,
    label: Annotated[
        str | None,
        typer.Option(
            help="Show only sentences with this tag (B-ORG), or with a span with this label (ORG).", show_default="any"
        ),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(help="Show only sentences with this text, words joined by spaces.", show_default="any"),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Show the subwords of this encoder (compact, a checkpoint's folder or hub name), each with the label "
            "and the label id that a run trains on.",
            show_default="none",
        ),
    ] = None,
    alignment: Annotated[
        str | None,
        typer.Option(
            help="Alignment of labels and subwords: first, last, all, mean, or a plugin's.",
            show_default="as the task of each column",
        ),
    ] = None,
    corpus_scheme: CorpusScheme = None,
    tags_as_is: TagsAsIs = False,
    as_json: Json = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Show sentences of a corpus: words over their tags, or subwords with the labels that a run trains on."""
    from polytag.cli.tables import print_json
    from polytag.corpus.load import load_corpus
    from polytag.corpus.show import find_rows, heading, render_rows

    if alignment and not encoder:
        raise PolytagError(
            "Labels are aligned with the subwords of an encoder. Name it, for instance --encoder bert-base-cased, or "
            "leave --alignment out."
        )
    corpus = load_corpus(source, reader=reader, splitter=splitter, **reading)
    name, rows = find_rows(corpus, split, row, n, label=label, match=match)
    aligned = {}
    if encoder:
        from polytag.training.aligned import align_rows

        aligned = align_rows(corpus, name, rows, encoder, alignment, corpus_scheme, tags_as_is)
    if as_json:
        sentences = [{"row": index, **corpus[name][index]._asdict()} for index in rows]
        shown = {"aligned": {column: each.to_dict() for column, each in aligned.items()}} if aligned else {}
        print_json({"reference": source, "split": name, "sentences": sentences, **shown})
    elif not aligned:
        console().print(*render_rows(corpus, name, rows), sep="\n")
    else:
        _print_aligned(aligned, [heading(corpus, name, index) for index in rows])


def _print_aligned(aligned: Mapping[str, AlignedWords], headings: Sequence[str]) -> None:
    from rich.text import Text

    from polytag.terminal import columns_of_text
    from polytag.training.aligned import alignment_tables

    shown = console()
    units = next(iter(aligned.values())).units
    for number, table in enumerate(alignment_tables(aligned)):
        shown.print(Text("\n" * bool(number) + headings[units[number][0].sentence], style="bold"))
        shown.print(columns_of_text(*table), markup=False, no_wrap=True, soft_wrap=True)


app.command("check", cls=Command)(check_cli)
app.command("correct", cls=Command)(correct_cli)


@app.command("convert", cls=Command)
@reads_corpora
def convert_cli(
    source: CorpusSource,
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="Folder to write, with one file per split.")],
    scheme: Annotated[
        str | None,
        typer.Option(
            help="Scheme for all columns with spans: iob1, iob2, ioe1, ioe2, iobes, bilou, bmes, bmewo, io, or the "
            "scheme of a plugin.",
            show_default="unchanged",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="Format to write: column, conllu, jsonl, parquet, dataset, brat, doccano, labelstudio, spacy-json,"
            " spacy, or the format of a plugin.",
            show_default="as the source, or jsonl",
        ),
    ] = None,
    reader: ReaderName = None,
    splitter: SplitterName = STANDARD,
    corpus_scheme: CorpusScheme = None,
    tags_as_is: TagsAsIs = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a converted corpus.")] = False,
    as_json: Json = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Write a corpus in another format, or its spans in another scheme; every loss is reported."""
    from polytag.cli.tables import print_json, print_reading, say_losses
    from polytag.corpus.convert import convert_corpus

    done = convert_corpus(
        source,
        destination,
        format=format,
        scheme=scheme,
        reader=reader,
        splitter=splitter,
        **reading,
        corpus_scheme=corpus_scheme,
        tags_as_is=tags_as_is,
        overwrite=overwrite,
    )
    say_losses(done)
    if as_json:
        schemes = {column: {"before": before, "after": after} for column, (before, after) in done.schemes.items()}
        print_json({**asdict(done), "folder": str(done.folder), "schemes": schemes})
        return
    sizes = ", ".join(f"{split} {count:,}" for split, count in done.sentences.items())
    typer.echo(visible(f"{done.folder} ({done.format}), sentences: {sizes}"))
    for column, (before, after) in done.schemes.items():
        typer.echo(visible(f"{column}: {before}" + ("" if before == after else f" -> {after}")))
    print_reading(done)
