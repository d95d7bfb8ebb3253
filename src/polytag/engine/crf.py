"""The likelihood of a linear-chain CRF, with its gradient."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import tensorflow as tf

from polytag.plugin.alignment import IGNORE
from polytag.plugin.head import FORBIDDEN, SentenceWords

_TINY = 1e-37
"""Added before a logarithm: a transition that is forbidden, as in a corpus with invalid tags, costs a finite score."""
_LEAST = math.log(_TINY)
_SMALLEST = 1e-30


def sentence_losses(logits: Any, gold: Any, transitions: Any, sentences: SentenceWords) -> Any:
    """The negative log-likelihood of the gold labels of each sentence (Lafferty et al. 2001), float32 (sentences,).

    A word without annotation is marginalised: the likelihood sums over all of its labels (Tsuboi et al. 2008).

    Args:
        logits: float32 (n, labels), of all words.
        gold: int32 (n,), label ids; IGNORE for words without annotation.
        transitions: float32 (labels + 1, labels + 1), the scores of the label in the column after the label in the row;
            the last row is for the first word of a sentence, the last column for the last word.
        sentences: The words of each sentence.
    """
    exists = sentences.rows >= 0
    rows = tf.maximum(sentences.rows, 0)
    emissions = tf.nn.log_softmax(tf.gather(logits, rows))
    labels = tf.where(exists, tf.gather(gold, rows), IGNORE)
    return -_log_likelihood(emissions, labels, exists, sentences, transitions)


def _log_likelihood(emissions: Any, gold: Any, exists: Any, sentences: SentenceWords, transitions: Any) -> Any:
    annotated = (gold != IGNORE)[..., None]
    right = tf.one_hot(gold, tf.shape(emissions)[-1], on_value=True, off_value=False) | ~annotated
    lengths = tf.reduce_sum(tf.cast(exists, tf.int32), axis=1)
    edges = tf.cast(tf.stack([sentences.begins, sentences.ends]), tf.float32)

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def of(emissions: Any, transitions: Any) -> Any:
        # The sequences that agree with the annotation, and all sequences, are summed together.
        both = tf.concat([tf.where(right, emissions, FORBIDDEN), emissions], axis=0)
        twice = tf.tile(lengths, [2]), tf.tile(edges, [1, 2])
        sums = _sums(both, *twice, transitions)
        clamped, free = tf.split(sums.normaliser, 2)

        def gradient(upstream: Any) -> tuple[Any, Any]:
            weights = tf.concat([upstream, -upstream], axis=0)
            own, step = _expected(both, *twice, transitions, sums, weights)
            some, others = tf.split(own, 2)
            return some + others, tf.where(transitions > FORBIDDEN / 2, step, 0.0)

        return clamped - free, gradient

    return of(emissions, transitions)


class _Sums(NamedTuple):
    """Sums over sequences of labels, as logarithms.

    Attributes:
        forward: float32 (sentences, words, labels): of the sequences up to a word with a label, this word included.
        backward: float32 (sentences, words, labels): of the sequences from a word with a label, this word included.
        normaliser: float32 (sentences,): of all sequences.
    """

    forward: Any
    backward: Any
    normaliser: Any


def _sums(emissions: Any, lengths: Any, edges: Any, transitions: Any) -> _Sums:
    """The forward and the backward sums (Rabiner 1989), in one loop over the words."""
    steps = tf.exp(transitions[:-1, :-1])
    matrices = tf.stack([steps, tf.transpose(steps)])
    outer = tf.maximum(tf.stack([transitions[-1, :-1], transitions[:-1, -1]]), _LEAST)
    reverse = tf.reverse_sequence(emissions, lengths, seq_axis=1, batch_axis=0)
    by_word = tf.transpose(tf.stack([emissions, reverse]), (2, 0, 1, 3))  # (words, 2, sentences, labels)
    n_words, n_labels = tf.shape(by_word)[0], emissions.shape[-1]
    first = by_word[0] + outer[:, None, :] * edges[:, :, None]
    found = tf.TensorArray(tf.float32, n_words, element_shape=(2, None, n_labels)).write(0, first)

    def one_word(word: Any, before: Any, found: Any) -> tuple[Any, Any, Any]:
        most = tf.reduce_max(before, axis=-1, keepdims=True)
        reached = tf.matmul(tf.exp(before - most), matrices)
        now = tf.math.log(reached + _TINY) + most + by_word[word]
        return word + 1, now, found.write(word, now)

    shape = tf.TensorShape((2, None, n_labels))
    invariants = (tf.TensorShape(()), shape, tf.TensorShape(None))
    *_, found = tf.while_loop(
        lambda word, *_: word < n_words, one_word, (tf.constant(1), first, found), shape_invariants=invariants
    )
    both = tf.transpose(found.stack(), (1, 2, 0, 3))
    backward = tf.reverse_sequence(both[1], lengths, seq_axis=1, batch_axis=0)
    begin = outer[0] * edges[0][:, None]
    return _Sums(both[0], backward, tf.reduce_logsumexp(backward[:, 0] + begin, axis=-1))


def _expected(emissions: Any, lengths: Any, edges: Any, transitions: Any, sums: _Sums, weights: Any) -> tuple[Any, Any]:
    """The expected number of each label of each word and of each transition, times the weights of sentences.

    Returns:
        float32 (sentences, words, labels), and float32 (labels + 1, labels + 1), summed over sentences.
    """
    inside = tf.sequence_mask(lengths, tf.shape(emissions)[1], tf.float32) * weights[:, None]
    marginals = tf.nn.softmax(sums.forward + sums.backward - emissions) * inside[..., None]
    steps = tf.exp(transitions[:-1, :-1])
    before = _peaked(sums.forward[:, :-1])
    after = _peaked(sums.backward[:, 1:])
    total = tf.reduce_sum(tf.matmul(before, steps) * after, axis=-1)
    scaled = after * (inside[:, 1:] / tf.maximum(total, _SMALLEST))[..., None]
    between = steps * tf.tensordot(before, scaled, [[0, 1], [0, 1]])
    first = tf.reduce_sum(marginals[:, 0] * edges[0][:, None], axis=0)
    last_words = tf.gather(marginals, tf.maximum(lengths - 1, 0), batch_dims=1)
    last = tf.reduce_sum(last_words * edges[1][:, None], axis=0)
    corner = tf.zeros((1, 1))
    rows = tf.concat([between, last[:, None]], axis=1)
    return marginals, tf.concat([rows, tf.concat([first[None], corner], axis=1)], axis=0)


def _peaked(logarithms: Any) -> Any:
    """Exponentials, scaled so that the largest of each word is 1."""
    return tf.exp(logarithms - tf.reduce_max(logarithms, axis=-1, keepdims=True))
