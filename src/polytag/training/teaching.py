"""Targets of a run from its teachers: computed once, kept on disk, and resumed after a kill."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from polytag.corpus.splits import Split
from polytag.errors import PolytagError
from polytag.files import new_file
from polytag.plugin.alignment import IntArray
from polytag.plugin.reporter import Reporter
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme
from polytag.tagger.chunks import sentence_chunks
from polytag.tagger.decoder import Decoder
from polytag.tagger.tagger import Tagger
from polytag.terminal import stage
from polytag.training.config import RunConfig
from polytag.training.run_folder import SAID, TARGETS
from polytag.training.teachers import Teacher, label_ids_of, word_probabilities
from polytag.training.texts import read_texts, texts_fingerprint
from polytag.training.variants import variants

CHUNK = 512
"""Sentences in a file of the cache: the work that a kill can lose."""
_DIGEST = hashlib.sha256().digest_size
_MOST = 0.5
"""Share of words outside spans above which spans are names."""


Targets = Mapping[str, NDArray[np.float16]]
"""For each task with a teacher, the probabilities of the student's labels, float16 (words, labels), as a memory map."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """The sources of what a student learns from teachers.

    Attributes:
        teachers: The teachers.
        labels: For each teacher and each task that it shares with the student, the student's label for each of its
            own: int32 (labels of the teacher,).
        texts: The text without labels.
    """

    teachers: tuple[Teacher, ...]
    labels: tuple[Mapping[str, IntArray], ...]
    texts: Split

    @property
    def tasks(self) -> list[str]:
        """The tasks that have a teacher."""
        return list(dict.fromkeys(task for own in self.labels for task in own))

    @property
    def identity(self) -> dict[str, str]:
        """Values that identify what is learnt when the run is resumed, by the name shown in messages."""
        said = {f"fingerprint of the teacher {one.reference}": one.fingerprint() for one in self.teachers}
        return {**said, "fingerprint of the texts": texts_fingerprint(self.texts)}

    def description(self, references: Sequence[str]) -> dict[str, Any]:
        """The teachers and texts, as plain data for `polytag.json`; `references`: the names of the texts."""
        teachers = [{"reference": one.reference, "fingerprint": one.fingerprint()} for one in self.teachers]
        texts = {"references": list(references), "fingerprint": texts_fingerprint(self.texts)}
        return {"teachers": teachers, **({"texts": texts} if references else {})}


class Lesson(NamedTuple):
    """All sentences to train on, and what the teachers say of their words."""

    split: Split
    targets: Targets


class _Chunk(NamedTuple):
    """Sentences that a teacher tags together, and the words before them."""

    sentences: list[Sequence[str]]
    documents: list[int]
    start: int

    @property
    def n_words(self) -> int:
        return sum(map(len, self.sentences))

    def key(self) -> str:
        """A name that depends on the words, and on which sentences are of one document."""
        numbers = np.unique(self.documents, return_inverse=True)[1].tolist()
        return hashlib.sha256(json.dumps([numbers, [list(words) for words in self.sentences]]).encode()).hexdigest()[
            :32
        ]


def make_lessons(
    config: RunConfig,
    teachers: tuple[Teacher, ...],
    labels: Mapping[str, Sequence[str]],
    schemes: Mapping[str, LabelScheme],
    reporter: Reporter,
) -> Lessons:
    """Match the labels of teachers and student, and read the text without labels.

    Args:
        config: The options of the run.
        teachers: The teachers.
        labels, schemes: The labels, in id order, and the scheme of each task of the student.
        reporter: Receives the size of the text, and which tasks have no teacher.

    Raises:
        PolytagError: The labels do not match, or a text cannot be read.
    """
    ids = tuple(
        {
            task: label_ids_of(teacher, task, own, schemes[task], config.teacher_labels)
            for task, own in labels.items()
            if task in teacher.description.tasks
        }
        for teacher in teachers
    )
    known = {label for one in teachers for label in one.label_names()}
    if unknown := [name for name in config.teacher_labels if name not in known]:
        raise PolytagError(
            f"--teacher-label names {unknown[0]!r}, which no teacher has. They have {', '.join(sorted(known))}."
        )
    for task in labels:
        if not any(task in own for own in ids):
            reporter.message(f"No teacher has the task {task}: it is learnt from labels alone.")
    texts = read_texts(config.texts, config.splitter)
    if config.texts:
        reporter.message(f"Text without labels: {len(texts.sentences):,} sentences, {texts.n_words:,} words")
    return Lessons(teachers, ids, texts)


def make_lesson(
    lessons: Lessons,
    training: Split,
    decoders: Mapping[str, Decoder],
    config: RunConfig,
    folder: Path,
    reporter: Reporter,
) -> Lesson:
    """Ask the teachers about all sentences to train on: labelled, without labels, and variants of both.

    Args:
        lessons: The teachers, and the text without labels.
        training: The labelled sentences.
        decoders: The decoder of each task of the student.
        config: The options of the run.
        folder: The folder of the run.
        reporter: Receives the progress.

    Raises:
        PolytagError: As `make_targets`.
    """
    sizes = {task: len(decoder.head.labels) for task, decoder in decoders.items()}
    split = joined(training, lessons.texts)
    ask = partial(make_targets, lessons, sizes=sizes, folder=folder, cache=config.teacher_cache, reporter=reporter)
    if not config.variants:
        return Lesson(split, ask([split]))
    named = _names(ask([split]), decoders)
    if named is None:
        reporter.message("No task has names: there are no variants of sentences.")
        return Lesson(split, ask([split]))
    others = variants(split, *named, config.variants, config.seed)
    reporter.message(f"Variants with other names: {len(others.sentences):,} sentences, {others.n_words:,} words")
    return Lesson(joined(split, others), ask([split, others]))


def _names(targets: Targets, decoders: Mapping[str, Decoder]) -> tuple[IntArray, int] | None:
    """The most probable labels of the first task whose spans are names, and its label outside; None without one.

    Spans are names where most words are outside; chunks, for instance, are not.
    """
    for task, values in targets.items():
        labels = decoders[task].head.labels
        if decoders[task].scheme.encodes_spans and OUTSIDE in labels:
            found, outside = values.argmax(axis=1), labels.index(OUTSIDE)
            if (found == outside).mean() > _MOST:
                return found, outside
    return None


def make_targets(
    lessons: Lessons,
    splits: Sequence[Split],
    sizes: Mapping[str, int],
    folder: Path,
    cache: Path | None,
    reporter: Reporter,
) -> Targets:
    """The mean of the teachers' probabilities of the student's labels, in files of the folder.

    Args:
        lessons: The teachers.
        splits: The sentences, in parts that are tagged independently.
        sizes: Number of labels of each task of the student.
        folder: The folder of the run.
        cache: The folder for what the teachers say; in the folder of the run if None.
        reporter: Receives the progress.

    Raises:
        PolytagError: A folder cannot be written, or a teacher does not compute numbers.
    """
    place = folder / TARGETS
    try:
        place.mkdir(exist_ok=True)
        files = {task: place / f"{index}.npy" for index, task in enumerate(lessons.tasks)}
        n_words = sum(split.n_words for split in splits)
        found = {task: open_memmap(file, "w+", np.float16, (n_words, sizes[task])) for task, file in files.items()}
    except OSError as error:
        raise _not_written(place, error) from error
    chunks = list(_chunks(splits))
    said = [_Said(teacher, (cache or folder / SAID) / teacher.fingerprint(), reporter) for teacher in lessons.teachers]
    for number, one in enumerate(said):
        one.complete(chunks, f" {number + 1} of {len(said)}" if len(said) > 1 else "")
    for chunk in chunks:
        sums = {task: np.zeros((chunk.n_words, sizes[task]), np.float32) for task in found}
        counts = dict.fromkeys(found, 0)
        for one, labels in zip(said, lessons.labels, strict=True):
            read = one.read(chunk)
            for task, ids in labels.items():
                np.add.at(sums[task].T, ids, read[task].T.astype(np.float32))
                counts[task] += 1
        for task, values in found.items():
            values[chunk.start : chunk.start + chunk.n_words] = sums[task] / counts[task]
    for values in found.values():
        values.flush()
    return {task: open_memmap(file, "r") for task, file in files.items()}


class _Said:
    """The cache of one teacher: a file for each chunk, float16 (words, labels of all tasks), and then its SHA-256."""

    def __init__(self, teacher: Teacher, folder: Path, reporter: Reporter) -> None:
        self._teacher = teacher
        self._folder = folder
        self._reporter = reporter
        self._sizes = {task: len(head.labels) for task, head in teacher.description.tasks.items()}

    def complete(self, chunks: Sequence[_Chunk], which: str) -> None:
        """Ask the teacher about the chunks that are not in the cache."""
        missing = [chunk for chunk in chunks if self._read(chunk) is None]
        if not missing:
            return
        tagger = self._teacher.load()
        words = sum(chunk.n_words for chunk in missing)
        done = 0
        self._reporter.message(f"The teacher{which} tags {words:,} words in {tagger.runtime}")
        shown = 1 if sys.stderr.isatty() else 10
        for chunk in missing:
            stage(f"The teacher{which} has tagged {100 * done // words // shown * shown}%")
            self._write(chunk, tagger)
            done += chunk.n_words

    def read(self, chunk: _Chunk) -> dict[str, NDArray[np.float16]]:
        """The probabilities of a chunk's words for each task of the teacher: float16 (words, labels)."""
        found = self._read(chunk)
        if found is None:
            raise PolytagError(f"{self._path(chunk)} has changed since it was written. Start again with --resume.")
        return found

    def _write(self, chunk: _Chunk, tagger: Tagger) -> None:
        found = word_probabilities(tagger, chunk.sentences, chunk.documents)
        content = np.concatenate([found[task] for task in self._sizes], axis=1).astype("<f2").tobytes()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_written(self._folder, error) from error
        with new_file(self._path(chunk)) as sink:
            sink.buffer.write(content + hashlib.sha256(content).digest())

    def _read(self, chunk: _Chunk) -> dict[str, NDArray[np.float16]] | None:
        path = self._path(chunk)
        if not path.is_file():
            if path.exists():  # a pipe, for instance, to which writing would never end
                raise PolytagError(f"{path} is no regular file. Remove it, or choose another --teacher-cache.")
            return None
        content = path.read_bytes()
        content, digest = content[:-_DIGEST], content[-_DIGEST:]
        if digest != hashlib.sha256(content).digest():  # damaged: the teacher is asked again
            return None
        columns = sum(self._sizes.values())
        if len(content) != 2 * chunk.n_words * columns:
            return None
        values = np.frombuffer(content, "<f2").reshape(chunk.n_words, columns)
        ends = np.cumsum(list(self._sizes.values()))[:-1]
        return dict(zip(self._sizes, np.split(values, ends, axis=1), strict=True))

    def _path(self, chunk: _Chunk) -> Path:
        return self._folder / f"{chunk.key()}.f16"


def joined(first: Split, second: Split) -> Split:
    """The sentences of two splits, the second without tags."""
    documents = first.documents or list(range(len(first.sentences)))
    after = max(documents, default=-1) + 1
    others = second.documents or list(range(len(second.sentences)))
    untagged = [[UNANNOTATED] * len(words) for words in second.sentences]
    return Split(
        [*first.sentences, *second.sentences],
        [*documents, *(after + number for number in others)],
        {task: [*tags, *untagged] for task, tags in first.tags.items()},
    )


def _chunks(splits: Sequence[Split]) -> Iterator[_Chunk]:
    start = 0
    for split in splits:
        numbers = split.documents or range(len(split.sentences))
        for pairs in sentence_chunks(zip(split.sentences, numbers, strict=True), CHUNK, whole_documents=True):
            chunk = _Chunk([words for words, _ in pairs], [document for _, document in pairs], start)
            yield chunk
            start += chunk.n_words


def _not_written(folder: Path, error: OSError) -> PolytagError:
    return PolytagError(
        f"What the teacher says cannot be written to {str(folder)!r}: {error.strerror or error}. Make room, or choose "
        "another folder with --teacher-cache."
    )
