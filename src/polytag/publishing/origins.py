"""Sentences of a card about where a tagger comes from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from polytag.files import expand_home
from polytag.training.config import RunConfig
from polytag.training.teaching import Lessons


def student_of(config: RunConfig, lessons: Lessons) -> str:
    """The sentences on where a student learnt."""
    names = enumerated([f"`{public(name)}`" for name in config.teacher])
    texts = enumerated([f"`{public(name)}`" for name in config.texts]) if config.texts else ""
    also = f" and of text without labels, {texts}" if texts else ""
    return (
        f"It is a student of {names}: it learnt from the labels of the corpus, and from what {names} told of the words "
        f"of the corpus{also}. It may have learnt mistakes of {'these' if len(lessons.teachers) > 1 else 'this'}, too."
    )


def kept_labels(task: str, types: Sequence[str]) -> str:
    """The sentences on types of spans that only the tagger at the start of the run knew."""
    return (
        f"The corpus does not annotate {enumerated(types)} of {task}: they are kept from the tagger that training "
        "started from. Words in such spans of that tagger are not scored."
    )


def public(reference: str) -> str:
    """A name on the hub unchanged; of a path on this machine, only its last part."""
    path = Path(reference.split(",")[0].rpartition("=")[2])
    return path.name or reference if expand_home(path).exists() else reference


def enumerated(names: Sequence[str]) -> str:
    """Names with commas, and "and" before the last one."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
