"""Counts of the labels that a corpus gives to the same words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from polytag.plugin.scheme import OUTSIDE, LabelScheme, Span

Words = tuple[str, ...]

_TIMES = {1: "once", 2: "twice"}


class Occurrences:
    """The labels that some sequences of words have in the annotation, wherever they occur.

    Args:
        wanted: The sequences of words.
        sentences: The words of each sentence.
        tags: Their tags.
        scheme: The scheme of the tags.
    """

    def __init__(
        self,
        wanted: Iterable[Words],
        sentences: Sequence[Sequence[str]],
        tags: Sequence[list[str]],
        scheme: LabelScheme,
    ) -> None:
        chosen = frozenset(wanted)
        lengths = sorted(set(map(len, chosen)))
        self._labels: dict[Words, Counter[str]] = defaultdict(Counter)
        self._all: Counter[Words] = Counter()
        for words, of_words in zip(sentences, tags, strict=True):
            text = tuple(words)
            for length in lengths:
                for start in range(len(text) - length + 1):
                    if (part := text[start : start + length]) in chosen:
                        self._all[part] += 1
            for span in spans_or_words(of_words, scheme):
                if (part := text[span.start : span.end]) in chosen:
                    self._labels[part][span.label] += 1

    def labels(self, words: Words) -> dict[str, int]:
        """The number of times that the words have each label, most frequent first; `O` where they are no span."""
        counts = Counter(self._labels[words])
        if others := self._all[words] - counts.total():
            counts[OUTSIDE] = others
        return dict(counts.most_common())

    def share(self, words: Words, label: str, *, but_one: bool) -> float:
        """The share of these words' occurrences with a label, elsewhere, as (k + 1/2) / (n + 1) (Jeffreys' prior)
        for k of n other occurrences.

        Args:
            words: The words.
            label: The label; `O` for none.
            but_one: Whether the occurrence that is judged has this label: it does not count for itself.
        """
        here = self._labels[words]
        found = self._all[words] - here.total() if label == OUTSIDE and OUTSIDE not in here else here[label]
        return (found - but_one + 0.5) / self._all[words]


def spans_or_words(tags: Sequence[str], scheme: LabelScheme) -> list[Span]:
    """The spans of a sentence; in a scheme without spans, each word with its tag."""
    if scheme.encodes_spans:
        return scheme.spans(tags)
    return [Span(position, position + 1, tag) for position, tag in enumerate(tags)]


def counted(labels: dict[str, int]) -> str:
    """The labels and their numbers, in words: `LOC 11 times and ORG once`."""
    parts = [
        f"{'no span' if label == OUTSIDE else label} {_TIMES.get(count, f'{count:,} times')}"
        for label, count in labels.items()
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
