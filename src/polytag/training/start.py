"""The starting point of a run: a tagger, or a token classifier of transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from polytag.encoding.windows import Context
from polytag.errors import TaggerError
from polytag.hub import tagger_folder
from polytag.plugin.encoder import EncoderProvider, head_prefix
from polytag.plugin.encoder_choice import choose_restorer, make_encoder
from polytag.plugin.registry import registry
from polytag.plugin.splitter import STANDARD
from polytag.plugin.task import Task
from polytag.tagger.description import FILE, TaggerDescription
from polytag.tagger.heads import TaskHead, blank_parameters
from polytag.tagger.tagger import Tagger
from polytag.tagger.token_classifiers import ALIGNMENT, LabelNames, label_names, scheme_for

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """The tagger to start a run from.

    Attributes:
        folder: Its folder.
        provider: The provider of its encoder.
        heads: Its head of each task.
        prefixes: Prefix of the tensor names of each head.
        context, window: The content and maximum size of its windows; defaults of the run.
        splitter: Its splitter of raw text; the default of the run.
        weights: Fingerprint of the file with its weights; None to accept any.
    """

    folder: Path
    provider: EncoderProvider
    heads: Mapping[str, TaskHead]
    prefixes: Mapping[str, str]
    context: Context = "sentence"
    window: int | None = None
    splitter: str = STANDARD
    weights: str | None = None

    def scheme(self, task: str) -> str | None:
        """The default scheme of a task in the run; None without a head of the task."""
        return self.heads[task].scheme if task in self.heads else None

    def alignment(self, task: str) -> str | None:
        """The default alignment strategy of a task in the run; None without a head of the task."""
        return self.heads[task].alignment if task in self.heads else None

    def why_not(self, task: str, scheme: str, labels: Sequence[str]) -> str:
        """Why the head of a task cannot be kept; empty if it can.

        It must be in the same scheme. Without spans, where each word has one label, it must have all labels.
        """
        if task not in self.heads:
            return f"{str(self.folder)!r} has no head for its labels"
        head = self.heads[task]
        if head.scheme != scheme:
            return f"the head in {str(self.folder)!r} has the scheme {head.scheme}, and this run has {scheme}"
        lacking = self.lacking(task, labels)
        if lacking and not registry().schemes[scheme].encodes_spans:
            more = ", …" if len(lacking) > _SHOWN else ""
            return f"the head in {str(self.folder)!r} lacks the labels {', '.join(lacking[:_SHOWN])}{more}"
        return ""

    def lacking(self, task: str, labels: Sequence[str]) -> list[str]:
        """The labels that the head of a task lacks."""
        return [label for label in labels if label not in self.heads[task].labels]

    def tagger(self) -> Tagger:
        """The tagger itself, in TensorFlow."""
        labels = {task: head.labels for task, head in self.heads.items()}
        kinds = {head.kind for head in self.heads.values()}
        model = self.model(labels, list(labels), blank_parameters(self.heads), kinds.pop())
        return Tagger(model, dict(self.heads), self.context, self.window, splitter=self.splitter)

    def model(
        self,
        labels: Mapping[str, Sequence[str]],
        kept: Sequence[str],
        parameters: Mapping[str, Mapping[str, NDArray[Any]]],
        kind: str,
    ) -> TaggerModel:
        """The model to train: the encoder and the kept heads with their weights, and new heads for other tasks.

        Args:
            labels: The labels of each task, in id order.
            kept: The tasks whose heads are kept; their parameters only if they have the same kind and labels. Labels
                that a head lacks follow its own, and have new weights.
            parameters: The initial parameters of each head.
            kind: Name of the heads of the run.

        Raises:
            PolytagError: The weights are missing, damaged, or do not match the description in the folder.
        """
        from polytag.encoding.weights import read_weights
        from polytag.engine.model import TaggerModel

        tensors = read_weights(self.folder, self.weights)
        encoder = make_encoder(self.provider, lambda: self.provider.restore(self.folder))
        model = TaggerModel(encoder, labels, parameters)
        model.encoder.assign(tensors)
        prefixes = {task: self.prefixes[task] for task in kept}
        model.assign_heads(tensors, prefixes, {task: len(self.heads[task].labels) for task in kept})
        alike = [task for task in kept if (self.heads[task].kind, *self.heads[task].labels) == (kind, *labels[task])]
        model.assign_saved(tensors, {task: prefixes[task] for task in alike})
        return model


def open_start(reference: str, tasks: Mapping[str, Task], labels: LabelNames | None) -> StartingPoint:
    """Open the starting point of a run.

    Args:
        reference: Folder of a tagger or of a token classifier, or its name on the hub.
        tasks: The tasks to train. The single head of a token classifier can be used for any task that its labels fit.
        labels: Names of a token classifier's labels, if it has none or different ones.

    Raises:
        PolytagError: The reference is neither of these, or cannot be read.
    """
    folder = tagger_folder(reference)
    providers = registry().encoders
    if (folder / FILE).is_file() or not (folder / "config.json").is_file():
        description = TaggerDescription.read(folder, labels=labels)
        heads = description.heads()
        prefixes = {task: head_prefix(task, len(heads)) for task in heads}
        provider = providers[description.encoder.provider]
        context, window, splitter = description.context, description.window, description.splitter
        return StartingPoint(folder, provider, heads, prefixes, context, window, splitter, description.weights)
    names = label_names(folder, labels)
    heads = {}
    for name, task in tasks.items():
        try:
            heads[name] = TaskHead(names, scheme_for(task, names).name, ALIGNMENT)
        except TaggerError:
            continue  # its labels fit another kind of task
    return StartingPoint(folder, choose_restorer(folder), heads, dict.fromkeys(heads, "classifier"))
