"""Checks of tags."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import partial

from polytag.corpus.check.context import CheckContext, positions
from polytag.corpus.check.findings import Finding
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, split_tag

FEW_SPANS = 10
RARE_SHARE = 0.001
_TYPO_COUNT = 5
_TYPO_RATIO = 100
_SHOWN_NAMES = 8


def check_tags(context: CheckContext) -> Iterator[Finding]:
    """Invalid transitions, rare tags, near-duplicate names, gaps, and tags that never occur in training."""
    for column, splits in context.tags.items():
        scheme = context.schemes[column]
        counts = Counter(tag for _, _, _, tag in positions(splits))
        unannotated = counts.pop(UNANNOTATED, 0)
        yield from _transitions(context, column, scheme)
        yield from _near_duplicates(context, column, scheme, counts)
        yield from _seen_once(context, column, counts)
        yield from _unseen_in_training(context, column, scheme)
        yield from _imbalance(context, column, scheme, counts)
        if unannotated:
            share = unannotated / (unannotated + counts.total())
            yield context.finding(
                "note",
                "unannotated",
                f"{unannotated:,} words ({share:.1%}) have no annotation; they are neither trained on nor scored.",
                unannotated,
                column,
                (partial(context.place, *at, column) for at in _where(splits, {UNANNOTATED})),
            )


def _transitions(context: CheckContext, column: str, scheme: LabelScheme) -> Iterator[Finding]:
    broken = [
        (split, index, position)
        for split, sentences in context.tags[column].items()
        for index, sentence in enumerate(sentences)
        for position in scheme.violations(sentence)
    ]
    if broken:
        words = "1 word has a tag" if len(broken) == 1 else f"{len(broken):,} words have a tag"
        yield context.finding(
            "error",
            "invalid-transition",
            f"{words} that the scheme {scheme.name!r} does not allow there. Repair them: the spans are ambiguous, and "
            "each tool reads them differently.",
            len(broken),
            column,
            (partial(context.place, *at, column) for at in broken),
        )


def _seen_once(context: CheckContext, column: str, counts: Counter[str]) -> Iterator[Finding]:
    once = sorted(tag for tag, count in counts.items() if count == 1)
    if once:
        yield context.finding(
            "warning",
            "tag-once",
            f"Seen once: {_names(once)}. This is an error, or too little to learn from.",
            len(once),
            column,
            (partial(context.place, *at, column) for at in _where(context.tags[column], set(once))),
        )


def _near_duplicates(
    context: CheckContext, column: str, scheme: LabelScheme, counts: Counter[str]
) -> Iterator[Finding]:
    """Names that differ only in case, hyphen or underscore, and rare names one edit away from a frequent one."""
    pairs = _alike(counts)
    if scheme.encodes_spans:
        # One pair for B-Per, B-PER, I-Per and I-PER.
        labels: Counter[str] = Counter()
        for tag, count in counts.items():
            if tag != OUTSIDE:
                labels[split_tag(tag)[1]] += count
        of_labels = {frozenset(pair): pair for pair in _alike(labels) + _typos(labels)}
        of_tags = [pair for pair in pairs if frozenset(split_tag(tag)[1] for tag in pair) not in of_labels]
        pairs = [*of_labels.values(), *of_tags]
        counts = labels + counts
    else:
        pairs += [pair for pair in _typos(counts) if pair not in pairs]
    for rare, frequent in pairs:
        carrying = {
            tag
            for _, _, _, tag in positions(context.tags[column])
            if tag == rare or (scheme.encodes_spans and tag != OUTSIDE and split_tag(tag)[1] == rare)
        }
        yield context.finding(
            "warning",
            "near-duplicate-tags",
            f"{rare!r} ({counts[rare]:,} words) and {frequent!r} ({counts[frequent]:,}) look like two spellings of "
            "one name; they are learnt and scored as two.",
            counts[rare],
            column,
            (partial(context.place, *at, column) for at in _where(context.tags[column], carrying)),
        )


def _alike(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in counts:
        key = name.casefold().replace("-", "").replace("_", "").replace(" ", "")
        if key:
            groups[key].append(name)
    pairs = []
    for names in groups.values():
        frequent, *others = sorted(names, key=lambda name: (-counts[name], name))
        pairs += [(name, frequent) for name in others]
    return pairs


def _typos(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Pairs of a very rare and a very frequent name, of at least three letters, that differ by one edit."""
    pairs = []
    for rare, count in counts.items():
        if count > _TYPO_COUNT or len(rare) < 3:
            continue
        near = [
            name
            for name, often in counts.items()
            if often >= _TYPO_RATIO * count and len(name) >= 3 and _one_edit(rare.casefold(), name.casefold())
        ]
        pairs += [(rare, name) for name in sorted(near, key=lambda name: -counts[name])[:1]]
    return pairs


def _one_edit(left: str, right: str) -> bool:
    """Whether the names differ by one letter inserted, deleted or replaced, or by two letters swapped.

    Digits and signs are ignored: they distinguish tags on purpose.
    """
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    start = len([1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))])
    a, b = left[start:], right[start:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    swapped = len(a) == 2 and a == b[::-1]
    return (swapped or max(len(a), len(b)) == 1) and (a + b).isalpha()


def _unseen_in_training(context: CheckContext, column: str, scheme: LabelScheme) -> Iterator[Finding]:
    splits = context.tags[column]
    if "train" not in splits:
        return

    def name(tag: str) -> str:
        return split_tag(tag)[1] if scheme.encodes_spans and tag != OUTSIDE else tag

    trained = {name(tag) for sentence in splits["train"] for tag in sentence} | {UNANNOTATED, OUTSIDE}
    for split, sentences in splits.items():
        tags = {tag for sentence in sentences for tag in sentence if name(tag) not in trained and tag != UNANNOTATED}
        if tags:
            at = list(_where({split: sentences}, tags))
            yield context.finding(
                "warning",
                "unseen-in-training",
                f"{split} has {_names(sorted({name(tag) for tag in tags}))}, which never occurs in training: no model "
                "can learn it, and every such word counts as wrong.",
                len(at),
                column,
                (partial(context.place, *where, column) for where in at),
            )


def _imbalance(context: CheckContext, column: str, scheme: LabelScheme, counts: Counter[str]) -> Iterator[Finding]:
    if scheme.encodes_spans:
        spans = Counter(
            span.label
            for sentences in context.tags[column].values()
            for sentence in sentences
            for span in scheme.spans(sentence)
        )
        few = {label: count for label, count in spans.items() if count < FEW_SPANS}
        reason = f"fewer than {FEW_SPANS} spans: too few to learn from, and too few for reliable scores"
    else:
        few = {tag: count for tag, count in counts.items() if count < RARE_SHARE * counts.total()}
        reason = f"on fewer than {RARE_SHARE:.1%} of all words: look at their own scores, since accuracy hides them"
    if few:
        names = [
            f"{label or '(no label)'} ({count:,})" for label, count in sorted(few.items(), key=lambda item: item[1])
        ]
        yield context.finding("note", "rare-labels", f"{_names(names)}: {reason}.", len(few), column)


def _where(splits: Mapping[str, list[list[str]]], tags: set[str]) -> Iterator[tuple[str, int, int]]:
    for split, index, position, tag in positions(dict(splits)):
        if tag in tags:
            yield split, index, position


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more
