"""Partial annotation: which words of a tag column carry none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from polytag.plugin.scheme import OUTSIDE, UNANNOTATED

GAP = "-"
"""How files write that a word has no annotation."""

_PREFIXED = re.compile(r"[A-Z]-[^-]|[BIESLU]$")


def have_spans(counts: Mapping[str, int]) -> bool:
    """Whether tags encode spans, judged by how often each occurs: most, not all, have a prefix.

    A part-of-speech tag may look like a prefix, and an entity tag may lack its own. Positional tags (`N------S1I`) are
    no prefixes with a label.
    """
    telling = {tag: count for tag, count in counts.items() if tag not in (OUTSIDE, UNANNOTATED, GAP)}
    prefixed = sum(count for tag, count in telling.items() if _PREFIXED.match(tag))
    return 2 * prefixed >= sum(telling.values())


def gap_is_no_tag(counts: Mapping[str, int], words: Counter[str]) -> bool:
    """Whether `-` in a column says that a word has no annotation.

    Always so in a column of spans. Elsewhere `-` may be a tag, for tagsets often name the tag of a punctuation mark
    after the mark: it is one where most words that carry it are without any letter or digit.

    Args:
        counts: How often each tag of the column occurs.
        words: How often each word occurs with the tag `-`.
    """
    if have_spans(counts):
        return True
    marks = sum(count for word, count in words.items() if not any(map(str.isalnum, word)))
    return 2 * marks <= words.total()
