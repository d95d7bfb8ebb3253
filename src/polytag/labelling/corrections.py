"""Correction files: suspicious sentences for doccano and Label Studio, and corrected ones applied to the corpus."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Unpack

from polytag.corpus.convert import Conversion, check_folder, convert_corpus
from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus, load_corpus
from polytag.corpus.span_schemes import span_scheme_of
from polytag.corpus.text_files import text_lines
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
_BETWEEN = " \t\r\n,"


def format_of(path: Path) -> str:
    """The format of a correction file.

    Raises:
        PolytagError: Its extension is that of no format.
    """
    if path.suffix not in FORMATS:
        raise PolytagError(
            f"The correction file {str(path)!r} has an unknown extension. Name it .jsonl for doccano, or .json for "
            "Label Studio; unpack an archive first."
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
        PolytagError: The file cannot be written, or a word is empty or holds a blank.
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
        if not word or " " in word or "\n" in word:  # other white space is a part of its word, as in `10\u202f000`
            where = annotated.corpus.locate(*annotated.rows[row])
            raise PolytagError(
                f"{where}: the word {word!r} is empty or holds a blank, so that the sentence cannot be a text to "
                "correct. Repair the word."
            )


def _for_doccano(
    annotated: AnnotatedSentences, row: int, suspects: Sequence[Suspect], lines: Sequence[str]
) -> dict[str, Any]:
    spans = _characters(annotated.sentences[row], _annotation(annotated, row, suspects))
    return {**_text(annotated, row, suspects, lines), "label": [[start, end, label] for start, end, label in spans]}


def _for_label_studio(
    annotated: AnnotatedSentences, row: int, suspects: Sequence[Suspect], lines: Sequence[str]
) -> dict[str, Any]:
    now = _annotation(annotated, row, suspects)
    wrong = {suspect.annotated for suspect in suspects}
    kept = [span for span in now if span not in wrong]
    proposed = sorted({*kept, *(suspect.proposed for suspect in suspects if suspect.proposed)})
    words = annotated.sentences[row]
    text = " ".join(words)

    def results(spans: Sequence[Span]) -> list[dict[str, Any]]:
        return [region(text[start:end], start, end, label) for start, end, label in _characters(words, spans)]

    score = max(suspect.score for suspect in suspects)
    return {
        "data": _text(annotated, row, suspects, lines),
        # Label Studio takes an imported annotation for ground truth unless told, and it would outdo corrections.
        "annotations": [{"result": results(now), "ground_truth": False}],
        "predictions": [{"model_version": "polytag", "score": score, "result": results(proposed)}],
    }


def _text(annotated: AnnotatedSentences, row: int, suspects: Sequence[Suspect], lines: Sequence[str]) -> dict[str, Any]:
    split, index = annotated.rows[row]
    return {
        "text": " ".join(annotated.sentences[row]),
        **SPLIT_AT_BLANKS,
        "suspicious": "; ".join(lines),
        "location": annotated.corpus.locate(split, index),
        "split": split,
        "sentence": index,
        "column": annotated.column_of[suspects[0].task],
    }


def _annotation(annotated: AnnotatedSentences, row: int, suspects: Sequence[Suspect]) -> list[Span]:
    task = suspects[0].task
    return annotated.schemes[task].spans(annotated.tags[task][row])


def _characters(words: Sequence[str], spans: Sequence[Span]) -> Iterator[tuple[int, int, str]]:
    bounds = joined_words(words).offsets
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


class _Place(NamedTuple):
    """The place in a corpus that a corrected text names; any field can be anything, or missing.

    Attributes:
        split, sentence: The split, and the index of the sentence there.
        column: The tag column that was corrected.
    """

    split: object
    sentence: object
    column: object


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

    Only sentences with other spans than before change; words, other columns and other sentences stay as they are, and
    so do sentences that the file has no annotation of.

    Args:
        corpus: A corpus, or its name.
        corrected: A file that `write_corrections` wrote, exported from doccano or Label Studio.
        folder: The output folder.
        column: The tag column; by default the one that the file names.
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
    form = format_of(path)
    if not path.is_file():
        raise CorpusError(f"The corrected file {str(path)!r} does not exist. Check the path.")
    exported = load_corpus(f"train={path}", reader=form)
    places = dict(_places(path))
    source = _column(corpus, places.values(), column)
    tags = {split: corpus.tags(split, source) for split in corpus.splits_with(source)}
    fit, _ = span_scheme_of(corpus, source, tags, corpus_scheme, tags_as_is=True)
    written = _only_column(exported)
    changed, seen = dict[tuple[str, int], str](), dict[tuple[str, int], str]()
    table = exported.split("train")
    for index, location in enumerate(table.locations):
        row = _row_in(corpus, places.get(location), location, table.words[index], source)
        if row in seen:
            raise CorpusError(
                f"{location}: this sentence is corrected in {seen[row]} already. Export each sentence once. If it has "
                "several annotations in Label Studio, export as JSON, or keep one."
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


def _column(corpus: Corpus, places: Iterable[_Place], wanted: str | None) -> str:
    """The column of the corpus that was corrected."""
    if wanted is None:
        named = sorted({place.column for place in places if isinstance(place.column, str)})
        if len(named) != 1:
            said = f"names several tag columns: {', '.join(named)}" if named else "has no field `column`"
            raise CorpusError(
                f"The corrected file {said}. Export it with all fields that polytag wrote into it, or say with "
                "--column which tag column was corrected."
            )
        (wanted,) = named
    if not corpus.splits_with(wanted):
        raise CorpusError(
            f"The corpus {corpus.reference!r} has no tag column {wanted!r}; it has "
            f"{', '.join(corpus.columns) or 'none'}. Say which one was corrected, with --column."
        )
    return wanted


def _only_column(exported: Corpus) -> str:
    """The column of a corrected file, in which each control of Label Studio is one."""
    written, *others = exported.columns
    if others:
        raise CorpusError(
            f"The corrected file has spans of several controls of Label Studio: {', '.join(exported.columns)}. The "
            f"spans of polytag have the control {CONTROL!r} of the project."
        )
    return written


def _row_in(corpus: Corpus, place: _Place | None, location: str, words: Sequence[str], column: str) -> tuple[str, int]:
    """The split and the index of a corrected sentence in the corpus."""
    split, index, _ = place or _Place(None, None, None)
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
    """The tags of a sentence with other spans than before; None if they are the same, or not annotated."""
    if UNANNOTATED in after:
        return None
    spans = registry().schemes["iob2"].spans(after)
    if spans == scheme.spans([OUTSIDE if tag == UNANNOTATED else tag for tag in before]):
        return None
    new = scheme.tags(spans, len(before))
    return [UNANNOTATED if old == UNANNOTATED and tag == OUTSIDE else tag for old, tag in zip(before, new, strict=True)]


def _places(path: Path) -> Iterator[tuple[str, _Place]]:
    """The location of each text of a corrected file, as its reader gives it, and the text's place in the corpus."""
    text = "\n".join(line for _, line in text_lines(path))
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


def _place_in(row: Mapping[str, Any]) -> _Place:
    """The place that a text names: doccano exports it next to the text or in `meta`, Label Studio in `data`."""
    for fields in (row, row.get("meta"), row.get("data")):
        if isinstance(fields, Mapping) and "sentence" in fields:
            return _Place(fields.get("split"), fields["sentence"], fields.get("column"))
    return _Place(None, None, None)
