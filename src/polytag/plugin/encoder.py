"""Encoders: from words to one vector a unit, where a unit is a word or a subword.

The abstract types only; nothing here needs TensorFlow.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from polytag.errors import PluginError, PolytagError

Tensors = dict[str, NDArray[Any]]
Precision = Literal["float32", "bfloat16", "float16"]


def head_prefix(task: str, n_tasks: int) -> str:
    """What the names of a head's saved tensors begin with; a tagger of one task names them as transformers does."""
    return "classifier" if n_tasks == 1 else f"classifiers.{task}"


class Units(NamedTuple):
    """The units of a list of words.

    Attributes:
        ids: int32 (units, n_features).
        counts: int32 (words,), how many units each word has: at least one.
    """

    ids: NDArray[np.int32]
    counts: NDArray[np.int32]


class UnreadWords(NamedTuple):
    """Words that an encoder knows nothing of but their neighbours.

    Attributes:
        untokenised: Words that it cannot tokenise: nothing is left of them.
        unknown: Words whose every part is unknown to it.
    """

    untokenised: set[str]
    unknown: set[str]


@dataclass(frozen=True, slots=True)
class ExampleInputs:
    """The part of an export's example.py that encodes words, which has to do without polytag.

    Attributes:
        code: Defines `inputs(words)`, which gives a dictionary of the network's inputs for one sentence, and for each
            word a list of the positions of its units. The network takes `input_ids` (1, length), or `feature_ids`
            (1, length, n_features) where a unit has several, and `attention_mask` (1, length), all of numpy's type
            `DTYPE`. `np`, `json`, `DTYPE` and `FOLDER`, the path of the export, are defined.
        imports: Lines that import what else it uses.
        packages: What has to be installed for that.
    """

    code: str
    imports: str = ""
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingDefaults:
    """What a practitioner would choose for an encoder of this kind, where the user has not chosen.

    Attributes:
        epochs: Passes over the training split.
        batch_size: Sentences (or windows) a step.
        learning_rate: Peak of the schedule.
        weight_decay: Decoupled decay of everything but biases and layer norms.
        averaging: Decay of the exponential moving average of the weights that is evaluated and saved; 0 for none.
        precision: Number format of the arithmetic in training; `native` for bfloat16 where the processor multiplies it
            faster than float32, and float32 elsewhere.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    averaging: float
    precision: Literal["native", "float32"] = "float32"


class WordCoder(ABC):
    """Turns words into units: the half of an encoder that needs no network.

    Attributes:
        unit: `"word"` or `"subword"`.
        n_features: How many ids a unit has.
        before, after: Ids of the special units around every window; only where `n_features` is 1.
        padding: The id in padded positions.
        max_units: How many units a window holds at most, special units not counted.
        overlap: How many units of context the windows of one long sentence share on each side.
    """

    unit: ClassVar[str]
    n_features: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    padding: int
    max_units: int
    overlap: int

    @abstractmethod
    def encode(self, words: Sequence[str]) -> Units:
        """The units of words, each word on its own; a word that is nothing to the encoder still gets one unit."""

    def unread(self, words: Sequence[str]) -> UnreadWords | None:
        """Which of some words are nothing to the encoder, for `polytag corpus check`; None where it cannot tell."""
        return None

    @abstractmethod
    def save_coder(self, folder: Path) -> None:
        """Write what `EncoderProvider.restore_coder` needs."""


@runtime_checkable
class AtPositions(Protocol):
    """A network that computes the vectors of some positions faster than those of all: see `Encoder.network`."""

    def at(self, ids: Any, mask: Any, wanted: Any, training: bool) -> Any:
        """Vectors at the positions `wanted`, float (n, width)."""


@runtime_checkable
class InBulk(Protocol):
    """A network that computes vectors faster where no gradient is wanted: see `Encoder.network`."""

    def in_bulk(self, ids: Any, mask: Any) -> Any:
        """Vectors, float (batch, length, width)."""


@runtime_checkable
class WithTables(Protocol):
    """A network with variables that are read by row: see `Encoder.network`."""

    tables: Sequence[Any]


class Encoder(WordCoder):
    """One encoder: turns words into units, and holds the network that turns units into vectors.

    Attributes:
        provider: Name of the `EncoderProvider` that made it.
        reference: What the user named: `compact`, a folder, a hub name.
        transformers_layout: Whether `tensors()`, `config()` and `architecture()` are those of a checkpoint that
            transformers loads. Only then can a tagger be exported to transformers.
        example_inputs: How an export's example.py encodes words; None where that takes polytag, and there is none.
    """

    provider: ClassVar[str]
    reference: str
    transformers_layout: ClassVar[bool] = False
    example_inputs: ClassVar[ExampleInputs | None] = None

    @property
    @abstractmethod
    def network(self) -> Any:
        """A Keras layer: `network(ids, mask, training)` gives float (batch, length, width).

        `ids` is int32 (batch, length, n_features), `mask` bool (batch, length), False at padding.

        Three optional attributes make it faster:

        - `tables`, a list of its variables that are read by row;
        - `at(ids, mask, wanted, training)`, called instead of the network in training and prediction, which gives float
          (n, width), the vectors at the positions `wanted`, int32 (n,), among batch * length: unique, possibly none;
        - `in_bulk(ids, mask)`, called instead of the network in prediction where it has no `at`.

        Both are called inside a `tf.function`, and need not be exportable.
        """

    @property
    def width(self) -> int:
        """The width of the network's vectors; `hidden_size` or `dim` of `config()` where this is not overridden.

        Raises:
            PluginError: The configuration says neither.
        """
        config = self.config()
        for name in ("hidden_size", "dim"):
            if name in config:
                return int(config[name])
        raise PluginError(
            f"The encoder {self.reference!r} does not say how wide its vectors are. Override `width` in "
            f"{type(self).__name__}."
        )

    @abstractmethod
    def tensors(self) -> Tensors:
        """The weights, under the names (and in the layout) in which they are saved."""

    @abstractmethod
    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Set the weights; the inverse of `tensors`.

        Raises:
            TaggerError: A tensor is missing or has the wrong shape.
        """

    def copy_weights(self, other: Self) -> None:
        """Take over the weights of an encoder that was made in the same way, but perhaps computes in another dtype."""
        self.network.set_weights(other.network.get_weights())

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """What `config.json` says, apart from labels."""

    @abstractmethod
    def architecture(self) -> str:
        """The class name for `architectures` in `config.json`: `BertForTokenClassification`."""

    @abstractmethod
    def save_files(self, folder: Path) -> None:
        """Write what else is needed to load it again: tokenizer files."""

    def see_capitals(self) -> None:
        """Tell words in capitals from others, where the encoder, about to be trained, does not by itself.

        Raises:
            PolytagError: It does already, or cannot learn to.
        """
        raise PolytagError(
            f"The encoder {self.reference!r} cannot be given capital letters, as uncased checkpoints with the "
            "tokenizer of BERT can. Leave out --cased."
        )

    def save_coder(self, folder: Path) -> None:
        """Write what `EncoderProvider.restore_coder` needs: as for the whole encoder, where nothing less will do."""
        (folder / "config.json").write_text(json.dumps(self.config(), indent=2) + "\n", encoding="utf-8")
        self.save_files(folder)

    def export_files(self, folder: Path) -> None:
        """Write all that encodes words beside an exported network: for `restore_coder`, and for `example_inputs`."""
        self.save_coder(folder)


class EncoderProvider(ABC):
    """Makes encoders of one kind."""

    name: ClassVar[str]
    summary: ClassVar[str]
    defaults: ClassVar[TrainingDefaults]

    @abstractmethod
    def accepts(self, reference: str) -> bool:
        """Whether `--encoder REFERENCE` means an encoder of this kind."""

    @abstractmethod
    def create(self, reference: str) -> Encoder:
        """Make a new encoder: initialised at random, or with a checkpoint's weights.

        Raises:
            PolytagError: The reference names nothing that can be loaded.
        """

    @abstractmethod
    def restore(self, folder: Path) -> Encoder:
        """Make the encoder a tagger's folder describes; its weights are assigned afterwards."""

    def coder(self, reference: str) -> WordCoder:
        """The half of a new encoder that turns words into units: to look at words, without a network.

        No network bounds its `max_units`. Overridden where it can be had without TensorFlow and without weights.

        Raises:
            PolytagError: The reference names nothing that can be loaded.
        """
        return self.create(reference)

    def restore_coder(self, folder: Path) -> WordCoder:
        """The half of an encoder that `Encoder.export_files` wrote, for runtimes other than TensorFlow."""
        return self.restore(folder)

    def restores_transformers(self, folder: Path) -> bool:
        """Whether `restore` makes the encoder of a checkpoint that transformers wrote, and `assign` takes its weights.

        Asked for token classifiers that polytag did not write.

        Args:
            folder: The checkpoint. Its `config.json` says what it is.
        """
        return False
