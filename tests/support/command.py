"""The command line, run in the process of the tests: starting one that loads TensorFlow takes seconds."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from typing import NamedTuple

import pytest

from polytag.cli.app import main


class Done(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]


def call(*arguments: object, stdin: bytes | None = b"", environment: Mapping[str, str] | None = None) -> Done:
    """Run the command line in this process, as `call("predict", folder, "-", stdin=b"...")`.

    Args:
        *arguments: What follows `polytag`.
        stdin: What it reads from its standard input; None where that is closed.
        environment: Variables that are set while it runs.
    """
    out, err = (
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=errors, newline="", write_through=True)
        for errors in ("strict", "backslashreplace")  # as Python opens them
    )
    given = None if stdin is None else io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as streams:
        patch.setattr(sys, "argv", ["polytag", *map(str, arguments)])
        patch.setattr(sys, "stdin", given)
        # rich keeps the mapping of its import; datasets puts another one in its place.
        patch.setattr("rich.console.Console._environ", os.environ)
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        streams.enter_context(redirect_stdout(out))
        streams.enter_context(redirect_stderr(err))
        with pytest.raises(SystemExit) as exited:
            main()
    shown = (stream.buffer.getvalue().decode() for stream in (out, err))
    return Done(int(exited.value.code or 0), *shown)


@pytest.fixture
def command() -> Command:
    """The command line, run in this process: see `call`."""
    return call
