"""Correction files: suspicious sentences for doccano and Label Studio, and corrected ones applied to the corpus."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from polytag.corpus.convert import Conversion, check_folder, convert_corpus
from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus, load_corpus
from polytag.corpus.span_schemes import holds_spans, span_scheme_of
from polytag.corpus.text_files import whole_text
from polytag.errors import CorpusError, PolytagError, shorten
from polytag.files import expand_home, new_file
from polytag.labelling.suspects import Suspect
from polytag.labelling.words import AnnotatedSentences
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, Span
from polytag.plugin.splitter import STANDARD
from polytag.prediction.preannotations import CONTROL, SPLIT_AT_BLANKS, region
from polytag.tagger.parts import joined_words

FORMATS = {".jsonl": "doccano", ".json": "labelstudio"}
"""The format of a correction file, by its extension."""
_OF_CONTROL = "ner_tags"
"""The column that Label Studio's template for named entities calls `label`, and so does the reader."""
_BETWEEN = " \t\r\n,"


def format_of(path: Path) -> str:
    """The format of a correction file.

    Raises:
        PolytagError: Its extension is that of no format.
    """
    if path.suffix not in FORMATS:
        raise PolytagError(
            f"The correction file {str(path)!r} has an unknown extension. Name it .jsonl for doccano, or .json for "
            "Label Studio."
        )
    return FORMATS[path.suffix]


def write_corrections(
    annotated: AnnotatedSentences, suspects: Sequence[Suspect], lines: Sequence[str], path: Path
) -> int:
    """Write the sentences of suspects for correction, the surest first, and return their number.

    Each is a text of its words, joined by spaces, with its annotation, with what is suspicious, and with its place in
    the corpus. For Label Studio, the proposed spans are a prediction, too.

    Args:
        annotated: The sentences.
        suspects: The suspects of one task with spans, the surest first.
        lines: What to say about each of them.
        path: The file: `.jsonl` for doccano, `.json` for Label Studio.

    Raises:
        PolytagError: The file cannot be written, or a word holds white space.
    """
    of_rows: dict[int, list[int]] = defaultdict(list)
    for index, suspect in enumerate(suspects):
        of_rows[suspect.row].append(index)
    write = _for_doccano if format_of(path) == "doccano" else _for_label_studio
    rows = []
    for row, indices in of_rows.items():
        _check_words(annotated, row)
        rows.append(write(annotated, row, [suspects[index] for index in indices], [lines[index] for index in indices]))
    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    with new_file(path) as sink:
        sink.write("".join(f"{text}\n" for text in texts) if write is _for_doccano else "[" + ",\n".join(texts) + "]\n")
    return len(rows)


def _check_words(annotated: AnnotatedSentences, row: int) -> None:
    for word in annotated.sentences[row]:
        if word.split() != [word]:
            where = annotated.corpus.locate(*annotated.rows[row])
            raise PolytagError(
                f"{where}: the word {word!r} is empty or holds white space, so that the sentence cannot be a text to "
                "correct. Repair the word."
            )


def _for_doccano(
    annotated: AnnotatedSentences, row: int, suspects: Sequence[Suspect], lines: Sequence[str]
) -> dict[str, Any]:
    spans = _characters(annotated.sentences[row], _annotation(annotated, row, suspects))
    return {**_text(annotated, row, lines), "label": [[start, end, label] for start, end, label in spans]}


def _for_label_studio(
    annotated: AnnotatedSentences, row: int, suspects: Sequence[Suspect], lines: Sequence[str]
) -> dict[str, Any]:
    now = _annotation(annotated, row, suspects)
    wrong = {suspect.annotated for suspect in suspects}
    kept = [span for span in now if span not in wrong]
    proposed = sorted({*kept, *(suspect.proposed for suspect in suspects if suspect.proposed)})
    column = annotated.column_of[suspects[0].task]
    words = annotated.sentences[row]
    text = " ".join(words)

    def results(spans: Sequence[Span]) -> list[dict[str, Any]]:
        return [
            region(text[start:end], start, end, label, control=CONTROL if column == _OF_CONTROL else column)
            for start, end, label in _characters(words, spans)
        ]

    score = max(suspect.score for suspect in suspects)
    return {
        "data": _text(annotated, row, lines),
        "annotations": [{"result": results(now)}],
        "predictions": [{"model_version": "polytag", "score": score, "result": results(proposed)}],
    }


def _text(annotated: AnnotatedSentences, row: int, lines: Sequence[str]) -> dict[str, Any]:
    split, index = annotated.rows[row]
    return {
        "text": " ".join(annotated.sentences[row]),
        **SPLIT_AT_BLANKS,
        "suspicious": "; ".join(lines),
        "location": annotated.corpus.locate(split, index),
        "split": split,
        "sentence": index,
    }


def _annotation(annotated: AnnotatedSentences, row: int, suspects: Sequence[Suspect]) -> list[Span]:
    task = suspects[0].task
    return annotated.schemes[task].spans(annotated.tags[task][row])


def _characters(words: Sequence[str], spans: Sequence[Span]) -> Iterator[tuple[int, int, str]]:
    _, (bounds,) = joined_words(words)
    for span in spans:
        yield bounds[span.start][0], bounds[span.end - 1][1], span.label


@dataclass(frozen=True, slots=True)
class Correction:
    """The result of applying a corrected file.

    Attributes:
        read: Number of sentences in the corrected file.
        changed: For each sentence with other spans than before, its place in the corpus.
        conversion: The written corpus.
    """

    read: int
    changed: tuple[str, ...]
    conversion: Conversion


@attributed
def correct_corpus(
    corpus: Corpus | str,
    corrected: str | Path,
    folder: str | Path,
    *,
    column: str | None = None,
    reader: str | None = None,
    corpus_scheme: str | None = None,
    overwrite: bool = False,
    splitter: str = STANDARD,
    **reading: Unpack[ReadingKeywords],
) -> Correction:
    """Apply a corrected file to the corpus that it was written from, and write the corpus into a folder.

    Only sentences with other spans than before change; words, other columns and other sentences stay as they are.

    Args:
        corpus: A corpus, or its name.
        corrected: A file that `write_corrections` wrote, exported from doccano or Label Studio.
        folder: The output folder.
        column: The tag column; by default the only one with spans, or `ner_tags`, or the control of Label Studio.
        reader, splitter, **reading: How to read the corpus, as in `load_corpus`.
        corpus_scheme: Name of the scheme of the spans; recognised if None.
        overwrite: Whether to replace an earlier corpus in the folder.

    Raises:
        CorpusError: The corrected file is not one, or the corpus does not have its sentences; the message names file
            and line.
        PolytagError: The folder is in use.
    """
    check_folder(expand_home(folder), overwrite)
    corpus = as_corpus(corpus, reader=reader, splitter=splitter, **reading)
    path = expand_home(corrected)
    format_of(path)
    exported = load_corpus(f"train={path}", reader=FORMATS[path.suffix])
    source = _column(corpus, exported, column)
    tags = {split: corpus.tags(split, source) for split in corpus.splits_with(source)}
    fit, _ = span_scheme_of(corpus, source, tags, corpus_scheme, tags_as_is=True)
    (written,) = exported.columns
    places = dict(_places(path))
    changed, seen = dict[tuple[str, int], str](), dict[tuple[str, int], str]()
    table = exported.split("train")
    for index, location in enumerate(table.locations):
        row = _row_in(corpus, places.get(location), location, table.words[index], source)
        if row in seen:
            raise CorpusError(
                f"{location}: this sentence is corrected in {seen[row]} already. Export each sentence once."
            )
        seen[row] = location
        before, after = tags[row[0]][row[1]], list(exported.tags("train", written)[index])
        if (new := _retagged(before, after, fit.scheme)) is not None:
            tags[row[0]][row[1]] = new
            changed[row] = corpus.locate(*row)
    data = {
        split: replace(
            of_split,
            tags={**of_split.tags, source: tuple(map(tuple, tags[split]))},
            labels={name: names for name, names in of_split.labels.items() if name != source},
        )
        if any(row[0] == split for row in changed)
        else of_split
        for split, of_split in corpus.data.items()
    }
    conversion = convert_corpus(replace(corpus, data=data), folder, overwrite=overwrite, tags_as_is=True)
    return Correction(len(seen), tuple(changed.values()), conversion)


def _column(corpus: Corpus, exported: Corpus, wanted: str | None) -> str:
    """The column of the corpus that was corrected."""
    if wanted is not None:
        corpus.splits_with(wanted) or corpus.label_names(wanted)  # which says that there is none
        return wanted
    (written, *others) = exported.columns
    if others:
        raise CorpusError(
            f"The corrected file has spans of several controls: {', '.join(exported.columns)}. Correct one at a time."
        )
    if written in corpus.columns:
        return written
    spans = [
        column
        for column in corpus.columns
        if holds_spans(
            corpus, column, None, {split: corpus.tags(split, column) for split in corpus.splits_with(column)}
        )
    ]
    if len(spans) != 1:
        raise CorpusError(
            f"The columns with spans of the corpus {corpus.reference!r} are {', '.join(spans) or 'none'}. Say which "
            "one was corrected, with --column."
        )
    return spans[0]


def _row_in(
    corpus: Corpus, place: tuple[object, object] | None, location: str, words: Sequence[str], column: str
) -> tuple[str, int]:
    """The split and the index of a corrected sentence in the corpus."""
    split, index = place or (None, None)
    if (
        not isinstance(split, str)
        or not isinstance(index, int)
        or split not in corpus.splits_with(column)
        or not 0 <= index < len(corpus.split(split))
    ):
        raise CorpusError(
            f"{location}: the fields `split` and `sentence` do not name a sentence of the corpus "
            f"{corpus.reference!r}. Export the file with all fields that polytag wrote into it."
        )
    if (found := corpus.split(split).words[index]) != tuple(words):
        raise CorpusError(
            f"{location}: the words are {shorten(' '.join(words), 60)!r}, and in the corpus "
            f"{corpus.reference!r} at {corpus.locate(split, index)} they are {shorten(' '.join(found), 60)!r}. Apply "
            "the file to the corpus that it was written from."
        )
    return split, index


def _retagged(before: Sequence[str], after: Sequence[str], scheme: LabelScheme) -> list[str] | None:
    """The tags of a sentence with other spans than before; None if the spans are the same."""
    spans = registry().schemes["iob2"].spans(after)
    if spans == scheme.spans([OUTSIDE if tag == UNANNOTATED else tag for tag in before]):
        return None
    new = scheme.tags(spans, len(before))
    return [UNANNOTATED if old == UNANNOTATED and tag == OUTSIDE else tag for old, tag in zip(before, new, strict=True)]


def _places(path: Path) -> Iterator[tuple[str, tuple[object, object]]]:
    """The location of each text of a corrected file, as its reader gives it, with its split and index in the corpus."""
    text = whole_text(path)
    decoder = json.JSONDecoder()
    position = text.find("[") + 1 if text.lstrip().startswith("[") else 0
    line, before, item = text.count("\n", 0, position) + 1, 0, 0
    while True:
        while position < len(text) and text[position] in _BETWEEN:
            line += text[position] == "\n"
            position += 1
        if position >= len(text) or text[position] == "]":
            return
        item += 1
        value, end = decoder.raw_decode(text, position)
        yield f"{path.name}:{line}" + (f", item {item}" if line == before else ""), _place_in(value)
        before, line = line, line + text.count("\n", position, end)
        position = end


def _place_in(row: Mapping[str, Any]) -> tuple[object, object]:
    """The split and the index; doccano exports other fields next to the text or in `meta`, Label Studio in `data`."""
    for fields in (row, row.get("meta"), row.get("data")):
        if isinstance(fields, Mapping) and "sentence" in fields:
            return fields.get("split"), fields["sentence"]
    return None, None
