"""The command `polytag`: collects the subcommands, and converts errors into exit statuses."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn, TextIO

import typer
from typer.core import TyperGroup

from polytag import __version__, terminal
from polytag.cli import (
    compare,
    corpus,
    distil,
    evaluate,
    export,
    learning_curve,
    plugins,
    predict,
    push,
    report,
    search,
    serve,
    suggest,
    train,
)
from polytag.cli.options import Command, RunCommand
from polytag.errors import (
    CorpusWarning,
    InterruptedRunError,
    PluginWarning,
    PolytagError,
    RuntimeHint,
    UploadWarning,
    in_one_paragraph,
    message_of,
    shorten,
)
from polytag.plugin.surroundings import surroundings_kept

_SAY_IT_THEMSELVES = ("plugins", "train", "distil", "learning-curve")
"""Commands that show which plugins are not loaded as part of their work."""
_PLUGINS_LOADED = "polytag.plugin.registry"
"""Without this module, the command has loaded no plugin; importing it would double the time of `polytag --help`."""
_DEBUG = "POLYTAG_DEBUG"
"""The variable that shows the traceback of an error."""

_INTERRUPTED = 128 + signal.SIGINT
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@contextmanager
def _noting_interrupts() -> Iterator[Callable[[], bool]]:
    """Note interrupts from the keyboard in the block, and raise them as usual.

    Some libraries turn the exception into another one, such as an ImportError.
    """
    noted: list[int] = []
    usual = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    if usual is signal.default_int_handler and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(noted)
    finally:
        if signal.getsignal(signal.SIGINT) is note:
            signal.signal(signal.SIGINT, usual)


class _Commands(TyperGroup):
    """Exits without an error when the reader of the output closes it, as `head` does; shows its help fast.

    An interrupt from the keyboard is an InterruptedRunError, whatever it raises where it arrives.
    """

    def __init__(self, **options: Any) -> None:
        # Importing Rich would double the time of `polytag --help`; a list of commands needs no panels.
        super().__init__(**options | {"rich_markup_mode": None})

    def main(self, *arguments: Any, **options: Any) -> Any:
        with _noting_interrupts() as interrupted:
            try:
                return super().main(*arguments, **options)
            except InterruptedRunError:
                raise
            except BaseException as error:
                status = error.code if isinstance(error, SystemExit) else 1
                if status == _INTERRUPTED or (status and interrupted()):
                    raise InterruptedRunError("Interrupted.") from None
                raise

    def invoke(self, ctx: Any) -> Any:
        try:
            with surroundings_kept():  # for all that plugins do while texts are tagged
                result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _forget(sys.stdout)
            raise typer.Exit from None
        except BaseException as error:  # also a plugin's `sys.exit(0)`, which must not look like success
            if _PLUGINS_LOADED in sys.modules:
                from polytag.plugin.attribution import attribute

                attribute(error)
            raise
        finally:
            if _PLUGINS_LOADED in sys.modules and ctx.invoked_subcommand not in _SAY_IT_THEMSELVES:
                plugins.mention_problems()
        return result


app = typer.Typer(
    name="polytag",
    cls=_Commands,
    help="Train, evaluate and run word taggers: named entities, parts of speech, chunks, and tasks of plugins.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
)
app.command("train", cls=RunCommand, epilog=train.EXAMPLE)(train.train_cli)
app.command("distil", cls=distil.DistilCommand, epilog=distil.EXAMPLE)(distil.distil_cli)
app.command("evaluate", cls=Command)(evaluate.evaluate_cli)
app.command("compare", cls=Command)(compare.compare_cli)
app.command("report", cls=Command)(report.report_cli)
app.command("predict", cls=Command)(predict.predict_cli)
app.command("suggest", cls=Command)(suggest.suggest_cli)
app.command("serve", cls=Command)(serve.serve_cli)
app.command("export", cls=Command)(export.export_cli)
app.command("push", cls=Command)(push.push_cli)
app.command("search", cls=Command)(search.search_cli)
app.command("learning-curve", cls=RunCommand, epilog=learning_curve.EXAMPLE)(learning_curve.learning_curve_cli)
app.command("tasks", cls=Command)(plugins.tasks_cli)
app.add_typer(plugins.app, name="plugins")
app.add_typer(corpus.app, name="corpus")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"polytag {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def _show_warning(message: Warning | str, category: type[Warning], *where: Any, **options: Any) -> None:
    if issubclass(category, CorpusWarning | PluginWarning | RuntimeHint | UploadWarning):
        print(f"polytag: {_paragraph(str(message))}", file=sys.stderr)
    else:
        _usual_show_warning(message, category, *where, **options)


_usual_show_warning = warnings.showwarning


def main() -> None:
    """Run the command line. Exit status 0: success; 1: a defect; 2: invalid input, explained in one paragraph."""
    terminal.is_program = True
    warnings.showwarning = _show_warning
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the program that started this one
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # open until exit
    try:
        app(prog_name="polytag")
    except InterruptedRunError as error:
        _end(error, str(error), _INTERRUPTED)
    except PolytagError as error:
        _end(error, message_of(error) or type(error).__name__, 2)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of a library in Rust is no Exception
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            _end(error, f"The path {shorten(repr(error.filename))} is too long. Choose another one.", 2)
        full = isinstance(error, OSError) and error.errno in _FULL
        _end(error, _no_room(error) if full else _defect(error), 2 if full else 1)


def _end(error: BaseException, message: str, status: int) -> NoReturn:
    """Exit with a message, which is lost if stderr cannot be written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is sys.stderr:
                _show_traceback(error)
                line = f"polytag: {_paragraph(message)}"
                width = shutil.get_terminal_size().columns
                print(terminal.wrapped(line, width) if stream.isatty() else line, file=stream)
            stream.flush()
        except OSError:  # a full disk, for instance
            _forget(stream)
    sys.exit(status)


def _forget(stream: TextIO) -> None:
    """Lose what a stream has to write, so that the flush of Python at exit does not fail."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _no_room(error: BaseException) -> str:
    file = getattr(error, "filename", None)
    what = "The output" if file is None else f"The file {str(file)!r}"
    return f"{what} cannot be written: {getattr(error, 'strerror', error)}. Make room, or choose another place."


def _paragraph(message: str) -> str:
    return in_one_paragraph(terminal.visible(message))


def _show_traceback(error: BaseException) -> None:
    if os.environ.get(_DEBUG) == "1":
        traceback.print_exception(error)


def _defect(error: BaseException) -> str:
    """One paragraph about an error that no part of polytag expects."""
    from polytag.plugin.blame import place_of

    text = shorten(" ".join(message_of(error).split()), 300)
    place = place_of(error)
    return (
        f"This is a defect of polytag {__version__}, and not of your input: {type(error).__name__}"
        + (f": {text}" if text else "")
        + (f" ({place})" if place else "")
        + f". Please report it to the authors of polytag, with the command and what it prints with {_DEBUG}=1 set."
    )
