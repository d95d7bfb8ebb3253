"""Labels of words aligned with the units of an encoder, to look at: the arrays of a batch, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.corpus.corpus import Corpus
from polytag.corpus.recognition import recognise_scheme
from polytag.corpus.span_schemes import holds_spans
from polytag.corpus.splits import read_splits
from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import featurise, label_ids
from polytag.errors import CorpusError, PolytagError, shorten
from polytag.plugin.alignment import IGNORE, NO_WORD, AlignmentStrategy, IntArray
from polytag.plugin.attribution import attributed
from polytag.plugin.encoder import WordCoder
from polytag.plugin.encoder_choice import choose_encoder, make_coder
from polytag.plugin.registry import registry
from polytag.plugin.scheme import UNANNOTATED, LabelScheme, outside_first
from polytag.plugin.task import Task
from polytag.terminal import columns_of_text, html_table, visible
from polytag.training.data import continuations, inventory, with_continuations


class AlignedUnit(NamedTuple):
    """A unit of an encoder's input: a word, a subword, or a special unit such as `[CLS]`.

    Attributes:
        sentence: Index of its sentence.
        word_id: Index of its word in the sentence; None for a special unit.
        text: The subword as the tokenizer writes it (`##mb`), or the word.
        label: Its label in training; None if it is not trained on, which is the label id -100.
    """

    sentence: int
    word_id: int | None
    text: str
    label: str | None


@dataclass(frozen=True, slots=True, eq=False)
class AlignedWords:
    """Sentences as one training batch: each sentence is a row; one that is too long is several overlapping rows.

    Attributes:
        words: The words of each sentence.
        names: The labels, in id order.
        units: The units of each row, without padding.
        unit: The kind of unit: `"subword"` or `"word"`.
        ids: int32 (rows, length, n_features), the input of the encoder.
        mask: bool (rows, length), False at padding.
        labels: int32 (rows, length), the label id of each unit; -100 (`IGNORE`) for units that are not trained on.
    """

    words: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    units: tuple[tuple[AlignedUnit, ...], ...]
    unit: str
    ids: IntArray
    mask: NDArray[np.bool_]
    labels: IntArray

    @property
    def subwords(self) -> list[list[str]]:
        """The text of each unit, row by row."""
        return [[unit.text for unit in row] for row in self.units]

    @property
    def word_ids(self) -> list[list[int | None]]:
        """The word of each unit, row by row; None for special units."""
        return [[unit.word_id for unit in row] for row in self.units]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return {
            "words": [list(words) for words in self.words],
            "names": list(self.names),
            "units": [[unit._asdict() for unit in row] for row in self.units],
            "unit": self.unit,
            "ids": self.ids.tolist(),
            "mask": self.mask.tolist(),
            "labels": self.labels.tolist(),
        }

    def __repr__(self) -> str:
        sentences = f"{len(self.words)} sentence{'s' * (len(self.words) != 1)}"
        return f"AlignedWords({sentences}, {self.mask.sum()} {self.unit}s, {len(self.names)} labels)"

    def __str__(self) -> str:
        return "\n\n".join(columns_of_text(*table) for table in alignment_tables({"label": self}))

    def _repr_html_(self) -> str:
        """A table for each row, for notebooks."""
        return "".join(html_table(*table) for table in alignment_tables({"label": self}))


Table = tuple[list[str], list[list[str]]]
"""The headings and the rows of a table."""


def alignment_tables(aligned: Mapping[str, AlignedWords]) -> list[Table]:
    """A table for each row of a batch: word, unit, and the label of the unit with its id for each tag column.

    Args:
        aligned: The same sentences with the tags of each column.
    """
    first = next(iter(aligned.values()))
    heads = ["word", *([first.unit] if first.unit != "word" else [])]
    heads += [text for name in aligned for text in (visible(name), "id")]
    return [(heads, list(_lines(aligned, number))) for number in range(len(first.units))]


def _lines(aligned: Mapping[str, AlignedWords], number: int) -> Iterable[list[str]]:
    first = next(iter(aligned.values()))
    before = None
    for position, unit in enumerate(first.units[number]):
        word = ""
        if unit.word_id is not None and unit.word_id != before:
            word = first.words[unit.sentence][unit.word_id]
            before = unit.word_id
        line = [visible(word), *([visible(unit.text)] if first.unit != "word" else [])]
        for each in aligned.values():
            label = each.units[number][position].label
            line += ["" if label is None else visible(label), str(each.labels[number, position])]
        yield line


@attributed
def align(
    words: Sequence[str] | Sequence[Sequence[str]],
    tags: Sequence[str] | Sequence[Sequence[str]],
    *,
    encoder: str | WordCoder,
    alignment: str | AlignmentStrategy = "first",
    scheme: str | LabelScheme | None = None,
    labels: Sequence[str] | None = None,
) -> AlignedWords:
    """Align the tags of words with the subwords of an encoder, by the code that makes the batches of training.

    ```python
    print(polytag.align(["EU", "rejects", "lamb"], ["B-ORG", "O", "O"], encoder="bert-base-cased", alignment="all"))
    ```

    Args:
        words: The words of a sentence, or of several sentences, which become one batch.
        tags: A tag for each word, in the same shape; `UNANNOTATED` for a word without annotation.
        encoder: The name of an encoder, as for `--encoder`, or an object such as `tagger.encoder`. Only the tokenizer
            of a checkpoint is loaded.
        alignment: An alignment strategy, or its name.
        scheme: The label scheme of the tags, or its name, which gives the tags of later subwords; recognised if None.
        labels: All labels in id order; by default `O` and then those that occur or are needed, sorted.

    Raises:
        PolytagError: Words and tags differ in shape, a tag is not among the labels, or a name does not exist.
    """
    sentences, tagged = _sentences(words, "words"), _sentences(tags, "tags")
    if list(map(len, sentences)) != list(map(len, tagged)):
        raise PolytagError(f"{_difference(sentences, tagged)}. Give one tag for each word of each sentence.")
    known = registry()
    strategy = known.alignments[alignment] if isinstance(alignment, str) else alignment
    chosen = known.schemes[scheme] if isinstance(scheme, str) else scheme
    chosen = chosen or recognise_scheme(tagged, known.schemes.working()).scheme
    found = {tag for row in tagged for tag in row} - {UNANNOTATED}
    names = sorted(with_continuations(sorted(found), chosen), key=outside_first) if labels is None else list(labels)
    if unknown := sorted(found - set(names)):
        raise PolytagError(f"The tag {shorten(unknown[0])!r} is not among the labels. Add it, or leave the labels out.")
    return aligned_words(sentences, tagged, _coder(encoder), strategy, chosen, names)


def align_rows(
    corpus: Corpus,
    split: str,
    rows: Sequence[int],
    encoder: str,
    alignment: str | None = None,
    corpus_scheme: str | None = None,
    tags_as_is: bool = False,
) -> dict[str, AlignedWords]:
    """Align sentences of a corpus with an encoder: for each tag column, its labels as a run is trained on them.

    Args:
        corpus: The corpus.
        split: Name of a split.
        rows: Indices of the sentences.
        encoder: The name of the encoder.
        alignment: Name of the alignment strategy; by default, each column has its task's.
        corpus_scheme, tags_as_is: As in training.

    Raises:
        PolytagError: A name does not exist, or a column cannot be trained on.
    """
    coder, known = _coder(encoder), registry()
    found = {}
    for column in corpus.columns:
        if column not in corpus[split].tags:
            continue
        task = _task_of(corpus, column, corpus_scheme)
        scheme = known.schemes[task.scheme]
        training = "train" if "train" in corpus.splits_with(column) else split
        parts = {task.name: task}, {task.name: scheme}
        splits = read_splits(corpus, {split, training}, *parts, corpus_scheme, tags_as_is)
        names = inventory(corpus, task, scheme, splits[training])
        chosen = splits[split].select(rows)
        strategy = known.alignments[alignment or task.alignment]
        tags = chosen.tags[task.name]
        if task.labels is None:  # tags that training does not see follow the others
            names += sorted({tag for row in tags for tag in row} - {UNANNOTATED, *names})
        found[column] = aligned_words(chosen.sentences, tags, coder, strategy, scheme, names)
    if not found:
        raise CorpusError(f"The split {split!r} of the corpus {corpus.reference!r} has no tag column. Choose another.")
    return found


def aligned_words(
    sentences: Sequence[Sequence[str]],
    tags: Sequence[Sequence[str]],
    coder: WordCoder,
    strategy: AlignmentStrategy,
    scheme: LabelScheme,
    names: Sequence[str],
) -> AlignedWords:
    """Sentences as one training batch; see `align`."""
    features = featurise(coder, sentences)
    windows = features.windows
    every = np.arange(len(windows.start))
    unit_labels = features.unit_labels(label_ids(tags, names), strategy, continuations(names, scheme))
    batch = BatchBuilder(features, coder, {"": unit_labels}).build(every)
    # A unit that a row does not read, because another row sees more of its context, belongs to a word all the same.
    whole = replace(features, windows=windows._replace(read_start=windows.start, read_end=windows.end))
    places = BatchBuilder(whole, coder).build(every).units
    of_units = np.append(features.word_ids, NO_WORD)[places]
    words = [word for sentence in sentences for word in sentence]
    rows = []
    for number in every.tolist():
        shown = batch.mask[number]
        texts = coder.texts(batch.ids[number][shown])
        row = []
        for text, word, label in zip(texts, of_units[number][shown], batch.labels[""][number][shown], strict=True):
            sentence = int(np.searchsorted(features.sentence_starts, max(word, windows.start[number]), "right")) - 1
            belongs = word != NO_WORD
            row.append(
                AlignedUnit(
                    sentence,
                    int(word - features.sentence_starts[sentence]) if belongs else None,
                    words[word] if belongs and coder.unit == "word" else text,
                    None if label == IGNORE else names[label],
                )
            )
        rows.append(tuple(row))
    return AlignedWords(
        tuple(map(tuple, sentences)),
        tuple(names),
        tuple(rows),
        coder.unit,
        batch.ids,
        batch.mask,
        batch.labels[""],
    )


def _task_of(corpus: Corpus, column: str, declared: str | None) -> Task:
    """The task that a column is trained for; for a column that no task names, one that fits its tags."""
    tags = {split: corpus.tags(split, column) for split in corpus.splits_with(column)}
    spans, known = holds_spans(corpus, column, declared, tags), registry()
    for task in known.tasks.undisputed():
        fits = column in task.columns and task.scheme in known.schemes
        if fits and known.schemes[task.scheme].encodes_spans == spans:
            return replace(task, columns=(column,))
    return Task(column, "", (column,), "iob2" if spans else "flat", "first", ())


def _coder(encoder: str | WordCoder) -> WordCoder:
    if not isinstance(encoder, str):
        return encoder
    provider = choose_encoder(encoder)
    return make_coder(provider, lambda: provider.coder(encoder))


def _sentences(given: Sequence[str] | Sequence[Sequence[str]], what: str) -> list[list[str]]:
    one = [] if isinstance(given, str) else [text for text in given if isinstance(text, str)]
    many = [list(row) for row in given if not isinstance(row, str)]
    rows = [one, *many] if one else many
    if not rows or not all(rows) or (one and many):
        form = "a string" if isinstance(given, str) else "neither a sentence nor a list of sentences"
        raise PolytagError(
            f"The {what} are {form}. Give a list of {what}, or a list of such lists, none of them empty."
        )
    return rows


def _difference(words: Sequence[Sequence[str]], tags: Sequence[Sequence[str]]) -> str:
    """The first difference in number between sentences and their tags."""
    if len(words) != len(tags):
        return f"There are {len(words):,} sentences of words and {len(tags):,} of tags"
    lengths = ((len(some), len(others)) for some, others in zip(words, tags, strict=True))
    index, (some, others) = next(found for found in enumerate(lengths) if found[1][0] != found[1][1])
    return f"Words and tags differ in number: the sentence at index {index:,} has {some:,} and {others:,}"
