"""The labelling configuration of a Label Studio project: which labels there are for which texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from polytag.errors import PolytagError, shorten

MOST_CONTROLS = 100
"""Each has the spans of its text again, so that more would make an answer of any size."""

_NOT_TEXT = {"valueType": ("url",), "encoding": ("base64", "base64unicode")}
"""Attributes of `Text` with which the field of a task does not hold the text itself."""


@dataclass(frozen=True, slots=True)
class Control:
    """A `Labels` element for the spans of a `Text` element.

    Attributes:
        name: Its name, `from_name` in results.
        object_name: The name of the text, `to_name` in results.
        text_field: The field of a task's data with the text.
        labels: For each name that a label is known by, what results have to call it: its alias, or else its value.
    """

    name: str
    object_name: str
    text_field: str
    labels: dict[str, str]

    def find(self, label: str) -> str | None:
        """The project's name for a label of a tagger; None if the project does not have it.

        A label is found by its value, its alias or one of its `predicted_values`, also in other capitals.
        """
        return self.labels.get(label) or self.labels.get(label.casefold())


@dataclass(slots=True)
class _Labels:
    attributes: dict[str, str]
    found: list[dict[str, str]] = field(default_factory=list)


def read_controls(config: str) -> list[Control]:
    """The controls of a labelling configuration that label spans of text.

    Raises:
        PolytagError: The configuration is not well-formed XML, has too many controls, or has a document type
            declaration, without which no entity can be defined.
    """
    texts: dict[str, str] = {}
    labels: list[_Labels] = []
    depth = 0
    around: list[tuple[int, _Labels]] = []  # the open elements of labels, and how deep they are

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        kind = name.casefold()
        if kind == "text" and attributes.get("value", "").startswith("$") and attributes.get("name"):
            if not any(attributes.get(key, "").casefold() in values for key, values in _NOT_TEXT.items()):
                texts[attributes["name"]] = attributes["value"].removeprefix("$")
        elif kind == "labels" and attributes.get("name"):
            if len(labels) == MOST_CONTROLS:
                raise PolytagError(f"The labelling configuration has more than {MOST_CONTROLS} `Labels`.")
            labels.append(_Labels(attributes))
            around.append((depth, labels[-1]))
        elif kind == "label" and around:
            around[-1][1].found.append(attributes)

    def end(_: str) -> None:
        nonlocal depth
        if around and around[-1][0] == depth:
            around.pop()
        depth -= 1

    def refuse(*_: object) -> None:
        raise PolytagError("The labelling configuration has a document type declaration, which is not read.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(config, True)
    except (expat.ExpatError, UnicodeError) as error:
        raise PolytagError(f"The labelling configuration is not XML: {shorten(str(error), 200)}.") from error
    return list(_controls(labels, texts))


def _controls(labels: Iterable[_Labels], texts: dict[str, str]) -> Iterator[Control]:
    for element in labels:
        names = [name.strip() for name in element.attributes.get("toName", "").split(",")]
        if to_name := next((name for name in names if name in texts), None):
            yield Control(element.attributes["name"], to_name, texts[to_name], _names(element.found))


def _names(labels: Iterable[dict[str, str]]) -> dict[str, str]:
    exact: dict[str, str] = {}
    for attributes in labels:
        value = attributes.get("value", "")
        shown = attributes.get("alias") or value
        for name in (value, shown, *attributes.get("predicted_values", "").split(",")):
            if name.strip():
                exact.setdefault(name.strip(), shown)
    folded: dict[str, str] = {}
    for name, shown in exact.items():
        folded.setdefault(name.casefold(), shown)
    return folded | exact
