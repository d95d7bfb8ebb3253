"""Teachers: taggers whose probabilities a student learns, and the labels that they share with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from polytag.encoding.features import featurise
from polytag.encoding.tensors import fingerprint
from polytag.errors import PolytagError
from polytag.files import expand_home
from polytag.plugin.alignment import FloatArray, IntArray
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, LabelScheme, join_tag, split_tag
from polytag.tagger.calibration import tempered
from polytag.tagger.decoder import units_needed
from polytag.tagger.description import TaggerDescription, open_folder
from polytag.tagger.tagger import Tagger
from polytag.training.config import RunConfig

_UNREAD = {"README.md", "scores.json", "run.toml", "report.html"}
"""Files of a tagger that do not matter for what it computes."""
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Teacher:
    """A tagger to learn from.

    Attributes:
        reference: The name that the user gave.
        folder: Its folder.
        description: Its description.
    """

    reference: str
    folder: Path
    description: TaggerDescription

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of everything that its probabilities depend on."""
        digest = hashlib.sha256(
            json.dumps({name: asdict(head) for name, head in self.description.tasks.items()}).encode()
        )
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and name not in _UNREAD and not name.startswith("."):
                digest.update(f"{name} {fingerprint(path)}\n".encode())
        return digest.hexdigest()[:16]

    def label_names(self) -> set[str]:
        """The names of its labels, without the prefixes of spans."""
        schemes = registry().schemes
        return {
            _name(label, schemes.get(head.scheme, "the teacher"))
            for head in self.description.tasks.values()
            for label in head.labels
        }

    def load(self) -> Tagger:
        """The tagger."""
        return Tagger.load(self.folder)


def open_teachers(config: RunConfig, tasks: Sequence[str]) -> tuple[Teacher, ...]:
    """Open the teachers of a run.

    Args:
        config: The options of the run.
        tasks: The tasks of the student.

    Raises:
        PolytagError: A teacher is no tagger, is the output folder, has the cache in its folder, or has none of the
            tasks; or two teachers have a task in different label schemes.
    """
    found = []
    for reference in config.teacher:
        folder, description = open_folder(reference)
        if expand_home(folder).resolve() == config.output.resolve():
            raise PolytagError(
                f"The teacher {reference!r} is the output folder, which the student replaces. Choose another --output."
            )
        if config.teacher_cache and expand_home(config.teacher_cache).resolve().is_relative_to(Path(folder).resolve()):
            raise PolytagError(
                f"The folder {str(config.teacher_cache)!r} of --teacher-cache is in the folder of the teacher "
                f"{reference!r}, all of whose files count for what it says. Choose another folder."
            )
        if not set(tasks) & set(description.tasks):
            raise PolytagError(
                f"The teacher {reference!r} has the tasks {', '.join(description.tasks)} and none of this run's "
                f"({', '.join(tasks)}). Choose another teacher, or another --task."
            )
        found.append(Teacher(reference, folder, description))
    for task in tasks:
        schemes = {one.description.tasks[task].scheme: one.reference for one in found if task in one.description.tasks}
        if len(schemes) > 1:
            (one, first), (other, second), *_ = schemes.items()
            raise PolytagError(
                f"The teachers {first!r} and {second!r} have {task} in different label schemes, {one} and {other}, and "
                "cannot teach it together. Choose teachers with the same scheme."
            )
    return tuple(found)


def label_ids_of(
    teacher: Teacher, task: str, labels: Sequence[str], scheme: LabelScheme, mapping: Mapping[str, str]
) -> IntArray:
    """The id of the student's label for each label of a teacher: int32 (labels of the teacher,).

    Args:
        teacher: The teacher.
        task: A task that it shares with the student.
        labels: The labels of the student, in id order.
        scheme: The scheme of these labels.
        mapping: The student's label for some labels of the teacher, without the prefixes of spans.

    Raises:
        PolytagError: The schemes differ, or one of the two has labels that the other lacks.
    """
    head = teacher.description.tasks[task]
    if head.scheme != scheme.name:
        raise PolytagError(
            f"The teacher {teacher.reference!r} has {task} in the label scheme {head.scheme}, and this run has "
            f"{scheme.name}. Train the student in the same one: --scheme {head.scheme}"
        )
    ids = {label: index for index, label in enumerate(labels)}
    told = [_mapped(label, scheme, mapping) for label in head.labels]
    if unknown := [label for label, new in zip(head.labels, told, strict=True) if new not in ids]:
        names = _named(unknown, scheme)
        raise PolytagError(
            f"The teacher {teacher.reference!r} has {task} labels that the student lacks: {_listed(names)}. The "
            f"student has {_listed(_named(labels, scheme))}. Say what each of them is for the student, for instance "
            f"--teacher-label {names[0]}={OUTSIDE if scheme.encodes_spans else _named(labels, scheme)[0]}"
        )
    if untaught := [label for label in labels if label not in told]:
        raise PolytagError(
            f"The student has {task} labels that the teacher {teacher.reference!r} lacks, and would unlearn: "
            f"{_listed(_named(untaught, scheme))}. The teacher has {_listed(_named(head.labels, scheme))}. Map one of "
            "these with --teacher-label TEACHER=STUDENT, or choose a teacher that has these labels."
        )
    return np.array([ids[label] for label in told], dtype=np.int32)


def word_probabilities(
    tagger: Tagger, sentences: Sequence[Sequence[str]], documents: Sequence[int]
) -> dict[str, FloatArray]:
    """The calibrated probabilities of a tagger, float32 (words, labels), for each of its tasks."""
    packed = documents if tagger.context == "document" else None
    features = featurise(tagger.encoder, sentences, packed, tagger.window)
    wanted = None if tagger.encoder.unit == "word" else units_needed(tagger.decoders.values(), features)
    scores = tagger.scorer.predict(features, wanted)
    return {
        task: tempered(decoder.word_scores(scores[task], features), decoder.head.temperature)
        for task, decoder in tagger.decoders.items()
    }


def _mapped(tag: str, scheme: LabelScheme, mapping: Mapping[str, str]) -> str:
    """The student's tag for a teacher's."""
    new = mapping.get(_name(tag, scheme), _name(tag, scheme))
    return join_tag(split_tag(tag)[0], new) if scheme.encodes_spans and OUTSIDE not in (tag, new) else new


def _name(tag: str, scheme: LabelScheme) -> str:
    """A tag without the prefix that marks a span."""
    return (split_tag(tag)[1] or tag) if scheme.encodes_spans else tag


def _named(tags: Sequence[str], scheme: LabelScheme) -> list[str]:
    return list(dict.fromkeys(_name(tag, scheme) for tag in tags))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
