"""The tagger: an encoder with its heads; loading, saving and tagging."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from polytag.encoding.features import Features, featurise
from polytag.encoding.split_text import SplitText
from polytag.encoding.splitters import split_function
from polytag.encoding.windows import Context
from polytag.errors import PolytagError
from polytag.files import expand_home
from polytag.plugin.attribution import attributed
from polytag.plugin.encoder import Units, WordCoder
from polytag.plugin.splitter import STANDARD
from polytag.tagger.arguments import LOOK_AHEAD, check_alternatives, check_look_ahead, check_min_score, sentences_of
from polytag.tagger.chunks import sentence_chunks
from polytag.tagger.decoder import Decoder, Prediction, units_needed
from polytag.tagger.description import TaggerDescription, open_folder
from polytag.tagger.folder import replacing_folder
from polytag.tagger.forks import check_tensorflow
from polytag.tagger.heads import TaskHead, summary
from polytag.tagger.numpy_model import NumpyModel
from polytag.tagger.open_model import open_model
from polytag.tagger.packing import PackedModel
from polytag.tagger.parts import joined_words, parsed_text
from polytag.tagger.results import TaggedText, tagged_texts
from polytag.tagger.runtimes import ExportedModel, Scorer, choose_runtime, on_devices, runtime_of_device
from polytag.tagger.saving import write_files
from polytag.tagger.text_columns import is_dataset, tagged_dataset, texts_of
from polytag.tagger.token_classifiers import LabelNames
from polytag.tagger.viterbi import check_decoding

if TYPE_CHECKING:
    import datasets

    from polytag.engine.model import TaggerModel


@dataclass(eq=False, repr=False)
class Tagger:
    """A trained tagger.

    Attributes:
        heads: The head of each task: its labels and how its scores are decoded.
        context: The content of a window: one sentence, or consecutive sentences of a document.
        window: Maximum number of units per window; None for the maximum of the encoder.
        min_score: Spans with a lower probability are dropped when text is tagged; their words count as outside.
        details: Further content of `polytag.json`: the corpus, versions, scores.
        splitter: Name of the splitter of raw text.
    """

    # Encoder and heads with their weights, in TensorFlow or NumPy, or an export of them. It is not public.
    model: TaggerModel | ExportedModel | NumpyModel
    heads: Mapping[str, TaskHead]
    context: Context = "sentence"
    window: int | None = None
    min_score: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)
    splitter: str = STANDARD

    def __post_init__(self) -> None:
        check_min_score(self.min_score)

    def __repr__(self) -> str:
        return summary(self.heads, self.model)

    def decoded_by(self, decoding: str) -> Tagger:
        """The same tagger with another decoding."""
        return replace(self, heads={name: head.decoded_by(decoding) for name, head in self.heads.items()})

    @property
    def encoder(self) -> WordCoder:
        """The encoder; in runtimes other than TensorFlow, only the part that converts words into units."""
        return self.model.encoder

    @property
    def network(self) -> TaggerModel:
        """Encoder and heads in TensorFlow; for a tagger in NumPy, made when they are first needed.

        Raises:
            PolytagError: The tagger is an export.
        """
        return self.scorer.network

    @property
    def runtime(self) -> str:
        """The name of the runtime that computes the network: `tensorflow`, `onnx`, `onnx-int8` or `numpy`."""
        return self.model.runtime

    @cached_property
    def decoders(self) -> dict[str, Decoder]:
        """The decoder of each task."""
        parameters = self.model.head_parameters
        return {task: Decoder(head, parameters.get(task)) for task, head in self.heads.items()}

    @cached_property
    def scorer(self) -> Scorer:
        """Computes the probabilities of labels."""
        return self.model.scorer()

    @classmethod
    @attributed
    def load(
        cls,
        folder: str | Path,
        decoding: str | None = None,
        min_score: float = 0.0,
        task: str | None = None,
        labels: LabelNames | None = None,
        runtime: str | None = None,
        device: str | None = None,
    ) -> Tagger:
        """Load a tagger that `save` wrote, an export to ONNX, or a token classifier of transformers.

        Nothing in the folder is executed.

        Args:
            folder: The folder, or the name of a model on the hub, with or without `@revision`.
            decoding: The decoding, `viterbi`, `argmax`, or the one it was trained for; the tagger's own if None.
            min_score: Spans with a lower probability are dropped when text is tagged, 0..1.
            task: Name of a token classifier's task, if its labels do not determine it.
            labels: Names of a token classifier's labels in id order, or a file of them, if it has none or different
                ones.
            runtime: `tensorflow`, `onnx`, `onnx-int8` or `numpy`; by default `onnx` for an export; else `numpy` if the
                encoder can; else `onnx` if the folder has `onnx/model.onnx` and ONNX Runtime is installed; else
                `tensorflow`.
            device: The devices of the runtime `tensorflow`, as in `polytag train --device`; by default all GPUs, or the
                processor. GPUs select that runtime.

        Raises:
            TaggerError: The folder is not a tagger, is damaged, was written by a newer version, or is for another
                runtime.
            PolytagError: The decoding or runtime does not exist, the runtime is not installed, or the task or labels do
                not fit.
        """
        check_decoding(decoding)
        check_min_score(min_score)
        path, description = open_folder(folder, task, labels)
        heads = description.heads(decoding)
        chosen = choose_runtime(path, description, runtime_of_device(device, runtime))
        model = on_devices(device, chosen, partial(open_model, path, description, chosen, heads))
        details, splitter = description.details, description.splitter
        return cls(model, heads, description.context, description.window, min_score, details, splitter)

    @overload
    def tag(  # type: ignore[overload-overlap]  # a str is an Iterable[str] too
        self, texts: str, *, lines: bool = False, alternatives: int = 0
    ) -> TaggedText: ...
    @overload
    def tag(self, texts: Iterable[str], *, lines: bool = False, alternatives: int = 0) -> list[TaggedText]: ...
    @overload
    def tag(self, texts: datasets.Dataset, column: str | None = None, *, lines: bool = False) -> datasets.Dataset: ...
    def tag(
        self,
        texts: str | Iterable[str] | datasets.Dataset,
        column: str | None = None,
        *,
        lines: bool = False,
        alternatives: int = 0,
    ) -> TaggedText | list[TaggedText] | datasets.Dataset:
        """Tag raw text: one text or many.

        Texts are split into sentences and words; offsets refer to the original text.

        Args:
            texts: A text; a list, an iterator, a numpy array, a pandas Series or a pyarrow column of texts; or a
                `datasets.Dataset`.
            column: The column of texts in a dataset; by default `text`, or the only column of strings.
            lines: Tag each line of a text as a text of its own: no sentence and no span crosses a line end.
            alternatives: Number of most probable labels to give for each word of each task, in
                `TaggedText.alternatives`; not for datasets.

        Returns:
            The tagged text; a list of tagged texts; or the dataset with the additional columns `spans`, `words`,
            `offsets`, `sentence_starts`, `tags` and `scores`, on disk if the dataset is on disk.

        Raises:
            PolytagError: An item is not a string, the column does not exist, or a column to be added already exists.
        """
        if isinstance(texts, str):
            return next(self.stream([texts], lines=lines, alternatives=alternatives))
        if is_dataset(texts):
            if alternatives:
                raise PolytagError("A dataset has no column for alternatives. Tag its column: dataset['text'].")
            return tagged_dataset(texts, column, self.heads, partial(self.stream, lines=lines))
        if column is not None:
            raise PolytagError(
                f"A column ({column!r}) can be chosen only in a datasets.Dataset. Give the column itself."
            )
        return list(self.stream(texts, lines=lines, alternatives=alternatives))

    __call__ = tag

    def tag_words(
        self, sentences: Iterable[Sequence[str]], documents: Iterable[int] | None = None, *, alternatives: int = 0
    ) -> list[TaggedText]:
        """Tag sentences that are already split into words.

        Args:
            sentences: The sentences.
            documents: The document of each sentence. A tagger trained with document context reads consecutive sentences
                of a document together. By default each sentence is tagged alone.
            alternatives: Number of labels to give for each word, as in `tag`.

        Raises:
            PolytagError: A sentence is not a list of strings, or `documents` has not one integer per sentence.
        """
        return list(self.stream_words(sentences, documents=documents, alternatives=alternatives))

    def stream(
        self, texts: Iterable[str], look_ahead: int = LOOK_AHEAD, *, lines: bool = False, alternatives: int = 0
    ) -> Iterator[TaggedText]:
        """Tag texts one by one, in constant memory.

        Args:
            texts: The texts: a list, an iterator, a numpy array, a pandas Series or a pyarrow column.
            look_ahead: Number of texts tagged together: many for speed, one for the earliest results.
            lines, alternatives: As in `tag`.
        """
        check_look_ahead(look_ahead)
        check_alternatives(alternatives)
        iterator, split = texts_of(texts), split_function(self.splitter)
        while chunk := list(islice(iterator, look_ahead)):
            found, sentences, documents = list[SplitText](), list[list[str]](), list[int]()
            for text in chunk:
                one, numbers = parsed_text(text, split, lines)
                first = documents[-1] + 1 if documents else 0
                found.append(one)
                sentences += one.sentences
                documents += [first + number for number in numbers]
            _, predictions = self.predict(sentences, documents, alternatives)
            yield from tagged_texts(found, predictions, self.decoders, self.min_score)

    def stream_words(
        self,
        sentences: Iterable[Sequence[str]],
        look_ahead: int = LOOK_AHEAD,
        documents: Iterable[int] | None = None,
        *,
        alternatives: int = 0,
    ) -> Iterator[TaggedText]:
        """Tag sentences of words one by one, in constant memory.

        Args:
            sentences: The sentences.
            look_ahead: Number of sentences tagged together.
            documents, alternatives: As in `tag_words`.

        Raises:
            PolytagError: As `tag_words`.
        """
        check_look_ahead(look_ahead)
        check_alternatives(alternatives)
        alone = documents is None
        for chunk in sentence_chunks(sentences_of(sentences, documents), look_ahead, whole_documents=not alone):
            texts = [joined_words(words) for words, _ in chunk]
            # `len` because tables give arrays, which have no truth value.
            filled = [(words, document) for words, document in chunk if len(words)]
            numbers = None if alone else [document for _, document in filled]
            _, predictions = self.predict([words for words, _ in filled], numbers, alternatives)
            yield from tagged_texts(texts, predictions, self.decoders, self.min_score)

    @attributed
    def predict(
        self,
        sentences: Sequence[Sequence[str]],
        documents: Sequence[int] | None = None,
        alternatives: int = 0,
        units: Units | None = None,
    ) -> tuple[Features, dict[str, Prediction]]:
        """Predict the tags of each task for sentences of words, as flat arrays, and return the features too.

        `units`: the units of all words, if they are known already; the sentences are not checked again then.

        Raises:
            PolytagError: As `tag_words`.
        """
        if self.runtime == "tensorflow":
            check_tensorflow()
        packed = documents if self.context == "document" else None
        if units is None:
            sentences = [words for words, _ in sentences_of(sentences, documents)]
        features = featurise(self.encoder, sentences, packed, self.window, units)
        # A word that is one unit is read in that unit, whatever the alignment.
        wanted = None if self.encoder.unit == "word" else units_needed(self.decoders.values(), features)
        scores = self.scorer.predict(features, wanted)
        decoders = self.decoders.items()
        return features, {task: decoder.decode(scores[task], features, alternatives) for task, decoder in decoders}

    def predict_tags(
        self, sentences: Sequence[Sequence[str]], documents: Sequence[int] | None = None
    ) -> dict[str, list[list[str]]]:
        """Predict the tags of each task: one per word of every sentence."""
        features, predictions = self.predict(sentences, documents)
        return {
            task: self.decoders[task].sentences(prediction.labels, features) for task, prediction in predictions.items()
        }

    def save(
        self,
        folder: str | Path,
        files: Mapping[str, str] | None = None,
        overwrite: bool = False,
        complete: Callable[[Path], object] | None = None,
    ) -> None:
        """Write the tagger. The write is atomic: a reader of the folder sees all files or none.

        Args:
            folder: The folder. It must not exist, or be empty, or, with `overwrite`, contain a tagger.
            files: Further text files, by name.
            overwrite: Whether to replace an existing tagger.
            complete: Called with the folder before it is seen, to write more files into it.

        Raises:
            PolytagError: The folder is in use, or cannot be written.
        """
        network, description = self.network, self.description()
        with replacing_folder(expand_home(folder), overwrite) as temporary:
            write_files(temporary, network, self.heads, description, files or {})
            if complete:
                complete(temporary)

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name != "scorer"}
        if self.runtime == "tensorflow":
            state["model"] = PackedModel.of(self.network, self.heads)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if isinstance(self.model, PackedModel):
            self.model = self.model.unpacked()

    def description(self) -> TaggerDescription:
        """The content of `polytag.json`."""
        origin = self.model if isinstance(self.model, NumpyModel) else self.network.encoder
        return TaggerDescription.of(
            self.heads, origin.provider, origin.reference, self.context, self.window, self.details, self.splitter
        )
