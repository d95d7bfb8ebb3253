"""Partial annotation: recognise the words of a tag column that have no annotation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from polytag.plugin.scheme import OUTSIDE, UNANNOTATED

GAP = "-"
"""The tag of a word without annotation in files."""

MISTYPED_OUTSIDE = frozenset(("o", "0"))
"""Tags that mean `O` in a column of spans, or should be `O`."""

_PREFIXED = re.compile(r"[A-Z]-[^-]|[BIESLUMW]$")


def have_spans(counts: Mapping[str, int]) -> bool:
    """Whether tags encode spans, judged by their frequencies: most, not all, have a prefix.

    A part-of-speech tag may look like a prefix, and an entity tag may lack one. Positional tags (`N------S1I`) are not
    prefixes with a label.
    """
    telling = {tag: count for tag, count in counts.items() if tag not in (OUTSIDE, UNANNOTATED, GAP)}
    prefixed = sum(count for tag, count in telling.items() if _PREFIXED.match(tag))
    if prefixed or OUTSIDE in counts:
        telling = {tag: count for tag, count in telling.items() if tag not in MISTYPED_OUTSIDE}
    return 2 * prefixed >= sum(telling.values())


def gap_is_no_tag(counts: Mapping[str, int], words: Counter[str]) -> bool:
    """Whether `-` in a column means that a word has no annotation.

    This is always true in a column of spans. Elsewhere `-` may be a tag, since tagsets often name the tag of a
    punctuation mark after the mark: it is a tag if most words that have it contain no letter or digit.

    Args:
        counts: How often each tag of the column occurs.
        words: How often each word occurs with the tag `-`.
    """
    if have_spans(counts):
        return True
    marks = sum(count for word, count in words.items() if not any(map(str.isalnum, word)))
    return 2 * marks <= words.total()
