"""Contracts of encoders and their providers."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.errors import PolytagError
from polytag.plugin.encoder import Encoder, EncoderProvider, WordCoder
from polytag.plugin.networks import AtPositions, InBulk, OnnxNetwork
from polytag.plugin.onnx_graph import OnnxGraph
from polytag.plugin.task import Task
from polytag.publishing.uploads import is_part
from polytag.testing.contracts import BrokenContractError, Contract, NotCheckableError, Workbench
from polytag.testing.tasks import write_corpus

_WORDS = ["Peter", "sleeps", "in", "Zürich", "\u200b", "\x01", "日本", "un" * 40, "."]
_TOLERANCE = 1e-4
"""Tolerance between two computations of the same vectors."""


def _encodes(provider: EncoderProvider, bench: Workbench) -> None:
    encoder = _create(provider, bench)
    for words in (_WORDS, [], ["\x00"]):
        units = encoder.encode(words)
        if units.ids.dtype != np.int32 or units.counts.dtype != np.int32:
            raise BrokenContractError(
                f"encode({words}) gives ids of type {units.ids.dtype} and counts of type {units.counts.dtype}, and "
                "both have to be int32."
            )
        if units.counts.shape != (len(words),) or (units.counts < 1).any():
            raise BrokenContractError(
                f"encode({words}) gives the counts {units.counts.tolist()}: each of the {len(words)} words needs at "
                "least one unit, also a word that the encoder cannot tokenise."
            )
        if units.ids.shape != (int(units.counts.sum()), encoder.n_features):
            raise BrokenContractError(
                f"encode({words}) gives ids of shape {units.ids.shape}, but its counts and n_features require "
                f"{(int(units.counts.sum()), encoder.n_features)}."
            )


def _ignores_padding(provider: EncoderProvider, bench: Workbench) -> None:
    encoder = _create(provider, bench)
    alone, padded = _vectors(encoder, 0), _vectors(encoder, 5)
    if alone.shape != padded.shape or alone.ndim != 2:
        raise BrokenContractError(f"network() gives vectors of the shapes {alone.shape} and {padded.shape}, padded.")
    if (worst := float(np.abs(alone - padded).max())) > _TOLERANCE:
        raise BrokenContractError(
            f"The vectors of a sentence change by up to {worst:.2g} when padding follows it: `mask` is ignored."
        )


def _keeps_to_its_call(provider: EncoderProvider, bench: Workbench) -> None:
    encoder = _create(provider, bench)
    network = encoder.network
    ids, mask = _padded([encoder.encode(words).ids for words in (_WORDS[:4], _WORDS[:2])], encoder.padding)
    vectors = np.asarray(network(ids, mask, training=False))
    if isinstance(network, AtPositions):
        flat = vectors.reshape(-1, vectors.shape[-1])
        for wanted in (np.flatnonzero(mask)[::-2].astype(np.int32), np.zeros(0, dtype=np.int32)):
            some = network.at(ids, mask, wanted, training=False)
            _compare(f"at() of the positions {wanted.tolist()}", np.asarray(some), flat[wanted])
    elif isinstance(network, InBulk):
        _compare("in_bulk()", np.asarray(network.in_bulk(ids, mask))[mask], vectors[mask])
    if (make := provider.numpy_network()) is not None:
        found = make(encoder.tensors())(ids, mask, np.flatnonzero(mask))
        _compare("the network of numpy_network()", found, vectors[mask])
    if (write := provider.onnx_network()) is not None and _can_run_onnx():
        _compare("the network of onnx_network()", _in_onnx_runtime(encoder, write, ids, mask)[mask], vectors[mask])


def _can_run_onnx() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def _in_onnx_runtime(encoder: Encoder, write: OnnxNetwork, ids: NDArray[Any], mask: NDArray[Any]) -> NDArray[Any]:
    """The vectors of a network in ONNX."""
    import onnxruntime

    graph = OnnxGraph(encoder.n_features)
    graph.set_output("vectors", write(graph, encoder.config(), encoder.tensors()), encoder.width)
    session = onnxruntime.InferenceSession(graph.serialize(), providers=["CPUExecutionProvider"])
    given = {graph.ids: ids.squeeze(-1) if encoder.n_features == 1 else ids, graph.mask: mask}
    found = session.run(["vectors"], {name: values.astype(np.int64) for name, values in given.items()})[0]
    return np.asarray(found)


def _compare(call: str, given: NDArray[Any], expected: NDArray[Any]) -> None:
    if given.shape != expected.shape:
        raise BrokenContractError(f"{call} gives an array of shape {given.shape}, and must give {expected.shape}.")
    if (worst := float(np.abs(given - expected).max(initial=0))) > _TOLERANCE:
        raise BrokenContractError(f"{call} gives vectors that differ from a call by up to {worst:.2g}.")


def _says_what_it_is(provider: EncoderProvider, bench: Workbench) -> None:
    encoder = _create(provider, bench)
    if (found := _vectors(encoder, 0).shape[-1]) != encoder.width:
        raise BrokenContractError(f"Its width is {encoder.width}, but its network gives vectors of width {found}.")
    if encoder.transformers_layout:
        from transformers import AutoConfig
        from transformers.models.auto.modeling_auto import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES as CLASSES

        family = encoder.config().get("model_type")
        if CLASSES.get(family) != encoder.architecture():
            raise BrokenContractError(
                f"It has the layout of transformers, but transformers has no {encoder.architecture()!r} for the "
                f"model type {family!r}."
            )
        AutoConfig.for_model(**encoder.config())


def _encodes_elsewhere(provider: EncoderProvider, bench: Workbench) -> None:
    encoder = _create(provider, bench)
    encoder.export_files(bench.folder)
    (tagger := bench.folder / "tagger").mkdir()
    encoder.save_files(tagger)
    (tagger / "config.json").write_text(json.dumps(encoder.config()), encoding="utf-8")
    restored = {
        "restore_coder() of what export_files() wrote": provider.restore_coder(bench.folder),
        "restore_coder() of a tagger's folder": provider.restore_coder(tagger),
    }
    expected = _encoded(encoder)
    for call, coder in {"coder() of its reference": provider.coder(_reference(provider, bench)), **restored}.items():
        if (found := _encoded(coder)) != expected:
            raise BrokenContractError(f"{call} encodes {_WORDS} as {found}, and the encoder as {expected}.")
    for call, coder in restored.items():
        if coder.max_units != encoder.max_units:
            raise BrokenContractError(
                f"{call} has windows of {coder.max_units} units, and the encoder of {encoder.max_units}."
            )
    written = [path.relative_to(place).as_posix() for place in (bench.folder, tagger) for path in place.iterdir()]
    if undeclared := [name for name in written if name != "tagger" and not is_part(name, provider.files)]:
        raise BrokenContractError(f"It writes {undeclared[0]!r}, which `files` of its provider does not name.")
    if encoder.example_inputs is not None:
        _example_runs(encoder, bench.folder)


def _encoded(coder: WordCoder) -> tuple[object, ...]:
    ids, counts = coder.encode(_WORDS)
    return ids.tolist(), counts.tolist(), coder.n_features, coder.before, coder.after


def _example_runs(encoder: Encoder, folder: Path) -> None:
    """Run the part of example.py that encodes words, on words that every encoder can tokenise."""
    example = encoder.example_inputs
    assert example is not None
    defined: dict[str, Any] = {"np": np, "json": json, "DTYPE": np.int32, "FOLDER": folder}
    with _importable(folder):
        exec(example.imports + example.code, defined)
    words = _WORDS[:3]
    inputs, positions = defined["inputs"](words)
    ids, counts = encoder.encode(words)
    name = "input_ids" if encoder.n_features == 1 else "feature_ids"
    if set(inputs) != {name, "attention_mask"}:
        raise BrokenContractError(f"inputs() of its example_inputs gives {sorted(inputs)}, not {name}, attention_mask.")
    rows = np.asarray(inputs[name]).reshape(-1, encoder.n_features)
    found = rows[[position for of_word in positions for position in of_word]]
    if found.tolist() != ids.tolist() or [len(of_word) for of_word in positions] != counts.tolist():
        raise BrokenContractError(f"inputs() of its example_inputs does not encode {words} as encode() does.")


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules in a folder can be imported in the block, and are removed after it."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


def _restores(provider: EncoderProvider, bench: Workbench) -> None:
    encoder, other = _create(provider, bench), _create(provider, bench)
    vectors = _vectors(encoder, 0)
    _ = other.network
    other.assign({name: np.array(tensor) for name, tensor in encoder.tensors().items()})
    if float(np.abs(_vectors(other, 0) - vectors).max()) > _TOLERANCE:
        raise BrokenContractError("assign() of another encoder's tensors() does not give the same vectors.")


def _trains(provider: EncoderProvider, bench: Workbench) -> None:
    import polytag

    if (named := _create(provider, bench).provider) != provider.name:
        raise BrokenContractError(
            f"In its encoders, the attribute `provider` is {named!r}: a tagger would be loaded by another provider "
            f"than {provider.name!r}."
        )
    task: Task = bench.registry.tasks["ner"]
    output = bench.folder / "tagger"
    corpus = write_corpus(task, bench.registry, bench.folder / "corpus")
    result = polytag.train(
        task="ner",
        corpus=str(corpus),
        reader="jsonl",
        output=output,
        encoder=_reference(provider, bench),
        epochs=1,
        quiet=True,
    )
    before = result.tagger.predict_tags([_WORDS])
    if (after := polytag.Tagger.load(output, runtime="tensorflow").predict_tags([_WORDS])) != before:
        raise BrokenContractError(f"A tagger with it predicts {before}, and after saving and loading {after}.")


CONTRACTS = (
    Contract("encoder", "every word has units", _encodes),
    Contract("encoder", "padding changes nothing", _ignores_padding),
    Contract(
        "encoder", "at(), in_bulk(), numpy_network() and onnx_network() give the vectors of a call", _keeps_to_its_call
    ),
    Contract("encoder", "its declared properties are correct", _says_what_it_is),
    Contract("encoder", "an export encodes words in the same way", _encodes_elsewhere),
    Contract("encoder", "weights can be read and assigned", _restores),
    Contract("encoder", "a tagger with it can be trained, saved and loaded", _trains),
)


def _reference(provider: EncoderProvider, bench: Workbench) -> str:
    reference = str(bench.encoders.get(provider.name, provider.name))
    if not provider.accepts(reference):
        raise NotCheckableError(_missing(provider))
    return reference


def _create(provider: EncoderProvider, bench: Workbench) -> Encoder:
    reference = _reference(provider, bench)
    try:
        return provider.create(reference)
    except PolytagError:
        if provider.name in bench.encoders:
            raise
        raise NotCheckableError(_missing(provider)) from None


def _missing(provider: EncoderProvider) -> str:
    return (
        "It loads checkpoints. Name a small one in `encoders` of the PluginConformance test: "
        f'encoders = {{"{provider.name}": "tests/checkpoint"}}.'
    )


def _vectors(encoder: Encoder, padding: int) -> NDArray[Any]:
    """float32 (units, width): the network's vectors of one sentence, followed by `padding` padded positions."""
    units = encoder.encode(_WORDS[:4]).ids
    ids, mask = _padded([units], encoder.padding, len(units) + padding)
    vectors: NDArray[Any] = np.asarray(encoder.network(ids, mask, training=False))
    return vectors[0, : len(units)]


def _padded(
    sentences: Sequence[NDArray[np.int32]], padding: int, length: int = 0
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """ids, int32 (sentences, length, n_features), and mask, bool (sentences, length)."""
    lengths = np.array([len(units) for units in sentences])
    mask = np.arange(max(length, *lengths))[np.newaxis] < lengths[:, np.newaxis]
    ids = np.full((*mask.shape, sentences[0].shape[1]), padding, dtype=np.int32)
    ids[mask] = np.concatenate(sentences)
    return ids, mask
