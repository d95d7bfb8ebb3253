"""Tag files and streams: read, tag and write items one by one, in constant memory."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Unpack

from polytag.corpus.column_sample import SAMPLE
from polytag.corpus.dialect import has_document_marks
from polytag.corpus.text_files import text_lines
from polytag.errors import PolytagError
from polytag.files import expand_home
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords, ReadingOptions
from polytag.plugin.registry import registry
from polytag.plugin.surroundings import for_plugin
from polytag.prediction.inputs import (
    INPUT_FORMATS,
    STDIN,
    Lines,
    check_file,
    decoded_lines,
    format_of,
    kind_of,
    objects,
    open_input,
    words_of_columns,
)
from polytag.prediction.outputs import OUTPUT_FORMATS, open_output, writer_for
from polytag.tagger.arguments import LOOK_AHEAD
from polytag.tagger.description import open_folder
from polytag.tagger.results import TaggedText
from polytag.tagger.tagger import Tagger
from polytag.tagger.token_classifiers import LabelNames
from polytag.tagger.viterbi import check_decoding

_SAMPLE_OF_STREAMS = 500
"""Lines of columns to wait for on standard input, which may come slowly."""


@attributed
def predict(
    tagger: str | Path,
    file: str | Path = "-",
    *,
    input_format: str | None = None,
    output_format: str | None = None,
    scheme: str | None = None,
    decoding: str | None = None,
    min_score: float = 0.0,
    lines: bool = False,
    runtime: str | None = None,
    output: str | Path | None = None,
    verbose: bool = False,
    task: str | None = None,
    labels: LabelNames | None = None,
    **reading: Unpack[ReadingKeywords],
) -> None:
    """Tag a file, and write the result to another file or to standard output, in constant memory.

    Nothing is returned; use `Tagger.tag` or `Tagger.stream` to get tagged texts.

    Args:
        tagger: Folder of a tagger or of a token classifier of transformers, or its name on the hub.
        file: Path of the file, `-` for standard input.
        input_format: `text`, `document`, `words`, `conll` or `jsonl`; by default chosen by the file extension.
        output_format: `jsonl`, `conll`, `doccano`, `table` or `html`; by default a table on a terminal and JSON
            Lines elsewhere.
        scheme: Label scheme for column format; by default the scheme of each task in the tagger.
        decoding: `viterbi` or `argmax`; by default the tagger's own.
        min_score: Spans with a lower probability are dropped, 0..1.
        lines: Tag each line of a text as a text of its own, as in `Tagger.tag`.
        runtime: `tensorflow`, `onnx`, `onnx-int8` or `numpy`, as in `Tagger.load`.
        output: File to write to, atomically; by default standard output.
        verbose: Print the runtime on stderr.
        task, labels: For a token classifier, as in `Tagger.load`.
        **reading: What is known about the form of the file: `encoding`, and for columns `columns`, `separator`,
            `comments`, `header` and `word_pattern`, as in `load_corpus`.

    Raises:
        PolytagError: The tagger or the file is invalid.
    """
    file, options = str(file), ReadingOptions.of(reading)
    decoding = check_decoding(decoding)
    form = _checked("input format", input_format or format_of(file), INPUT_FORMATS)
    if lines and form in ("words", "conll"):
        raise PolytagError(f"--lines is for text, and the input format {form} has words. Leave it out.")
    on_terminal = output is None and sys.stdout.isatty()
    writing = _checked("output format", output_format or ("table" if on_terminal else "jsonl"), OUTPUT_FORMATS)
    target = registry().schemes[scheme] if scheme else None
    folder, _ = open_folder(tagger, task, labels)
    if file != "-":
        check_file(Path(file))
    loaded = Tagger.load(folder, decoding, min_score, task, labels, runtime)
    if verbose:
        print(f"runtime: {loaded.runtime}", file=sys.stderr)
    with open_input(file) as source, open_output(None if output is None else expand_home(output)) as sink:
        name = STDIN if file == "-" else file
        write = writer_for(writing, loaded, target, sink)
        is_file = file != "-" and Path(file).is_file()
        read = text_lines(Path(file), options.encoding) if is_file else decoded_lines(source, name, options.encoding)
        marked = has_document_marks(Path(file), encoding=options.encoding) if form == "conll" and is_file else None
        with for_plugin():  # `sink` is already open: what a splitter prints does not come between the results
            for tagged in _tag(loaded, read, form, name, marked, options, lines):
                write(tagged)


def _tag(
    tagger: Tagger, read: Lines, form: str, name: str, marked: bool | None, options: ReadingOptions, lines: bool
) -> Iterator[TaggedText]:
    # On a terminal, the user expects an answer to every line.
    on_terminal = name == STDIN and sys.stdin.isatty()
    ahead = 1 if on_terminal else LOOK_AHEAD
    if form == "text":
        return tagger.stream((text for _, text in read), ahead, lines=lines)
    if form == "document":
        return tagger.stream(["\n".join(text for _, text in read)], lines=lines)
    if form == "words":
        # Not str.split(), as words may contain no-break spaces.
        words = ([word for word in text.replace("\t", " ").split(" ") if word] for _, text in read)
        return tagger.stream_words(words, ahead)
    if form == "conll":
        sample = 1 if on_terminal else _SAMPLE_OF_STREAMS if name == STDIN else SAMPLE
        found = words_of_columns(read, name, options, sample)
        return _tag_columns(tagger, found, marked)
    return _tag_objects(tagger, read, name, lines)


def _tag_columns(tagger: Tagger, found: Iterator[tuple[list[str], int]], marked: bool | None) -> Iterator[TaggedText]:
    """Tag column format. `marked`: whether the file marks documents; None if unknown: its beginning decides."""
    first = next(found, None)
    if first is None:
        return iter(())
    # As in corpora, each sentence is tagged alone if documents are not marked.
    alone = first[1] == 0 if marked is None else not marked
    sentences, documents = itertools.tee(itertools.chain([first], found))
    words = (words for words, _ in sentences)
    return tagger.stream_words(words, documents=None if alone else (number for _, number in documents))


def _tag_objects(tagger: Tagger, read: Lines, name: str, lines: bool) -> Iterator[TaggedText]:
    """Tag JSON objects in groups of consecutive objects of the same kind, so that they share batches in order."""
    for (kind, has_document), run in itertools.groupby(objects(read, name), kind_of):
        if kind is str:
            yield from tagger.stream((text for text, _ in run if isinstance(text, str)), lines=lines)
            continue
        if not has_document:
            yield from tagger.stream_words(words for words, _ in run)
            continue
        sentences, documents = itertools.tee(run)
        numbers = (number for _, number in documents if number is not None)
        yield from tagger.stream_words((words for words, _ in sentences), documents=numbers)


def _checked(what: str, name: str, known: Sequence[str]) -> str:
    if name not in known:
        raise PolytagError(f"There is no {what} named {name!r}. Choose one of: {', '.join(known)}.")
    return name
