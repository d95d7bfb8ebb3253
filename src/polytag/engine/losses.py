"""The loss of a task, computed by its head."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from polytag.errors import shorten
from polytag.plugin.alignment import IGNORE
from polytag.plugin.head import CRF, SOFTMAX, Head, SentenceWords
from polytag.plugin.registry import registry

LEAST_TAUGHT = 1e-7
"""The least probability that a teacher says, close to the least number above 0 in float16."""

PARTS = (
    tf.TensorSpec((None, None), tf.int32),
    tf.TensorSpec((None,), tf.bool),
    tf.TensorSpec((None,), tf.bool),
)
"""The signature of the words of a batch by sentence: `SentenceParts` as tensors."""


def trained_positions(labels: Mapping[str, Any], parts: Mapping[str, Any], taught: Mapping[str, Any]) -> Any:
    """The positions whose logits a loss needs, int64 (n,), ascending.

    Args:
        labels: For each task int32 (positions,), IGNORE where it has no label.
        parts: For each task that is trained on sentences, their words, as `SentenceParts`.
        taught: For each task with a teacher float32 (positions, labels), rows of zeros where it says nothing.
    """
    needed = [values != IGNORE for values in labels.values()]
    needed += [tf.reduce_any(values > 0, axis=-1) for values in taught.values()]
    for places, *_ in parts.values():
        words = tf.boolean_mask(places, places >= 0)[:, None]
        needed.append(tf.scatter_nd(words, tf.ones_like(words[:, 0]), tf.shape(needed[0])) > 0)
    return tf.where(tf.reduce_any(needed, axis=0))[:, 0]


def sentence_words(parts: Sequence[Any], positions: Any, n_positions: Any) -> SentenceWords:
    """The words of sentences as rows among the logits of some positions.

    Args:
        parts: Their words as positions, as `SentenceParts`.
        positions: int64 (n,), the positions that have logits.
        n_positions: Number of all positions.
    """
    places, begins, ends = parts
    rows = tf.scatter_nd(positions[:, None], tf.range(tf.size(positions)), tf.cast(n_positions, tf.int64)[None])
    found = tf.gather(rows, tf.maximum(places, 0))
    return SentenceWords(tf.where(places >= 0, found, -1), begins, ends)


def cross_entropy(logits: Any, gold: Any) -> Any:
    """The cross-entropy of each unit, float32 (n,), for logits, float32 (n, labels), and label ids, int32 (n,)."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=gold, logits=logits)


def divergence(targets: Any, logits: Any, temperature: float) -> Any:
    """T^2 KL(teacher || student) of each position, both at a temperature T (Hinton et al. 2015, section 2).

    Args:
        targets: float32 (n, labels), probabilities of the teacher; rows of zeros where it says nothing.
        logits: float32 (n, labels), of the student.
        temperature: T, above 0.

    Returns:
        float32 (n,), 0 where the teacher says nothing.
    """
    teacher = tf.nn.log_softmax(tf.math.log(tf.maximum(targets, LEAST_TAUGHT)) / temperature)
    student = tf.nn.log_softmax(logits / temperature)
    found = temperature**2 * tf.reduce_sum(tf.exp(teacher) * (teacher - student), axis=-1)
    return tf.where(tf.reduce_any(targets > 0, axis=-1), found, 0.0)


def head_loss(
    head: Head,
    parameters: Mapping[str, Any],
    logits: Any,
    labels: Any,
    sentences: SentenceWords | None,
    label_weights: Sequence[float] | None = None,
    open_labels: Sequence[int] | None = None,
) -> Any:
    """The summed loss of a task, float32 ().

    Args:
        head: The head of the task.
        parameters: Its parameters.
        logits: float32 (n, labels).
        labels: int32 (n,), label ids, IGNORE where there is none; the number of labels for open units.
        sentences: The words of each sentence, for a head that is trained on sentences.
        label_weights: The weight of each label; for other heads only.
        open_labels: The labels that an open unit can have, whose summed probability counts; for other heads only.

    Raises:
        PluginError: The loss does not fit the contract of `Head.loss`.
    """
    if sentences is not None:
        losses = head.loss(logits, labels, parameters, sentences)
        return tf.reduce_sum(_checked(head, losses, "sentences", tf.shape(sentences.rows)[0]))
    # Ignored positions are masked before the loss: inside it, -100 is NaN on a GPU and an error on a CPU.
    labelled = labels != IGNORE
    is_open = labels == logits.shape[-1]
    gold = tf.where(labelled & ~is_open, labels, 0)
    losses = _checked(head, head.loss(logits, gold, parameters, None), "units", tf.size(gold))
    if label_weights:
        losses *= tf.gather(tf.constant(label_weights, tf.float32), gold)
    if open_labels:
        any_of = tf.reduce_logsumexp(tf.gather(logits, open_labels, axis=-1), axis=-1)
        losses = tf.where(is_open, tf.reduce_logsumexp(logits, axis=-1) - any_of, losses)
    return tf.reduce_sum(tf.where(labelled, losses, 0.0))


def is_own(head: Head) -> bool:
    """Whether a head is of polytag itself, and not of a plugin."""
    return head.name in (SOFTMAX, CRF)


def check_gradients(head: Head, gradients: Sequence[Any]) -> None:
    """Check that a loss that a plugin computes depends on all that is trained.

    Raises:
        PluginError: It does not.
    """
    if not is_own(head) and any(gradient is None for gradient in gradients):
        raise registry().heads.misfit(
            head.name, "a loss that does not depend on the logits and on all parameters, or that has no derivative"
        )


@contextmanager
def attributed(head: Head) -> Iterator[None]:
    """Name the plugin if its loss fails while TensorFlow computes it, when no frame of its code is on the stack.

    Raises:
        PluginError: The loss of a plugin failed.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        # The message names the file in which an operation was made.
        if is_own(head) or not (_WRONG_NUMBER in error.message or inspect.getfile(type(head)) in error.message):
            raise
        lines = [line for line in error.message.splitlines() if line.strip() and "{{node" not in line]
        why = _WRONG_NUMBER if _WRONG_NUMBER in error.message else lines[-1]
        raise registry().heads.misfit(head.name, f"a loss that cannot be computed: {shorten(why, 200)}") from error


_WRONG_NUMBER = "it has not one number for each unit or sentence"


def _checked(head: Head, losses: Any, of: str, count: Any) -> Any:
    if not tf.is_tensor(losses) or losses.dtype != tf.float32 or losses.shape.rank != 1:
        raise registry().heads.misfit(head.name, f"{repr(losses)[:60]} and not the losses of {of}, float32 ({of},)")
    if is_own(head):
        return losses
    with tf.control_dependencies([tf.debugging.assert_equal(tf.size(losses), count, _WRONG_NUMBER)]):
        return tf.identity(losses)
