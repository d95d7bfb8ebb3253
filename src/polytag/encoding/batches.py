"""The batch plan, a pure function of (seed, epoch, lengths), and the arrays of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from polytag.encoding.features import Features
from polytag.encoding.teaching import Teaching
from polytag.encoding.windows import Windows
from polytag.plugin.alignment import IGNORE, FloatArray, IntArray
from polytag.plugin.encoder import WordCoder

UNIT_BUDGET = {"word": 4096, "subword": 1024}
"""Units in a prediction batch, padding included: enough to keep the processor busy, few enough for its cache."""

NetworkFunction = Callable[[IntArray, NDArray[np.bool_]], Mapping[str, FloatArray]]
"""(ids (batch, length, n_features), mask (batch, length)) -> for each task probabilities (batch, length, labels)."""


class SentenceParts(NamedTuple):
    """The words that are read in a batch, by sentence; a sentence in several windows comes in several parts.

    Attributes:
        places: int32 (parts, words), the index of each word's unit among batch * length, -1 after the last word.
        begins: bool (parts,), whether the first word is the first of its sentence.
        ends: bool (parts,), whether the last word is the last of its sentence.
    """

    places: IntArray
    begins: NDArray[np.bool_]
    ends: NDArray[np.bool_]


class Batch(NamedTuple):
    """The input of the model.

    Attributes:
        ids: int32 (batch, length, n_features).
        mask: bool (batch, length), False at padding.
        labels: For each task int32 (batch, length), IGNORE at special units, padding, and words read in other windows.
        units: int64 (batch, length), the index of each unit in `Features.ids`, -1 at units that are not read here.
        sentences: The words by sentence, for each task that is trained on sentences.
        taught: For each task with a teacher float32 (batch, length, labels), the probabilities to learn; rows of zeros
            at units without any.
    """

    ids: IntArray
    mask: NDArray[np.bool_]
    labels: dict[str, IntArray]
    units: NDArray[np.int64]
    sentences: Mapping[str, SentenceParts] = {}
    taught: Mapping[str, FloatArray] = {}

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arrays that a training step reads: all but `units`, in containers that TensorFlow knows."""
        sentences = {task: tuple(of) for task, of in self.sentences.items()}
        return self.ids, self.mask, self.labels, sentences, dict(self.taught)

    def unlabelled(self) -> Batch:
        """The same input without anything to learn."""
        labels = {task: np.full_like(values, IGNORE) for task, values in self.labels.items()}
        return self._replace(labels=labels, taught={task: np.zeros_like(of) for task, of in self.taught.items()})


def training_plan(lengths: NDArray[np.int64], batch_size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Batches of windows of similar length, in random order.

    Lengths are perturbed by up to two units before sorting, so that batches differ between epochs and padding stays
    near four per cent.
    """
    random = np.random.default_rng([seed, epoch])
    order = np.argsort(lengths + 2 * random.random(len(lengths)), kind="stable")
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[index] for index in random.permutation(len(batches))]


def prediction_plan(lengths: NDArray[np.int64], unit_budget: int, call_units: int) -> list[NDArray[np.int64]]:
    """Batches of windows of similar length, longest first.

    Args:
        lengths: Units of each window.
        unit_budget: The most units in a batch of several windows, padding included.
        call_units: What a batch costs in addition to its units, counted in units: windows are batched so that units,
            padding and this cost are least in sum.
    """
    order = np.argsort(-lengths, kind="stable")
    batches = []
    start = 0
    while start < len(order):
        size = max(1, unit_budget // max(int(lengths[order[start]]), 1))
        full = order[start : start + size]
        sizes = _cheapest_sizes(lengths[full], call_units)
        # The last of several batches may grow with the windows that follow.
        for size in sizes if start + len(full) == len(order) else sizes[:-1] or sizes:
            batches.append(order[start : start + size])
            start += size
    return batches


def _cheapest_sizes(lengths: NDArray[np.int64], call_units: int) -> list[int]:
    """Split windows, longest first, into consecutive batches of least cost: the number of windows of each."""
    n_windows = len(lengths)
    if n_windows * lengths[0] - lengths.sum() <= call_units:
        return [n_windows]
    cost = np.full(n_windows + 1, np.iinfo(np.int64).max)
    cost[0] = 0
    begun = np.zeros(n_windows + 1, dtype=np.int64)
    rows = np.arange(1, n_windows + 1)
    for start in range(n_windows):
        with_one_more = cost[start] + call_units + lengths[start] * rows[: n_windows - start]
        ends = start + 1 + np.flatnonzero(with_one_more < cost[start + 1 :])
        cost[ends] = with_one_more[ends - start - 1]
        begun[ends] = start
    sizes, end = [], n_windows
    while end:
        sizes.append(int(end - begun[end]))
        end = int(begun[end])
    return sizes[::-1]


class BatchBuilder:
    """Builds the arrays of a batch from flat features.

    Args:
        features: The split.
        encoder: Defines the special units and the padding.
        labels: For each task the labels of units, int32 (units,).
        wanted: bool (units,), the units that are read; all of them by default.
        word_units: For each task that is trained on sentences, bool (units,), the unit in which each word is read.
        teaching: For each task with a teacher, what it says of the words.
    """

    def __init__(
        self,
        features: Features,
        encoder: WordCoder,
        labels: Mapping[str, IntArray] | None = None,
        wanted: NDArray[np.bool_] | None = None,
        word_units: Mapping[str, NDArray[np.bool_]] | None = None,
        teaching: Mapping[str, Teaching] | None = None,
    ) -> None:
        self._features = features
        self._word_units = dict(word_units or {})
        n_units = len(features.ids)
        specials = [*encoder.before, *encoder.after, encoder.padding]
        extra = np.repeat(np.array(specials, dtype=np.int32)[:, None], encoder.n_features, axis=1)
        self._ids = np.concatenate([features.ids, extra])
        ignored = np.full(len(specials), IGNORE, dtype=np.int32)
        self._labels = {task: np.concatenate([values, ignored]) for task, values in (labels or {}).items()}
        self._n_units = n_units
        self._wanted = None if wanted is None else np.append(wanted, False)
        self._n_before, self._n_after = len(encoder.before), len(encoder.after)
        self._teaching = dict(teaching or {})
        self._word_ids = features.word_ids if teaching else None

    @property
    def taught(self) -> tuple[str, ...]:
        """The tasks that have a teacher."""
        return tuple(self._teaching)

    def save(self, folder: Path) -> None:
        """Write the arrays into a folder, for `load`."""
        features = self._features
        np.save(folder / "ids.npy", self._ids)
        np.save(folder / "units.npy", features.unit_starts)
        np.save(folder / "sentences.npy", features.sentence_starts)
        np.save(folder / "windows.npy", np.stack(features.windows))
        for index, (task, values) in enumerate(self._labels.items()):
            np.save(folder / f"labels-{index}.npy", values)
            if task in self._teaching:
                self._teaching[task].save(folder, f"taught-{index}")
        for task, chosen in self._word_units.items():
            np.save(folder / f"words-{list(self._labels).index(task)}.npy", chosen)

    @classmethod
    def load(cls, folder: Path, encoder: WordCoder, tasks: Sequence[str]) -> tuple[Self, Features]:
        """The builder that was saved, and its features; processes of one machine share the memory of their arrays.

        Args:
            folder: The folder.
            encoder: The encoder of the builder that was saved.
            tasks: Its tasks, in order.
        """
        ids, units, sentences, windows = (
            open_memmap(folder / f"{name}.npy", mode="r") for name in ("ids", "units", "sentences", "windows")
        )
        found = {task: Teaching.load(folder, f"taught-{index}") for index, task in enumerate(tasks)}
        teaching = {task: own for task, own in found.items() if own}
        builder = cls(Features(ids[:0], units, sentences, Windows(*windows)), encoder, teaching=teaching)
        builder._n_units = int(units[-1])
        builder._ids = ids
        builder._labels = {
            task: open_memmap(folder / f"labels-{index}.npy", mode="r") for index, task in enumerate(tasks)
        }
        chosen = {task: folder / f"words-{index}.npy" for index, task in enumerate(tasks)}
        builder._word_units = {task: open_memmap(path, mode="r") for task, path in chosen.items() if path.exists()}
        return builder, replace(builder._features, ids=ids[: builder._n_units])

    def build(self, chosen: NDArray[np.int64]) -> Batch:
        """The batch of the windows with these indices."""
        windows, starts = self._features.windows, self._features.unit_starts
        first, last = starts[windows.start[chosen]], starts[windows.end[chosen]]
        lengths = (last - first)[:, None]
        width = int(lengths.max()) + self._n_before + self._n_after
        columns = np.arange(width)[None, :]
        inner = columns - self._n_before
        mask = (inner >= 0) & (inner < lengths)
        units = np.where(mask, first[:, None] + inner, self._n_units)
        rows = units
        if self._n_before or self._n_after:
            rows = np.where(inner < 0, self._n_units + columns, units)
            after = inner - lengths
            rows = np.where((after >= 0) & (after < self._n_after), self._n_units + self._n_before + after, rows)
            rows = np.where(after >= self._n_after, self._n_units + self._n_before + self._n_after, rows)
            mask = after < self._n_after
        read_first, read_last = starts[windows.read_start[chosen]], starts[windows.read_end[chosen]]
        is_read = (units >= read_first[:, None]) & (units < read_last[:, None])
        if self._wanted is not None:
            is_read &= self._wanted[units]
        labels = {task: np.where(is_read, values[rows], IGNORE) for task, values in self._labels.items()}
        read = np.where(is_read, units, -1)
        parts = {task: self._parts(read, chosen) for task, chosen in self._word_units.items()}
        taught = {}
        if self._word_ids is not None:
            taught = {task: teaching.at(read, self._word_ids) for task, teaching in self._teaching.items()}
        return Batch(self._ids[rows], mask, labels, read, parts, taught)

    @cached_property
    def _sentence_of_unit(self) -> NDArray[np.int64]:
        starts = self._features.unit_starts[self._features.sentence_starts]
        return np.repeat(np.arange(len(starts) - 1), np.diff(starts))

    def _parts(self, units: NDArray[np.int64], word_units: NDArray[np.bool_]) -> SentenceParts:
        """The parts of sentences in a batch, given its units, int64 (batch, length), -1 where none is read."""
        flat = units.ravel()
        places = np.flatnonzero(flat >= 0)
        places = places[word_units[flat[places]]]
        found = flat[places]
        sentences, rows = self._sentence_of_unit[found], places // units.shape[1]
        new = np.ones(len(places), dtype=bool)
        new[1:] = (np.diff(sentences) != 0) | (np.diff(rows) != 0)
        starts = np.flatnonzero(new)
        lengths = np.diff(starts, append=len(places))
        matrix = np.full((max(len(starts), 1), int(lengths.max(initial=1))), -1, dtype=np.int32)
        part = np.repeat(np.arange(len(starts)), lengths)
        matrix[part, np.arange(len(places)) - starts[part]] = places
        # A part begins or ends its sentence if the word before or after it is of another one.
        bounds = self._features.unit_starts
        words = np.searchsorted(bounds, found[starts], "right") - 1
        firsts, lasts = words, words + lengths - 1
        own = sentences[starts]
        begins = firsts == self._features.sentence_starts[own]
        ends = lasts + 1 == self._features.sentence_starts[own + 1]
        if not len(starts):
            begins = ends = np.zeros(1, dtype=bool)
        return SentenceParts(matrix, begins, ends)


def unit_scores(
    run: Callable[[Batch], Mapping[str, FloatArray]],
    features: Features,
    encoder: WordCoder,
    labels: Mapping[str, int],
    wanted: NDArray[np.bool_] | None = None,
    on_batch: Callable[[int], None] | None = None,
    at_once: int = 1,
    call_units: int = 0,
) -> dict[str, FloatArray]:
    """Probabilities of each task, float32 (units, labels), in the order of the units.

    Args:
        run: The network: for each task probabilities, float32 (n, labels), of the n units that a batch reads, in order.
        features: The input.
        encoder: The encoder that made the features.
        labels: The number of labels of each task.
        wanted: bool (units,), False for units that are not needed, whose probabilities are 0; all True by default.
        on_batch: Called after each batch with the number of its windows.
        at_once: Number of batches that the network processes in parallel, in threads.
        call_units: What a call of the network costs, as `prediction_plan` counts it.
    """
    builder = BatchBuilder(features, encoder, wanted=wanted)
    found = {task: np.zeros((len(features.ids), size), dtype=np.float32) for task, size in labels.items()}

    def score(chosen: NDArray[np.int64]) -> int:
        batch = builder.build(chosen)
        units = batch.units[batch.units >= 0]
        scores = run(batch)
        for task, values in found.items():
            values[units] = scores[task]
        return len(chosen)

    plan = prediction_plan(features.lengths, UNIT_BUDGET[encoder.unit], call_units)
    with ThreadPoolExecutor(at_once) if at_once > 1 and len(plan) > 1 else nullcontext() as pool:
        for size in pool.map(score, plan) if pool else map(score, plan):
            if on_batch:
                on_batch(size)
    return found
