"""Text without labels, for a student to learn from: words in sentences, from text files and whatever a reader knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from polytag.corpus.load import load_corpus
from polytag.corpus.splits import Split
from polytag.corpus.text_files import EncodingError, text_ending, text_lines
from polytag.encoding.splitters import split_function
from polytag.errors import CorpusError, PolytagError
from polytag.files import expand_home, path_exists
from polytag.plugin.reader import ReadingOptions
from polytag.plugin.registry import registry
from polytag.prediction.column_files import words_of_columns
from polytag.prediction.inputs import Item, objects

_TEXTS = (".txt", ".text")
_COLUMNS = (".bio", ".bio2", ".bioes", ".bmes", ".col", ".conll", ".conll2000", ".conll2003", ".iob", ".iob2", ".tsv")
_CORPORA = (".ann", ".conllu", ".conllup", ".csv", ".json", ".parquet", ".spacy")
_HEAD = 1000
"""Number of lines by which columns are told from text."""
_ENOUGH = 10

Sentences = Iterator[tuple[list[str], Hashable]]
"""The words of sentences, each with its document within the source."""


def read_texts(references: Sequence[str], splitter: str) -> Split:
    """The sentences of all sources in order; each line of a text file is a text of its own, as in `polytag predict`.

    Args:
        references: Text files, JSON Lines, column files, folders of text files, or corpora, whose tags are ignored.
        splitter: Name of the splitter of text.

    Raises:
        PolytagError: A source does not exist, cannot be read, or has no words.
    """
    registry().splitters.require(splitter)
    sentences: list[list[str]] = []
    documents: list[int] = []
    numbers: dict[tuple[str, Hashable], int] = {}
    for reference in references:
        before = len(sentences)
        try:
            for words, document in _read(reference, splitter):
                if words:
                    sentences.append(words)
                    documents.append(numbers.setdefault((reference, document), len(numbers)))
        except EncodingError as error:  # the corpus has an option for that, which may be in another encoding
            raise PolytagError(
                f"{error.problem}. Text to learn from a teacher has to be UTF-8, or UTF-16 with a byte order mark: "
                "convert the file, for instance with iconv."
            ) from error
        except OSError as error:
            raise PolytagError(f"The text {reference!r} cannot be read: {error.strerror or error}.") from error
        if len(sentences) == before:
            raise PolytagError(
                f"The text {reference!r} has no words. Check that this is the right file, or leave it out."
            )
    return Split(sentences, documents, {})


def texts_fingerprint(texts: Split) -> str:
    """Sixteen hexadecimal digits that depend on all words and documents."""
    digest = hashlib.sha256()
    for words, document in zip(texts.sentences, texts.documents or (), strict=True):
        digest.update(json.dumps([document, words]).encode())
    return digest.hexdigest()[:16]


def _read(reference: str, splitter: str) -> Sentences:
    path = expand_home(reference)
    if text_ending(path) in (".jsonl", *_TEXTS, *_COLUMNS) and not path_exists(path):
        raise PolytagError(f"The text {reference!r} does not exist. Check the path.")
    files = [path] if path.is_file() else _text_files(path) if path.is_dir() else []
    if not files or text_ending(path) in _CORPORA:
        yield from _words_of_corpus(reference, splitter)
    for file in files if text_ending(path) not in _CORPORA else ():
        for words, document in _words_of_file(file, splitter):
            yield words, (str(file), document)


def _text_files(folder: Path) -> list[Path]:
    """The files of a folder if all are text; else none, as it is a corpus."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return files if all(text_ending(path) in _TEXTS for path in files) else []


def _words_of_corpus(reference: str, splitter: str) -> Sentences:
    corpus = load_corpus(reference, splitter=splitter)
    for split in corpus.splits:
        words, documents = corpus.words(split), corpus.documents(split)
        for index, sentence in enumerate(words):
            yield list(sentence), (split, documents[index] if documents else index)


def _words_of_file(file: Path, splitter: str) -> Sentences:
    ending, lines = text_ending(file), text_lines(file)
    if ending == ".jsonl":
        yield from _words_of_items(objects(lines, str(file)), splitter)
    elif ending in _COLUMNS or _looks_like_columns(file):
        sentences = words_of_columns(lines, str(file), ReadingOptions())
        yield from ((words, document) for words, document in sentences)
    else:
        yield from _words_of_items((Item(line) for _, line in lines), splitter)


def _words_of_items(items: Iterator[Item], splitter: str) -> Sentences:
    split = split_function(splitter)
    for number, item in enumerate(items):
        if isinstance(item.content, str):
            yield from ((words, number) for words in split(item.content).sentences)
        else:
            yield item.content, ("words", number if item.document is None else item.document)


def _looks_like_columns(file: Path) -> bool:
    """Whether the lines have a word and its tags: as many cells in each line, apart from empty lines."""
    try:
        head = [line for _, line in islice(text_lines(file), _HEAD)]
    except CorpusError:  # said when the file is read
        return False
    sizes = [len(line.split()) for line in head if line.strip() and not line.startswith("-DOCSTART-")]
    return len(sizes) >= _ENOUGH and len(set(sizes)) == 1 and sizes[0] > 1
