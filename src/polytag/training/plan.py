"""Plan a run: read its data, and choose the labels and the decoder of each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import load_corpus
from polytag.corpus.splits import Split, read_splits
from polytag.encoding.word_vectors import UsesVectors, WordVectors
from polytag.plugin.attribution import misfit_of
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.encoder_choice import make_encoder
from polytag.plugin.reader import SPLITS
from polytag.plugin.reporter import Reporter
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.specs import RunInfo
from polytag.plugin.task import Task
from polytag.tagger.decoder import Decoder
from polytag.tagger.heads import TaskHead, initial_parameters
from polytag.tagger.viterbi import head_of
from polytag.terminal import stage
from polytag.training.choices import Choices
from polytag.training.config import RunConfig
from polytag.training.data import inventory, training_splits
from polytag.training.run_folder import with_interrupted_precision
from polytag.training.start import StartingPoint
from polytag.training.teaching import Lessons, make_lessons
from polytag.training.vectors import make_vectors

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel


@dataclass(frozen=True, slots=True)
class Plan:
    """The input of `fit`: configuration, data and decoders.

    Attributes:
        config: The configuration of the run, with all defaults filled in.
        tasks: The tasks by name.
        decoders: The decoder of each task: its labels, scheme, alignment and decoding.
        corpus: The corpus.
        training: The split to train on.
        validation: The split that chooses the best epoch and calibrates it.
        test: The split that is scored once, at the end; None if the corpus has none.
        held_out: Whether validation was held out of the training split.
        provider: The provider of the encoder.
        start: The tagger to start from, if any.
        kept: The tasks whose heads come from that tagger.
        lessons: What the student learns from teachers; None without one.
        vectors: Vectors of words for the encoder, if any.
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
    lessons: Lessons | None = None
    vectors: WordVectors | None = None

    @property
    def heads(self) -> dict[str, TaskHead]:
        """The head of each task."""
        return {name: decoder.head for name, decoder in self.decoders.items()}

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The labels of each task, in id order."""
        return {name: head.labels for name, head in self.heads.items()}

    @property
    def info(self) -> RunInfo:
        """The information about the run that observers receive."""
        return RunInfo(tuple(self.tasks), self.corpus.reference, self.config.encoder, str(self.config.output))

    @property
    def identity(self) -> dict[str, str]:
        """Values that identify the data when the run is resumed, by the name shown in messages."""
        vectors = {"fingerprint of the vectors": self.vectors.fingerprint} if self.vectors else {}
        return {
            **vectors,
            "fingerprint of the corpus": self.corpus.fingerprint,
            "document boundaries": self.corpus.document_boundaries,
            **(self.lessons.identity if self.lessons else {}),
        }

    def new_model(self) -> TaggerModel:
        """The model at the beginning of training: with the weights of the tagger to start from, or with new ones."""
        schemes = {name: decoder.scheme for name, decoder in self.decoders.items()}
        return new_model(self.config, self.provider, self.start, self.labels, self.kept, schemes, self.vectors)


def new_model(
    config: RunConfig,
    provider: EncoderProvider,
    start: StartingPoint | None,
    labels: Mapping[str, Sequence[str]],
    kept: Sequence[str],
    schemes: Mapping[str, LabelScheme],
    vectors: WordVectors | None = None,
) -> TaggerModel:
    """The model at the beginning of training, for the fields of a `Plan` and the label scheme of each task."""
    from polytag.engine.model import TaggerModel

    kind = head_of(config.decoding)
    parameters = {task: initial_parameters(kind, names, schemes[task]) for task, names in labels.items()}
    if start:
        model = start.model(labels, kept, parameters, kind)
    else:
        encoder = make_encoder(provider, lambda: provider.create(config.encoder))
        if vectors:
            if not isinstance(encoder, UsesVectors):
                raise misfit_of(encoder, "says that it takes vectors and has no method `use_vectors`")
            encoder.use_vectors(vectors)
        model = TaggerModel(encoder, labels, parameters)
    if config.cased:
        model.encoder.see_capitals()
    return model


def make_plan(choices: Choices, reporter: Reporter, choose_device: bool = True) -> Plan:
    """Read the corpus, and determine the splits, the labels and the defaults of the run.

    Args:
        choices: The objects named by the options of the run.
        reporter: Receives the size of the corpus, and which heads of the tagger to start from are kept.
        choose_device: Whether to choose the devices of this process, which workers have done before.

    Raises:
        PolytagError: The corpus cannot be read, or lacks the data of a task.
    """
    config, tasks, schemes = choices.config, choices.tasks, choices.schemes
    stage(f"Reading {config.corpus}", often_brief=True)
    corpus = load_corpus(config.corpus, reader=config.reader, splitter=config.splitter, **config.reading())
    present = [name for name in SPLITS if name in corpus.splits]
    splits = read_splits(corpus, present, tasks, schemes, config.corpus_scheme, config.tags_as_is)
    training, validation = training_splits(corpus, splits, config.seed, reporter)
    labels = {name: inventory(corpus, task, schemes[name], training) for name, task in tasks.items()}
    reporter.message(
        f"{corpus.reference}: {len(training.sentences):,} sentences, {training.n_words:,} words to train on; "
        + ", ".join(f"{name}: {len(names)} labels" for name, names in labels.items())
    )
    lessons = make_lessons(config, choices.teachers, labels, schemes, reporter) if choices.teachers else None
    vectors = None
    if config.vectors:
        sentences = [*training.sentences, *(lessons.texts.sentences if lessons else ())]
        vectors = make_vectors(config.vectors, sentences, config.vector_words, reporter)
    stage("Starting TensorFlow")
    if choose_device:
        from polytag.engine.devices import choose_devices

        choose_devices(config.device)
    kept = _kept_heads(choices.start, labels, schemes, reporter) if choices.start else ()
    heads = {
        name: TaskHead(
            tuple(labels[name]),
            schemes[name].name,
            choices.strategies[name].name,
            config.decoding,
            column=choices.columns[name],
            kind=head_of(config.decoding),
        )
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
        lessons=lessons,
        vectors=vectors,
    )


def _kept_heads(
    start: StartingPoint, labels: dict[str, list[str]], schemes: Mapping[str, LabelScheme], reporter: Reporter
) -> tuple[str, ...]:
    """The tasks whose heads are kept, after `labels` is updated to the labels of these heads. Reports each head."""
    kept = []
    for task, names in labels.items():
        reason = start.why_not(task, schemes[task].name, names)
        if reason:
            reporter.message(f"The head of {task} is new: {reason}.")
        else:
            reporter.message(f"The head of {task} is kept from {str(start.folder)!r}, like its encoder.")
            labels[task] = list(start.heads[task].labels)
            kept.append(task)
    return tuple(kept)
