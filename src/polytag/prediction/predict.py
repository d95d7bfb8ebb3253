"""Tag files and streams: read, tag and write items one by one, in constant memory."""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple, TextIO, Unpack, cast

from polytag.corpus.dialect import has_document_marks
from polytag.corpus.text_files import text_lines
from polytag.errors import PolytagError, shorten
from polytag.files import expand_home
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords, ReadingOptions
from polytag.plugin.registry import registry
from polytag.plugin.surroundings import for_plugin
from polytag.prediction.column_files import words_of_columns
from polytag.prediction.incoming import Waits, bursts, incoming, never
from polytag.prediction.inputs import (
    INPUT_FORMATS,
    STDIN,
    TEXT,
    Item,
    check_file,
    check_output,
    decoded_lines,
    format_of,
    kind_of,
    objects,
    open_input,
    split_at_blanks,
)
from polytag.prediction.one_file import format_of_columns, has_columns, tag_columns
from polytag.prediction.outputs import OUTPUT_FORMATS, Write, open_output, writer_for
from polytag.prediction.row_options import RowOptions, check_name
from polytag.tagger.description import open_folder
from polytag.tagger.results import TaggedText
from polytag.tagger.tagger import Tagger
from polytag.tagger.token_classifiers import LabelNames
from polytag.tagger.viterbi import check_decoding
from polytag.terminal import stage

Tag = Callable[[Sequence[Item]], Iterator[TaggedText]]


@attributed
def predict(
    tagger: str | Path,
    file: str | Path = "-",
    *,
    text: str | None = None,
    input_format: str | None = None,
    output_format: str | None = None,
    scheme: str | None = None,
    decoding: str | None = None,
    min_score: float = 0.0,
    lines: bool = False,
    runtime: str | None = None,
    device: str | None = None,
    output: str | Path | None = None,
    verbose: bool = False,
    task: str | None = None,
    labels: LabelNames | None = None,
    text_column: str | None = None,
    tokens_column: str | None = None,
    document_column: str | None = None,
    **reading: Unpack[ReadingKeywords],
) -> None:
    """Tag a file, and write the result to another file or to standard output, in constant memory.

    Whatever has arrived from a pipe or a terminal is tagged and written before more is awaited. Nothing is returned;
    use `Tagger.tag` or `Tagger.stream` to get tagged texts, and `predict_lake` for many files.

    Args:
        tagger: Folder of a tagger or of a token classifier of transformers, or its name on the hub.
        file: Path or URL of the file, `-` for standard input.
        text: A text to tag instead of a file, by default as one document.
        input_format: `text`, `document`, `words`, `conll`, `jsonl` or `parquet`; by default chosen by the file
            extension. Other fields of JSON Lines are passed on to `jsonl` and `doccano`.
        output_format: `jsonl`, `conll`, `doccano`, `table` or `html`; by default a table on a terminal and JSON
            Lines elsewhere. For Parquet: `parquet`, or `jsonl` on standard output.
        scheme: Label scheme for column format; by default the scheme of each task in the tagger.
        decoding: `viterbi` or `argmax`; by default the tagger's own.
        min_score: Spans with a lower probability are dropped, 0..1.
        lines: Tag each line of a text as a text of its own, as in `Tagger.tag`.
        runtime: `tensorflow`, `onnx`, `onnx-int8` or `numpy`, as in `Tagger.load`.
        device: The devices of the runtime `tensorflow`, as for `Tagger.load`.
        output: File to write to, atomically; by default standard output.
        verbose: Print the runtime on stderr.
        task, labels: For a token classifier, as in `Tagger.load`.
        text_column, tokens_column, document_column: As in `predict_lake`.
        **reading: What is known about the form of the file: `encoding`, and for columns `columns`, `separator`,
            `comments`, `header` and `word_pattern`, as in `load_corpus`.

    Raises:
        PolytagError: The tagger or the file is invalid.
    """
    file, options, decoding = str(file), ReadingOptions.of(reading), check_decoding(decoding)
    if text is not None and file != "-":
        raise PolytagError(f"There is a text and the file {shorten(file)!r}. Give one of them.")
    check_output(output, file)
    columns = (text_column, tokens_column, document_column)
    if has_columns(file, input_format, output_format, output, columns):
        writing = format_of_columns(file, input_format, output_format, output)
        rows = RowOptions(
            writing, input_format, *columns, lines, decoding, min_score, task, labels, runtime, options, device
        )
        tag_columns(tagger, file, rows, output, scheme, verbose)
        return
    form = input_format or ("document" if text is not None else format_of(file))
    check_name("input format", form, INPUT_FORMATS)
    if lines and form in ("words", "conll"):
        raise PolytagError(f"--lines is for text, and the input format {form} has words. Leave it out.")
    writing = output_format or ("table" if output is None and sys.stdout.isatty() else "jsonl")
    check_name("output format", writing, OUTPUT_FORMATS)
    target = registry().schemes[scheme] if scheme else None
    folder, _ = open_folder(tagger, task, labels)
    if file != "-":
        check_file(Path(file))
    loaded = Tagger.load(folder, decoding, min_score, task, labels, runtime, device)
    stage("")  # a terminal shows a prompt now
    if verbose:
        print(f"runtime: {loaded.runtime}", file=sys.stderr)
    with open_input(file, text) as source, open_output(None if output is None else expand_home(output)) as sink:
        write = writer_for(writing, loaded, target, sink)
        _write(loaded, read_items(source, file, text, form, options), lines, write, sink)


def _write(tagger: Tagger, found: FoundItems, lines: bool, write: Write, sink: TextIO) -> None:
    with for_plugin():  # `sink` is already open: what a splitter prints does not come between the results
        for number, (items, tag) in enumerate(_tagging(tagger, found, lines)):
            stage("" if number else "Tagging")  # the first time, TensorFlow compiles
            for item, tagged in zip(items, tag(items), strict=True):
                stage("")
                write(tagged, item.others)
            sink.flush()  # whoever reads it may wait for it


class FoundItems(NamedTuple):
    """The items of an input, and whether the next one has yet to arrive."""

    items: Iterator[Item]
    waits: Waits


def read_items(source: IO[bytes], file: str, text: str | None, form: str, options: ReadingOptions) -> FoundItems:
    """The items of an input.

    Args:
        source: The opened input.
        file: Its path, or `-`.
        text: The text that is the input instead of a file.
        form: One of `INPUT_FORMATS`.
        options: What is known about its form.
    """
    if text is not None:
        options = replace(options, encoding=None)  # the command line has its own
    name = TEXT if text is not None else STDIN if file == "-" else file
    is_file = file != "-" and Path(file).is_file()
    coming = None if is_file else incoming(source)
    waits = coming.waits if coming else never
    read = (
        text_lines(Path(file), options.encoding) if is_file else decoded_lines(coming or source, name, options.encoding)
    )
    if form == "text":
        return FoundItems((Item(line) for _, line in read), waits)
    if form == "document":
        return FoundItems(iter([Item("\n".join(line for _, line in read))]), never)
    if form == "words":
        return FoundItems((Item(split_at_blanks(line)) for _, line in read), waits)
    if form == "jsonl":
        return FoundItems(objects(read, name), waits)
    sentences = (Item(*pair) for pair in words_of_columns(read, name, options, coming))
    first = next(sentences, None)
    if first is None:
        return FoundItems(iter(()), never)
    # As in corpora, each sentence is tagged alone if documents are not marked. Of a stream, its beginning decides.
    marked = has_document_marks(Path(file), encoding=options.encoding) if is_file else first.document != 0
    every = itertools.chain([first], sentences)
    return FoundItems(every if marked else (item._replace(document=None) for item in every), waits)


def _tagging(tagger: Tagger, found: FoundItems, lines: bool) -> Iterator[tuple[Sequence[Item], Tag]]:
    """Items that have arrived, and how to tag them together: consecutive items of a kind share batches in order."""

    def texts(items: Sequence[Item]) -> Iterator[TaggedText]:
        return tagger.stream((cast("str", item.content) for item in items), lines=lines)

    def alone(items: Sequence[Item]) -> Iterator[TaggedText]:
        return tagger.stream_words(cast("list[str]", item.content) for item in items)

    def together(items: Sequence[Item]) -> Iterator[TaggedText]:
        numbers = (cast("int", item.document) for item in items)
        return tagger.stream_words((cast("list[str]", item.content) for item in items), documents=numbers)

    for (kind, has_document), run in itertools.groupby(found.items, kind_of):
        tag = texts if kind is str else together if has_document else alone
        document = operator.attrgetter("document") if has_document else None
        for items in bursts(run, found.waits, document):
            yield items, tag
