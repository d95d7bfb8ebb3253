"""Hook specifications: everything that a plugin can implement.

A plugin is a module (or object) with functions marked `@polytag.hookimpl`, named by an entry point in the group
`polytag`. Registration hooks return an iterable of contributions; names must be unique over all plugins. Observer hooks
see a run and never change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from polytag.plugin.alignment import AlignmentStrategy
    from polytag.plugin.encoder import EncoderProvider
    from polytag.plugin.head import Head
    from polytag.plugin.metric import Metric
    from polytag.plugin.reader import Reader
    from polytag.plugin.scheme import LabelScheme
    from polytag.plugin.splitter import Splitter
    from polytag.plugin.task import Task


PROJECT = "polytag"
PLUGIN_API = 1
"""The version of this contract.

It rises with a change that breaks existing plugins. A new hook, a new argument of a hook (plugins name only the
arguments that they need) and a new optional field or method of a public class do not raise it.
"""

OLDEST_PLUGIN_API = 1
"""The oldest version that still works. A plugin declares its version as `POLYTAG_PLUGIN_API`."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The data of a run for observers."""

    tasks: tuple[str, ...]
    corpus: str
    encoder: str
    output: str


@hookspec
def polytag_tasks() -> Iterable[Task]:  # type: ignore[empty-body]  # a specification has no body
    """Tasks for `--task`.

    ```python
    @polytag.hookimpl
    def polytag_tasks():
        return [polytag.Task("acme.skills", "Skills in job adverts", ("skill_tags",), "iob2", "first", ("spans",))]
    ```
    """


@hookspec
def polytag_label_schemes() -> Iterable[LabelScheme]:  # type: ignore[empty-body]
    """Label schemes: the encoding of spans by tags.

    ```python
    class Biew(polytag.PrefixScheme):
        name, first, inner, last, single = "biew", "B", "I", "E", "W"


    @polytag.hookimpl
    def polytag_label_schemes():
        return [Biew()]
    ```
    """


@hookspec
def polytag_alignments() -> Iterable[AlignmentStrategy]:  # type: ignore[empty-body]
    """Alignment strategies: word labels to subword labels, and subword scores to word scores.

    ```python
    class Edges(polytag.AlignmentStrategy):
        name, summary = "edges", "train on the first and the last subword; read from the last one"

        def to_subwords(self, labels, word_ids, continuation):
            edges = polytag.first_units(word_ids) | polytag.last_units(word_ids)
            return polytag.labels_at(labels, word_ids, edges)

        def to_words(self, scores, word_ids, n_words):
            return polytag.scores_at(scores, word_ids, n_words, polytag.last_units(word_ids))

        def reads(self, word_ids):  # optional, and faster
            return polytag.last_units(word_ids)


    @polytag.hookimpl
    def polytag_alignments():
        return [Edges()]
    ```
    """


@hookspec
def polytag_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Metrics: gold and predicted tags to scores.

    ```python
    class WholeSentences(polytag.Metric):
        name, summary, headline = "whole-sentences", "sentences without a mistake", "exact"

        def compute(self, gold, predicted, scheme):
            pairs = zip(gold, predicted, strict=True)
            right = [list(g) == list(p) for g, p in pairs if any(tag != polytag.UNANNOTATED for tag in g)]
            return polytag.Scores({"exact": sum(right) / max(len(right), 1)})


    @polytag.hookimpl
    def polytag_metrics():
        return [WholeSentences()]
    ```
    """


@hookspec
def polytag_readers() -> Iterable[Reader]:  # type: ignore[empty-body]
    """Readers: a source (files, a folder, a name) to a corpus.

    ```python
    class SlashReader(polytag.Reader):
        name, summary = "slashes", "one sentence per line, as word/TAG word/TAG, in files that end in .slash"

        def accepts(self, source):
            return any(path.suffix == ".slash" for paths in source.files.values() for path in paths)

        def read(self, source):
            return polytag.corpus_from_sentences(
                {split: (s for path in paths for s in self.sentences(path)) for split, paths in source.files.items()}
            )

        def sentences(self, path):
            for number, line in polytag.text_lines(path):
                pairs = [pair.rpartition("/") for pair in line.split()]
                if not all(word and tag for word, _, tag in pairs):
                    raise polytag.CorpusError(f"{path.name}:{number}: a word has no tag. Write it as word/TAG.")
                tags = {"tags": [tag for _, _, tag in pairs]}
                yield polytag.Sentence([word for word, _, _ in pairs], tags, None, f"{path.name}:{number}")


    @polytag.hookimpl
    def polytag_readers():
        return [SlashReader()]
    ```
    """


@hookspec
def polytag_encoders() -> Iterable[EncoderProvider]:  # type: ignore[empty-body]
    """Encoders: words to one vector per unit.

    The provider imports nothing slow; the encoder, a `polytag.Encoder`, imports TensorFlow and is in its own module.

    ```python
    class CharactersProvider(polytag.EncoderProvider):
        name, summary = "characters", "convolutions over characters"
        defaults = polytag.TrainingDefaults(
            epochs=10, batch_size=32, learning_rate=1e-3, weight_decay=0.01, averaging=0.999
        )

        def accepts(self, reference):
            return reference == self.name

        def create(self, reference):
            from acme_characters.encoder import CharacterEncoder

            return CharacterEncoder()

        def restore(self, folder):
            from acme_characters.encoder import CharacterEncoder

            return CharacterEncoder.from_config(folder / "config.json")


    @polytag.hookimpl
    def polytag_encoders():
        return [CharactersProvider()]
    ```
    """


@hookspec
def polytag_splitters() -> Iterable[Splitter]:  # type: ignore[empty-body]
    r"""Splitters: raw text to sentences of words with character offsets.

    ```python
    import re


    class LogSplitter(polytag.Splitter):
        name, summary = "log", "one sentence per line of a log; words between spaces and the marks = , ; [ ]"

        def split(self, text):
            words = [polytag.Word(word[0], *word.span()) for word in re.finditer(r"[=,;\[\]]|[^\s=,;\[\]]+", text)]
            lines = {}
            for word in words:
                lines.setdefault(text.count("\n", 0, word.start), []).append(word)
            return list(lines.values())


    @polytag.hookimpl
    def polytag_splitters():
        return [LogSplitter()]
    ```
    """


@hookspec
def polytag_heads() -> Iterable[Head]:  # type: ignore[empty-body]
    """Heads: the loss that scores are trained with, and the choice of tags by them.

    ```python
    class FocalHead(polytag.Head):
        name, summary = "focal", "a loss that counts words less of which the network is sure already"

        def loss(self, logits, gold, parameters, sentences):
            import tensorflow as tf

            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(gold, logits)
            return (1 - tf.exp(-losses)) ** 2 * losses


    @polytag.hookimpl
    def polytag_heads():
        return [FocalHead()]
    ```
    """


@hookspec
def polytag_train_begin(run: RunInfo) -> None:
    """Training is about to begin.

    ```python
    @polytag.hookimpl
    def polytag_train_begin(run):
        print("training", run.tasks, "on", run.corpus)
    ```
    """


@hookspec
def polytag_epoch_end(run: RunInfo, epoch: int, scores: Mapping[str, float]) -> None:
    """Epoch number `epoch` (from 1) has been evaluated on the validation split.

    ```python
    @polytag.hookimpl
    def polytag_epoch_end(run, epoch, scores):
        with open("scores.log", "a", encoding="utf-8") as log:
            print(epoch, dict(scores), file=log)
    ```
    """


@hookspec
def polytag_train_end(run: RunInfo, scores: Mapping[str, float]) -> None:
    """Training has ended and the tagger is saved; `scores` are from the chosen epoch.

    ```python
    @polytag.hookimpl
    def polytag_train_end(run, scores):
        print("done:", run.output, dict(scores))
    ```
    """
