"""Tag files and streams: read, tag and write one after the other, in memory that does not grow."""

from __future__ import annotations

import io
import itertools
import json
import re
import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from polytag.errors import PolytagError
from polytag.files import new_file
from polytag.hub import tagger_folder
from polytag.plugin.reader import DOCUMENT_MARKS, HALF_CHARACTER
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme, convert
from polytag.tagger.folder import read_description
from polytag.tagger.results import TaggedText
from polytag.tagger.tagger import LOOK_AHEAD, Tagger
from polytag.tagger.token_classifiers import Names
from polytag.tagger.viterbi import Decoding
from polytag.terminal import console

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

INPUT_FORMATS = ("text", "document", "words", "conll", "jsonl")
OUTPUT_FORMATS = ("jsonl", "conll", "doccano", "table")

_STDIN = "standard input"
_BY_ENDING = {".jsonl": "jsonl", ".tsv": "conll"} | dict.fromkeys(
    (".bio", ".bio2", ".bioes", ".bmes", ".col", ".conll", ".conll2000", ".conll2003", ".iob", ".iob2", ".iobes"),
    "conll",
)
_OF_CORPORA = (".ann", ".conllu", ".conllup", ".json", ".parquet", ".spacy")
_BREAKS = re.compile("[\t\n\r]")
_COLOURS = ("green", "blue", "magenta", "yellow", "cyan", "red")

Item = tuple[str | list[str], int | None]
"""A text, or the words of a sentence, and the sentence's document where that is known."""

Lines = Iterator[tuple[int, str]]


def predict(
    tagger: str | Path,
    file: str = "-",
    *,
    input_format: str | None = None,
    output_format: str | None = None,
    scheme: str | None = None,
    decoding: Decoding | None = None,
    min_score: float = 0.0,
    runtime: str | None = None,
    output: Path | None = None,
    task: str | None = None,
    labels: Names | None = None,
) -> None:
    """Tag a file.

    Args:
        tagger: Folder of a tagger or of a token classifier of transformers, or its name on the hub.
        file: Path of the file, `-` for standard input.
        input_format: One of `INPUT_FORMATS`; by the file's ending when not given.
        output_format: One of `OUTPUT_FORMATS`; a table on a terminal and JSON Lines elsewhere when not given.
        scheme: Label scheme for column format, instead of the one each task was trained in.
        decoding: `viterbi` or `argmax`, instead of what the tagger was trained with.
        min_score: Spans that are less probable are dropped, 0..1.
        runtime: `tensorflow` or `onnx`; what the folder is for when not given.
        output: File to write to, whole or not at all; standard output when not given.
        task, labels: Of a token classifier, as in `Tagger.load`.

    Raises:
        PolytagError: The tagger or the file is wrong.
    """
    reading = _checked("input format", input_format or _format_of(file), INPUT_FORMATS)
    on_terminal = output is None and sys.stdout.isatty()
    writing = _checked("output format", output_format or ("table" if on_terminal else "jsonl"), OUTPUT_FORMATS)
    target = registry().schemes[scheme] if scheme else None
    folder = tagger_folder(tagger)
    read_description(folder, task, labels)
    if file != "-":
        _check_file(Path(file))
    loaded = Tagger.load(folder, decoding, min_score, task, labels, runtime)
    with _opened(file) as source, _created(output) as sink:
        name = _STDIN if file == "-" else file
        write = _writer(writing, loaded, target, sink)
        marked = _has_marks(Path(file)) if reading == "conll" and Path(file).is_file() else None
        for tagged in _tag(loaded, _decoded(source, name), reading, name, marked):
            write(tagged)


def _format_of(file: str) -> str:
    ending = Path(file).suffix.lower()
    if ending in _OF_CORPORA:
        raise PolytagError(
            f"The file {file!r} ends as corpora do that `polytag predict` does not read. Convert it, `polytag corpus "
            f"convert {file} FOLDER --format column`, and tag what that writes; or say what it holds with --input."
        )
    return _BY_ENDING.get(ending, "text")


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise PolytagError(f"{str(path)!r} is a folder. Name a file in it, or give - for standard input.")
        if not path.exists():
            raise PolytagError(
                f"The file {str(path)!r} does not exist. Check the path, or give - for standard input: echo TEXT | "
                "polytag predict TAGGER -"
            )
    except OSError as error:
        raise PolytagError(
            f"The file {str(path)!r} cannot be read: {error.strerror}. To tag text, give it on standard input: echo "
            "TEXT | polytag predict TAGGER -"
        ) from error


def _has_marks(path: Path) -> bool:
    marks = tuple(map(str.encode, DOCUMENT_MARKS))
    with path.open("rb") as file:
        return any(line.lstrip(b"\xef\xbb\xbf \t").startswith(marks) for line in file)


def _tag(tagger: Tagger, lines: Lines, reading: str, name: str, marked: bool | None) -> Iterator[TaggedText]:
    # Somebody who types wants an answer to every line.
    ahead = 1 if name == _STDIN and sys.stdin.isatty() else LOOK_AHEAD
    if reading == "text":
        return tagger.stream((text for _, text in lines), ahead)
    if reading == "document":
        return tagger.stream(["\n".join(text for _, text in lines)])
    if reading == "words":
        # Not str.split(), as words may hold no-break spaces.
        words = ([word for word in text.replace("\t", " ").split(" ") if word] for _, text in lines)
        return tagger.stream_words(words, ahead)
    if reading == "conll":
        return _tag_columns(tagger, lines, marked)
    return _tag_objects(tagger, lines, name)


def _tag_columns(tagger: Tagger, lines: Lines, marked: bool | None) -> Iterator[TaggedText]:
    """Tag column format. `marked` says whether it has marks of documents; None where that shows at its beginning."""
    found = _first_columns(lines)
    first = next(found, None)
    if first is None:
        return iter(())
    # As in corpora, sentences stand alone where no documents are marked.
    alone = first[1] == 0 if marked is None else not marked
    sentences, documents = itertools.tee(itertools.chain([first], found))
    words = (words for words, _ in sentences)
    return tagger.stream_words(words, documents=None if alone else (number for _, number in documents))


def _first_columns(lines: Lines) -> Iterator[tuple[list[str], int]]:
    """The words of each sentence, and how many marks of documents came before it."""
    words: list[str] = []
    separator, document = "", 0
    for _, line in lines:
        text = line.strip(" \t")
        is_mark = text.startswith(DOCUMENT_MARKS)
        if text and not is_mark:
            # As in corpora: tabs if the first line has one. Not str.split(), as words may hold no-break spaces.
            separator = separator or ("\t" if "\t" in text else " ")
            words.append(text.partition(separator)[0].partition("\t")[0].strip(" "))
        elif words:
            yield words, document
            words = []
        document += is_mark
    if words:
        yield words, document


def _tag_objects(tagger: Tagger, lines: Lines, name: str) -> Iterator[TaggedText]:
    """Tag JSON objects in runs of the same kind, so that they share batches and keep their order."""
    for (kind, has_document), run in itertools.groupby(_objects(lines, name), _kind):
        if kind is str:
            yield from tagger.stream(text for text, _ in run if isinstance(text, str))
            continue
        if not has_document:
            yield from tagger.stream_words(words for words, _ in run)
            continue
        sentences, documents = itertools.tee(run)
        numbers = (number for _, number in documents if number is not None)
        yield from tagger.stream_words((words for words, _ in sentences), documents=numbers)


def _kind(item: Item) -> tuple[type, bool]:
    return type(item[0]), item[1] is not None


def _objects(lines: Lines, name: str) -> Iterator[Item]:
    documents: dict[Hashable, int] = {}
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise PolytagError(f"{name}, line {number}: not JSON: {error}. Write one object a line.") from error
        found = record.get("text", record.get("tokens")) if isinstance(record, dict) else None
        if isinstance(found, str) or (isinstance(found, list) and all(isinstance(word, str) for word in found)):
            if HALF_CHARACTER.search("".join(found)):
                raise PolytagError(
                    f"{name}, line {number}: an escape such as \\ud83d stands for half a character. Write both halves, "
                    "or the character itself."
                )
            document = record.get("document") if isinstance(found, list) else None
            if not isinstance(document, int | str | None):
                raise PolytagError(f'{name}, line {number}: "document" is {document!r}. Make it a number or a string.')
            yield found, None if document is None else documents.setdefault(document, len(documents))
        else:
            raise PolytagError(
                f'{name}, line {number}: the object has neither a string "text" nor a list of strings "tokens". Add one'
                " of them."
            )


def _decoded(source: IO[bytes], name: str) -> Lines:
    try:
        for number, line in enumerate(source, start=1):
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise PolytagError(
            f"{name}, line {number}, byte {error.start + 1}: not UTF-8. Convert the file: iconv -f latin1 -t utf-8"
        ) from error
    except OSError as error:
        raise PolytagError(f"{name} cannot be read: {error.strerror}. Check what it is.") from error


def _writer(writing: str, tagger: Tagger, target: LabelScheme | None, sink: TextIO) -> Callable[[TaggedText], None]:
    if writing == "jsonl":
        return lambda tagged: print(json.dumps(tagged.to_dict(), ensure_ascii=False), file=sink, flush=sink.isatty())
    if writing == "doccano":
        return lambda tagged: print(_for_doccano(tagged), file=sink)
    if writing == "conll":
        return lambda tagged: print(_columns(tagger, target, tagged), end="", file=sink)
    styles: dict[str, str] = {}
    shown = console(sink)
    return lambda tagged: _show(tagged, tagger, styles, shown)


def _columns(tagger: Tagger, target: LabelScheme | None, tagged: TaggedText) -> str:
    for word in tagged.words:
        if not word.strip(" ") or _BREAKS.search(word) or word.startswith(DOCUMENT_MARKS):
            raise PolytagError(
                f"The word {word!r} cannot stand in columns: it is empty, holds a tab or the end of a line, or begins "
                "as a new document does. Write JSON Lines: --format jsonl"
            )
    bounds = [*tagged.sentence_starts, len(tagged.words)]
    parts = []
    for start, end in itertools.pairwise(bounds):
        columns: list[Sequence[str]] = [tagged.words[start:end]]
        for task, tags in tagged.tags.items():
            own = tagger.decoders[task].scheme
            sentence = tags[start:end]
            columns.append(convert(sentence, own, target) if target and own.encodes_spans else sentence)
        parts += ["\t".join(row) + "\n" for row in zip(*columns, strict=True)]
        parts.append("\n")
    return "".join(parts)


def _for_doccano(tagged: TaggedText) -> str:
    label = [[span.start, span.end, span.label] for span in tagged.spans]
    return json.dumps({"text": tagged.text, "label": label}, ensure_ascii=False)


def _show(tagged: TaggedText, tagger: Tagger, styles: dict[str, str], console: Console) -> None:
    from rich.text import Text

    for task, decoder in tagger.decoders.items():
        line = _highlighted(tagged, task, styles) if decoder.scheme.encodes_spans else _tagged_words(tagged, task)
        console.print(Text.assemble((f"{task:>8}  ", "bold"), line))


def _highlighted(tagged: TaggedText, task: str, styles: dict[str, str]) -> Text:
    from rich.text import Text

    line, position = Text(), 0
    for span in tagged.spans:
        if span.task == task:
            style = styles.setdefault(span.label, _COLOURS[len(styles) % len(_COLOURS)])
            line.append(tagged.text[position : span.start])
            line.append(f"[{span.text}]", style)
            line.append(f" {span.label} {span.score:.2f}", f"dim {style}")
            position = span.end
    line.append(tagged.text[position:])
    return line


def _tagged_words(tagged: TaggedText, task: str) -> Text:
    from rich.text import Text

    line = Text()
    for word, tag in zip(tagged.words, tagged.tags[task], strict=True):
        line.append(word)
        line.append(f"/{tag} ", "dim cyan")
    return line


def _checked(what: str, name: str, known: Sequence[str]) -> str:
    if name not in known:
        raise PolytagError(f"There is no {what} named {name!r}. Choose one of: {', '.join(known)}.")
    return name


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115  # closed below; an error while reading is not an error of opening
    except OSError as error:
        raise PolytagError(f"The file {file!r} cannot be read: {error.strerror}.") from error
    with source:
        yield source


@contextmanager
def _created(output: Path | None) -> Iterator[TextIO]:
    """A file that appears under its name only when it is whole."""
    if output is None:
        if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8")  # whatever the locale, so that any text can be written
        yield sys.stdout
        return
    with new_file(output) as sink:
        yield sink
