"""Batches: the plan is a pure function, and arrays hold what they should where they should."""

from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytag.encoding.batches import BatchBuilder, prediction_plan, training_plan
from polytag.encoding.features import Features, featurise
from polytag.plugin.alignment import IGNORE
from support.letters import LetterEncoder

lengths = st.lists(st.integers(1, 60), max_size=80).map(lambda values: np.array(values, dtype=np.int64))
sentences = st.lists(st.lists(st.text("abcdefgh", max_size=9), min_size=1, max_size=30), min_size=1, max_size=8)


@given(lengths=lengths, batch_size=st.integers(1, 20), seed=st.integers(0, 2**31), epoch=st.integers(1, 50))
def test_an_epoch_has_each_window_exactly_once(
    lengths: NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> None:
    plan = training_plan(lengths, batch_size, seed, epoch)
    assert sorted(index for batch in plan for index in batch) == list(range(len(lengths)))
    assert len(plan) == -(-len(lengths) // batch_size)
    assert all(len(batch) <= batch_size for batch in plan)
    again = training_plan(lengths.copy(), batch_size, seed, epoch)
    assert [batch.tolist() for batch in plan] == [batch.tolist() for batch in again]


def test_epochs_and_seeds_differ_in_batches_and_their_order() -> None:
    lengths = news_lengths()
    plans = [training_plan(lengths, 16, seed, epoch) for seed, epoch in ((0, 1), (0, 2), (1, 1))]
    contents = [{frozenset(batch.tolist()) for batch in plan} for plan in plans]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert len(contents[one] & contents[other]) < len(contents[one]) / 2
    assert not sorted_by_length(lengths, plans[0])


def test_the_plan_does_not_touch_the_global_generator() -> None:
    np.random.seed(3)
    before = np.random.get_state()[1].tolist()
    training_plan(news_lengths(), 16, 0, 1)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("batch_size", [8, 16, 32])
def test_little_is_padded_in_a_news_corpus(batch_size: int) -> None:
    lengths = news_lengths()
    plan = training_plan(lengths, batch_size, 0, 1)
    padded = sum(len(batch) * lengths[batch].max() for batch in plan)
    assert padded / lengths.sum() < 1.1


@given(lengths=lengths, budget=st.integers(1, 300), call_units=st.integers(0, 100))
def test_prediction_batches_stay_within_the_budget_and_lose_nothing(
    lengths: NDArray[np.int64], budget: int, call_units: int
) -> None:
    plan = prediction_plan(lengths, budget, call_units)
    assert sorted(index for batch in plan for index in batch) == list(range(len(lengths)))
    for batch in plan:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= budget
    longest = [lengths[batch].max() for batch in plan]
    assert longest == sorted(longest, reverse=True)


@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=9).map(np.array), call_units=st.integers(0, 100))
def test_no_other_batches_of_few_windows_cost_less(lengths: NDArray[np.int64], call_units: int) -> None:
    def cost(batches: Iterable[NDArray[np.int64]]) -> int:
        return sum(call_units + len(batch) * int(batch.max()) for batch in batches)

    longest_first = np.sort(lengths)[::-1]
    ends = range(1, len(lengths))
    splits = (np.split(longest_first, cuts) for size in range(len(lengths)) for cuts in combinations(ends, size))
    plan = prediction_plan(lengths, unit_budget=1000, call_units=call_units)
    assert cost(lengths[batch] for batch in plan) == min(map(cost, splits))


def test_a_short_window_does_not_wait_for_a_long_one_in_its_batch() -> None:
    lengths = np.array([4, 60, 5, 6, 58])
    assert [sorted(batch) for batch in prediction_plan(lengths, 1000, call_units=8)] == [[1, 4], [0, 2, 3]]
    assert [len(batch) for batch in prediction_plan(lengths, 1000, call_units=500)] == [5]


@given(sentences=sentences, max_units=st.integers(4, 30), documents=st.booleans(), data=st.data())
def test_arrays_are_those_of_a_plain_construction(
    sentences: list[list[str]], max_units: int, documents: bool, data: st.DataObject
) -> None:
    encoder = LetterEncoder()
    features = featurise(encoder, sentences, [0] * len(sentences) if documents else None, max_units)
    n_units, n_windows = len(features.ids), len(features.lengths)
    labels = {
        "a": np.arange(n_units, dtype=np.int32),
        "b": np.array(data.draw(st.lists(st.integers(0, 4), min_size=n_units, max_size=n_units)), np.int32),
    }
    chosen = data.draw(st.lists(st.integers(0, n_windows - 1), min_size=1, max_size=6))
    batch = BatchBuilder(features, encoder, labels).build(np.array(chosen))
    rows = [plain_row(features, encoder, window) for window in chosen]
    width = max(map(len, rows))
    for index, row in enumerate(rows):
        ids, units = zip(*row, *[(encoder.padding, -1)] * (width - len(row)), strict=True)
        assert batch.ids[index, :, 0].tolist() == list(ids)
        assert batch.mask[index].tolist() == [True] * len(row) + [False] * (width - len(row))
        assert batch.units[index].tolist() == list(units)
        for task, values in labels.items():
            assert batch.labels[task][index].tolist() == [IGNORE if unit < 0 else values[unit] for unit in units]
    assert batch.ids.shape == (len(chosen), width, 1)
    assert batch.ids.dtype == np.int32
    assert all(values.dtype == np.int32 for values in batch.labels.values())


def plain_row(features: Features, encoder: LetterEncoder, window: int) -> list[tuple[int, int]]:
    """Id and unit of each position of a window, unit -1 where none is read."""
    start, end, read_start, read_end = (int(values[window]) for values in features.windows)
    row = [(special, -1) for special in encoder.before]
    for word in range(start, end):
        for unit in range(features.unit_starts[word], features.unit_starts[word + 1]):
            row.append((int(features.ids[unit, 0]), unit if read_start <= word < read_end else -1))  # noqa: PERF401
    return row + [(special, -1) for special in encoder.after]


def test_units_with_several_features_keep_them_together() -> None:
    pairs = np.array([[5, 6], [7, 8], [9, 10]], np.int32)
    flat = featurise(LetterEncoder(), [["a", "b"], ["c"]])
    features = Features(pairs, flat.unit_starts, flat.sentence_starts, flat.windows)
    encoder = LetterEncoder()
    encoder.n_features, encoder.before, encoder.after = 2, (), ()
    batch = BatchBuilder(features, encoder).build(np.array([1, 0]))
    assert batch.ids.tolist() == [[[9, 10], [0, 0]], [[5, 6], [7, 8]]]
    assert batch.mask.tolist() == [[True, False], [True, True]]
    assert batch.labels == {}


def test_a_saved_builder_builds_the_same_batches_from_files(tmp_path: Path) -> None:
    encoder = LetterEncoder()
    features = featurise(encoder, [["a", "bcd"], ["ef"], ["g", "h", "ij"]])
    labels = {
        task: np.arange(start, start + len(features.ids), dtype=np.int32) for task, start in (("x", 0), ("y", 50))
    }
    builder = BatchBuilder(features, encoder, labels)
    builder.save(tmp_path)
    loaded, found = BatchBuilder.load(tmp_path, encoder, ["x", "y"])
    assert isinstance(found.ids, np.memmap)
    assert np.array_equal(found.lengths, features.lengths)
    for chosen in (np.array([0, 2]), np.array([1])):
        one, other = builder.build(chosen), loaded.build(chosen)
        assert one.labels.keys() == other.labels.keys()
        assert all(map(np.array_equal, (*one[:2], one.units), (*other[:2], other.units)))
        assert all(np.array_equal(values, other.labels[task]) for task, values in one.labels.items())


def news_lengths() -> NDArray[np.int64]:
    """Subwords a sentence like those of CoNLL-2003: mean 19, many headlines and table rows, few beyond 60."""
    random = np.random.default_rng(5)
    short = random.integers(2, 12, 6_000)
    long = np.clip(random.normal(29, 11, 8_000), 5, 120).astype(np.int64)
    return np.concatenate([short, long]).astype(np.int64)


def sorted_by_length(lengths: NDArray[np.int64], plan: list[NDArray[np.int64]]) -> bool:
    longest = [int(lengths[batch].max()) for batch in plan]
    return longest == sorted(longest)
