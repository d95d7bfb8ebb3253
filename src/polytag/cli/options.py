"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

ForeignTask = Annotated[
    str | None,
    typer.Option("--task", help="Task of a token classifier from elsewhere.", show_default="found by its labels"),
]
ForeignLabels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        help="Labels of a token classifier in id order, O,B-PER,I-PER, or a file of them.",
        show_default="its own",
    ),
]
