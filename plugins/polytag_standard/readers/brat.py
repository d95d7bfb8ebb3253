"""The reader `brat`: standoff files of the annotation tool brat."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import ClassVar

from polytag import (
    CorpusError,
    Reader,
    Remark,
    Sentence,
    SentenceTable,
    Source,
    corpus_from_sentences,
    shorten,
    split_of,
    text_ending,
    text_lines,
    whole_text,
)
from polytag_standard.readers.shared.lines import BRAT_ENDINGS, files_ending, split_files, write_lines
from polytag_standard.readers.shared.offsets import (
    TextSpan,
    documents_of,
    named_column,
    split_text,
    tagged_sentences,
    text_of,
    text_spans,
    the_span_column,
)
from polytag_standard.readers.shared.texts import AnnotatedText
from polytag_standard.readers.shared.units import UnitJudge, Units, has_wide_characters, locate_span

_LOOKED_AT = 1000
"""Files and folders below the folder of a split that are looked at for annotations, to recognise the format."""
_TOOLS = "tools.conf"
_TYPES = "annotation.conf"
_WHITE_SPACE = ("[options]", "Tokens\ttokenizer:whitespace", "Sentences\tsplitter:newline")
_SPAN = re.compile(r"(?P<name>T[^\t]*)\t(?P<label>[^ \t]+) (?P<pieces>\d+ \d+(?:;\d+ \d+)*)\t(?P<text>.*)")
_OTHER_LINES = ("R", "E", "A", "M", "N", "#", "*")
"""The first characters of relations, events, attributes, normalisations, notes and equivalences."""
_EXAMPLE = "T1<TAB>PER 0 5<TAB>Peter"


class BratReader(Reader):
    """Reads brat standoff: `a.txt` with the text of a document, `a.ann` with its spans.

    A split is a folder named after it, at any depth, or the documents whose names contain the split, if the name of
    every document of a folder does. Otherwise everything is `train`. Texts are split into words as in prediction, or at
    white space if `tools.conf` has `tokenizer:whitespace` and `splitter:newline`.
    """

    name: ClassVar[str] = "brat"
    summary: ClassVar[str] = "brat standoff: a text (.txt) and its annotations (.ann) for each document"
    leaves_out: ClassVar[str] = "white space, relations, events, attributes, normalisations and notes"
    scheme: ClassVar[str | None] = "iob2"
    companions: ClassVar[frozenset[str]] = frozenset({_TOOLS, _TYPES})

    def accepts(self, source: Source) -> bool:
        """Whether a file ends in `.ann`: in the folder, or below a folder in it that is named after a split.

        A folder is not searched to its bottom: it could be a home folder, or `/`.
        """
        root = source.path
        if root is None or not root.is_dir():
            return bool(files_ending(source, BRAT_ENDINGS))
        entries = list(root.iterdir())
        splits = [path for path in entries if split_of(path.name) and path.is_dir()]
        below = chain.from_iterable(islice(path.rglob("*"), _LOOKED_AT) for path in splits)
        return any(
            text_ending(path) in BRAT_ENDINGS and not path.name.startswith(".") for path in chain(entries, below)
        )

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all documents in the order of their names.

        Raises:
            CorpusError: A line is not in the format, the recorded text of a span differs from the text at its offsets,
                or the unit of the offsets is unclear; the message names file and line.
        """
        column = named_column(source.options.columns, self.name)
        splits = _annotations(source)
        for path in _texts(source):
            if _beside(path, ".ann") is None:
                rule = "Texts without an annotation file (.ann) are left out."
                source.remarks.append(Remark("text-without-annotations", rule, path.name, str(path)))
        source.passed_over.clear()  # what is not read is said here
        taken = {path for paths in splits.values() for path in paths}
        for path in _all_annotations(source):
            if path not in taken:
                rule = "Documents outside the folders of splits are left out."
                source.remarks.append(Remark("document-outside-splits", rule, path.name, str(path)))
        judge = UnitJudge(source.reference, source)
        for path in (path for paths in splits.values() for path in paths):
            if has_wide_characters(_text_of(path, source)):
                judge.hear(partial(_document, path, column, Source(source.reference, options=source.options)))
        units = judge.verdict()
        return corpus_from_sentences({split: _split(paths, column, source, units) for split, paths in splits.items()})

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write `train.1.txt` and `train.1.ann` and so on, one per document, or per sentence if documents are unknown.

        Words are separated by spaces, and each sentence is a line; `tools.conf` tells brat so. `annotation.conf` lists
        the labels.

        Raises:
            CorpusError: There is not exactly one column of spans; a word is empty or holds white space, or has no
                annotation; a label holds white space; or a split is not named train, validation or test.
        """
        column = the_span_column(data, self.name)
        labels: set[str] = set()
        for split in split_files(data, folder, ""):
            digits = len(str(sum(1 for _ in documents_of(data[split]))))
            for number, sentences in enumerate(documents_of(data[split]), 1):
                text, offsets = text_of(sentences)
                spans = text_spans(sentences, offsets, column)
                for _, _, label in spans:
                    if len(label.split()) != 1 or label.strip() != label:
                        raise CorpusError(
                            f"{sentences[0].location}: the label {shorten(label)!r} has white space, which brat does "
                            "not allow in a type. Rename it, or choose another format."
                        )
                    labels.add(label)
                path = folder / f"{split}.{number:0{digits}}"
                path.with_name(path.name + ".txt").write_bytes(f"{text}\n".encode())
                write_lines(path.with_name(path.name + ".ann"), _lines(text, spans))
        write_lines(folder / _TOOLS, _WHITE_SPACE)
        write_lines(folder / _TYPES, ["[entities]", *sorted(labels), "[relations]", "[events]", "[attributes]"])


def _lines(text: str, spans: Iterable[tuple[int, int, str]]) -> Iterator[str]:
    for number, (start, end, label) in enumerate(spans, 1):
        yield f"T{number}\t{label} {start} {end}\t{_on_one_line(text[start:end])}"


def _on_one_line(text: str) -> str:
    return re.sub(r"[\t\r\n]", " ", text)


def _annotations(source: Source) -> dict[str, list[Path]]:
    """The `.ann` files of each split."""
    root = source.path
    if root is None or not root.is_dir():
        return files_ending(source, BRAT_ENDINGS)
    every = _visible(root, ".ann")
    by_folder: dict[str, list[Path]] = {}
    for path in every:
        top, *below = path.relative_to(root).parts
        if below and (split := split_of(top)):
            by_folder.setdefault(split, []).append(path)
    if by_folder:
        return by_folder
    by_name: dict[str, list[Path]] = {}
    for path in every:
        by_name.setdefault(split_of(path.name) or "", []).append(path)
    return by_name if "" not in by_name else {"train": every}


def _all_annotations(source: Source) -> list[Path]:
    return _visible(source.path, ".ann") if source.path is not None and source.path.is_dir() else []


def _texts(source: Source) -> list[Path]:
    if source.path is not None and source.path.is_dir():
        return _visible(source.path, ".txt")
    return [path for paths in source.files.values() for path in paths if text_ending(path) == ".txt"]


def _visible(root: Path, ending: str) -> list[Path]:
    found = (path for pattern in (f"*{ending}", f"*{ending}.gz") for path in root.rglob(pattern))
    return sorted(path for path in found if not path.name.startswith("."))


def _beside(path: Path, ending: str) -> Path | None:
    """The file of the same document with another ending, compressed or not; None if there is none."""
    name = path.name.removesuffix(".gz").removesuffix(text_ending(path)) + ending
    return next((found for found in (path.with_name(name), path.with_name(f"{name}.gz")) if found.is_file()), None)


def _split(paths: Sequence[Path], column: str, source: Source, units: Units) -> Iterator[Sentence]:
    for number, path in enumerate(paths):
        document = _document(path, column, source, units)
        name = path.name.removesuffix(".gz").removesuffix(".ann") + ".txt"
        line_starts = [0, *(found.end() for found in re.finditer("\n", document.text))]
        yield from tagged_sentences(
            document.text,
            document.offsets,
            document.spans,
            document=number,
            locate=partial(_line_of, name, line_starts),
            source=source,
        )


def _line_of(name: str, line_starts: Sequence[int], start: int) -> str:
    return f"{name}:{bisect_right(line_starts, start)}"


def _text_of(path: Path, source: Source) -> str:
    """The text of an annotation file."""
    text_path = _beside(path, ".txt")
    if text_path is None:
        raise CorpusError(f"{path} has no text: {path.with_suffix('.txt').name} is missing in its folder. Restore it.")
    return whole_text(text_path, source.options.encoding)


def _document(path: Path, column: str, source: Source, units: Units) -> AnnotatedText:
    text = _text_of(path, source)
    is_ours = _splits_at_white_space(path.parent, source)
    spans = list(_spans(path, text, source, units))
    return AnnotatedText(text, split_text(text, source, whitespace=is_ours), {column: spans}, in_characters=is_ours)


def _spans(path: Path, text: str, source: Source, units: Units) -> Iterator[TextSpan]:
    for number, line in text_lines(path, source.options.encoding):
        place = f"{path.name}:{number}"
        if not line.startswith("T"):
            if line.strip() and not line.startswith(_OTHER_LINES):
                raise CorpusError(
                    f"{place}: {shorten(line)!r} is not a line of brat standoff. Spans are written like {_EXAMPLE}"
                )
            continue
        found = _SPAN.fullmatch(line)
        if found is None:
            raise CorpusError(f"{place}: {shorten(line)!r} is not a span of brat standoff. Write it like {_EXAMPLE}")
        said = [int(offset) for offset in found["pieces"].replace(";", " ").split()]
        offsets, unit = locate_span(said, text, units, f"{place}, {found['name']}", found["text"])
        gaps = zip(offsets[1:-1:2], offsets[2::2], strict=True)
        if any(text[end:start].strip() for end, start in gaps):
            rule = "Discontinuous spans are left out."
            example = f"{found['name']} {found['label']} {found['pieces']} {shorten(found['text'])!r}"
            source.remarks.append(Remark("span-discontinuous", rule, place, example))
            continue
        yield TextSpan(offsets[0], offsets[-1], found["label"], place, found["name"], unit)


def _splits_at_white_space(folder: Path, source: Source) -> bool:
    """Whether the `tools.conf` for a folder splits words at white space and sentences at line ends."""
    root = source.path if source.path is not None and source.path.is_dir() else folder
    while True:
        if (folder / _TOOLS).is_file():
            options = {"".join(line.split()) for _, line in text_lines(folder / _TOOLS)}
            return {"".join(option.split()) for option in _WHITE_SPACE} <= options
        if folder in (root, folder.parent):
            return False
        folder = folder.parent
