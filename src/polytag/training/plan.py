"""A run that is ready to be trained: its data, and for each task how scores become tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polytag.corpus.corpus import Corpus, load_corpus
from polytag.corpus.splits import Split, read_splits
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.reader import SPLITS
from polytag.plugin.reporter import Reporter
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.specs import RunInfo
from polytag.plugin.task import Task
from polytag.tagger.decoder import Decoder
from polytag.tagger.heads import TaskHead
from polytag.training.choices import Choices
from polytag.training.config import RunConfig
from polytag.training.data import inventory, training_splits
from polytag.training.run_folder import with_interrupted_precision
from polytag.training.start import StartingPoint

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel


@dataclass(frozen=True, slots=True)
class Plan:
    """What `fit` trains, and on what.

    Attributes:
        config: The run, with all defaults filled in.
        tasks: By name.
        decoders: By name of the task: its labels, scheme, alignment and decoding.
        corpus: The corpus.
        training: What to train on.
        validation: What chooses the epoch, and calibrates.
        test: What is scored once, at the end; None where the corpus has none.
        held_out: Whether validation was held out of the training split.
        provider: The provider of the encoder.
        start: The tagger that the run starts from, if any.
        kept: The tasks whose heads are those of that tagger.
    """

    config: RunConfig
    tasks: Mapping[str, Task]
    decoders: Mapping[str, Decoder]
    corpus: Corpus
    training: Split
    validation: Split
    test: Split | None
    held_out: bool
    provider: EncoderProvider
    start: StartingPoint | None
    kept: tuple[str, ...]

    @property
    def heads(self) -> dict[str, TaskHead]:
        """What the tagger will know of each task."""
        return {name: decoder.head for name, decoder in self.decoders.items()}

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The labels of each task, in id order."""
        return {name: head.labels for name, head in self.heads.items()}

    @property
    def info(self) -> RunInfo:
        """What observers are told of the run."""
        return RunInfo(tuple(self.tasks), self.corpus.reference, self.config.encoder, str(self.config.output))

    @property
    def identity(self) -> dict[str, str]:
        """What tells the corpus from others, by what it is."""
        return {
            "fingerprint of the corpus": self.corpus.fingerprint,
            "borders of documents": self.corpus.document_boundaries,
        }

    def new_model(self) -> TaggerModel:
        """The model as training begins: with the weights of the tagger to start from, or with new ones."""
        from polytag.engine.model import TaggerModel

        if self.start:
            model = self.start.model(self.labels, self.kept)
        else:
            model = TaggerModel(self.provider.create(self.config.encoder), self.labels)
        if self.config.cased:
            model.encoder.see_capitals()
        return model


def make_plan(choices: Choices, reporter: Reporter) -> Plan:
    """Read the corpus, and settle what depends on it: the splits, the labels, and the defaults of the run.

    Args:
        choices: What the options of the run name.
        reporter: Told how large the corpus is, and what happens to the heads of a tagger to start from.

    Raises:
        PolytagError: The corpus cannot be read, or does not have what a task needs.
    """
    config, tasks, schemes = choices.config, choices.tasks, choices.schemes
    corpus = load_corpus(config.corpus, reader=config.reader, columns=config.columns)
    present = [name for name in SPLITS if name in corpus.splits]
    splits = read_splits(corpus, present, tasks, schemes, config.corpus_scheme)
    training, validation = training_splits(corpus, splits, config.seed, reporter)
    labels = {name: inventory(corpus, task, schemes[name], training) for name, task in tasks.items()}
    reporter.message(
        f"{corpus.reference}: {len(training.sentences):,} sentences, {training.n_words:,} words to train on; "
        + ", ".join(f"{name}: {len(names)} labels" for name, names in labels.items())
    )
    kept = _kept_heads(choices.start, labels, schemes, reporter) if choices.start else ()
    heads = {
        name: TaskHead(tuple(labels[name]), schemes[name].name, choices.strategies[name].name, config.decoding)
        for name in tasks
    }
    return Plan(
        config=with_interrupted_precision(config).resolved(choices.provider.defaults),
        tasks=tasks,
        decoders={name: Decoder(head) for name, head in heads.items()},
        corpus=corpus,
        training=training,
        validation=validation,
        test=splits.get("test"),
        held_out="validation" not in splits,
        provider=choices.provider,
        start=choices.start,
        kept=kept,
    )


def _kept_heads(
    start: StartingPoint, labels: dict[str, list[str]], schemes: Mapping[str, LabelScheme], reporter: Reporter
) -> tuple[str, ...]:
    """The tasks whose heads go on; they get the labels of these heads. Says what happens to each head."""
    kept = []
    for task, names in labels.items():
        reason = start.why_not(task, schemes[task].name, names)
        if reason:
            reporter.message(f"The head of {task} is new: {reason}.")
        else:
            reporter.message(f"The head of {task} goes on from {str(start.folder)!r}, as its encoder does.")
            labels[task] = list(start.heads[task].labels)
            kept.append(task)
    return tuple(kept)
