"""`polytag push`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def push_cli(
    tagger: Annotated[Path, typer.Argument(help="Folder of a tagger.")],
    repo: Annotated[
        str,
        typer.Argument(help="Repository on the hub: owner/name, or a name of your own. Made when it is missing."),
    ],
    private: Annotated[bool, typer.Option("--private", help="Push to a private repository only.")] = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch to push to; made when it is missing.", show_default="main")
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="Message of the commit.", show_default="a plain one")
    ] = None,
) -> None:
    """Put a tagger on the Hugging Face hub.

    Its model card goes with it, in one commit. Log in with `hf auth login`, or set HF_TOKEN.
    """
    from polytag.publishing.push import push

    typer.echo(push(tagger, repo, private=private, revision=revision, message=message))
