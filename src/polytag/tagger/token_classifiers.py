"""Read token classifiers of transformers as taggers: their labels, task and label scheme.

Such a folder records only the names of the labels; the rest is inferred from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from polytag.corpus.annotation import have_spans
from polytag.corpus.recognition import scheme_that_writes
from polytag.encoding.checkpoint import read_config
from polytag.encoding.json_values import parse_json, read_limited
from polytag.errors import PolytagError, TaggerError, shorten
from polytag.files import expand_home, path_exists
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, LabelScheme, split_tag
from polytag.plugin.task import Task

ALIGNMENT = "first"
"""The strategy of transformers' own examples and of nearly all published token classifiers."""

_ANYTHING = "*"
_NAMELESS = re.compile(r"LABEL_\d+")
_SHOWN = 6
_MOST_LABELS = 32_767

LabelNames = str | Path | Sequence[str]
"""Labels given by a user: in id order, separated by commas; a file of them; or a sequence."""


def label_names(folder: Path, labels: LabelNames | None = None) -> tuple[str, ...]:
    """The labels of a token classifier in id order, renamed if `labels` is given.

    Raises:
        PolytagError: The folder has no token classifier, or the names do not fit it.
    """
    config = read_config(folder)
    classes = config.get("architectures") or []
    classes = classes if isinstance(classes, list) else [classes]
    if classes and not any(str(name).endswith("ForTokenClassification") for name in classes):
        raise TaggerError(
            f"The checkpoint {str(folder)!r} is a {shorten(str(classes[0]))}, which has no token-classification head. "
            f"Train one: polytag train --encoder {folder} --task ner --corpus SOURCE --output DIR"
        )
    try:
        found = {int(index): str(label) for index, label in (config.get("id2label") or {}).items()}
        size = len(found) or int(config.get("num_labels", 2))
        if not 1 <= size <= _MOST_LABELS:
            raise ValueError
        own = [found[index] if found else f"LABEL_{index}" for index in range(size)]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise TaggerError(
            f"{folder / 'config.json'} is damaged: its id2label does not name labels by consecutive numbers from 0, or "
            "num_labels is not their number. Download it again."
        ) from error
    names = tuple(own if labels is None else _renamed(own, labels))
    unusable = next((name for index, name in enumerate(names) if not name or name in names[:index]), None)
    if unusable is not None:
        problem = f"two of its labels are called {shorten(unusable)!r}" if unusable else "one of its labels has no name"
        raise TaggerError(
            f"The checkpoint {str(folder)!r} cannot be read as a tagger: {problem}. Give each a distinct name with "
            "--labels."
        )
    return names


def task_of(folder: Path, labels: Sequence[str]) -> Task:
    """The installed task that knows most of the labels, or else the one for unknown labels.

    Raises:
        PolytagError: The labels are only numbers, or no task or several tasks fit.
    """
    if all(map(_NAMELESS.fullmatch, labels)):
        raise TaggerError(
            f"The checkpoint {str(folder)!r} does not name its {len(labels)} labels: they are "
            f"{_listed(labels)}. Name them in id order: --labels O,B-PER,I-PER,… or --labels FILE."
        )
    kinds = _kinds(labels)
    types = {split_tag(label)[1] if kinds == {True} else label for label in labels} - {OUTSIDE, ""}
    # Plugins that clash, or need a scheme that is not installed, must not break the search for other tasks.
    schemes = {scheme.name: scheme for scheme in registry().schemes.undisputed()}
    tasks = [task for task in registry().tasks.undisputed() if task.scheme in schemes]
    suited = [task for task in tasks if schemes[task.scheme].encodes_spans in kinds]

    def fit(task: Task) -> tuple[int, bool, bool]:
        known = len({name.upper() for name in types} & set(task.typical))
        return known, _ANYTHING in task.typical, schemes[task.scheme].encodes_spans

    best = max(map(fit, suited), default=(0, False, False))
    found = [task for task in suited if fit(task) == best] if any(best[:2]) else []
    if len(found) == 1:
        return found[0]
    candidates = ", ".join(task.name for task in found or suited) or "none installed"
    raise TaggerError(
        f"The task of the checkpoint {str(folder)!r} cannot be inferred from its labels: {_listed(labels)}. Name "
        f"it with --task; candidates: {candidates}."
    )


def aggregation(alignment: str) -> str:
    """The `aggregation_strategy` of transformers' pipeline that corresponds to an alignment strategy."""
    return {"first": "first", "all": "first", "mean": "average"}.get(alignment, "simple")


def scheme_for(task: Task, labels: Sequence[str]) -> LabelScheme:
    """The label scheme of a token classifier's labels, given its task.

    Raises:
        TaggerError: The task has spans and the labels do not encode any, or vice versa.
    """
    own = registry().schemes[task.scheme]
    if own.encodes_spans not in _kinds(labels):
        need, have = ("spans", "no prefixes such as B- and I-") if own.encodes_spans else ("no spans", "such prefixes")
        raise TaggerError(
            f"The task {task.name!r} has {need}, and the labels have {have}: {_listed(labels)}. Name another task with "
            "--task, or other labels with --labels."
        )
    return scheme_that_writes(labels, registry().schemes.working()) if own.encodes_spans else own


def _kinds(labels: Iterable[str]) -> set[bool]:
    """Whether labels encode spans: yes with prefixes, either with `O` and no prefixes, otherwise no."""
    telling = [label for label in labels if label != OUTSIDE]
    if telling and have_spans(dict.fromkeys(telling, 1)):
        return {True}
    return {True, False} if OUTSIDE in labels else {False}


def _renamed(own: Sequence[str], labels: LabelNames) -> list[str]:
    given = labels if not isinstance(labels, str | Path) else _read_names(str(labels))
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in own and not (name.isdecimal() and int(name) < len(own))]
        if unknown:
            raise PolytagError(
                f"The labels {shorten(str(labels))} rename {shorten(unknown[0])!r}, which is not among {_listed(own)}."
            )
        return [given.get(name, given.get(str(index), name)) for index, name in enumerate(own)]
    if len(given) != len(own):
        raise PolytagError(
            f"The checkpoint has {len(own)} labels ({_listed(own)}), and {len(given)} names are given "
            f"({_listed(given)}). Give one name per label, in this order."
        )
    return list(given)


def _read_names(text: str) -> list[str] | dict[str, str]:
    path = expand_home(text)
    try:
        if not path_exists(path) or not path.is_file():
            return _written_out(text)
        content = read_limited(path).decode("utf-8-sig")
        if path.suffix != ".json":
            return [line.strip() for line in content.splitlines() if line.strip()]
        names = parse_json(content)
    except (OSError, ValueError) as error:
        raise PolytagError(f"The file of labels {text!r} cannot be read: {error}.") from error
    values = list(names.values()) if isinstance(names, dict) else names
    if not isinstance(values, list) or not all(isinstance(name, str) for name in values):
        raise PolytagError(
            f"The file of labels {text!r} is neither a JSON list of names nor an object such as "
            '{"LABEL_0": "O", "LABEL_1": "B-PER"}.'
        )
    return names if isinstance(names, dict) else values


def _written_out(text: str) -> list[str]:
    if "," not in text:
        raise PolytagError(
            f"The labels {shorten(text)!r} are neither a file nor a list. Name a file, or list them in id order: "
            "O,B-PER,I-PER"
        )
    return [name.strip() for name in text.split(",")]


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(shorten(str(label)) for label in labels[:_SHOWN]) + (", …" if len(labels) > _SHOWN else "")
