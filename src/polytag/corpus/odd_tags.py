"""Tags in a column of spans that no label scheme writes: they are named, and nothing is trained or scored on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from polytag.corpus.annotation import GAP
from polytag.corpus.recognition import with_label
from polytag.corpus.tag_style import CANONICAL, TagStyle, styles_of
from polytag.errors import CorpusError, shorten
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, PrefixScheme, split_tag

Tags = Mapping[str, Sequence[Sequence[str]]]
"""The tags of the sentences of each split."""

_LIKE_OUTSIDE = frozenset(("0", "o", "_", "\N{CYRILLIC CAPITAL LETTER O}", "\N{GREEK CAPITAL LETTER OMICRON}"))
_SHOWN = 5
_LONG = 40
_COMPARED = 50


@dataclass(frozen=True, slots=True)
class OddTag:
    """A tag in a column of spans that no label scheme writes.

    Attributes:
        tag: The tag.
        words: Number of words that have it.
        location: The first of them.
        likely: The tag that it probably is: `O` for `0`; empty if none is likely.
    """

    tag: str
    words: int
    location: str
    likely: str

    def __str__(self) -> str:
        words = "1 word" if self.words == 1 else f"{self.words:,} words"
        first = "" if not self.location else f", {'at' if self.words == 1 else 'first at'} {self.location}"
        likely = f" looks like `{self.likely}`" if self.likely else ""
        return f"`{shorten(self.tag, _LONG)}` ({words}{first}){likely}"


def odd_tags(tags: Tags, locate: Callable[[str, int, int], str], declared: LabelScheme | None = None) -> list[OddTag]:
    """The tags of a column of spans that no label scheme writes, the most frequent first.

    A tag without a prefix (`PER`) is written only by a declared scheme that reads it.

    Args:
        tags: The tags of the sentences of each split.
        locate: Gives the place of a word, from its split, sentence and position.
        declared: The declared scheme of the column; any scheme may be the column's if None.
    """
    counts = tag_counts(tags)
    odd = unwritten(counts, declared)
    first: dict[str, str] = {}
    for split, sentences in tags.items() if odd else ():
        for index, sentence in enumerate(sentences):
            if not odd.isdisjoint(sentence):
                for position, tag in enumerate(sentence):
                    if tag in odd and tag not in first:
                        first[tag] = locate(split, index, position)
    labels = {split_tag(tag)[1] for tag in counts if tag not in odd and tag not in (OUTSIDE, UNANNOTATED, GAP)}
    outside = "" if OUTSIDE in counts or not labels else counts.most_common(1)[0][0]
    found = [OddTag(tag, counts[tag], first[tag], _likely(tag, labels, tag == outside)) for tag in odd]
    return sorted(found, key=lambda one: (-one.words, one.tag))


def tag_counts(tags: Tags) -> Counter[str]:
    """The number of words with each tag, in all splits."""
    return Counter(chain.from_iterable(chain.from_iterable(tags.values())))


def refuse_odd_tags(
    odd: Sequence[OddTag], where: str, style: TagStyle | None = None, *, respelled: bool = True
) -> None:
    """Refuse tags that no label scheme writes.

    Args:
        odd: The tags, as `odd_tags` gives them.
        where: What has them: `The column 'ner_tags' of the corpus 'mine'`.
        style: How the source writes its tags.
        respelled: Whether `--tag-style` applies to them; it does not to predictions.

    Raises:
        CorpusError: There are such tags; the message names them and the options that help.
    """
    if odd:
        raise CorpusError(
            f"{where} has tags that no label scheme writes: {named(odd)}. {advice(odd, style, respelled)}"
        )


def named(odd: Sequence[OddTag]) -> str:
    """The first of the tags, with their number of words and places."""
    more = f"; and {len(odd) - _SHOWN:,} more tags" if len(odd) > _SHOWN else ""
    return "; ".join(map(str, odd[:_SHOWN])) + more


def advice(odd: Sequence[OddTag], style: TagStyle | None, respelled: bool = True) -> str:
    """What to do about tags that no label scheme writes: sentences with the options that help."""
    options = []
    outside = [one.tag for one in odd if one.likely == OUTSIDE]
    if respelled and len(outside) == 1 and "," not in outside[0]:
        said = (style or CANONICAL).with_outside(outside[0])
        options.append(f"read `{outside[0]}` as `O` with --tag-style {said}")
    options.append("take them as parts of spans, as they are, with --tags-as-is")
    return f"Repair them, or {', or '.join(options)}."


def unwritten(counts: Mapping[str, int], declared: LabelScheme | None) -> set[str]:
    """The tags that no label scheme writes; of the schemes that need no prefixes, only the declared one counts."""
    schemes = [
        scheme for scheme in registry().schemes.working() if scheme.encodes_spans and scheme.separates_neighbours
    ]
    if declared is not None:
        schemes = [*schemes, declared]
    by_prefix = [scheme for scheme in schemes if isinstance(scheme, PrefixScheme)]
    others = [scheme for scheme in schemes if not isinstance(scheme, PrefixScheme)]
    written: dict[str, bool] = {}  # labels do not matter to schemes of prefixes: `Q-PER` and `Q-LOC` are alike
    odd = set()
    for tag in counts:
        if tag not in (OUTSIDE, UNANNOTATED):
            form = with_label(tag, "X")
            if form not in written:
                edges = (form, None)
                written[form] = any(
                    scheme.allows(form, edge) or scheme.allows(edge, form) for scheme in by_prefix for edge in edges
                )
            if not written[form]:
                odd.add(tag)
    if odd and others:
        near = [None, OUTSIDE, *[tag for tag in counts if tag != UNANNOTATED][:_COMPARED]]
        odd = {
            tag
            for tag in odd
            if not any(
                scheme.allows(tag, other) or scheme.allows(other, tag) for scheme in others for other in (tag, *near)
            )
        }
    return odd


def _likely(tag: str, labels: Collection[str], stands_for_outside: bool) -> str:
    if tag in _LIKE_OUTSIDE or stands_for_outside:
        return OUTSIDE
    for style, _ in styles_of(tag):
        canonical = style.read(tag)
        if canonical != tag and split_tag(canonical)[1] in labels:
            return canonical
    return f"I-{tag}" if tag in labels else ""
