"""Checks of tags."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain

from polytag.corpus.check.context import CheckContext
from polytag.corpus.check.findings import Finding, Place
from polytag.corpus.odd_tags import advice, named, odd_tags
from polytag.corpus.task_columns import MANY_LABELS
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, split_tag

FEW_SPANS = 10
RARE_SHARE = 0.001
_TYPO_COUNT = 5
_TYPO_RATIO = 100
_LONGEST_NAME = 100
_SHOWN_NAMES = 8


def check_tags(context: CheckContext) -> Iterator[Finding]:
    """Invalid tags and transitions, rare tags, near-duplicate names, gaps, and tags that never occur in training."""
    for column in context.tags:
        scheme = context.schemes[column]
        places = PlacesOfTags(context, column)
        counts = places.counts.copy()
        unannotated = counts.pop(UNANNOTATED, 0)
        yield from _odd_tags(context, places)
        for tag in context.odd[column]:
            del counts[tag]
        yield from _transitions(context, column, scheme)
        names = {split_tag(tag)[1] for tag in counts} if scheme.encodes_spans else set(counts)
        if len(names) > MANY_LABELS:
            yield context.finding(
                "warning",
                "many-tags",
                f"{len(names):,} different {'labels' if scheme.encodes_spans else 'tags'}: is it the right column? "
                "They are not compared with each other.",
                len(names),
                column,
            )
        else:
            yield from _without_prefixes(context, places)
            if is_trainable(column, scheme):
                yield from _near_duplicates(context, places, scheme, counts)
            yield from _seen_once(context, places, counts)
            yield from _unseen_in_training(context, places, scheme)
            yield from _imbalance(context, column, scheme, counts)
        if unannotated:
            share = unannotated / (unannotated + counts.total())
            yield context.finding(
                "note",
                "unannotated",
                f"{unannotated:,} words ({share:.1%}) have no annotation; they are neither trained on nor scored.",
                unannotated,
                column,
                places.of({UNANNOTATED}),
            )


class PlacesOfTags:
    """The counts and the first places of the tags of a column, found in one pass over the words.

    Attributes:
        column: The column.
        counts: The number of words with each tag.
        of_split: The same for each split.
    """

    def __init__(self, context: CheckContext, column: str) -> None:
        self.column = column
        self.of_split = {split: Counter(chain.from_iterable(rows)) for split, rows in context.tags[column].items()}
        self.counts: Counter[str] = sum(self.of_split.values(), Counter())
        self._context = context
        self._first: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
        number = 0
        for split, rows in context.tags[column].items():
            wanted = {tag: min(count, context.examples) for tag, count in self.of_split[split].items()}
            for index, row in enumerate(rows):
                number += 1
                if wanted.keys().isdisjoint(row):
                    continue
                for position, tag in enumerate(row):
                    if tag in wanted:
                        self._first.setdefault((split, tag), []).append((number, index, position))
                        if wanted[tag] == 1:
                            del wanted[tag]
                        else:
                            wanted[tag] -= 1

    def of(self, tags: Collection[str], splits: Iterable[str] | None = None) -> Iterator[Callable[[], Place]]:
        """The first places of some tags, in order; as many as a finding shows."""
        found = [
            (number, position, split, index)
            for split in (self.of_split if splits is None else splits)
            for tag in tags
            for number, index, position in self._first.get((split, tag), ())
        ]
        for _, position, split, index in sorted(found)[: self._context.examples]:
            yield partial(self._context.place, split, index, position, self.column)


def is_trainable(column: str, scheme: LabelScheme) -> bool:
    """Whether an installed task can train on a column: a task names it, or it holds spans."""
    return scheme.encodes_spans or any(column in task.columns for task in registry().tasks.undisputed())


def _odd_tags(context: CheckContext, places: PlacesOfTags) -> Iterator[Finding]:
    column = places.column
    if context.odd[column]:
        odd = odd_tags(context.tags[column], context.corpus.locate_word, context.declared)
        count = sum(one.words for one in odd)
        yield context.finding(
            "error",
            "unknown-tag",
            f"Tags that no label scheme writes: {named(odd)}. {advice(odd, context.corpus.tag_styles.get(column))}",
            count,
            column,
            places.of(context.odd[column]),
        )


def _without_prefixes(context: CheckContext, places: PlacesOfTags) -> Iterator[Finding]:
    """Tags with `O` but without prefixes, in a column that a task with spans names."""
    column, schemes = places.column, registry().schemes
    of_spans = any(
        column in task.columns and task.scheme in schemes and schemes[task.scheme].encodes_spans
        for task in registry().tasks.undisputed()
    )
    if of_spans and not context.schemes[column].encodes_spans and OUTSIDE in places.counts:
        labels = [tag for tag, _ in places.counts.most_common() if tag not in (OUTSIDE, UNANNOTATED)]
        yield context.finding(
            "warning",
            "no-prefixes",
            f"Tags such as `{labels[0]}` have no prefix such as B- or I-, so no task with spans can be trained on "
            "them. If neighbouring words with one label are one span, say --corpus-scheme io.",
            sum(places.counts[tag] for tag in labels),
            column,
            places.of(labels),
        )


def _transitions(context: CheckContext, column: str, scheme: LabelScheme) -> Iterator[Finding]:
    broken = [
        (split, index, position)
        for split, sentences in context.judged[column].items()
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


def _seen_once(context: CheckContext, places: PlacesOfTags, counts: Counter[str]) -> Iterator[Finding]:
    once = sorted(tag for tag, count in counts.items() if count == 1)
    if once:
        yield context.finding(
            "warning",
            "tag-once",
            f"Seen once: {_names(once)}. This is an error, or too little to learn from.",
            len(once),
            places.column,
            places.of(once),
        )


def _near_duplicates(
    context: CheckContext, places: PlacesOfTags, scheme: LabelScheme, counts: Counter[str]
) -> Iterator[Finding]:
    """Names that differ only in case, hyphen or underscore, and rare names one edit away from a frequent one."""
    pairs = _alike(counts)
    tags_of: defaultdict[str, list[str]] = defaultdict(list)
    if scheme.encodes_spans:
        # One pair for B-Per, B-PER, I-Per and I-PER.
        labels: Counter[str] = Counter()
        for tag, count in counts.items():
            if tag != OUTSIDE:
                labels[split_tag(tag)[1]] += count
                tags_of[split_tag(tag)[1]].append(tag)
        of_labels = {frozenset(pair): pair for pair in _alike(labels) + _typos(labels)}
        of_tags = [pair for pair in pairs if frozenset(split_tag(tag)[1] for tag in pair) not in of_labels]
        pairs = [*of_labels.values(), *of_tags]
        counts = labels + counts
    else:
        pairs = list(dict.fromkeys([*pairs, *_typos(counts)]))
    for rare, frequent in pairs:
        yield context.finding(
            "warning",
            "near-duplicate-tags",
            f"{rare!r} ({counts[rare]:,} words) and {frequent!r} ({counts[frequent]:,}) look like two spellings of "
            "one name; they are learnt and scored as two.",
            counts[rare],
            places.column,
            places.of({rare, *tags_of.get(rare, ())}),
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
    """Pairs of a very rare and a very frequent name, of 3 to 100 letters, that differ by one edit.

    Names that differ by one edit are equal with one letter less (or one of them is the other with one letter less), so
    that no two names need to be compared for all others: the symmetric deletions of SymSpell (Garbe, 2012). Their
    memory grows with the square of the length, so that longer names, which are no tags of anybody, are left out.
    """
    frequent: defaultdict[str, list[str]] = defaultdict(list)
    for name, count in counts.items():
        if count >= _TYPO_RATIO and 3 <= len(name) <= _LONGEST_NAME:
            for shorter in _shortened(name.casefold()):
                frequent[shorter].append(name)
    pairs = []
    for rare, count in counts.items():
        if count > _TYPO_COUNT or not 3 <= len(rare) <= _LONGEST_NAME:
            continue
        close = dict.fromkeys(name for shorter in _shortened(rare.casefold()) for name in frequent.get(shorter, ()))
        near = [
            name
            for name in close
            if counts[name] >= _TYPO_RATIO * count and _one_edit(rare.casefold(), name.casefold())
        ]
        pairs += [(rare, name) for name in sorted(near, key=lambda name: (-counts[name], name))[:1]]
    return pairs


def _shortened(name: str) -> set[str]:
    """A name, and the name without each of its letters."""
    return {name, *(name[:i] + name[i + 1 :] for i in range(len(name)))}


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


def _unseen_in_training(context: CheckContext, places: PlacesOfTags, scheme: LabelScheme) -> Iterator[Finding]:
    if "train" not in places.of_split:
        return

    def name(tag: str) -> str:
        return split_tag(tag)[1] if scheme.encodes_spans and tag != OUTSIDE else tag

    odd = context.odd[places.column]
    trained = {name(tag) for tag in places.of_split["train"]} | {UNANNOTATED, OUTSIDE}
    for split, counts in places.of_split.items():
        tags = {tag for tag in counts if name(tag) not in trained and tag != UNANNOTATED and tag not in odd}
        if tags:
            yield context.finding(
                "warning",
                "unseen-in-training",
                f"{split} has {_names(sorted({name(tag) for tag in tags}))}, which never occurs in training: no model "
                "can learn it, and every such word counts as wrong.",
                sum(counts[tag] for tag in tags),
                places.column,
                places.of(tags, [split]),
            )


def _imbalance(context: CheckContext, column: str, scheme: LabelScheme, counts: Counter[str]) -> Iterator[Finding]:
    if scheme.encodes_spans:
        spans = Counter(
            span.label
            for sentences in context.judged[column].values()
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


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more
