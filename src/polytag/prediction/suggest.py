"""Suggest which sentences of raw text to label next."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TextIO, Unpack, cast

import numpy as np

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.encoding.split_text import SplitText
from polytag.encoding.splitters import split_function
from polytag.errors import PolytagError
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords, ReadingOptions
from polytag.plugin.surroundings import for_plugin
from polytag.prediction.inputs import INPUT_FORMATS, Item, check_file, format_of, kind_of, open_input
from polytag.prediction.near_duplicates import key_of
from polytag.prediction.outputs import check_annotated
from polytag.prediction.preannotations import FORMATS, Preannotation, write_preannotations
from polytag.prediction.predict import read_items
from polytag.prediction.row_options import check_name
from polytag.prediction.selection import POOL, Distinct, most_diverse
from polytag.prediction.uncertainty import RANDOM, check_strategy, of_sentences, of_words
from polytag.tagger.arguments import LOOK_AHEAD
from polytag.tagger.parts import joined_words
from polytag.tagger.results import DIGITS, TaggedText, tagged_texts
from polytag.tagger.sentence_vectors import sentence_vectors
from polytag.tagger.tagger import Tagger
from polytag.terminal import stage


@dataclass(frozen=True, slots=True)
class SuggestedSentence:
    """A sentence to label.

    Attributes:
        tagged: The sentence with the tags of the first tagger.
        uncertainty: How unsure the taggers are of its least sure word, as the strategy measures it; None for `random`.
    """

    tagged: TaggedText
    uncertainty: float | None


@dataclass(frozen=True, slots=True, repr=False)
class Suggestions:
    """Sentences to label next.

    Attributes:
        sentences: The sentences, the most useful first.
        strategy: How they were chosen.
        read: Number of sentences that were read.
        empty: Number of texts and sentences without words.
        repeated: Number of sentences left out because a chosen one, or one before it, says almost the same.
        known: Number of sentences left out because a labelled one says almost the same.
    """

    sentences: Sequence[SuggestedSentence]
    strategy: str
    read: int
    empty: int
    repeated: int
    known: int
    _records: Sequence[Preannotation] = field(default=())
    _tagger: str = ""
    _with_spans: Sequence[str] = ()

    def write(self, sink: TextIO, form: str = "doccano") -> None:
        """Write the sentences with their tags as `doccano`, `labelstudio` or `jsonl`.

        Raises:
            PolytagError: There is no such format, or it holds the spans of one task, and none or several have spans.
        """
        check_name("output format", form, FORMATS)
        if form != "jsonl":
            check_annotated(self._with_spans, "Choose one with --task, or write --format jsonl.")
        write_preannotations(self._records, form, self._tagger, sink)

    def __repr__(self) -> str:
        out = [
            f"{count:,} {what}"
            for count, what in (
                (self.empty, "without words"),
                (self.repeated, "near-duplicates"),
                (self.known, "almost as a labelled one"),
            )
            if count
        ]
        said = f"; left out: {', '.join(out)}" if out else ""
        return f"{len(self.sentences):,} of {self.read:,} sentences chosen by {self.strategy}{said}"


class _Candidate(NamedTuple):
    """A sentence that was read: its text, the bounds of its words, and what it came with."""

    text: str
    bounds: array[int]
    has_words: bool
    others: Mapping[str, Any]

    @property
    def offsets(self) -> list[tuple[int, int]]:
        return list(zip(self.bounds[::2], self.bounds[1::2], strict=True))

    @property
    def words(self) -> list[str]:
        return [self.text[start:end] for start, end in self.offsets]


@attributed
def suggest(
    tagger: str | Path,
    raw: str | Path,
    number: int = 200,
    *,
    strategy: str = "margin",
    diverse: bool = False,
    also: Sequence[str | Path] = (),
    task: Sequence[str] = (),
    labelled: Corpus | str | None = None,
    seed: int = 0,
    input_format: str | None = None,
    runtime: str | None = None,
    device: str | None = None,
    **reading: Unpack[ReadingKeywords],
) -> Suggestions:
    """Choose the sentences of raw text whose labels would teach a tagger most.

    A sentence is as uncertain as its least sure word, by calibrated probabilities; with several tasks, their mean
    counts. A sentence with almost the same words as one before it is never chosen. All sentences are kept in memory,
    about 1 KB each.

    Args:
        tagger: The tagger: a folder, or a name on the hub. Its tags are suggested.
        raw: What to choose from: a file, or `-` for standard input.
        number: Number of sentences; fewer if the text has no more.
        strategy: `margin` between the two most probable labels; `entropy` of the labels; `disagreement` of several
            taggers; or `random`.
        diverse: Choose sentences that are unlike each other by the vectors of the tagger's encoder, among five times
            as many.
        also: Further taggers, whose uncertainty counts, too.
        task: Names of the tasks whose uncertainty counts and whose tags are suggested; all by default.
        labelled: A corpus of sentences that have labels already: they, and near-duplicates, are left out.
        seed: Seed of `random`.
        input_format: `text`, `document`, `words`, `conll` or `jsonl`; by default chosen by the file extension.
        runtime, device: As in `Tagger.load`.
        **reading: What is known about the form of the file, as in `predict`.

    Raises:
        PolytagError: A tagger or the file is invalid, the taggers do not have the tasks, or the strategy does not exist
            or needs several taggers.
    """
    check_strategy(strategy, 1 + len(also))
    if number < 1:
        raise PolytagError(f"--number is {number}, and must be at least 1.")
    file = str(raw)
    form = input_format or format_of(file)
    check_name("input format", form, INPUT_FORMATS)
    if file != "-":
        check_file(Path(file))
    taggers = [Tagger.load(folder, runtime=runtime, device=device) for folder in (tagger, *also)]
    tasks = _tasks([str(tagger), *map(str, also)], taggers, task)
    keys_of_labelled = []
    if labelled is not None:
        known = as_corpus(labelled, splitter=taggers[0].splitter)
        keys_of_labelled = [key_of(words) for split in known.splits for words in known.data[split].words]
    found, values, empty = _read(taggers, tasks, strategy, file, form, ReadingOptions.of(reading))
    uncertainty = np.random.default_rng(seed).random(len(found)) if strategy == RANDOM else np.array(values)
    stage("Choosing")
    keys = [key_of(candidate.words) for candidate in found]
    distinct = Distinct(keys, uncertainty, number * POOL if diverse else number, keys_of_labelled)
    chosen = distinct.chosen
    if diverse and chosen:
        chosen = _diverse(taggers[0], found, chosen, uncertainty, strategy, number)
    records = _preannotated(taggers[0], tasks, [found[index] for index in chosen])
    stage("")
    scores = [None if strategy == RANDOM else float(uncertainty[index]) for index in chosen]
    return Suggestions(
        [SuggestedSentence(record.tagged, score) for record, score in zip(records, scores, strict=True)],
        strategy,
        len(found),
        empty,
        distinct.repeated,
        distinct.known,
        [_with_score(*pair) for pair in zip(records, scores, strict=True)],
        str(tagger),
        [name for name in tasks if taggers[0].decoders[name].scheme.encodes_spans],
    )


def _tasks(names: Sequence[str], taggers: Sequence[Tagger], wanted: Sequence[str]) -> list[str]:
    """The tasks whose uncertainty counts.

    Raises:
        PolytagError: A tagger lacks one of them, or the taggers have none in common.
    """
    shared = [task for task in taggers[0].heads if all(task in tagger.heads for tagger in taggers)]
    for name, tagger in zip(names, taggers, strict=True):
        for task in wanted:
            if task not in tagger.heads:
                raise PolytagError(f"{name!r} has no task {task!r}; it has {', '.join(tagger.heads)}.")
    if not shared:
        raise PolytagError(f"The taggers {', '.join(map(repr, names))} have no task in common.")
    return list(wanted) or shared


def _read(
    taggers: Sequence[Tagger], tasks: Sequence[str], strategy: str, file: str, form: str, options: ReadingOptions
) -> tuple[list[_Candidate], list[float], int]:
    """The sentences of an input, how unsure the taggers are of each, and the number of texts without words."""
    found: list[_Candidate] = []
    values: list[float] = []
    empty = 0
    stage("Reading")
    with open_input(file) as source, for_plugin():
        items = read_items(source, file, None, form, options).items
        while chunk := list(itertools.islice(items, LOOK_AHEAD)):
            for _, run in itertools.groupby(chunk, kind_of):
                sentences, documents, candidates = [], list[int](), []
                for number, item in enumerate(run):
                    own = list(_sentences(item, taggers[0].splitter))
                    empty += not own
                    for sentence in own:
                        sentences.append(sentence.words)
                        documents.append(number if item.document is None else item.document)
                        candidates.append(_candidate(sentence, item))
                found += candidates
                if candidates and strategy != RANDOM:
                    values += _uncertainty(taggers, tasks, strategy, sentences, documents)
                    stage(f"{len(found):,} sentences")
    return found, values, empty


def _sentences(item: Item, splitter: str) -> Iterator[SplitText]:
    """The sentences of an item, each with its own text."""
    if not isinstance(item.content, str):
        if item.content:
            yield joined_words(item.content)
        return
    text, words, offsets, _ = found = split_function(splitter)(item.content)
    for start, end in found.bounds:
        first, last = offsets[start][0], offsets[end - 1][1]
        own = [(begin - first, stop - first) for begin, stop in offsets[start:end]]
        yield SplitText(text[first:last], words[start:end], own, [0])


def _candidate(sentence: SplitText, item: Item) -> _Candidate:
    offsets = array("I", itertools.chain.from_iterable(sentence.offsets))
    return _Candidate(sentence.text, offsets, not isinstance(item.content, str), item.others)


def _uncertainty(
    taggers: Sequence[Tagger],
    tasks: Sequence[str],
    strategy: str,
    sentences: Sequence[Sequence[str]],
    documents: Sequence[int],
) -> list[float]:
    """The uncertainty of each sentence, the mean over the tasks."""
    results = []
    for tagger in taggers:
        most = max(len(tagger.heads[task].labels) for task in tasks)
        results.append(tagger.predict(sentences, documents, most))
    each = []
    for task in tasks:
        predictions = [predicted[task] for _, predicted in results]
        words = of_words(strategy, predictions, [tagger.decoders[task] for tagger in taggers])
        each.append(of_sentences(words, results[0][0]))
    return cast("list[float]", np.mean(each, axis=0).tolist())


def _diverse(
    tagger: Tagger, found: Sequence[_Candidate], pool: list[int], uncertainty: Any, strategy: str, number: int
) -> list[int]:
    """The most different ones of a pool of candidates; for `random`, all count as equally unsure."""
    stage("Comparing")
    parts = [pool[start : start + LOOK_AHEAD] for start in range(0, len(pool), LOOK_AHEAD)]
    vectors = np.concatenate([sentence_vectors(tagger, [found[index].words for index in part]) for part in parts])
    weights = np.ones(len(pool)) if strategy == RANDOM else uncertainty[pool]
    return [pool[index] for index in most_diverse(vectors, weights, number)]


def _preannotated(tagger: Tagger, tasks: Sequence[str], chosen: Sequence[_Candidate]) -> list[Preannotation]:
    """The chosen sentences with the tags of these tasks that the tagger gives each alone."""
    if not chosen:
        return []
    texts = [SplitText(one.text, one.words, one.offsets, [0]) for one in chosen]
    _, predictions = tagger.predict([one.words for one in chosen])
    counting = {task: predictions[task] for task in tasks}
    decoders = {task: tagger.decoders[task] for task in tasks}
    found = tagged_texts(texts, counting, decoders, tagger.min_score)
    return [Preannotation(tagged, one.has_words, one.others) for tagged, one in zip(found, chosen, strict=True)]


def _with_score(record: Preannotation, score: float | None) -> Preannotation:
    if score is None:
        return record
    return record._replace(others={**record.others, "uncertainty": round(score, DIGITS)})
