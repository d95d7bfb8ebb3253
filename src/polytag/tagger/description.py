"""`polytag.json`, the description of a tagger: its schema, the valid values, reading and writing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from polytag.corpus.recognition import unreadable_tags
from polytag.encoding.json_values import infinities, read_json, without_infinities
from polytag.encoding.windows import Context
from polytag.errors import PolytagError, TaggerError, in_brief, shorten
from polytag.hub import tagger_folder
from polytag.plugin.encoder_choice import choose_restorer
from polytag.plugin.head import SOFTMAX
from polytag.plugin.registry import registry
from polytag.plugin.splitter import STANDARD
from polytag.tagger.heads import REQUIRED, Name, TaskHead, complete
from polytag.tagger.token_classifiers import ALIGNMENT, LabelNames, label_names, scheme_for, task_of
from polytag.tagger.viterbi import check_decoding

FILE = "polytag.json"

FORMAT = 1
"""Version of the folder format of a tagger."""

_EXPECTED = {
    "format": "an integer of at least 1",
    "tasks": "an object with at least one task",
    "a task": f"an object with {', '.join(REQUIRED)}",
    "column": "null or a non-empty string",
    "kind": "the name of a head",
    "labels": "a list of distinct, non-empty strings",
    "a label": "a non-empty string",
    "scheme": "the name of a label scheme",
    "alignment": "the name of an alignment strategy",
    "decoding": "the name of a decoding",
    "temperature": "a finite number above 0",
    "encoder": "an object with provider and reference",
    "provider": "the name of an encoder",
    "reference": "a non-empty string",
    "context": "sentence or document",
    "window": "null or an integer of at least 1",
    "splitter": "the name of a splitter",
    "export": "an object with to",
    "to": "the name of an export format",
    "onnx": "an object with an object for each ONNX model",
    "an ONNX model": "an object with weights and content",
    "weights": "64 hexadecimal digits",
    "content": "64 hexadecimal digits",
    "preferred": "true or false",
}
_SHOWN = 60
_ADVICE = "Train the tagger again, or restore it from a copy."


class EncoderDescription(BaseModel):
    """The origin of a tagger's encoder.

    Attributes:
        provider: Name of the `EncoderProvider` that restores it.
        reference: The name that the user gave: `compact`, a folder, a hub name.
    """

    model_config = ConfigDict(frozen=True)

    provider: Annotated[str, Field(min_length=1)]
    reference: Annotated[str, Field(min_length=1)]


class ExportDescription(BaseModel):
    """The format of an export; further keys record how it was checked.

    Attributes:
        to: Name of the format.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    to: Annotated[str, Field(min_length=1)]


Fingerprint = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""The SHA-256 of a file, as hexadecimal digits."""


class OnnxDescription(BaseModel):
    """The origin of an ONNX model in the folder of a tagger; further keys record how it was checked.

    Attributes:
        weights: Fingerprint of the weights that it was made from.
        content: Its own fingerprint.
        preferred: Whether it is run rather than TensorFlow where no runtime is chosen.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    weights: Fingerprint
    content: Fingerprint
    preferred: bool = True


class TaggerDescription(BaseModel):
    """The content of `polytag.json`, validated.

    Attributes:
        version: Version of the folder format; `format` in the file.
        tasks: The head of each task: its labels in id order, and how its scores are decoded.
        encoder: The origin of the encoder.
        context: The content of a window: one sentence, or consecutive sentences of a document.
        window: Maximum number of units per window; None for the maximum of the encoder.
        splitter: Name of the splitter of raw text; the default where the file has none.
        weights: Fingerprint of the file with the weights; None for a tagger of an earlier version.
        export: The format of an export; None for a tagger that was not exported.
        onnx: ONNX models in the folder, by their path in it: `onnx/model.onnx`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    version: Annotated[int, Field(alias="format", strict=True, ge=1, le=FORMAT)]
    tasks: Annotated[dict[Name, Annotated[TaskHead, BeforeValidator(complete)]], Field(min_length=1)]
    encoder: EncoderDescription
    context: Context
    window: Annotated[int, Field(strict=True, ge=1)] | None
    splitter: Annotated[str, Field(min_length=1)] = STANDARD
    weights: Fingerprint | None = None
    export: ExportDescription | None = None
    onnx: dict[str, OnnxDescription] = Field(default_factory=dict)

    @classmethod
    def read(
        cls, folder: Path, task: str | None = None, labels: LabelNames | None = None, installed: bool = True
    ) -> TaggerDescription:
        """Read `polytag.json`, or derive the description from a token classifier of transformers.

        Args:
            folder: The folder.
            task: Name of a token classifier's task, if its labels do not determine it.
            labels: Names of a token classifier's labels, if it has none or different ones.
            installed: Require that plugins provide the label schemes, the alignment strategies, the encoder and the
                splitter.

        Raises:
            TaggerError: The folder is not a tagger, is damaged, or was written by a newer version.
            UnknownNameError: No plugin provides a label scheme, an alignment strategy or the encoder.
            PolytagError: A task or labels are given for a tagger that records its own, or do not fit.
        """
        path = folder / FILE
        if os.path.lexists(path):  # also a folder or a link without a target: the tagger is damaged
            if task is not None or labels is not None:
                raise PolytagError(
                    f"The tagger {str(folder)!r} records its tasks and labels. Leave out --task and --labels: they are "
                    "for token classifiers that polytag did not write."
                )
            description = cls._parsed(path)
        elif (folder / "config.json").is_file():
            description = cls.of_token_classifier(folder, task, labels)
        else:
            found = "does not exist" if not folder.exists() else f"has no {FILE}"
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
        """Derive the description of a token classifier of transformers.

        Tags are decoded by argmax, as in transformers: the labels do not show whether the classifier was trained to
        begin every span with `B`. If it was not, Viterbi would force its tags into that form.

        Args:
            folder: The folder.
            task: Name of the task; inferred from the labels if None.
            labels: Names of the labels, if the checkpoint has none or different ones.

        Raises:
            PolytagError: The folder has no token classifier, its labels do not fit the task or the given names, or the
                task cannot be inferred.
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
        splitter: str = STANDARD,
    ) -> TaggerDescription:
        """The description of a tagger, to be saved.

        Args:
            heads: The head of each task.
            provider, reference: The origin of the encoder, as in `EncoderDescription`.
            context, window: The content and maximum size of a window.
            details: Further keys.
            splitter: Name of the splitter of raw text.

        Raises:
            TaggerError: A value is invalid, so the file could not be read.
        """
        values = {
            "format": FORMAT,
            "tasks": {name: asdict(head) for name, head in heads.items()},
            "encoder": {"provider": provider, "reference": reference},
            "context": context,
            "window": window,
            "splitter": splitter,
            **(details or {}),
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise TaggerError(f"The tagger cannot be saved: {_problem(error.errors()[0])}.") from error

    @property
    def details(self) -> dict[str, Any]:
        """Further content of the file by key: the corpus, versions, scores, the export."""
        export = {} if self.export is None else {"export": self.export.model_dump()}
        return {**(self.model_extra or {}), **export}

    def heads(self, decoding: str | None = None) -> dict[str, TaskHead]:
        """The head of each task.

        Args:
            decoding: The decoding to use instead of the one in the file.

        Raises:
            PolytagError: No decoding has this name, or a head was not trained for it.
        """
        wanted = check_decoding(decoding)
        return {name: head.decoded_by(wanted) for name, head in self.tasks.items()}

    def to_json(self) -> str:
        """The content of the file, readable by `read`; defaults are left out, and further keys come last."""
        left_out = {"export", "onnx"} | ({"splitter"} if self.splitter == STANDARD else set())
        left_out |= {"weights"} if self.weights is None else set()
        own = self.model_dump(by_alias=True, include=set(type(self).model_fields) - left_out)
        for head in own["tasks"].values():
            if head["column"] is None:
                del head["column"]
            if head["kind"] == SOFTMAX:
                del head["kind"]
        onnx = (
            {"onnx": {name: found.model_dump(exclude_defaults=True) for name, found in self.onnx.items()}}
            if self.onnx
            else {}
        )
        return json.dumps({**own, **without_infinities({**self.details, **onnx})}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def _parsed(cls, path: Path) -> TaggerDescription:
        """Read the file and check all that can be checked without plugins."""
        values = read_json(path, _ADVICE, TaggerError, only_finite=False)
        version = values.get("format")
        if isinstance(version, int) and version > FORMAT:
            raise TaggerError(
                f"The tagger {str(path.parent)!r} has format {_shown(version)}, and this polytag reads formats up to "
                f"{FORMAT}. Upgrade: pip install --upgrade polytag"
            )
        try:
            description = cls.model_validate(values)
        except ValidationError as error:
            raise _damaged(path, _problem(error.errors()[0])) from error
        for key, value in infinities(values):
            raise _damaged(path, f"{key!r} is {_shown(value)}, which is not a number in JSON")
        return description

    def _check_names(self, path: Path) -> None:
        """Check that plugins provide the names in the file, and that schemes can read their labels."""
        for name, head in self.tasks.items():
            scheme = registry().schemes.get(head.scheme, "the tagger")
            registry().alignments.require(head.alignment, needed_by="the tagger")
            registry().heads.require(head.kind, needed_by="the tagger")
            if unreadable := next(unreadable_tags(head.labels, scheme), None):
                raise _damaged(
                    path,
                    f"'tasks.{name}.labels' has {unreadable!r}, which the label scheme {scheme.name!r} cannot read",
                )
        registry().encoders.require(self.encoder.provider, needed_by="the tagger")
        registry().splitters.require(self.splitter, needed_by="the tagger")


def open_folder(
    reference: str | Path, task: str | None = None, labels: LabelNames | None = None
) -> tuple[Path, TaggerDescription]:
    """Find the folder of a tagger and read its description, so that errors are found before slow work.

    Args:
        reference: A folder, or the name of a model on the hub, with or without `@revision`.
        task, labels: For a token classifier, as in `TaggerDescription.read`.

    Raises:
        PolytagError: As `tagger_folder` and `TaggerDescription.read`.
    """
    folder = tagger_folder(reference)
    return folder, TaggerDescription.read(folder, task, labels)


def _damaged(path: Path, problem: str) -> TaggerError:
    return TaggerError(f"{path} is damaged: {in_brief(problem)}. {_ADVICE}")


def _problem(error: ErrorDetails) -> str:
    """Describe an error of one value for users; pydantic's messages are for programmers."""
    where, kind, about = error["loc"], error["type"], error.get("ctx", {})
    if kind in ("missing", "incomplete"):
        above, key = (where[:-1], where[-1]) if kind == "missing" else (where, about["key"])
        return f"it has no {key!r}" + (f" in {_key(*above)!r}" if above else "")
    if kind == "decoding":
        return f"{_key(*where, kind)!r} is {_shown(error['input'][kind])}, and must be {about['of']}"
    if kind == "repeated":
        return f"{_key(*where)!r} has {about['label']!r} twice"
    what = where[-1]
    if what == "[key]":
        return f"the name of a task is {_shown(error['input'])}, and must be a non-empty string"
    if isinstance(what, int):
        what = "a label"
    elif where[0] == "tasks" and len(where) == 2:
        what = "a task"
    elif where[0] == "onnx" and len(where) == 2:
        what = "an ONNX model"
    return f"{shorten(_key(*where))!r} is {_shown(error['input'])}, and must be {_EXPECTED[str(what)]}"


def _key(*parts: str | int) -> str:
    return ".".join(map(str, parts))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
