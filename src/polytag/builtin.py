"""The plugin named `polytag`: core's own contributions, registered through the same hooks as plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from polytag import hub
from polytag.corpus.sample.reader import SampleReader
from polytag.encoding.splitters import CharactersSplitter, StandardSplitter, WhitespaceSplitter
from polytag.encoding.word_vectors import VECTORS_FILE
from polytag.files import expand_home, path_exists
from polytag.plugin.alignment import FloatArray
from polytag.plugin.encoder import Encoder, EncoderProvider, TrainingDefaults, WordCoder
from polytag.plugin.head import CRF, SOFTMAX, TRANSITIONS, DecodedWords, Head, Parameters, SentenceWords
from polytag.plugin.networks import NumpyNetwork, OnnxNetwork
from polytag.plugin.reader import Reader
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.specs import hookimpl
from polytag.plugin.splitter import Splitter

POLYTAG_PLUGIN_API = 1


class CompactProvider(EncoderProvider):
    """Makes `compact` encoders."""

    name: ClassVar[str] = "compact"
    summary: ClassVar[str] = "word-level convolutions over hashed features, trained from scratch; no download"
    files: ClassVar[tuple[str, ...]] = (VECTORS_FILE,)
    takes_vectors: ClassVar[bool] = True
    defaults: ClassVar[TrainingDefaults] = TrainingDefaults(
        epochs=8, batch_size=32, learning_rate=2e-3, weight_decay=0.3, averaging=0.999
    )

    def accepts(self, reference: str) -> bool:
        """Whether the reference is the name `compact`."""
        return reference == self.name

    def create(self, reference: str) -> Encoder:
        """A new encoder with random weights."""
        from polytag.engine.encoders.compact import CompactEncoder

        return CompactEncoder()

    def restore(self, folder: Path) -> Encoder:
        """A new encoder; only the words that have vectors are read from the folder."""
        from polytag.encoding.word_vectors import WordVectors, read_words
        from polytag.engine.encoders.compact import CompactEncoder

        words = read_words(folder)
        return CompactEncoder(WordVectors.empty(words) if words else None)

    def coder(self, reference: str) -> WordCoder:
        """Word hashes."""
        from polytag.encoding.coders import HashCoder

        return HashCoder()

    def restore_coder(self, folder: Path) -> WordCoder:
        """Word hashes, and the words that have vectors."""
        from polytag.encoding.coders import HashCoder
        from polytag.encoding.word_vectors import read_words

        return HashCoder(read_words(folder))

    def numpy_network(self) -> type[NumpyNetwork]:
        """The network in NumPy."""
        from polytag.tagger.compact_network import CompactNetwork

        return CompactNetwork

    def onnx_network(self) -> OnnxNetwork:
        """The network in ONNX."""
        from polytag.exporting.onnx.compact import write_compact

        return write_compact


class PretrainedProvider(EncoderProvider):
    """Makes encoders of Hugging Face checkpoints."""

    name: ClassVar[str] = "pretrained"
    summary: ClassVar[str] = "a Hugging Face checkpoint of the BERT, RoBERTa, DeBERTa, ModernBERT or EuroBERT families"
    defaults: ClassVar[TrainingDefaults] = TrainingDefaults(
        epochs=3, batch_size=16, learning_rate=2e-4, weight_decay=0.01, averaging=0.0, precision="native"
    )

    def accepts(self, reference: str) -> bool:
        """Whether the reference is a folder or can be a name on the hub, with or without a revision."""
        folder = expand_home(reference)
        return (path_exists(folder) and folder.is_dir()) or hub.is_model_name(reference)

    def create(self, reference: str) -> Encoder:
        """Load the checkpoint."""
        from polytag.engine.encoders.pretrained import create

        return create(reference)

    def restore(self, folder: Path) -> Encoder:
        """The network and the tokenizer of the folder."""
        from polytag.engine.encoders.pretrained import restore

        return restore(folder)

    def coder(self, reference: str) -> WordCoder:
        """Only the tokenizer; nothing else is downloaded."""
        from polytag.encoding.checkpoint import find_checkpoint
        from polytag.encoding.tokenizer import TOKENIZER_FILES, load_coder

        return load_coder(find_checkpoint(reference, files=TOKENIZER_FILES))

    def restore_coder(self, folder: Path) -> WordCoder:
        """Only the tokenizer."""
        from polytag.encoding.tokenizer import restore_coder

        return restore_coder(folder)

    def onnx_network(self) -> OnnxNetwork:
        """The network in ONNX."""
        from polytag.exporting.onnx.transformers import write_transformer

        return write_transformer

    def restores_transformers(self, folder: Path) -> bool:
        """True for any checkpoint: `restore` raises an error for unsupported families."""
        return True


class SoftmaxHead(Head):
    """Trains the probability of each unit's label by itself."""

    name: ClassVar[str] = SOFTMAX
    summary: ClassVar[str] = "cross-entropy of each unit; the default, decoded by viterbi or argmax"

    def loss(self, logits: Any, gold: Any, parameters: Parameters, sentences: SentenceWords | None) -> Any:
        """The cross-entropy of each unit, float32 (n,)."""
        from polytag.engine.losses import cross_entropy

        return cross_entropy(logits, gold)


class CrfHead(Head):
    """A linear-chain CRF over the words of a sentence, with learned transitions between their labels."""

    name: ClassVar[str] = CRF
    summary: ClassVar[str] = "likelihood of a sentence's labels, with learned transitions between neighbours"
    by_sentence: ClassVar[bool] = True

    def parameters(self, labels: Sequence[str], scheme: LabelScheme) -> Mapping[str, FloatArray]:
        """The transitions: 0 where the scheme allows them, and else a score that stays too low to be chosen.

        Float32 (labels + 1, labels + 1), from the label in the row to the one in the column; the last row is for the
        first word of a sentence, the last column for the last word.
        """
        from polytag.tagger.crf import allowed_transitions

        return {TRANSITIONS: allowed_transitions(labels, scheme)}

    def loss(self, logits: Any, gold: Any, parameters: Parameters, sentences: SentenceWords | None) -> Any:
        """The negative log-likelihood of each sentence, float32 (sentences,)."""
        from polytag.engine.crf import sentence_losses

        assert sentences is not None
        return sentence_losses(logits, gold, parameters[TRANSITIONS], sentences)

    def decode(self, scores: FloatArray, sentence_starts: NDArray[np.int64], parameters: Parameters) -> DecodedWords:
        """Marginal probabilities of words, and the most probable labels of each sentence."""
        from polytag.tagger.crf import decode_crf

        return decode_crf(scores, sentence_starts, parameters[TRANSITIONS])


@hookimpl
def polytag_readers() -> Iterable[Reader]:
    """The embedded sample corpus."""
    return [SampleReader()]


@hookimpl
def polytag_encoders() -> Iterable[EncoderProvider]:
    """The two encoders."""
    return [CompactProvider(), PretrainedProvider()]


@hookimpl
def polytag_splitters() -> Iterable[Splitter]:
    """The splitters that need no library."""
    return [StandardSplitter(), WhitespaceSplitter(), CharactersSplitter()]


@hookimpl
def polytag_heads() -> Iterable[Head]:
    """The heads `softmax` and `crf`."""
    return [SoftmaxHead(), CrfHead()]
