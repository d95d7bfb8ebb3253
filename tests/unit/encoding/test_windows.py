"""Windows: every word is read exactly once, in order, with as much context as fits."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytag.encoding.windows import plan_windows


class Window(NamedTuple):
    start: int
    end: int
    read_start: int
    read_end: int


class Split(NamedTuple):
    counts: list[list[int]]
    """Units of each word of each sentence."""
    documents: list[int] | None
    max_units: int
    overlap: int

    @property
    def unit_starts(self) -> NDArray[np.int64]:
        return np.cumsum([0, *(count for sentence in self.counts for count in sentence)], dtype=np.int64)

    @property
    def sentence_starts(self) -> NDArray[np.int64]:
        return np.cumsum([0, *map(len, self.counts)], dtype=np.int64)

    @property
    def sentences(self) -> list[tuple[int, int]]:
        starts = self.sentence_starts.tolist()
        return list(pairwise(starts))

    def units(self, start: int, end: int) -> int:
        return int(self.unit_starts[end] - self.unit_starts[start])

    def windows(self) -> list[Window]:
        planned = plan_windows(self.unit_starts, self.sentence_starts, self.max_units, self.overlap, self.documents)
        return [Window(*row) for row in np.stack(planned, axis=1).tolist()]


@st.composite
def splits(draw: st.DrawFn, documents: bool | None = None) -> Split:
    counts = draw(st.lists(st.lists(st.integers(1, 9), max_size=40), max_size=12))
    max_units = draw(st.integers(9, 60))
    overlap = draw(st.integers(0, max_units // 4))
    in_documents = draw(st.booleans()) if documents is None else documents
    changes = draw(st.lists(st.booleans(), min_size=len(counts), max_size=len(counts)))
    return Split(counts, np.cumsum(changes).tolist() if in_documents else None, max_units, overlap)


@given(split=splits())
def test_every_word_is_read_exactly_once_and_in_order(split: Split) -> None:
    read = [word for window in split.windows() for word in range(window.read_start, window.read_end)]
    assert read == list(range(split.sentence_starts[-1]))


@given(split=splits())
def test_a_window_holds_what_it_reads_and_no_more_units_than_fit(split: Split) -> None:
    for window in split.windows():
        assert window.start <= window.read_start < window.read_end <= window.end
        assert split.units(window.start, window.end) <= split.max_units


@given(split=splits(documents=False))
def test_a_sentence_that_fits_is_one_window_and_no_window_crosses_a_sentence(split: Split) -> None:
    windows = split.windows()
    for start, end in split.sentences:
        if start < end and split.units(start, end) <= split.max_units:
            assert Window(start, end, start, end) in windows
    ends = dict(split.sentences)
    for window in windows:
        start = max(start for start in ends if start <= window.start)
        assert window.end <= ends[start]


@given(split=splits(documents=True))
def test_document_windows_hold_whole_sentences_of_one_document(split: Split) -> None:
    document_of = [number for number, words in zip(split.documents or [], split.counts, strict=True) for _ in words]
    windows = split.windows()
    for window in windows:
        assert len(set(document_of[window.start : window.end])) == 1
    for start, end in split.sentences:
        if start < end and split.units(start, end) <= split.max_units:
            (reader,) = (window for window in windows if window.read_start < end and start < window.read_end)
            assert reader.read_start <= start
            assert end <= reader.read_end


@given(split=splits(documents=True))
def test_document_windows_are_as_full_as_whole_sentences_allow(split: Split) -> None:
    """Two windows that follow each other in a document would not have fitted into one."""
    document_of = [number for number, words in zip(split.documents or [], split.counts, strict=True) for _ in words]
    windows = split.windows()
    for before, after in pairwise(windows):
        whole = before.start in split.sentence_starts
        if whole and document_of[before.start] == document_of[after.start]:
            _, sentence_end = next(bounds for bounds in split.sentences if bounds[0] <= after.read_start < bounds[1])
            assert split.units(before.start, sentence_end) > split.max_units


@settings(max_examples=200)
@given(
    counts=st.lists(st.integers(1, 3), min_size=1, max_size=150),
    max_units=st.integers(12, 40),
    share=st.sampled_from([0.0, 0.1, 0.25]),
)
def test_each_word_of_a_long_sentence_is_read_where_its_smaller_context_is_nearly_largest(
    counts: list[int], max_units: int, share: float
) -> None:
    split = Split([counts], None, max_units, int(share * max_units))
    windows = split.windows()
    for word in range(len(counts)):
        contexts = {window: smaller_context(split, window, word) for window in windows if holds(window, word)}
        (chosen,) = (window for window in contexts if window.read_start <= word < window.read_end)
        assert contexts[chosen] >= max(contexts.values()) - 2 * max(counts)
        assert contexts[chosen] >= split.overlap - max(counts)


def holds(window: Window, word: int) -> bool:
    return window.start <= word < window.end


def smaller_context(split: Split, window: Window, word: int) -> float:
    """Units on the poorer side of a word; the edge of the sentence is no loss of context."""
    left = np.inf if window.start == 0 else split.units(window.start, word)
    right = np.inf if window.end == len(split.counts[0]) else split.units(word + 1, window.end)
    return min(left, right)


def test_the_border_lies_in_the_middle_of_the_overlap() -> None:
    split = Split([[1] * 30], None, max_units=16, overlap=4)
    assert split.windows() == [Window(0, 16, 0, 12), Window(8, 24, 12, 20), Window(16, 30, 20, 30)]


def test_sentences_of_a_document_share_windows() -> None:
    split = Split([[1] * 4, [], [2] * 3, [1] * 4, [1]], [7, 7, 7, 7, 9], max_units=10, overlap=2)
    assert split.windows() == [Window(0, 7, 0, 7), Window(7, 11, 7, 11), Window(11, 12, 11, 12)]


def test_thirty_thousand_words_need_as_many_windows_as_their_overlap_demands() -> None:
    split = Split([[1, 2, 3] * 10_000], None, max_units=510, overlap=64)
    units, step = 60_000, 510 - 2 * 64
    assert len(split.windows()) <= units / (step - 6) + 1


@given(split=splits())
def test_empty_sentences_make_no_windows(split: Split) -> None:
    without = [i for i, words in enumerate(split.counts) if words]
    packed = [split.documents[i] for i in without] if split.documents else split.documents
    assert split._replace(counts=[split.counts[i] for i in without], documents=packed).windows() == split.windows()


def test_no_sentences_have_no_windows() -> None:
    assert Split([], None, 10, 2).windows() == []
    assert Split([[], []], [0, 0], 10, 2).windows() == []


def test_widths_of_words_may_reach_the_width_of_a_window() -> None:
    split = Split([[9, 1, 9, 9, 1]], None, max_units=9, overlap=2)
    assert [list(range(window.read_start, window.read_end)) for window in split.windows()] == [[0], [1], [2], [3], [4]]


def test_a_wide_word_has_less_context_rather_than_no_window() -> None:
    split = Split([[1] * 9 + [9]], None, max_units=9, overlap=2)
    assert split.windows()[-1] == Window(9, 10, 9, 10)
