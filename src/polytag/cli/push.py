"""`polytag push`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import Json


def push_cli(
    tagger: Annotated[Path, typer.Argument(help="Folder of a tagger.")],
    repo: Annotated[
        str,
        typer.Argument(
            help="Repository on the hub: owner/name, or only a name under your account. Created if it is missing."
        ),
    ],
    private: Annotated[bool, typer.Option("--private", help="Push to a private repository only.")] = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch to push to; created if it is missing.", show_default="main")
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="Commit message.", show_default="a generic message")
    ] = None,
    as_json: Json = False,
) -> None:
    """Push a tagger to the Hugging Face hub.

    Its model card is included, in one commit. Files that are no part of a tagger are left out, and named. Log in with
    `hf auth login`, or set HF_TOKEN.
    """
    from polytag.cli.tables import print_json
    from polytag.publishing.push import push

    commit = push(tagger, repo, private=private, revision=revision, message=message)
    if as_json:
        print_json({"commit": str(commit)})
    else:
        typer.echo(commit)
