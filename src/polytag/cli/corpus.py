"""`polytag corpus`: look at corpora."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Look at corpora.", no_args_is_help=True)


@app.command("describe")
def describe_cli(
    source: Annotated[
        str,
        typer.Argument(help="A file, a folder, train=FILE,test=FILE, the name of a hub dataset, or `sample`."),
    ],
    reader: Annotated[
        str | None,
        typer.Option(help="Name of the reader to use.", show_default="the one that accepts the source"),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Names of the columns of a column file, such as tokens,pos_tags,_,ner_tags (_ skips one); in"
            " other formats, the tag columns to keep.",
            show_default="by the number of columns",
        ),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Describe this split alone.", show_default="all")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the size of a corpus, its tag columns with their label schemes and labels, and an example."""
    from polytag.corpus.corpus import Corpus, load_corpus
    from polytag.corpus.describe import describe, render

    corpus = load_corpus(source, reader=reader, columns=columns.split(",") if columns else None)
    if split is not None:
        corpus = Corpus(corpus.reference, corpus.reader, type(corpus.data)({split: corpus.split(split)}))
    description = describe(corpus)
    if as_json:
        import json

        typer.echo(json.dumps(description.to_json(), ensure_ascii=False, indent=2))
    else:
        from rich.console import Console

        Console().print(render(description))
