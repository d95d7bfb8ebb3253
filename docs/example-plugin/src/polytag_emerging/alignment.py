"""The alignment strategy `confident`."""

import numpy as np
from numpy.typing import NDArray
from polytag import NO_WORD, AlignmentStrategy, labels_at, scores_at


class Confident(AlignmentStrategy):
    """Every subword is trained on with the label of its word; the most certain one speaks for the word.

    A new name often falls into subwords most of which say nothing; the one that does should not be outvoted.
    """

    name = "confident"
    summary = "Train on every subword; read from the one with the highest score"

    def to_subwords(
        self, labels: NDArray[np.int32], word_ids: NDArray[np.int32], continuation: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """The word's label on each of its subwords: int32 (subwords,)."""
        return labels_at(labels, word_ids, word_ids != NO_WORD)

    def to_words(self, scores: NDArray[np.float32], word_ids: NDArray[np.int32], n_words: int) -> NDArray[np.float32]:
        """The scores of each word's most certain subword, the first of equals: float32 (n_words, labels)."""
        certainty = scores.max(axis=1)
        # Sorted by word, and within a word by certainty: what comes first in each word is its most certain subword.
        order = np.lexsort((-certainty, word_ids))
        in_order = word_ids[order]
        first = np.append(True, in_order[1:] != in_order[:-1])[: in_order.size] & (in_order != NO_WORD)
        chosen = np.zeros(word_ids.shape, dtype=np.bool_)
        chosen[order[first]] = True
        return scores_at(scores, word_ids, n_words, chosen)
