"""The annotated sentences of a corpus, and what taggers say about their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from polytag.corpus.corpus import Corpus
from polytag.corpus.splits import read_splits
from polytag.errors import CorpusError
from polytag.plugin.alignment import FloatArray
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.task import Task
from polytag.tagger.tagger import Tagger


@dataclass(frozen=True)
class AnnotatedSentences:
    """The sentences of all splits of a corpus that have the columns of some tasks.

    Attributes:
        corpus: The corpus.
        schemes: The label scheme of each task.
        column_of: The tag column of each task.
        rows: The split of each sentence, and its index there.
        sentences: The words of each sentence.
        tags: For each task, the tags of each sentence, in the scheme of the task.
        documents: The number of each sentence's document, or None if a split has no documents.
    """

    corpus: Corpus
    schemes: Mapping[str, LabelScheme]
    column_of: Mapping[str, str]
    rows: Sequence[tuple[str, int]]
    sentences: Sequence[list[str]]
    tags: Mapping[str, Sequence[list[str]]]
    documents: Sequence[int] | None

    @cached_property
    def starts(self) -> list[int]:
        """Index of the first word of each sentence among all words, and at the end the number of words."""
        return [0, *accumulate(map(len, self.sentences))]


def annotated_sentences(
    corpus: Corpus,
    tasks: Mapping[str, Task],
    schemes: Mapping[str, LabelScheme],
    declared: str | None = None,
    tags_as_is: bool = False,
) -> AnnotatedSentences:
    """Read the annotated sentences of a corpus; the arguments are as in `read_splits`.

    Raises:
        CorpusError: No split has the columns of all tasks, or the tags of one cannot be read.
    """
    columns = [corpus.column_for(task) for task in tasks.values()]
    names = [split for split in corpus.splits if all(column in corpus.data[split].tags for column in columns)]
    if not names:
        raise CorpusError(
            f"No split of the corpus {corpus.reference!r} has all of the columns {', '.join(columns)}. Choose tasks "
            "whose columns are in the same split, for instance --task ner."
        )
    splits = read_splits(corpus, names, tasks, schemes, declared, tags_as_is)
    documents: list[int] | None = []
    for split in splits.values():
        if documents is None or split.documents is None:
            documents = None
            break
        first = documents[-1] + 1 if documents else 0
        order = {document: number for number, document in enumerate(dict.fromkeys(split.documents))}
        documents += [first + order[document] for document in split.documents]
    return AnnotatedSentences(
        corpus,
        schemes,
        dict(zip(tasks, columns, strict=True)),
        [(name, index) for name, split in splits.items() for index in range(len(split.sentences))],
        [words for split in splits.values() for words in split.sentences],
        {task: [tags for split in splits.values() for tags in split.tags[task]] for task in tasks},
        documents,
    )


@dataclass(frozen=True, slots=True)
class Opinion:
    """The opinion of a tagger that has not seen the annotation about words, for one task.

    Attributes:
        labels: The labels, in id order.
        probabilities: float32 (words, labels), calibrated.
        predicted: int64 (words,), ids of the labels of the decoded tags.
    """

    labels: tuple[str, ...]
    probabilities: FloatArray
    predicted: NDArray[np.int64]


def opinions(
    tagger: Tagger, sentences: Sequence[list[str]], documents: Sequence[int] | None, tasks: Sequence[str]
) -> dict[str, Opinion]:
    """The opinion of a tagger about the words of sentences, for each of these tasks."""
    most = max(len(tagger.heads[task].labels) for task in tasks)
    _, predictions = tagger.predict(sentences, documents, alternatives=most)
    found = {}
    for task in tasks:
        best = predictions[task].alternatives
        assert best is not None
        probabilities = np.empty_like(best.scores)
        np.put_along_axis(probabilities, best.labels, best.scores, axis=1)
        found[task] = Opinion(tagger.heads[task].labels, probabilities, predictions[task].labels)
    return found


def joined(parts: Sequence[tuple[NDArray[np.int64], Opinion]]) -> Opinion:
    """One opinion about all words; each part has the indices of its words. A label that a part lacks has the
    probability 0 there.
    """
    labels = tuple(dict.fromkeys(label for _, opinion in parts for label in opinion.labels))
    ids = {label: index for index, label in enumerate(labels)}
    n_words = sum(len(words) for words, _ in parts)
    probabilities = np.zeros((n_words, len(labels)), dtype=np.float32)
    predicted = np.zeros(n_words, dtype=np.int64)
    for words, opinion in parts:
        columns = np.array([ids[label] for label in opinion.labels])
        probabilities[np.ix_(words, columns)] = opinion.probabilities
        predicted[words] = columns[opinion.predicted]
    return Opinion(labels, probabilities, predicted)
