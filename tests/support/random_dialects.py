"""Random corpora in random dialects of column files; `support.random_readings` reads them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from random import Random
from typing import Any

from polytag import Span, scheme
from support.random_text import RandomSentence, sentence

_LABELS = (
    ("PER", "ORG", "LOC", "MISC"),
    ("PER", "LOC"),
    ("person", "location", "group"),
    ("PERSON", "GPE", "WORK_OF_ART"),
    ("Gene", "Disease"),
    ("person-artist", "location-city"),
)
SEPARATORS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";"}
LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
_SPELT = {"bmes": {"I": "M"}, "bmewo": {"I": "M", "S": "W"}}
_CANONICAL = {"M": "I", "W": "S"}
_USUAL = {"spelling": "B-X", "outside": "O", "line_end": "lf", "encoding": "utf-8"} | dict.fromkeys(
    ("comments", "index", "header", "documents"), "none"
)
"""What goes without saying when a dialect is shown."""
_NAMES = {
    "index": ("id", "ID", "index"),
    "document": ("doc_id", "document"),
    "tokens": ("token", "word", "Word", "form", "text", "tokens"),
    "pos": ("pos", "POS", "upos", "pos_tags"),
    "ner": ("ner", "label", "NER", "tag", "ner_tags"),
    "inner": ("nested", "inner", "nested_tags"),
}


@dataclass(frozen=True)
class RandomDialect:
    """A way to write a corpus as a column file.

    Attributes:
        separator: A name of `SEPARATORS`.
        comments: What comment lines look like: `none`, or `id`, `text`, `tabbed`, `pairs`, all of them after `#`.
        index: `none`, `from-1`, `from-0`, or `document`: a name that is constant in each document.
        header: `none`, or `line`, or `line-and-blank`.
        order: The columns from left to right: `index`, `document`, `tokens`, `pos`, `ner`, `inner`.
        scheme: Of `ner` and `inner`; `none` where the corpus has neither.
        spelling: Of the tags of spans: `B-X`, `B_X`, `b-x`, `X-B`, `X_B`; `none` where they have no prefix.
        outside: How `O` is written.
        line_end: A name of `LINE_ENDS`.
        encoding: Name of the encoding; the UTF-16 ones begin with their mark.
        documents: `none`, or the mark that begins each document.
        tagset: Of `pos`: `upos` or `penn`.
        ending: The extension of the file.
    """

    separator: str
    comments: str
    index: str
    header: str
    order: tuple[str, ...]
    scheme: str
    spelling: str
    outside: str
    line_end: str
    encoding: str
    documents: str
    tagset: str
    ending: str

    def __str__(self) -> str:
        parts = {name: value for name, value in self.parts().items() if _USUAL.get(name) != value}
        return " ".join(f"{name}={value}" for name, value in parts.items())

    def parts(self) -> dict[str, str]:
        """Each part of the dialect as text."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        return {**values, "order": ",".join(self.order)}

    def options(self) -> dict[str, Any]:
        """What has to be said to `load_corpus` to leave nothing to be recognised."""
        named = {"tokens": "tokens", "pos": "pos_tags", "ner": "ner_tags", "inner": "nested_tags"}
        found: dict[str, Any] = {
            "columns": [named.get(column, "_") for column in self.order],
            "separator": self.separator,
            "comments": "none" if self.comments == "none" else "#",
            "header": self.header != "none",
            "encoding": "utf-16" if self.encoding in _MARKS else self.encoding,
        }
        if self.spelling != "none":
            found["tag_style"] = self.spelling + ("" if self.outside == "O" else f",{self.outside}")
        return found


@dataclass(frozen=True)
class RandomCorpus:
    """A corpus: its dialect, its file, and what has to be read from it.

    Attributes:
        number: The number that it was made from.
        dialect: How it is written.
        content: The bytes of the file.
        words: Of each sentence.
        tags: For each tag column, from left to right, the tags of each sentence in the spelling `B-X`.
        documents: The number of each sentence's document, or None if the file does not mark documents.
    """

    number: int
    dialect: RandomDialect
    content: bytes
    words: list[list[str]]
    tags: list[list[list[str]]]
    documents: list[int] | None

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"train{self.dialect.ending}"

    @property
    def text(self) -> str:
        """The content as text."""
        encoding = "utf-16" if self.dialect.encoding in _MARKS else self.dialect.encoding
        return self.content.decode(encoding)


def dialect(random: Random) -> RandomDialect:
    """A random dialect: each part is the usual one as often as not."""

    def one_of(weights: dict[Any, int]) -> Any:
        return random.choices(list(weights), list(weights.values()))[0]

    tags = one_of({("ner",): 35, ("pos",): 15, ("pos", "ner"): 35, ("ner", "inner"): 15})
    place = one_of({0: 65, len(tags): 25, 1: 10})
    order = [*tags[:place], "tokens", *tags[place:]]
    index = one_of({"none": 60, "from-1": 25, "from-0": 8, "document": 7})
    if index != "none":
        order.insert(0, "document" if index == "document" else "index")
    spans = "ner" in tags
    chosen = one_of({"iob2": 30, "iob1": 15, "iobes": 15, "bilou": 15, "bmes": 8, "bmewo": 7, "io": 10})
    prefixed = spans and chosen != "io"
    spelling = one_of({"B-X": 55, "B_X": 15, "b-x": 10, "X-B": 15, "X_B": 5}) if prefixed else "none"
    outside = one_of({"O": 80, "o": 10, "0": 10}) if prefixed else "O"
    separator = one_of({"tab": 47, "space": 47, "comma": 3, "semicolon": 3})
    return RandomDialect(
        separator=separator,
        comments=one_of({"none": 55, "id": 15, "text": 10, "tabbed": 10, "pairs": 10}),
        index=index,
        header=one_of({"none": 75, "line": 20, "line-and-blank": 5}),
        order=tuple(order),
        scheme=chosen if spans else "none",
        spelling=spelling,
        outside=one_of({"o": 70, "O": 30}) if spelling == "b-x" else outside,
        line_end=one_of({"lf": 60, "crlf": 25, "cr": 15}),
        encoding=one_of({"utf-8": 70, "utf-8-sig": 10, "utf-16-le": 10, "utf-16-be": 10}),
        documents=one_of({"none": 75, "-DOCSTART-": 20, "###MEDLINE:": 5}),
        tagset=one_of({"upos": 50, "penn": 50}),
        ending=one_of({".conll": 50, ".txt": 20, ".tsv": 20, ".bio": 10}),
    )


def corpus(number: int) -> RandomCorpus:
    """The corpus that is made from a number: the same each time."""
    random = Random(number)
    chosen = dialect(random)
    labels = list(random.choice(_LABELS))
    banned = {"tab": "", "space": " ", "comma": ',"', "semicolon": ';"'}[chosen.separator]
    size = random.choice((3, 4, 5, 6, 8, 12, 20, 40))
    sentences: list[RandomSentence] = []
    while len(sentences) < size or not _tells(sentences, chosen):
        sentences.append(sentence(random, labels, chosen.tagset, banned))
    documents = _documents(random, len(sentences))
    columns = [column for column in chosen.order if column in ("pos", "ner", "inner")]
    tags = [[_tags(it, column, chosen) for it in sentences] for column in columns]
    lines = _lines(random, chosen, sentences, tags, documents)
    end = LINE_ENDS[chosen.line_end]
    text = end.join(lines) + random.choice((end, end, ""))
    content = _MARKS.get(chosen.encoding, b"") + text.encode(chosen.encoding)
    words = [it.words for it in sentences]
    return RandomCorpus(number, chosen, content, words, tags, None if chosen.documents == "none" else documents)


def _tells(sentences: list[RandomSentence], chosen: RandomDialect) -> bool:
    """Whether each layer has two spans or more, one of them of several words: else no scheme and no spelling shows."""
    outer = [span for it in sentences for span in it.spans]
    long = any(span.end - span.start > 1 for span in outer)
    inner = sum(len(it.inner) for it in sentences)
    return len(outer) > 1 and long and ("inner" not in chosen.order or inner > 1)


def _documents(random: Random, size: int) -> list[int]:
    number, found = 0, []
    for index in range(size):
        number += bool(index and random.random() < 0.2)
        found.append(number)
    return found


def _tags(it: RandomSentence, column: str, chosen: RandomDialect) -> list[str]:
    """In the spelling `B-X`."""
    if column == "pos":
        return it.pos
    spans = it.spans if column == "ner" else it.inner
    if chosen.scheme == "io":
        return _io(spans, len(it.words))
    return scheme("iobes" if chosen.scheme in _SPELT else chosen.scheme).tags(spans, len(it.words))


def _io(spans: list[Span], length: int) -> list[str]:
    tags = ["O"] * length
    for span in spans:
        tags[span.start : span.end] = [span.label] * (span.end - span.start)
    return tags


def spelt(tag: str, chosen: RandomDialect) -> str:
    """A tag `B-X` as the dialect spells it."""
    if tag == "O":
        return chosen.outside
    if chosen.spelling == "none":
        return tag
    prefix, _, label = tag.partition("-")
    prefix = _SPELT.get(chosen.scheme, {}).get(prefix, prefix)
    mark = chosen.spelling[1]
    if chosen.spelling[0] == "X":
        return f"{label}{mark}{prefix}"
    written = f"{prefix}{mark}{label}"
    return written.lower() if chosen.spelling[0] == "b" else written


def _lines(
    random: Random,
    chosen: RandomDialect,
    sentences: list[RandomSentence],
    tags: list[list[list[str]]],
    documents: list[int],
) -> list[str]:
    separator = SEPARATORS[chosen.separator]
    lines: list[str] = []
    if chosen.header != "none":
        lines += [separator.join(random.choice(_NAMES[column]) for column in chosen.order)]
        lines += [""] * (chosen.header == "line-and-blank")
    every = random.choice((1, 1, 1, 3))
    for number, it in enumerate(sentences):
        if chosen.documents != "none" and (not number or documents[number] != documents[number - 1]):
            marked = chosen.documents == "-DOCSTART-"
            rest = [*["-X-"] * (len(chosen.order) > 2), *["O"] * (len(chosen.order) - 1)][: len(chosen.order) - 1]
            lines += [
                separator.join([chosen.documents, *rest]) if marked else f"{chosen.documents}{number + 9_000}",
                "",
            ]
        if chosen.comments != "none" and number % every == 0:
            lines += _comments(chosen.comments, number, it)
        of_sentence = iter(layer[number] for layer in tags)
        cells = {
            "index": [str(i + (chosen.index == "from-1")) for i in range(len(it.words))],
            "document": [f"doc-{documents[number]}"] * len(it.words),
            "tokens": it.words,
        }
        for column in chosen.order:
            if column not in cells:
                row = next(of_sentence)
                cells[column] = row if column == "pos" else [spelt(tag, chosen) for tag in row]
        rows = zip(*(cells[column] for column in chosen.order), strict=True)
        lines += [*map(separator.join, rows), ""]
    return lines[:-1]


def _comments(kind: str, number: int, it: RandomSentence) -> list[str]:
    if kind == "id":
        return [f"# id {number + 17}"]
    if kind == "text":
        return [f"# sent_id = s{number}", f"# text = {' '.join(it.words)}"]
    if kind == "tabbed":
        return [f"#\thttp://example.org/{number}\t[2009-10-{number % 28 + 1:02}]"]
    return [f"# id {number:04x}-a7 domain=en"]


def canonical(tag: str, chosen: RandomDialect) -> str:
    """A tag that was read, for comparison: in the letters of IOBES, and without case where the dialect has none."""
    if chosen.spelling == "none":
        return tag
    prefix, mark, label = tag.partition("-")
    tag = f"{_CANONICAL.get(prefix, prefix)}{mark}{label}" if mark and chosen.scheme in _SPELT else tag
    return tag.lower() if chosen.spelling == "b-x" else tag


def boundaries(documents: list[int] | None) -> list[bool] | None:
    """Between which sentences a document ends."""
    return None if documents is None else [before != after for before, after in pairwise(documents)]
