"""Options shared by several commands, and the command classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from polytag.cli.completion import OF_OPTIONS, Complete
from polytag.training.options import (
    COLUMNS,
    COMMENTS,
    CORPUS,
    CORPUS_SCHEME,
    DECODING,
    ENCODING,
    HEADER,
    OF_THE_TEXT,
    OFFSETS,
    READER,
    RECOGNISED,
    SEPARATOR,
    TAG_STYLE,
    TAGS_AS_IS,
    WORD_PATTERN,
)


class Command(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> Any:
        """Its parameters; flags do not show the type that Typer gives them, and names are completed."""
        return _completed(super().get_params(ctx))


class RunCommand(Command):
    """A command that also has every option of a run; given options are in the `obj` of its context, by name.

    These options are created when the command runs or shows its help, so that `polytag --help` does not import
    `RunConfig`.
    """

    _of_the_run: list[Any] | None = None

    def get_params(self, ctx: Any) -> Any:
        """The options of a run, then the command's own."""
        if self._of_the_run is None:
            from polytag.cli.options_of_config import parameters

            self._of_the_run = parameters()
        return [*_completed(self._of_the_run), *super().get_params(ctx)]

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        own = {param.name for param in self.params}
        ctx.obj = {name: value for name, value in ctx.params.items() if name not in own and value not in (None, ())}
        ctx.params = {name: value for name, value in ctx.params.items() if name in own}
        return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the help, with defaults."""
        from polytag.cli.options_of_config import show_defaults

        show_defaults(self.get_params(ctx))
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A group of commands."""

    def get_params(self, ctx: Any) -> Any:
        """Its parameters; flags do not show the type that Typer gives them, and names are completed."""
        return _completed(super().get_params(ctx))


def _completed(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""  # `--overwrite <bool>` would look like an option with a value
        elif complete := OF_OPTIONS.get(param.name):
            param._custom_shell_complete = _of_shell(complete)
    return params


def _of_shell(complete: Complete) -> Callable[[Any, Any, str], list[str]]:
    return lambda _context, _param, incomplete: complete(incomplete)


CorpusSource = Annotated[str, typer.Argument(help=CORPUS)]
CorpusOption = Annotated[str, typer.Option("--corpus", "-c", help=CORPUS)]
ReaderName = Annotated[str | None, typer.Option("--reader", help=READER, show_default=RECOGNISED)]
CorpusScheme = Annotated[str | None, typer.Option("--corpus-scheme", help=CORPUS_SCHEME, show_default=RECOGNISED)]
TagsAsIs = Annotated[bool, typer.Option("--tags-as-is", help=TAGS_AS_IS)]
DecodingName = Annotated[
    str | None,
    typer.Option("--decoding", help=DECODING, show_default="as each tagger was trained"),
]
RuntimeName = Annotated[
    str | None,
    typer.Option(
        "--runtime",
        help="Runtime that computes the network: tensorflow, onnx, onnx-int8 or numpy.",
        metavar="NAME",
        show_default="numpy if the encoder can, else onnx if the folder has onnx/model.onnx, else tensorflow",
    ),
]
DeviceName = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="Devices of the runtime tensorflow: auto, cpu, gpu for all GPUs, or some by number: gpu:0,1.",
        metavar="NAME",
        show_default="all GPUs, or the processor",
    ),
]
SplitterName = Annotated[
    str,
    typer.Option("--splitter", help="Splitter of texts with offsets: standard, whitespace, characters, or a plugin's."),
]


def unless_stdout(output: str | Path | None) -> str | Path | None:
    """The path to write to, or None for standard output, whose usual name is `-`."""
    return None if str(output) == "-" else output


TaggerName = Annotated[
    str,
    typer.Argument(help="Tagger or token classifier of transformers: folder, hub name, or name@revision."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]
ForeignTask = Annotated[
    str | None,
    typer.Option("--task", help="Task of a token classifier of transformers.", show_default="inferred from its labels"),
]
ForeignLabels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        help="Labels of a token classifier in id order, `O,B-PER,I-PER`, or a file of them.",
        show_default="its own",
    ),
]


def _of_the_form(name: str, help: str, shown: str = RECOGNISED, flags: str = "", kind: Any = str) -> inspect.Parameter:
    option = typer.Option(
        flags or f"--{name.replace('_', '-')}", help=help, show_default=shown, rich_help_panel="Form of the data"
    )
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


_OF_COLUMNS = (
    _of_the_form("columns", COLUMNS),
    _of_the_form("separator", SEPARATOR),
    _of_the_form("comments", COMMENTS),
    _of_the_form("header", HEADER, flags="--header/--no-header", kind=bool),
    _of_the_form("encoding", ENCODING, OF_THE_TEXT),
    _of_the_form("word_pattern", WORD_PATTERN, "the whole cell"),
)
_OF_CORPORA = (
    *_OF_COLUMNS,
    _of_the_form("tag_style", TAG_STYLE),
    _of_the_form("offsets", OFFSETS),
)


def reads_corpora(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what form a corpus has; it gets them as its argument `reading`."""
    return _with_form(command, _OF_CORPORA)


def reads_columns(command: Callable[..., None]) -> Callable[..., None]:
    """The same for a command that reads words alone, from column files among others."""
    return _with_form(command, _OF_COLUMNS)


def _with_form(command: Callable[..., None], options: Sequence[inspect.Parameter]) -> Callable[..., None]:
    own = inspect.signature(command, eval_str=True)

    def with_options(**given: Any) -> None:
        reading = {option.name: given.pop(option.name) for option in options}
        command(**given, reading=reading)

    kept = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in own.parameters.items()
        if name != "reading"
    ]
    with_options.__signature__ = own.replace(parameters=[*kept, *options])  # type: ignore[attr-defined]  # Typer reads it
    with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
    return with_options
