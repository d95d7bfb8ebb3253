"""Look up the names in the options of a run, and check that they are compatible."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from polytag.corpus.splits import training_scheme
from polytag.encoding.checkpoint import is_local
from polytag.errors import MissingEngineError, PolytagError
from polytag.exporting.export import require_packages
from polytag.files import expand_home, path_exists
from polytag.plugin.alignment import AlignmentStrategy
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.encoder_choice import choose_encoder
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.task import Task
from polytag.plugin.task_choice import choose_tasks
from polytag.tagger.folder import check_output
from polytag.tagger.viterbi import head_of
from polytag.training.config import RunConfig
from polytag.training.start import StartingPoint, open_start
from polytag.training.teachers import Teacher, open_teachers
from polytag.training.vectors import check_reference


@dataclass(frozen=True, slots=True)
class Choices:
    """The objects named by the options of a run, checked to be compatible.

    Attributes:
        config: The configuration of the run; with the encoder, context, window and splitter of the tagger to start
            from, if any.
        tasks, schemes, strategies: Tasks, label schemes and alignment strategies by task name.
        columns: For each task the column that the user named, or None.
        start: The tagger to start from; None to start from an encoder.
        provider: The provider of the encoder.
        teachers: The taggers to learn from.
        share: The share of the training split to train on, above 0 and at most 1.
    """

    config: RunConfig
    tasks: Mapping[str, Task]
    schemes: Mapping[str, LabelScheme]
    strategies: Mapping[str, AlignmentStrategy]
    columns: Mapping[str, str | None]
    start: StartingPoint | None
    provider: EncoderProvider
    teachers: tuple[Teacher, ...]
    share: float = 1.0


def choose(config: RunConfig) -> Choices:
    """Look up the names in the options of a run, and check that they are compatible.

    Raises:
        PolytagError: A name does not exist, options are not compatible, or TensorFlow is not installed.
    """
    if importlib.util.find_spec("tensorflow") is None:  # said before a corpus is read
        raise MissingEngineError
    chosen = choose_tasks(config.task)
    tasks = {name: choice.task for name, choice in chosen.items()}
    start = None if config.from_ is None else open_start(config.from_, tasks, config.labels)
    teachers = open_teachers(config, list(tasks))
    taught = {name: head.scheme for one in reversed(teachers) for name, head in one.description.tasks.items()}
    schemes = {
        name: training_scheme(task, config.scheme or (start and start.scheme(name)) or taught.get(name))
        for name, task in tasks.items()
    }
    strategies = {
        name: registry().alignments.get(
            config.alignment or (start and start.alignment(name)) or task.alignment,
            "" if config.alignment else f"the task {name!r}",
        )
        for name, task in tasks.items()
    }
    if config.scheme and all(scheme.name != config.scheme for scheme in schemes.values()):
        kind = "encodes spans and they have none" if registry().schemes[config.scheme].encodes_spans else "has no spans"
        raise PolytagError(
            f"The label scheme {config.scheme!r} fits none of the tasks of this run ({', '.join(tasks)}): it {kind}. "
            "Choose another scheme, or none to train each task in its own."
        )
    for task in tasks.values():
        registry().metrics.require(*task.metrics, needed_by=f"the task {task.name!r}")
    for name in config.task_weights:
        if name not in tasks:
            raise PolytagError(f"task_weights names {name!r}, which is not a task of this run ({', '.join(tasks)}).")
    if start:
        taken = {
            name: getattr(start, name)
            for name in ("context", "window", "splitter")
            if name not in config.model_fields_set
        }
        config = config.model_copy(update={"encoder": config.from_, **taken})
    registry().splitters.require(config.splitter)
    if config.loss_weights and registry().heads[head_of(config.decoding)].by_sentence:
        raise PolytagError(
            f"Loss weights are for the labels of single words, and the loss of {config.decoding!r} is of whole "
            "sentences. Leave out --loss-weights, or choose another --decoding."
        )
    provider = start.provider if start else choose_encoder(config.encoder)
    if config.vectors:
        if not provider.takes_vectors:
            raise PolytagError(
                f"The encoder {config.encoder!r} cannot use --vectors: it has vectors of its own. Leave --vectors out, "
                "or train compact."
            )
        check_reference(config.vectors)
    check_output(config.output, config.overwrite)
    if config.export == "onnx":
        require_packages("onnx")
    _check_folders(config)
    if config.push and config.lora is not None and is_local(config.encoder):
        raise PolytagError(
            f"After --lora, the tagger is an adapter of {config.encoder!r}, a folder of this machine, without which "
            "nobody can load it from the hub. Train from a model on the hub, by its name, or leave out --push."
        )
    columns = {name: choice.column for name, choice in chosen.items()}
    return Choices(config, tasks, schemes, strategies, columns, start, provider, teachers)


def _check_folders(config: RunConfig) -> None:
    """Check that nothing that a run reads or writes is lost when the finished tagger replaces the output folder.

    Raises:
        PolytagError: A folder to write to is in the output folder, or something to read.
    """
    output = config.output.resolve()
    for option, folder, name in (
        ("--tensorboard", config.tensorboard, "curves"),
        ("--profile", config.profile, "curves"),
        ("--teacher-cache", config.teacher_cache, "cache"),
    ):
        if folder and folder.resolve().is_relative_to(output):
            raise PolytagError(
                f"The folder {str(folder)!r} of {option} is in the output folder, which is replaced by the finished "
                f"tagger. Choose one next to it: {f'{config.output}-{name}'!r}."
            )
    read = [
        *(("--corpus", part) for part in (config.corpus, *re.split("[,=]", config.corpus))),  # train=FILE,test=FILE
        ("--from", config.from_),
        ("--encoder", config.encoder),
        ("--vectors", config.vectors),
        ("--loss-weights", config.loss_weights),
        *(("--teacher", teacher) for teacher in config.teacher),
        *(("--texts", text) for text in config.texts),
    ]
    for option, reference in read:
        if reference and _is_inside(reference, output):
            raise PolytagError(
                f"{reference!r}, which {option} names, is in the output folder and would be deleted when the finished "
                "tagger replaces it. Choose another --output."
            )
    if config.lora is not None and expand_home(config.encoder).resolve() == output:
        raise PolytagError(
            f"{config.encoder!r} is the output folder, and would be deleted when the finished tagger replaces it, "
            "which needs it after --lora. Choose another --output."
        )


def _is_inside(reference: str, folder: Path) -> bool:
    path = expand_home(reference)
    try:
        return path_exists(path) and folder in path.resolve().parents
    except OSError:  # said when it is read
        return False
