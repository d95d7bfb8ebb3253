"""Contracts of heads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.plugin.alignment import IGNORE, FloatArray, IntArray
from polytag.plugin.head import DecodedWords, Head, SentenceWords
from polytag.plugin.scheme import LabelScheme
from polytag.testing.contracts import BrokenContractError, Contract, Workbench

_LABELS = ("O", "B-X", "I-X", "B-Y", "I-Y")
_GOLD = ((1, 2, 0), (0,), (0, 3, 4, 4, 0, 1))
"""The labels of sentences, valid in every scheme with `B` and `I`."""
_CLEAR = 4.0
"""How far the logit of one label is above the others."""
_TOLERANCE = 1e-4


class _Example(NamedTuple):
    """Sentences as a head is trained on them and decodes them."""

    gold: IntArray
    starts: NDArray[np.int64]
    sentences: SentenceWords | None
    parameters: dict[str, FloatArray]


def _has_parameters(head: Head, bench: Workbench) -> None:
    for labels, scheme in _tasks(bench):
        first, second = head.parameters(labels, scheme), head.parameters(labels, scheme)
        for name, values in first.items():
            if not isinstance(values, np.ndarray) or values.dtype != np.float32 or not np.isfinite(values).all():
                raise BrokenContractError(f"parameters() has {name!r}, which is not a float32 array of finite numbers.")
            if name in ("", "weight", "bias"):
                raise BrokenContractError(f"A parameter cannot be named {name!r}: the linear layer has that name.")
            if name not in second or not np.array_equal(values, second[name]):
                raise BrokenContractError(f"parameters() gives other values for {name!r} when it is called again.")


def _learns(head: Head, bench: Workbench) -> None:
    for example in _examples(head, bench):
        right = _loss(head, example, _logits(example.gold))
        wrong = _loss(head, example, _logits((example.gold + 1) % len(_LABELS)))
        shape = (len(example.starts) - 1,) if head.by_sentence else example.gold.shape
        for losses in (right, wrong):
            if losses.dtype != np.float32 or losses.shape != shape or not np.isfinite(losses).all():
                of = "sentences" if head.by_sentence else "units"
                raise BrokenContractError(
                    f"loss() gives {losses.dtype} of shape {losses.shape}, or numbers that are not finite; it must "
                    f"give float32 of shape {shape}, for {shape[0]} {of}."
                )
        if right.sum() >= wrong.sum():
            raise BrokenContractError(
                f"loss() is {right.sum():.4f} for logits that favour the right labels, and {wrong.sum():.4f} for "
                "others."
            )


def _leaves_out(head: Head, bench: Workbench) -> None:
    if not head.by_sentence:
        return
    for example in _examples(head, bench):
        unknown = example._replace(gold=np.full_like(example.gold, IGNORE))
        losses = _loss(head, unknown, _logits(example.gold))
        if np.abs(losses).max() > _TOLERANCE:
            raise BrokenContractError(f"The loss of sentences without annotation is {losses.tolist()}, and must be 0.")


def _decodes(head: Head, bench: Workbench) -> None:
    for example in _examples(head, bench):
        scores = _scores(example)
        found = head.decode(scores, example.starts, example.parameters)
        if not isinstance(found, DecodedWords):
            raise BrokenContractError(f"decode() gives {repr(found)[:60]}, which is not polytag.DecodedWords.")
        probabilities, labels = found
        if probabilities.dtype != np.float32 or probabilities.shape != scores.shape:
            raise BrokenContractError(
                f"decode() gives probabilities of type {probabilities.dtype} and shape {probabilities.shape}, and must "
                f"give float32 of shape {scores.shape}."
            )
        if not (probabilities >= 0).all() or np.abs(probabilities.sum(axis=1) - 1).max() > _TOLERANCE:
            raise BrokenContractError("decode() gives probabilities that are negative, or do not sum to 1 for a word.")
        if labels is not None and not (
            labels.shape == scores.shape[:1] and labels.dtype == np.int64 and set(labels.tolist()) <= set(range(5))
        ):
            raise BrokenContractError(
                f"decode() gives the labels {labels}, which are not ids of the {len(scores)} words."
            )


def _decodes_sentences_alone(head: Head, bench: Workbench) -> None:
    for example in _examples(head, bench):
        scores = _scores(example)
        together = head.decode(scores, example.starts, example.parameters)
        for start, end in zip(example.starts[:-1].tolist(), example.starts[1:].tolist(), strict=True):
            alone = head.decode(scores[start:end], np.array([0, end - start]), example.parameters)
            same = np.allclose(alone.probabilities, together.probabilities[start:end], atol=_TOLERANCE)
            if alone.labels is not None and together.labels is not None:
                same = same and np.array_equal(alone.labels, together.labels[start:end])
            if not same:
                raise BrokenContractError(
                    f"decode() gives other words for the sentence from word {start} to {end} when it comes alone."
                )


def _leaves_inputs(head: Head, bench: Workbench) -> None:
    for example in _examples(head, bench):
        scores = _scores(example)
        kept: dict[str, NDArray[Any]] = {"scores": scores.copy(), "sentence_starts": example.starts.copy()}
        kept |= {name: values.copy() for name, values in example.parameters.items()}
        head.decode(scores, example.starts, example.parameters)
        now: dict[str, NDArray[Any]] = {"scores": scores, "sentence_starts": example.starts, **example.parameters}
        for name, before in kept.items():
            if not np.array_equal(before, now[name]):
                raise BrokenContractError(f"decode() changes {name}. Work on a copy.")


CONTRACTS = (
    Contract("head", "its parameters are finite, and always the same", _has_parameters),
    Contract("head", "its loss is smaller for the right labels", _learns),
    Contract("head", "sentences without annotation have no loss", _leaves_out),
    Contract("head", "every word gets probabilities, and a label or none", _decodes),
    Contract("head", "sentences are decoded independently", _decodes_sentences_alone),
    Contract("head", "its arguments are not changed", _leaves_inputs),
)


def _tasks(bench: Workbench) -> Iterator[tuple[tuple[str, ...], LabelScheme]]:
    """Labels with and without spans, as far as their schemes are installed."""
    for name, labels in (("iob2", _LABELS), ("flat", tuple("VWXYZ"))):
        if name in bench.registry.schemes:
            yield labels, bench.registry.schemes[name]


def _examples(head: Head, bench: Workbench) -> Iterator[_Example]:
    gold = np.array([label for sentence in _GOLD for label in sentence], dtype=np.int32)
    starts = np.cumsum([0, *map(len, _GOLD)])
    sentences = None
    if head.by_sentence:
        rows = np.full((len(_GOLD), max(map(len, _GOLD))), -1, dtype=np.int32)
        for number, sentence in enumerate(_GOLD):
            rows[number, : len(sentence)] = np.arange(starts[number], starts[number + 1])
        edge = np.ones(len(_GOLD), dtype=bool)
        sentences = SentenceWords(rows, edge, edge)
    for labels, scheme in _tasks(bench):
        yield _Example(gold, starts, sentences, dict(head.parameters(labels, scheme)))


def _logits(labels: IntArray) -> FloatArray:
    """Logits that favour these labels."""
    return _CLEAR * np.eye(len(_LABELS), dtype=np.float32)[labels]


def _scores(example: _Example) -> FloatArray:
    """Probabilities. The right ones are the largest, but not by far."""
    noise = np.random.default_rng(0).random((len(example.gold), len(_LABELS)), dtype=np.float32)
    scores = np.exp(_logits(example.gold) / 4 + noise)
    normalised: FloatArray = scores / scores.sum(axis=1, keepdims=True)
    return normalised


def _loss(head: Head, example: _Example, logits: FloatArray) -> NDArray[Any]:
    import polytag.engine  # noqa: F401  # before the head does, so that TensorFlow logs as little as in a run

    return np.asarray(head.loss(logits, example.gold, example.parameters, example.sentences))
