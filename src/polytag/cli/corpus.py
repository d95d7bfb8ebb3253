"""`polytag corpus`: describe, check and convert corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.splitter import STANDARD
from polytag.terminal import console, visible

app = typer.Typer(cls=Group, help="Describe, check and convert corpora.", no_args_is_help=True)


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


@app.command("check", cls=Command)
@reads_corpora
def check_cli(
    source: CorpusSource,
    reader: ReaderName = None,
    splitter: SplitterName = STANDARD,
    corpus_scheme: CorpusScheme = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Report words that the tokenizer of this checkpoint (folder or hub name) cannot tokenise.",
            show_default="none",
        ),
    ] = None,
    examples: Annotated[int, typer.Option(min=1, help="Places to show per finding.")] = 3,
    as_json: Json = False,
    *,
    reading: ReadingKeywords,
) -> None:
    """Find likely annotation errors in a corpus.

    Exit status 1 with errors, 0 with only warnings and notes.
    """
    from polytag.cli.tables import print_json
    from polytag.corpus.check.check import check
    from polytag.corpus.check.findings import plain_lines, render

    findings = check(
        source,
        reader=reader,
        splitter=splitter,
        **reading,
        corpus_scheme=corpus_scheme,
        encoder=encoder,
        examples=examples,
    )
    if as_json:
        print_json({"reference": source, "findings": [finding.to_dict() for finding in findings]})
    else:
        shown = console()
        if shown.is_terminal:
            shown.print(render(findings))
        else:
            typer.echo("\n".join(plain_lines(findings)))
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


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
    *,
    reading: ReadingKeywords,
) -> None:
    """Write a corpus in another format, or its spans in another scheme; every loss is reported."""
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
    for message in done.messages:
        typer.echo(f"polytag: {visible(message)}", err=True)
    sizes = ", ".join(f"{split} {count:,}" for split, count in done.sentences.items())
    typer.echo(visible(f"{done.folder} ({done.format}), sentences: {sizes}"))
    for column, (before, after) in done.schemes.items():
        typer.echo(visible(f"{column}: {before}" + ("" if before == after else f" -> {after}")))
    if done.options:
        typer.echo(visible(f"The folder does not record everything; read it with {done.options}"))
