"""The reader `spacy`: documents serialised by spaCy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from polytag import (
    UNANNOTATED,
    CorpusError,
    PolytagError,
    Reader,
    Sentence,
    SentenceTable,
    Source,
    corpus_from_sentences,
    shorten,
)
from polytag_standard.readers.shared.lines import SPACY_ENDINGS, files_ending, split_files
from polytag_standard.readers.shared.offsets import (
    COLUMN,
    GAPS,
    TextSpan,
    documents_of,
    span_columns,
    tagged_sentences,
    text_spans,
    the_span_column,
)
from polytag_standard.readers.shared.spacy2 import TOKEN_COLUMNS

_ATTRIBUTES = ("ENT_IOB", "ENT_TYPE", "TAG", "POS", "SENT_START")


class DocBinReader(Reader):
    """Reads spaCy's `DocBin` files: `doc.ents` as the column `ner_tags`, each span group as a column of its name,
    `token.tag_` as `pos_tags` and `token.pos_` as `upos`.

    The words are the tokens that are not white space. A document without sentence boundaries is one sentence. A token
    whose entity is "missing" in spaCy's terms has no annotation.
    """

    name: ClassVar[str] = "spacy"
    summary: ClassVar[str] = "DocBin files of spaCy (.spacy); needs spaCy"
    leaves_out: ClassVar[str] = "white space, dependencies, lemmas, morphology, identifiers and user data"
    scheme: ClassVar[str | None] = "iob2"

    def accepts(self, source: Source) -> bool:
        """Whether all files end in `.spacy`."""
        return bool(source.files) and files_ending(source, SPACY_ENDINGS) == {
            split: list(paths) for split, paths in source.files.items()
        }

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all files, each completely, as the format requires.

        Raises:
            CorpusError: A file is damaged, or a span has no label.
            PolytagError: spaCy is not installed.
        """
        vocab = _spacy().Vocab()
        columns: dict[str, None] = {}
        for paths in source.files.values():
            for _, doc in _docs(paths, vocab):
                columns |= dict.fromkeys(_columns(doc))
        names = sorted(columns, key=lambda name: (name != COLUMN, name in TOKEN_COLUMNS))
        return corpus_from_sentences(
            {split: _sentences(_docs(paths, vocab), names or [COLUMN], source) for split, paths in source.files.items()}
        )

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write `train.spacy` and so on: one `Doc` per document, or per sentence if documents are unknown.

        Raises:
            CorpusError: The format can hold no column of the corpus; a word is empty; a span has no label; a word has
                no annotation in a span column other than `ner_tags`; a tag in `upos` is not in Universal Dependencies;
                or a split is not named train, validation or test.
            PolytagError: spaCy is not installed.
        """
        spacy = _spacy()
        vocab = spacy.Vocab()
        spans = list(dict.fromkeys(name for table in data.values() for name in span_columns(table)))
        if not spans and not any(name in TOKEN_COLUMNS for table in data.values() for name in table.tags):
            the_span_column(data, self.name)  # which raises
        for split, path in split_files(data, folder, ".spacy").items():
            docs = (_doc(spacy, vocab, sentences, spans) for sentences in documents_of(data[split]))
            spacy.tokens.DocBin(attrs=_ATTRIBUTES, docs=docs).to_disk(path)


def _spacy() -> Any:
    try:
        import spacy
    except ImportError as error:
        raise PolytagError(
            "Files of spaCy are read and written by spaCy, which is not installed. Install it: "
            "pip install 'polytag[spacy]'"
        ) from error
    return spacy


def _docs(paths: Sequence[Path], vocab: Any) -> Iterator[tuple[str, Any]]:
    for path in paths:
        try:
            docs = _spacy().tokens.DocBin().from_bytes(path.read_bytes()).get_docs(vocab)
            for number, doc in enumerate(docs, 1):
                yield f"{path.name}, text {number}", doc
        except (ValueError, KeyError, TypeError, IndexError) as error:  # of zlib, msgpack and spaCy
            raise CorpusError(
                f"spaCy cannot read {path} as a DocBin: {error}. Write it again with DocBin.to_disk."
            ) from error


def _columns(doc: Any) -> Iterator[str]:
    if doc.has_annotation("ENT_IOB"):
        yield COLUMN
    yield from doc.spans
    for column, attribute in TOKEN_COLUMNS.items():
        if doc.has_annotation(attribute.upper()):
            yield column


def _sentences(docs: Iterator[tuple[str, Any]], columns: Sequence[str], source: Source) -> Iterator[Sentence]:
    for number, (place, doc) in enumerate(docs):
        words = [token for token in doc if not token.text.isspace()]
        offsets: list[list[tuple[int, int]]] = []
        begins = True
        for token in doc:
            begins = begins or bool(token.is_sent_start)
            if not token.text.isspace():  # is_space needs the vocabulary of a language
                if begins:
                    offsets.append([])
                offsets[-1].append((token.idx, token.idx + len(token)))
                begins = False
        groups: Mapping[str, Any] = {COLUMN: doc.ents if doc.has_annotation("ENT_IOB") else None, **doc.spans}
        spans: dict[str, list[TextSpan] | None] = {}
        for column in columns:
            if column not in TOKEN_COLUMNS:
                group = groups.get(column)
                spans[column] = None if group is None else [_span(span, f"{place}, {column}") for span in group]
        tags = {
            column: [getattr(token, f"{TOKEN_COLUMNS[column]}_") for token in words]
            for column in columns
            if column in TOKEN_COLUMNS
        }
        position = 0
        for sentence in tagged_sentences(doc.text, offsets, spans, tags, document=number, locate=place, source=source):
            own = words[position : position + len(sentence.words)]
            position += len(own)
            if COLUMN in sentence.tags:
                for at, token in enumerate(own):
                    if not token.ent_iob_:
                        sentence.tags[COLUMN][at] = UNANNOTATED
            yield sentence


def _span(span: Any, place: str) -> TextSpan:
    if not span.label_:
        raise CorpusError(f"{place}: the span {shorten(span.text)!r} has no label. Give it one, or remove it.")
    return TextSpan(span.start_char, span.end_char, span.label_, place)


def _doc(spacy: Any, vocab: Any, sentences: Sequence[Sentence], columns: Sequence[str]) -> Any:
    words: list[str] = []
    starts: list[bool] = []
    for sentence in sentences:
        if "" in sentence.words:
            raise CorpusError(
                f"{sentence.location}, word {sentence.words.index('') + 1}: the word is empty, which spaCy does not "
                "allow. Choose another format, for instance --format jsonl."
            )
        starts += [True, *[False] * (len(sentence.words) - 1)]
        words += sentence.words
    present = sentences[0].tags
    flat = {
        attribute: [tag for sentence in sentences for tag in sentence.tags[column]]
        for column, attribute in TOKEN_COLUMNS.items()
        if column in present and column not in columns
    }
    entities = None
    if COLUMN in columns and COLUMN in present:
        entities = [None if tag in GAPS else tag for sentence in sentences for tag in sentence.tags[COLUMN]]
    try:
        doc = spacy.tokens.Doc(
            vocab,
            words=words,
            spaces=[True] * (len(words) - 1) + [False],
            sent_starts=starts,
            ents=entities,
            tags=flat.get("tag"),
            pos=flat.get("pos"),
        )
    except ValueError as error:
        raise CorpusError(f"{sentences[0].location}: spaCy cannot hold this text: {error}") from error
    counted = itertools.count()
    places = [[(number, number + 1) for _, number in zip(it.words, counted, strict=False)] for it in sentences]
    for column in columns:
        if column != COLUMN and column in present:
            found = text_spans(sentences, places, column)
            doc.spans[column] = [spacy.tokens.Span(doc, start, end, label) for start, end, label in found]
    return doc
