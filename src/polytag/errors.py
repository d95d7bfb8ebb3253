"""The exceptions that polytag raises when the input is wrong.

Every message is one paragraph: what is wrong, where, and what to do. The command line prints it without a traceback and
exits with status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class PolytagError(Exception):
    """The input is wrong; the message says what to do about it."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Not with `__init__`, whose arguments differ: an error that cannot be read stops a pool of processes for ever.
        return _unpickled, (type(self), self.args)


class CorpusError(PolytagError):
    """A corpus cannot be read, or lacks something that the task needs."""


class CorpusWarning(UserWarning):
    """A reader changed or left out something; the message says what."""


class PluginWarning(UserWarning):
    """A part of a plugin was left out because it failed; the message names the plugin."""


class RuntimeHint(UserWarning):
    """A tagger could start faster; the message says how."""


class UploadWarning(UserWarning):
    """Files of a folder were not uploaded; the message names them."""


class MissingEngineError(PolytagError):
    """TensorFlow is not installed, and something needs it."""

    def __init__(self) -> None:
        super().__init__(
            "This needs TensorFlow, which is not installed, as do all training and some taggers. Install it: "
            "pip install polytag"
        )


class PluginError(PolytagError):
    """A plugin is broken, incompatible, or in conflict with another one."""


class UnknownNameError(PolytagError):
    """A task, scheme, strategy, metric, reader or encoder of that name is not registered."""

    def __init__(self, kind: str, name: str, known: Iterable[str], needed_by: str = "") -> None:
        name = name if isinstance(name, str) else f"{name!r:.80}"
        said = f"There is no {kind} named {shorten(name)!r}"
        if needed_by:  # another one would not do, but the name may be misspelt
            near = _similar(name, known)
            advice = "Install the plugin that provides it, or name its file in POLYTAG_PLUGINS."
            super().__init__(f"{said}, which {needed_by} needs.{near and f' {near}'} {advice}")
        else:
            super().__init__(f"{said}.{suggest(name, known, kind)}")


class TaggerError(PolytagError):
    """A folder is not a tagger, or not one that this version can load."""


class TrainingError(PolytagError):
    """Training cannot continue: for instance, the loss is no longer finite."""


class HubUnreachableError(PolytagError):
    """The Hugging Face hub cannot be reached, or has an internal error; trying again later may help."""


class InterruptedRunError(PolytagError):
    """A run was interrupted from the keyboard, after it had written a checkpoint."""


_LONGEST, _BEGIN = 980, 650
"""Characters of a message, and of its begin if the middle is left out."""


def _unpickled(kind: type[PolytagError], arguments: tuple[Any, ...]) -> PolytagError:
    return kind.__new__(kind, *arguments)


def message_of(error: BaseException) -> str:
    """The text of an error; empty if the error, of a plugin for instance, fails to tell it."""
    try:
        return str(error)
    except BaseException:
        return ""


def shorten(text: str, width: int = 80) -> str:
    """A text for a message: unchanged, or its first characters and `…` if it has more than `width` characters."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def in_one_paragraph(message: str) -> str:
    """A message of at most 980 characters: of a longer one, which quotes something long, begin and end are kept."""
    return message if len(message) <= _LONGEST else f"{message[:_BEGIN]} … {message[_BEGIN + 3 - _LONGEST :]}"


def in_brief(error: object) -> str:
    """The message of a library's error for a message of ours: one line of at most 300 characters, without full stop."""
    text = " ".join(str(error).encode(errors="backslashreplace").decode().split())
    return shorten(text, 300).rstrip(".")


def suggest(name: str, known: Iterable[str], kind: str) -> str:
    """A sentence that suggests the known names most similar to `name`, or lists them all if none is similar."""
    names = sorted(known)
    if near := _similar(name, names):
        return f" {near}"
    if names:
        return f" Choose one of: {', '.join(names)}."
    return f" No plugin provides {with_article(kind)}: see `polytag plugins`."


def _similar(name: str, known: Iterable[str]) -> str:
    """A question for the known names most similar to `name`; empty if none is similar."""
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else ""


def with_article(noun: str) -> str:
    """`a task`, `an encoder`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
