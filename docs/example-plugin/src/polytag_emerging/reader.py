"""The reader `marked`: text in which entities are marked where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import polytag
from polytag import CorpusError, Reader, Sentence, SentenceTable, Source

ENDING = ".marked"
COLUMN = "emerging_tags"

_PART = re.compile(r"\[\[(?P<words>[^\[\]|]+)\|(?P<kind>[^\[\]| ]+)\]\]|(?P<word>\S+)")
_SYNTAX = re.compile(r"\[\[|\]\]|\s")
_SYNTAX_INSIDE = re.compile(r"[\[\]|\s]")


class MarkedReader(Reader):
    """Reads `.marked` files: a sentence a line, words with blanks between them, entities as `[[words|kind]]`."""

    name = "marked"
    summary = "Text with entities marked where they stand (.marked): We saw [[Low Tide|group]] ."
    endings = frozenset({ENDING})

    def accepts(self, source: Source) -> bool:
        """Whether all files end in `.marked`."""
        paths = [path for paths in source.files.values() for path in paths]
        return bool(paths) and all(path.suffix == ENDING for path in paths)

    def read(self, source: Source) -> Mapping[str, SentenceTable]:
        """Read all files, line by line.

        Raises:
            CorpusError: A line is not as it should be; the message names file and line.
        """
        return polytag.corpus_from_sentences(
            {
                split: (sentence for path in paths for sentence in _sentences(path))
                for split, paths in source.files.items()
            }
        )

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write `train.marked` and so on.

        Raises:
            CorpusError: The corpus has other tag columns, or words that look like the marks.
        """
        for split, table in data.items():
            lines = [_line(sentence) for sentence in polytag.sentences_of(table)]
            (folder / f"{split}{ENDING}").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _sentences(path: Path) -> Iterator[Sentence]:
    for number, raw in enumerate(path.read_bytes().split(b"\n"), 1):
        place = f"{path.name}:{number}"
        try:
            line = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise CorpusError(f"{place}: this line is not valid UTF-8. Convert the file to UTF-8.") from None
        if line:
            yield _sentence(line, place)


def _sentence(line: str, place: str) -> Sentence:
    words: list[str] = []
    tags: list[str] = []
    for part in _PART.finditer(line):
        if part["word"] is None:
            inside = part["words"].split()
            words += inside
            tags += [f"{'I' if i else 'B'}-{part['kind']}" for i in range(len(inside))]
        elif _SYNTAX.search(part["word"]):
            raise CorpusError(f"{place}: {part['word']!r} is half a mark. Write entities as [[Low Tide|group]].")
        else:
            words.append(part["word"])
            tags.append("O")
    return Sentence(words, {COLUMN: tags}, None, place)


def _line(sentence: Sentence) -> str:
    if list(sentence.tags) != [COLUMN]:
        raise CorpusError(
            f"The format marked holds the column {COLUMN!r} and no other, and this corpus has "
            f"{', '.join(sentence.tags) or 'none'}. Choose one with --columns, or another --format."
        )
    if polytag.UNANNOTATED in sentence.tags[COLUMN]:
        raise CorpusError(
            f"{sentence.location}: a word has no annotation, which the format marked cannot say. Choose --format jsonl."
        )
    tagged = list(zip(sentence.words, sentence.tags[COLUMN], strict=True))
    if other := [tag for _, tag in tagged if tag != "O" and not tag.startswith(("B-", "I-"))]:
        raise CorpusError(
            f"{sentence.location}: the format marked has no place for the tag {other[0]!r}. Convert the corpus to iob2."
        )
    if odd := [word for word, tag in tagged if (_SYNTAX if tag == "O" else _SYNTAX_INSIDE).search(word)]:
        raise CorpusError(
            f"{sentence.location}: the format marked cannot hold the word {odd[0]!r}. Choose another one."
        )
    parts: list[str] = []
    opened = ""
    for word, tag in tagged:
        goes_on = bool(opened) and tag == f"I-{opened}"
        if opened and not goes_on:
            parts[-1] += f"|{opened}]]"
        parts.append(word if goes_on or tag == "O" else f"[[{word}")
        opened = tag.partition("-")[2]
    if opened:
        parts[-1] += f"|{opened}]]"
    return " ".join(parts)
