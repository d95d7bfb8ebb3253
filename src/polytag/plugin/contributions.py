"""Check what plugins contribute when they are registered: names, types, and the simplest calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import numpy as np

from polytag.plugin.alignment import IGNORE, NO_WORD, AlignmentStrategy
from polytag.plugin.encoder import EncoderProvider, TrainingDefaults
from polytag.plugin.head import ARGMAX, VITERBI, Head
from polytag.plugin.metric import Metric
from polytag.plugin.provenance import Contribution
from polytag.plugin.reader import Reader
from polytag.plugin.scheme import OUTSIDE, LabelScheme, Span
from polytag.plugin.task import Task

_MOST = 1000
"""Maximum number of contributions of one hook: a generator may never end."""
_LONGEST_NAME = 100


class Misfit(Exception):  # noqa: N818  # it is the end of a sentence: "its hook polytag_tasks returned ..."
    """A contribution does not fit the contract; the message is a noun phrase."""


_Test = Callable[[Any], bool]


def by_name(results: Iterable[Iterable[object]], expected: type[Contribution]) -> dict[str, Contribution]:
    """The contributions that a hook returned, by name.

    Raises:
        Misfit: An item is of another type, has no usable name, or an attribute that does not fit the contract; or a
            name occurs twice.
    """
    named: dict[str, Contribution] = {}
    items = list(islice((item for result in results for item in result), _MOST + 1))
    if len(items) > _MOST:
        raise Misfit(f"more than {_MOST:,} contributions")
    for item in items:
        if not isinstance(item, expected):
            raise Misfit(f"{type(item).__name__} where {expected.__name__} is expected")
        name = getattr(item, "name", None)
        if not isinstance(name, str) or not name:
            raise Misfit(f"a {type(item).__name__} without a name")
        if not name.isprintable() or len(name) > _LONGEST_NAME or name != name.strip():
            raise Misfit(
                f"a {type(item).__name__} with the name {name[:_LONGEST_NAME]!r}; a name is at most {_LONGEST_NAME} "
                "printable characters, without spaces around it"
            )
        if name in named:
            raise Misfit(f"two contributions named {name!r}")
        for kind, rules in _RULES.items():
            if isinstance(item, kind):
                _check_attributes(item, rules)
        named[name] = item
    return named


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_no_decoding(value: Any) -> bool:
    return value not in (VITERBI, ARGMAX)


def _is_optional_name(value: Any) -> bool:
    return value is None or _is_name(value)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _are_names(value: Any) -> bool:
    return isinstance(value, tuple | list | frozenset | set) and all(map(_is_name, value))


def _are_some_names(value: Any) -> bool:
    return _are_names(value) and len(value) > 0


def _are_labels(value: Any) -> bool:
    return value is None or (_are_some_names(value) and len(set(value)) == len(value))


def _are_defaults(value: Any) -> bool:
    if not isinstance(value, TrainingDefaults):
        return False
    counts = (value.epochs, value.batch_size)
    rates = (value.learning_rate, value.weight_decay, value.averaging)
    return (
        all(isinstance(count, int) and count >= 1 for count in counts)
        and all(isinstance(rate, int | float) and math.isfinite(rate) and rate >= 0 for rate in rates)
        and value.learning_rate > 0
        and value.averaging < 1
        and value.precision in ("native", "float32")
    )


_SUMMARY: dict[str, tuple[_Test, str]] = {"summary": (_is_text, "a string")}
_RULES: dict[type, dict[str, tuple[_Test, str]]] = {
    Task: _SUMMARY
    | {
        "columns": (_are_some_names, "a tuple of names"),
        "scheme": (_is_name, "a name"),
        "alignment": (_is_name, "a name"),
        "metrics": (_are_some_names, "a tuple of names"),
        "labels": (_are_labels, "None or a tuple of distinct labels"),
        "typical": (_are_names, "a tuple of labels"),
        "examples": (_are_names, "a tuple of texts"),
    },
    LabelScheme: {
        "encodes_spans": (_is_bool, "True or False"),
        "separates_neighbours": (_is_bool, "True or False"),
    },
    AlignmentStrategy: _SUMMARY,
    Metric: _SUMMARY
    | {
        "headline": (_is_name, "the name of a score"),
        "needs_spans": (_is_bool, "True or False"),
        "strict": (_is_optional_name, "None or the name of a metric"),
    },
    Reader: _SUMMARY
    | {
        "endings": (_are_names, "a frozenset of file name endings"),
        "companions": (_are_names, "a frozenset of file names"),
        "scheme": (_is_optional_name, "None or the name of a label scheme"),
        "leaves_out": (_is_text, "a string"),
    },
    EncoderProvider: _SUMMARY | {"defaults": (_are_defaults, "TrainingDefaults with sensible numbers")},
    Head: _SUMMARY
    | {
        "name": (_is_no_decoding, "a name of its own (every head can be decoded by viterbi and argmax)"),
        "by_sentence": (_is_bool, "True or False"),
    },
}
"""For each kind of contribution, the attributes that it must have, and what they must be."""


def _check_attributes(item: Any, rules: dict[str, tuple[_Test, str]]) -> None:
    for attribute, (fits, expected) in rules.items():
        value = getattr(item, attribute, None)
        if not fits(value):
            raise Misfit(
                f"the {type(item).__name__} {item.name!r} whose {attribute} is {repr(value)[:60]}, not {expected}"
            )


def try_scheme(scheme: LabelScheme) -> None:
    """Call every method of a label scheme with a few words.

    Raises:
        Misfit: A method gave something that does not fit the contract.
    """

    def wrong(method: str, value: object) -> Misfit:
        return Misfit(f"{repr(value)[:60]} from {method}()")

    samples: list[list[Span]] = [[], [Span(0, 1, "X")], [Span(1, 3, "X")]] if scheme.encodes_spans else [[]]
    for spans in samples:
        tags = scheme.tags(spans, 3)
        if not (isinstance(tags, list) and len(tags) == 3 and all(map(_is_text, tags))):
            raise wrong("tags", tags)
        read = scheme.spans(tags)
        fit = isinstance(read, list) and all(0 <= start < end <= 3 and _is_text(label) for start, end, label in read)
        if not fit:
            raise wrong("spans", read)
        for tag in tags:
            if not _is_name(after := scheme.continuation(tag)):
                raise wrong("continuation", after)
            for pair in ((None, tag), (tag, None), (tag, OUTSIDE)):
                if not isinstance(allowed := scheme.allows(*pair), bool | np.bool_):
                    raise wrong("allows", allowed)
        if not isinstance(found := scheme.violations(tags), list):
            raise wrong("violations", found)


def try_alignment(strategy: AlignmentStrategy) -> None:
    """Call every method of an alignment strategy with two words of three subwords, and a special token.

    Raises:
        Misfit: A method gave something that does not fit the contract.
    """
    word_ids = np.array([NO_WORD, 0, 0, 1], dtype=np.int32)
    labels, continuation = np.array([1, 0], dtype=np.int32), np.array([0, 1], dtype=np.int32)
    scores = np.full((4, 2), 0.5, dtype=np.float32)
    for method, value, shape in (
        ("to_subwords", strategy.to_subwords(labels, word_ids.copy(), continuation), (4,)),
        ("to_words", strategy.to_words(scores, word_ids.copy(), 2), (2, 2)),
        ("reads", strategy.reads(word_ids.copy()), (4,)),
    ):
        if not isinstance(value, np.ndarray) or value.shape != shape:
            raise Misfit(f"{repr(value)[:60]} from {method}(), and not an array of the shape {shape}")
        if method == "to_subwords" and not (value.dtype.kind == "i" and np.isin(value, (IGNORE, 0, 1)).all()):
            raise Misfit(f"{repr(value)[:60]} from {method}(), which are not labels")
