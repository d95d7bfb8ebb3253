"""The per-word majority-tag baseline."""

from __future__ import annotations

from collections import Counter, defaultdict

from polytag.evaluation.results import Tags
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme


class MajorityBaseline:
    """Tags each word with its most frequent tag in training, unseen words with `O` or the most frequent tag.

    Args:
        sentences: Words of the training split.
        tags: Their tags.
        scheme: The scheme of the tags.
    """

    def __init__(self, sentences: Tags, tags: Tags, scheme: LabelScheme) -> None:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        overall: Counter[str] = Counter()
        for words, word_tags in zip(sentences, tags, strict=True):
            for word, tag in zip(words, word_tags, strict=True):
                if tag != UNANNOTATED:
                    counts[word][tag] += 1
                    overall[tag] += 1
        # Ties go to the tag that sorts first, so that the baseline is deterministic.
        self._best = {word: min(tags, key=lambda tag: (-tags[tag], tag)) for word, tags in counts.items()}
        most = min(overall, key=lambda tag: (-overall[tag], tag), default=OUTSIDE)
        self._default = OUTSIDE if scheme.encodes_spans else most

    def tag(self, sentences: Tags) -> list[list[str]]:
        """The tags of every sentence."""
        return [[self._best.get(word, self._default) for word in words] for words in sentences]
