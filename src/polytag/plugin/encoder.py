"""The abstract types of encoders, which turn words into one vector per unit, a word or a subword; no TensorFlow."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from polytag.errors import PluginError, PolytagError
from polytag.plugin.adapter import AdapterWeights
from polytag.plugin.networks import NumpyNetwork, OnnxNetwork

Tensors = dict[str, NDArray[Any]]
Precision = Literal["float32", "bfloat16", "float16"]


def head_prefix(task: str, n_tasks: int) -> str:
    """The prefix of the names of a head's saved tensors; with one task, the names are as in transformers."""
    return "classifier" if n_tasks == 1 else f"classifiers.{task}"


class Units(NamedTuple):
    """The units of a list of words.

    Attributes:
        ids: int32 (units, n_features).
        counts: int32 (words,), the number of units of each word: at least one.
    """

    ids: NDArray[np.int32]
    counts: NDArray[np.int32]


class UnreadWords(NamedTuple):
    """Words that an encoder cannot read, so that only their context counts.

    Attributes:
        untokenised: Words that it cannot tokenise.
        unknown: Words without any known part.
    """

    untokenised: set[str]
    unknown: set[str]


@dataclass(frozen=True, slots=True)
class ExampleInputs:
    """The part of an export's example.py that encodes words without polytag.

    Attributes:
        code: Defines `inputs(words)`, which returns a dictionary of the network's inputs for one sentence, and for each
            word a list of the positions of its units. The network takes `input_ids` (1, length), or `feature_ids`
            (1, length, n_features) if a unit has several, and `attention_mask` (1, length), all of numpy's type
            `DTYPE`. `np`, `json`, `DTYPE` and `FOLDER`, the path of the export, are defined.
        imports: Lines with all other imports.
        packages: The packages to install for them.
    """

    code: str
    imports: str = ""
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingDefaults:
    """Sensible defaults for encoders of this kind, for options that the user has not set.

    Attributes:
        epochs: Passes over the training split.
        batch_size: Sentences (or windows) per step.
        learning_rate: Peak of the schedule.
        weight_decay: Decoupled decay of everything except biases and layer norms.
        averaging: Decay of the exponential moving average of the weights that is evaluated and saved; 0 for none.
        precision: Number format of the arithmetic in training; `native` for bfloat16 if the processor multiplies it
            faster than float32, otherwise float32.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    averaging: float
    precision: Literal["native", "float32"] = "float32"


class WordCoder(ABC):
    """Turns words into units: the part of an encoder that needs no network.

    Attributes:
        unit: `"word"` or `"subword"`.
        n_features: Number of ids per unit.
        before, after: Ids of the special units around every window; only if `n_features` is 1.
        padding: The id in padded positions.
        max_units: Maximum number of units per window, without special units.
        overlap: Units of context that the windows of a long sentence share on each side.
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
        """The units of words, independent of context; a word that cannot be tokenised still gets one unit."""

    def texts(self, ids: NDArray[np.int32]) -> list[str]:
        """The texts of units (`la`, `##mb`), given int32 (units, n_features), to be shown; by default their ids."""
        return [" ".join(map(str, features)) for features in ids.tolist()]

    def unread(self, words: Sequence[str]) -> UnreadWords | None:
        """The words that the encoder cannot read, for `polytag corpus check`; None if it does not know."""
        return None

    @abstractmethod
    def save_coder(self, folder: Path) -> None:
        """Write the files that `EncoderProvider.restore_coder` needs."""


class Encoder(WordCoder):
    """Turns words into units, and has the network that turns units into vectors.

    Attributes:
        provider: Name of the `EncoderProvider` that made it.
        reference: The name that the user gave: `compact`, a folder, a hub name.
        transformers_layout: Whether transformers can load a checkpoint of `tensors()`, `config()` and `architecture()`.
            Only then can a tagger be exported to transformers.
        example_inputs: Code with which an export's example.py encodes words; None if that needs polytag: the export
            then has no example.py.
    """

    provider: ClassVar[str]
    reference: str
    transformers_layout: ClassVar[bool] = False
    example_inputs: ExampleInputs | None = None

    @property
    @abstractmethod
    def network(self) -> Any:
        """A Keras layer: `network(ids, mask, training)` gives float (batch, length, width).

        `ids` is int32 (batch, length, n_features), `mask` bool (batch, length), False at padding.

        Three optional attributes make it faster:

        - `tables`, a list of its variables that are read by row;
        - `at(ids, mask, wanted, training)`, called instead of the network in training and prediction; it gives float
          (n, width), the vectors at the positions `wanted`, int32 (n,), among batch * length: unique, possibly none;
        - `in_bulk(ids, mask)`, called instead of the network in prediction if it has no `at`; vectors of padding can be
          any.

        All are called inside a `tf.function` without autograph, so that control flow on tensors is `tf.cond` or
        `tf.while_loop`.
        """

    @property
    def width(self) -> int:
        """The width of the network's vectors; `hidden_size` or `dim` of `config()` by default.

        Raises:
            PluginError: The configuration has neither.
        """
        config = self.config()
        for name in ("hidden_size", "dim"):
            if name in config:
                return int(config[name])
        raise PluginError(
            f"The encoder {self.reference!r} does not define the width of its vectors. Override `width` in "
            f"{type(self).__name__}."
        )

    @abstractmethod
    def tensors(self) -> Tensors:
        """The weights, by their saved names and in their saved layout."""

    @abstractmethod
    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Set the weights; the inverse of `tensors`.

        Raises:
            TaggerError: A tensor is missing or has the wrong shape.
        """

    def copy_weights(self, other: Self) -> None:
        """Copy the weights of an encoder with the same architecture, possibly with another dtype."""
        self.network.set_weights(other.network.get_weights())

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """The content of `config.json`, without labels."""

    @abstractmethod
    def architecture(self) -> str:
        """The class name for `architectures` in `config.json`: `BertForTokenClassification`."""

    @abstractmethod
    def save_files(self, folder: Path) -> None:
        """Write the other files that are needed to load it again: tokenizer files."""

    def learn_from_teacher(self) -> None:
        """Prepare for a training in which a teacher says what each word is; called before it."""

    def see_capitals(self) -> None:
        """Make an encoder that ignores case distinguish capital letters; called before training.

        Raises:
            PolytagError: It already distinguishes them, or cannot learn to.
        """
        raise PolytagError(
            f"The encoder {self.reference!r} cannot use --cased: only uncased checkpoints with BERT's tokenizer can. "
            "Leave --cased out."
        )

    def freeze(self, blocks: int) -> None:
        """Keep the embeddings and the lowest blocks as they are; called before training.

        Args:
            blocks: Number of blocks, from the one next to the embeddings.

        Raises:
            PolytagError: It has no such blocks.
        """
        raise PolytagError(
            f"The encoder {self.reference!r} cannot use --freeze: only pretrained checkpoints can. Leave --freeze out."
        )

    def adapt(self, rank: int) -> None:
        """Train adapters of a rank instead of the weights; called before training, after `freeze`.

        Raises:
            PolytagError: It cannot have adapters.
        """
        raise PolytagError(
            f"The encoder {self.reference!r} cannot use --lora: only pretrained checkpoints can. Leave --lora out."
        )

    def adapter(self) -> AdapterWeights | None:
        """The adapter that was trained instead of the weights, whose changes `tensors` has; None by default."""
        return None

    def save_coder(self, folder: Path) -> None:
        """Write the files that `EncoderProvider.restore_coder` needs; by default, all files of the encoder."""
        (folder / "config.json").write_text(json.dumps(self.config(), indent=2) + "\n", encoding="utf-8")
        self.save_files(folder)

    def export_files(self, folder: Path) -> None:
        """Write all files that encode words for an exported network: for `restore_coder` and `example_inputs`."""
        self.save_coder(folder)


class EncoderProvider(ABC):
    """Makes encoders of one kind.

    Attributes:
        name: The name in `polytag.json`.
        summary: A line for `polytag plugins`.
        defaults: Options of a run that are not given.
        takes_vectors: Whether its encoders are `polytag.encoding.word_vectors.UsesVectors`, for `--vectors`.
        files: Names of the files of its own that `save_files` and `export_files` write. `config.json`, `word_hashes.py`
            and the files of a Hugging Face tokenizer need no mention. `polytag push` uploads no others.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    defaults: ClassVar[TrainingDefaults]
    takes_vectors: ClassVar[bool] = False
    files: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def accepts(self, reference: str) -> bool:
        """Whether `--encoder REFERENCE` means an encoder of this kind."""

    @abstractmethod
    def create(self, reference: str) -> Encoder:
        """Make a new encoder, with random weights or a checkpoint's.

        Raises:
            PolytagError: The reference cannot be loaded.
        """

    @abstractmethod
    def restore(self, folder: Path) -> Encoder:
        """Make the encoder of a tagger's folder; its weights are assigned later."""

    def coder(self, reference: str) -> WordCoder:
        """The word coder of a new encoder, to inspect words without a network.

        No network limits its `max_units`. Override it if it can be made without TensorFlow and without weights.

        Raises:
            PolytagError: The reference cannot be loaded.
        """
        return self.create(reference)

    def restore_coder(self, folder: Path) -> WordCoder:
        """The word coder of a tagger's folder or of an export, for runtimes other than TensorFlow.

        Args:
            folder: Has what `Encoder.export_files` wrote, or config.json and what `Encoder.save_files` wrote.
        """
        return self.restore(folder)

    def numpy_network(self) -> Callable[[Mapping[str, NDArray[Any]]], NumpyNetwork] | None:
        """The function that makes the network in NumPy from saved tensors; taggers then run without TensorFlow.

        The network gives the same vectors as `Encoder.network` without training, up to rounding. The function raises
        TaggerError if a tensor is missing or has the wrong shape. `restore_coder` must also accept the folder of a
        tagger. None by default: the encoder needs TensorFlow.
        """
        return None

    def onnx_network(self) -> OnnxNetwork | None:
        """The function that writes the network into an ONNX model; taggers can then be exported to ONNX.

        It is called with an `OnnxGraph`, `Encoder.config()` and the saved tensors of the tagger, adds the operators of
        the network to the graph, and returns its vectors, float32 (batch, length, width): the same as of
        `Encoder.network` without training, up to rounding; vectors of padding can be any. None by default: the encoder
        has no network in ONNX.
        """
        return None

    def restores_transformers(self, folder: Path) -> bool:
        """Whether `restore` and `assign` can load the encoder of a checkpoint that transformers wrote.

        Called for token classifiers that polytag did not write.

        Args:
            folder: The checkpoint; its `config.json` has the model type.
        """
        return False
