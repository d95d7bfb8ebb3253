"""Findings of a corpus check, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from polytag.terminal import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_HEADINGS = {"error": "Errors", "warning": "Warnings", "note": "Notes"}


class Place(NamedTuple):
    """The place of a finding.

    Attributes:
        location: File and line of the word, or of the sentence and the number of the word.
        example: The words at that place, with their tags.
    """

    location: str
    example: str


class LabelPlace(NamedTuple):
    """A place whose label a model contradicts.

    Attributes:
        location: File and line of the word, or of the sentence and the number of the word.
        example: Words and labels in a sentence: `` `Santa Fe` is ORG, rather LOC; LOC 11 times and ORG once``.
        rank: Its rank among all such places of the corpus, from 1.
        score: How surely the model contradicts the label, 0..1.
        kind: The annotation `missed` a span, has a `spurious` one, or one with the wrong `type` or `boundary`; or a
            word has the wrong `tag`.
        words, label: The words of the annotated span and its label. Without one, the proposed words, and None.
        proposed_words, proposed: The same of the proposed span; None for no span.
        alike: Number of places of the finding with the same words and labels.
        counts: How often the corpus gives the words each label, `O` for none.
    """

    location: str
    example: str
    rank: int
    score: float
    kind: str
    words: str
    label: str | None
    proposed_words: str | None
    proposed: str | None
    alike: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem, with its places.

    Attributes:
        severity: `error` for definite errors, `warning` for likely errors and for problems that make scores
            misleading, `note` for information.
        code: The kind, for programs: `invalid-transition`.
        message: The problem and its consequence.
        count: Number of occurrences.
        column: The tag column, or None.
        places: The first places, as many as requested; empty if the finding has no place.
    """

    severity: Severity
    code: str
    message: str
    count: int
    column: str | None = None
    places: tuple[Place | LabelPlace, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON, with `location` and `example` of the first place."""
        first = self.places[0] if self.places else Place("", "")
        return {
            **asdict(self),
            "location": first.location,
            "example": first.example,
            "places": [place._asdict() for place in self.places],
        }


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, the most severe first."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def plain_lines(findings: Sequence[Finding]) -> list[str]:
    """The findings as lines of text, the most severe first."""
    lines = []
    for finding in findings:
        column = f" [{finding.column}]" if finding.column else ""
        lines.append(visible(f"{finding.severity}: {finding.code}{column}: {finding.message}"))
        lines += [f"    {visible(f'{place.location}: {place.example}')}" for place in finding.places]
    return [*lines, summary(findings)]


def summary(findings: Sequence[Finding]) -> str:
    """The number of findings of each severity."""
    counts = {severity: sum(finding.severity == severity for finding in findings) for severity in SEVERITIES}
    return ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counts.items())


def render(findings: Sequence[Finding]) -> RenderableType:
    """The findings as a table for each severity."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = []
    for severity in SEVERITIES:
        chosen = [finding for finding in findings if finding.severity == severity]
        if not chosen:
            continue
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, title=Text(_HEADINGS[severity]))
        table.title_justify, table.title_style = "left", _STYLES[severity]
        table.add_column("finding", no_wrap=True)
        table.add_column("count", justify="right")
        table.add_column("finding")
        for finding in chosen:
            what = Text(visible(f"{finding.column}: ") if finding.column else "", style="bold")
            what.append(visible(finding.message), "not bold")
            for place in finding.places:
                what.append(f"\n{visible(place.location)}", "not bold")
                what.append(f"  {visible(place.example)}", "not bold")
            table.add_row(Text(finding.code, style=_STYLES[severity]), f"{finding.count:,}", what)
        parts += [table, Text()]
    return Group(*parts, Text(summary(findings)))
