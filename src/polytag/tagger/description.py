"""What `polytag.json` says of a tagger: the shape of the file, the values it may hold, and reading it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from polytag.corpus.recognition import unreadable_tags
from polytag.encoding.windows import Context
from polytag.errors import PolytagError, TaggerError
from polytag.hub import tagger_folder
from polytag.plugin.encoder_choice import choose_restorer
from polytag.plugin.registry import registry
from polytag.tagger.heads import TaskHead
from polytag.tagger.token_classifiers import ALIGNMENT, LabelNames, label_names, scheme_for, task_of
from polytag.tagger.viterbi import check_decoding

FILE = "polytag.json"

FORMAT = 1
"""Version of the folder a tagger is saved in."""

_EXPECTED = {
    "format": "a whole number from 1 on",
    "tasks": "an object with at least one task",
    "a task": f"an object with {', '.join(field.name for field in fields(TaskHead))}",
    "labels": "a list of distinct strings that are not empty",
    "a label": "a string that is not empty",
    "scheme": "the name of a label scheme",
    "alignment": "the name of an alignment strategy",
    "decoding": "viterbi or argmax",
    "temperature": "a finite number above 0",
    "encoder": "an object with provider and reference",
    "provider": "the name of an encoder",
    "reference": "a string that is not empty",
    "context": "sentence or document",
    "window": "null or a whole number from 1 on",
    "export": "an object with to",
    "to": "the name of an export format",
}
_SHOWN = 60


def _complete(value: object) -> object:
    """A task as the file has it: nothing in it has a default, in contrast to a `TaskHead` that Python makes."""
    if isinstance(value, Mapping):
        for field in fields(TaskHead):
            if field.name not in value:
                raise PydanticCustomError("incomplete", "it has no {key}", {"key": field.name})
    return value


class EncoderDescription(BaseModel):
    """Where the encoder of a tagger comes from.

    Attributes:
        provider: Name of the `EncoderProvider` that restores it.
        reference: What the user named: `compact`, a folder, a hub name.
    """

    model_config = ConfigDict(frozen=True)

    provider: Annotated[str, Field(min_length=1)]
    reference: Annotated[str, Field(min_length=1)]


class ExportDescription(BaseModel):
    """What an export is for; further keys say how it was checked.

    Attributes:
        to: The format.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    to: Annotated[str, Field(min_length=1)]


class TaggerDescription(BaseModel):
    """What `polytag.json` says, every value checked.

    Attributes:
        version: Version of the folder, `format` in the file.
        tasks: For each task, its labels in id order and how scores become tags.
        encoder: Where the encoder comes from.
        context: What a window holds.
        window: Units a window holds at most; None for what the encoder takes.
        export: What an export is for; None for a tagger as training writes it.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    version: Annotated[int, Field(alias="format", strict=True, ge=1, le=FORMAT)]
    tasks: Annotated[dict[str, Annotated[TaskHead, BeforeValidator(_complete)]], Field(min_length=1)]
    encoder: EncoderDescription
    context: Context
    window: Annotated[int, Field(strict=True, ge=1)] | None
    export: ExportDescription | None = None

    @classmethod
    def read(
        cls, folder: Path, task: str | None = None, labels: LabelNames | None = None, installed: bool = True
    ) -> TaggerDescription:
        """Read `polytag.json`; for a token classifier of transformers, what it would say.

        Args:
            folder: The folder.
            task: Name of a token classifier's task, where its labels do not tell.
            labels: Names of a token classifier's labels, where it has none or others.
            installed: Whether plugins have to provide the label schemes, the alignment strategies and the encoder.

        Raises:
            TaggerError: The folder is no tagger, is damaged, or was written by a newer version.
            UnknownNameError: No plugin provides a label scheme, an alignment strategy or the encoder.
            PolytagError: A task or labels are given for a tagger that knows its own, or do not fit.
        """
        path = folder / FILE
        if path.is_file():
            if task is not None or labels is not None:
                raise PolytagError(
                    f"The tagger {str(folder)!r} knows its tasks and their labels. Leave out --task and --labels: they "
                    "are for token classifiers that polytag did not write."
                )
            description = cls._parsed(path)
        elif (folder / "config.json").is_file():
            description = cls.of_token_classifier(folder, task, labels)
        else:
            found = "is not there" if not folder.exists() else f"has no {FILE}"
            raise TaggerError(
                f"{str(folder)!r} is not a tagger: it {found}. Name a folder that `polytag train --output` wrote, or a "
                "token classifier of transformers."
            )
        if installed:
            description._check_names(path)
        return description

    @classmethod
    def of_token_classifier(
        cls, folder: Path, task: str | None = None, labels: LabelNames | None = None
    ) -> TaggerDescription:
        """What `polytag.json` would say of a token classifier of transformers.

        Tags are decoded by argmax, as transformers does: the labels do not tell whether the classifier was taught to
        open every span with `B`, and sequences of one that was not must not be forced into that form.

        Args:
            folder: The folder.
            task: Name of the task; found by the labels when None.
            labels: What the labels are called, where the checkpoint does not say or says it otherwise.

        Raises:
            PolytagError: The folder holds no token classifier, its labels do not suit the task or the names given, or
                it cannot be told what the task is.
        """
        names = label_names(folder, labels)
        chosen = task_of(folder, names) if task is None else registry().tasks[task]
        head = TaskHead(names, scheme_for(chosen, names).name, ALIGNMENT, "argmax")
        return cls.of({chosen.name: head}, choose_restorer(folder).name, str(folder))

    @classmethod
    def of(
        cls,
        heads: Mapping[str, TaskHead],
        provider: str,
        reference: str,
        context: Context = "sentence",
        window: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> TaggerDescription:
        """The description of a tagger that is about to be saved.

        Args:
            heads: What is known of each task.
            provider, reference: Of the encoder, as in `EncoderDescription`.
            context, window: What a window holds.
            details: Further keys.

        Raises:
            TaggerError: A value is wrong: it could not be read again.
        """
        values = {
            "format": FORMAT,
            "tasks": {name: asdict(head) for name, head in heads.items()},
            "encoder": {"provider": provider, "reference": reference},
            "context": context,
            "window": window,
            **(details or {}),
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise TaggerError(f"The tagger cannot be saved: {_problem(error.errors()[0])}.") from error

    @property
    def details(self) -> dict[str, Any]:
        """What else the file says, by key: the corpus, versions, scores, the export."""
        export = {} if self.export is None else {"export": self.export.model_dump()}
        return {**(self.model_extra or {}), **export}

    def heads(self, decoding: str | None = None) -> dict[str, TaskHead]:
        """What is known of each task.

        Args:
            decoding: What to decode with instead of what the file says.

        Raises:
            PolytagError: There is no such decoding.
        """
        wanted = check_decoding(decoding)
        return {name: replace(head, decoding=wanted or head.decoding) for name, head in self.tasks.items()}

    def to_json(self) -> str:
        """The file: what `read` reads, with further keys last."""
        own = self.model_dump(by_alias=True, include=set(type(self).model_fields) - {"export"})
        return json.dumps({**own, **_without_infinities(self.details)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def _parsed(cls, path: Path) -> TaggerDescription:
        """What the file says, as far as it can be checked without plugins."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TaggerError(f"{path} cannot be read: {error.strerror}. Check its rights.") from error
        except (ValueError, RecursionError) as error:
            raise _damaged(path, str(error).rstrip(".")) from error
        if not isinstance(values, dict):
            raise _damaged(path, "it holds no JSON object")
        version = values.get("format")
        if isinstance(version, int) and version > FORMAT:
            raise TaggerError(
                f"The tagger {str(path.parent)!r} has format {version}, and this polytag reads formats up to {FORMAT}. "
                "Upgrade: pip install --upgrade polytag"
            )
        try:
            description = cls.model_validate(values)
        except ValidationError as error:
            raise _damaged(path, _problem(error.errors()[0])) from error
        for key, value in _infinities(values):
            raise _damaged(path, f"{key!r} is {_shown(value)}, which is no number in JSON")
        return description

    def _check_names(self, path: Path) -> None:
        """Make sure that plugins provide what the file names, and that schemes can read their labels."""
        for name, head in self.tasks.items():
            scheme = registry().schemes[head.scheme]
            _ = registry().alignments[head.alignment]
            if unreadable := unreadable_tags(head.labels, scheme):
                raise _damaged(
                    path,
                    f"'tasks.{name}.labels' has {unreadable[0]!r}, which the label scheme {scheme.name!r} cannot read",
                )
        _ = registry().encoders[self.encoder.provider]


def open_folder(
    reference: str | Path, task: str | None = None, labels: LabelNames | None = None
) -> tuple[Path, TaggerDescription]:
    """The folder of what a user names as a tagger, and what it says: everything that can be wrong before slow work.

    Args:
        reference: A folder, or the name of a model on the hub, with or without `@revision`.
        task, labels: Of a token classifier, as in `TaggerDescription.read`.

    Raises:
        PolytagError: As `tagger_folder` and `TaggerDescription.read`.
    """
    folder = tagger_folder(reference)
    return folder, TaggerDescription.read(folder, task, labels)


def _damaged(path: Path, problem: str) -> TaggerError:
    shown = problem.encode(errors="backslashreplace").decode()  # half a character cannot be printed
    return TaggerError(f"{path} is damaged: {shown}. Train the tagger again, or restore it from a copy.")


def _problem(error: ErrorDetails) -> str:
    """What is wrong with one value, in our words; those of pydantic are for programmers."""
    where, kind, about = error["loc"], error["type"], error.get("ctx", {})
    if kind in ("missing", "incomplete"):
        above, key = (where[:-1], where[-1]) if kind == "missing" else (where, about["key"])
        return f"it has no {key!r}" + (f" in {_key(*above)!r}" if above else "")
    if kind == "repeated":
        return f"{_key(*where)!r} has {about['label']!r} twice"
    what = where[-1]
    if isinstance(what, int):
        what = "a label"
    elif where[0] == "tasks" and len(where) == 2:
        what = "a task"
    return f"{_key(*where)!r} is {_shown(error['input'])}, and has to be {_EXPECTED[str(what)]}"


def _key(*parts: str | int) -> str:
    return ".".join(map(str, parts))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _infinities(value: object, *above: str | int) -> Iterator[tuple[str, float]]:
    """Numbers that JSON does not have, NaN and infinities, with their keys."""
    if isinstance(value, float) and not math.isfinite(value):
        yield _key(*above), value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _infinities(item, *above, key)


def _without_infinities(value: Any) -> Any:
    """The same with null for numbers that JSON does not have: a metric of a plugin may give one."""
    if isinstance(value, dict):
        return {key: _without_infinities(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinities(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
