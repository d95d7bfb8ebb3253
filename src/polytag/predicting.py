"""Tag files and streams: read, tag and write one after the other, in memory that does not grow."""

from __future__ import annotations

import io
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

from polytag.decoding import Decoding
from polytag.errors import PolytagError
from polytag.folder import new_file, read_description
from polytag.hooks.registry import registry
from polytag.hub import tagger_folder
from polytag.readers import DOCUMENT_MARKS, HALF_CHARACTER
from polytag.schemes import LabelScheme, convert
from polytag.tagger import LOOK_AHEAD, Tagger
from polytag.tagging import TaggedText
from polytag.terminal import console
from polytag.token_classifiers import Names

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

INPUT_FORMATS = ("text", "document", "words", "conll", "jsonl")
OUTPUT_FORMATS = ("jsonl", "conll", "doccano", "table")

_STDIN = "standard input"
_BY_ENDING = {".jsonl": "jsonl", ".conll": "conll", ".iob": "conll", ".bio": "conll"}
_COLOURS = ("green", "blue", "magenta", "yellow", "cyan", "red")

Item = str | list[str]
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
    reading = _checked("input format", input_format or _BY_ENDING.get(Path(file).suffix, "text"), INPUT_FORMATS)
    on_terminal = output is None and sys.stdout.isatty()
    writing = _checked("output format", output_format or ("table" if on_terminal else "jsonl"), OUTPUT_FORMATS)
    target = registry().schemes[scheme] if scheme else None
    folder = tagger_folder(tagger)
    read_description(folder, task, labels)
    if file != "-" and not Path(file).is_file():
        raise PolytagError(f"The file {file!r} does not exist. Check the path, or give - for standard input.")
    loaded = Tagger.load(folder, decoding, min_score, task, labels, runtime)
    with _opened(file) as source, _created(output) as sink:
        name = _STDIN if file == "-" else file
        write = _writer(writing, loaded, target, sink)
        for tagged in _tag(loaded, _decoded(source, name), reading, name):
            write(tagged)


def _tag(tagger: Tagger, lines: Lines, reading: str, name: str) -> Iterator[TaggedText]:
    # Somebody who types wants an answer to every line.
    ahead = 1 if name == _STDIN and sys.stdin.isatty() else LOOK_AHEAD
    if reading == "text":
        return tagger.stream((text for _, text in lines), ahead)
    if reading == "document":
        return tagger.stream(["\n".join(text for _, text in lines)])
    if reading == "words":
        return tagger.stream_words((text.split() for _, text in lines), ahead)
    if reading == "conll":
        return tagger.stream_words(_first_columns(lines))
    return _tag_objects(tagger, lines, name)


def _first_columns(lines: Lines) -> Iterator[list[str]]:
    words: list[str] = []
    separator = ""
    for _, line in lines:
        text = line.strip(" \t")
        if text and not text.startswith(DOCUMENT_MARKS):
            # As in corpora: tabs if the first line has one. Not str.split(), as words may hold no-break spaces.
            separator = separator or ("\t" if "\t" in text else " ")
            words.append(text.partition(separator)[0].partition("\t")[0].strip(" "))
        elif words:
            yield words
            words = []
    if words:
        yield words


def _tag_objects(tagger: Tagger, lines: Lines, name: str) -> Iterator[TaggedText]:
    """Tag JSON objects in runs of the same kind, so that they share batches and keep their order."""
    kind: type | None = None
    run: list[Any] = []
    for item in _objects(lines, name):
        if run and (type(item) is not kind or len(run) == LOOK_AHEAD):
            yield from tagger.stream(run) if kind is str else tagger.stream_words(run)
            run = []
        kind = type(item)
        run.append(item)
    if run:
        yield from tagger.stream(run) if kind is str else tagger.stream_words(run)


def _objects(lines: Lines, name: str) -> Iterator[Item]:
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
            yield found
        else:
            raise PolytagError(
                f'{name}, line {number}: the object has neither a string "text" nor a list of strings "tokens". Add one'
                " of them."
            )


def _decoded(source: IO[bytes], name: str) -> Lines:
    for number, line in enumerate(source, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise PolytagError(
                f"{name}, line {number}, byte {error.start + 1}: not UTF-8. Convert the file: iconv -f latin1 -t utf-8"
            ) from error
        yield number, text.rstrip("\r\n")


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
