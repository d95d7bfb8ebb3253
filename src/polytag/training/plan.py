"""Plan a run: read its data, and choose the labels and the decoder of each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import load_corpus
from polytag.corpus.splits import Split, read_splits
from polytag.encoding.checkpoint import find_checkpoint
from polytag.encoding.weights import weights_fingerprint
from polytag.encoding.word_vectors import UsesVectors, WordVectors
from polytag.errors import PolytagError
from polytag.plugin.attribution import misfit_of
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.encoder_choice import make_encoder
from polytag.plugin.head import SOFTMAX
from polytag.plugin.reader import SPLITS
from polytag.plugin.registry import registry
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
from polytag.training.data import inventory, part_of, training_splits
from polytag.training.growth import Splits, check_types, complete, open_labels, span_types, unannotated_types
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
        unannotated: For each task that is annotated in part, the types of spans that the corpus does not annotate.
        open: For these tasks, bool (words,): whether a word of the training split is open.
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
    unannotated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def open_labels(self) -> dict[str, tuple[int, ...]]:
        """For each task that is annotated in part, the ids of the labels that an open word can have."""
        return {
            task: open_labels(self.labels[task], self.decoders[task].scheme, types)
            for task, types in self.unannotated.items()
        }

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
            **self._base_weights(),
            "fingerprint of the corpus": self.corpus.fingerprint,
            "document boundaries": self.corpus.document_boundaries,
            **(self.lessons.identity if self.lessons else {}),
        }

    def _base_weights(self) -> dict[str, str]:
        """The fingerprint of the weights that adapters are trained for: the tagger will need the same."""
        reference = self.config.encoder
        if self.config.lora is None or reference in registry().encoders:
            return {}
        with suppress(PolytagError, OSError):  # said when the encoder is made
            folder = self.start.folder if self.start else find_checkpoint(reference)
            return {"fingerprint of the encoder": weights_fingerprint(folder)}
        return {}

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
    if config.freeze is not None:
        model.encoder.freeze(config.freeze)
    if config.lora is not None:
        model.encoder.adapt(config.lora)
    if config.teacher:
        model.encoder.learn_from_teacher()
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
    training = part_of(training, choices.share, config.seed)
    labels = {name: inventory(corpus, task, schemes[name], training) for name, task in tasks.items()}
    reporter.message(
        f"{corpus.reference}: {len(training.sentences):,} sentences, {training.n_words:,} words to train on; "
        + ", ".join(f"{name}: {len(names)} labels" for name, names in labels.items())
    )
    kept, types = _kept_heads(choices.start, labels, choices, reporter) if choices.start else ((), {})
    if types and registry().heads[head_of(config.decoding)].by_sentence:
        raise PolytagError(
            f"The corpus does not annotate {', '.join(next(iter(types.values())))}, which the tagger to start from "
            f"knows, and the loss of {config.decoding!r} is of whole sentences. Choose another --decoding, or say with "
            "--annotated that these are annotated."
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
    completed = Splits(training, validation, splits.get("test"))
    if choices.start and types:
        stage("Completing the annotation")
        name = str(choices.start.folder)
        completed = complete(completed, types, choices.start.tagger(), name, reporter)
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
        training=completed.training,
        validation=completed.validation,
        test=completed.test,
        held_out="validation" not in splits,
        provider=choices.provider,
        start=choices.start,
        kept=kept,
        lessons=lessons,
        vectors=vectors,
        unannotated=types,
        open=completed.open,
    )


def _kept_heads(
    start: StartingPoint, labels: dict[str, list[str]], choices: Choices, reporter: Reporter
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The tasks whose heads are kept, and the types of spans that the corpus does not annotate. Reports each head.

    `labels` is updated to the labels of these heads, followed by those that they lack. A corpus whose labels a head
    has is taken as annotated in full, unless the user says which types it annotates.
    """
    said = choices.config.annotated
    kept: list[str] = []
    types: dict[str, tuple[str, ...]] = {}
    known: set[str] = set()
    for task, names in labels.items():
        scheme = choices.schemes[task]
        known.update(span_types(names, scheme))
        if reason := start.why_not(task, scheme.name, names):
            reporter.message(f"The head of {task} is new: {reason}.")
            continue
        head, lacking = start.heads[task], start.lacking(task, names)
        known.update(span_types(head.labels, scheme))
        more = f", and gets the new labels {', '.join(lacking)}" if lacking else ""
        if head.kind != SOFTMAX and (lacking or head.kind != head_of(choices.config.decoding)):
            more += f"; what its decoding {head.kind!r} learnt in addition is not"
        reporter.message(f"The head of {task} is kept from {str(start.folder)!r}, like its encoder{more}.")
        unannotated = unannotated_types(head, names, scheme, said or ())
        if unannotated and (lacking or said is not None):
            types[task] = unannotated
        labels[task] = [*head.labels, *lacking]
        kept.append(task)
    check_types(said or (), known)
    return tuple(kept), types
