"""Export taggers to other runtimes; the export is checked against the tagger and written atomically."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.encoding.tensors import fingerprint
from polytag.errors import PolytagError, UnknownNameError
from polytag.exporting.example_program import example_program
from polytag.exporting.writers import WRITERS, write_onnx_in_place
from polytag.files import expand_home, new_file, remove_leftovers
from polytag.plugin.attribution import attributed
from polytag.plugin.registry import registry
from polytag.tagger.description import FILE, TaggerDescription, open_folder
from polytag.tagger.folder import check_output, replacing_folder
from polytag.tagger.forks import check_tensorflow
from polytag.tagger.heads import write_parameters
from polytag.tagger.onnx_files import FILES, describe_onnx
from polytag.tagger.runtimes import LITERT_FILE, ONNX_FILE, require_extra
from polytag.tagger.tagger import Tagger

FORMATS = ("savedmodel", "onnx", "litert", "transformers")
QUANTISATIONS = ("int8",)
LARGEST_GRAPH = 2_000_000_000
"""Maximum bytes of weights in a file for ONNX Runtime or LiteRT: the limit of Protocol Buffers, with a margin."""

LOWEST_AGREEMENT = {None: 0.999, "int8": 0.95}
"""Minimum share of words per task with the same tag as the tagger, without and with quantisation."""

_SENTENCES = 200
_PACKAGES = {"onnx": ("onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}


@dataclass(frozen=True, slots=True)
class Export:
    """The result of an export, with its agreement with the tagger.

    Attributes:
        output: The folder.
        to: The format.
        quantize: `int8`, or None.
        runtime: The runtime in which the export was checked.
        corpus: The corpus on which the export was checked.
        sentences, words: Number of sentences and words in the check.
        agreement: Share of words per task with the same tag, 0..1.
    """

    output: Path
    to: str
    quantize: str | None
    runtime: str
    corpus: str = ""
    sentences: int = 0
    words: int = 0
    agreement: dict[str, float] = field(default_factory=dict)


@attributed
def export(
    tagger: Tagger | str | Path,
    output: str | Path | None = None,
    to: str = "onnx",
    *,
    task: str | None = None,
    quantize: str | None = None,
    corpus: Corpus | str = "sample",
    overwrite: bool = False,
    in_place: bool = False,
) -> Export:
    """Export a tagger to another runtime, with its labels and a program that runs it, and check the result.

    The tags of 200 sentences are compared with the tags of the tagger, with the same decoding. If less than 99.9% of
    words agree (95% with `int8`, which is lossy), the export fails and nothing is written.

    Args:
        tagger: A tagger, its folder, or its name on the hub.
        output: Folder to write to.
        to: One of `FORMATS`.
        task: Export only this task; required for transformers if the tagger has several, as its models have one task.
        quantize: `int8` for 8-bit weights; only with onnx.
        corpus: The corpus for the check: its test split is used, or else the last one.
        overwrite: Whether to replace an existing tagger or export.
        in_place: Write an ONNX model into the tagger's own folder instead, `onnx/model.onnx` or
            `onnx/model_quantized.onnx`; the tagger then runs without TensorFlow.

    Raises:
        PolytagError: An argument is unknown or does not fit, a package is missing, the folder cannot be written, or the
            export disagrees with the tagger.
    """
    if to not in FORMATS:
        raise UnknownNameError("export format", to, FORMATS)
    if quantize is not None and (quantize not in QUANTISATIONS or to != "onnx"):
        raise PolytagError(f"{to} has no quantisation {quantize!r}. Only onnx can be quantised, to int8.")
    require_packages(to)
    check_tensorflow()
    if in_place:
        if output is not None or to != "onnx" or task is not None:
            raise PolytagError(
                "An export in place is an ONNX model of all tasks in the tagger's own folder. Leave out the output "
                "folder, the task and other formats, or leave out --in-place."
            )
        return _export_in_place(tagger, quantize, corpus)
    if output is None:
        raise PolytagError("Name the folder to write the export to, or write it into the tagger's with --in-place.")
    folder = expand_home(output)
    if not isinstance(tagger, Tagger):
        _check_elsewhere(expand_home(tagger), folder)
        tagger, _ = open_folder(tagger)
    check_output(folder, overwrite)
    chosen = _chosen(tagger if isinstance(tagger, Tagger) else Tagger.load(tagger, runtime="tensorflow"), task)
    if to == "transformers":
        _check_transformers(chosen)
    elif to != "savedmodel":
        _check_size(chosen, to)
    loaded = as_corpus(corpus, splitter=chosen.splitter)
    with replacing_folder(folder, overwrite) as temporary:
        runtime, exported = WRITERS[to](chosen, temporary, quantize)
        result = _checked(chosen, exported, loaded, Export(folder, to, quantize, runtime))
        if to != "transformers":
            _describe(chosen, temporary, result)
    return result


def suits_onnx(tagger: Tagger) -> bool:
    """Whether a tagger that was just trained gets an ONNX model without being asked for one.

    It does if it is a checkpoint of transformers, if the packages are installed, and if the weights fit. `compact`
    needs none, since it runs in NumPy; the folder of an adapter is meant to stay small.
    """
    encoder = tagger.network.encoder
    return (
        encoder.transformers_layout
        and encoder.adapter() is None
        and all(importlib.util.find_spec(package) is not None for package in _PACKAGES["onnx"])
        and registry().encoders[encoder.provider].onnx_network() is not None
        and _size(tagger) <= LARGEST_GRAPH
    )


def add_onnx(
    tagger: Tagger,
    folder: Path,
    quantize: str | None = None,
    corpus: Corpus | str = "sample",
    output: Path | None = None,
    sentences: int = _SENTENCES,
    preferred: bool = True,
) -> Export:
    """Write an ONNX model into a folder with a tagger, and its fingerprints into `polytag.json`.

    Args:
        tagger: The tagger, with its network in TensorFlow.
        folder: A folder that has just been written, and that nobody reads yet.
        quantize, corpus: As for `export`.
        output: The final path of the folder, for messages.
        sentences: Number of sentences to check it on.
        preferred: Whether the tagger is run with it where nobody chooses a runtime.

    Raises:
        PolytagError: A package is missing, the weights are too large, or the model disagrees with the tagger.
    """
    require_packages("onnx")
    _check_size(tagger, "onnx")
    file = FILES["onnx-int8" if quantize else "onnx"]
    running = write_onnx_in_place(tagger, folder / file, quantize)
    loaded = as_corpus(corpus, splitter=tagger.splitter)
    result = Export(output or folder, "onnx", quantize, "ONNX Runtime")
    result = _checked(tagger, running, loaded, result, sentences)
    description = TaggerDescription.read(folder, installed=False)
    described = describe_onnx(folder, file, preferred, checked=_check_of(result))
    update = {"weights": described.weights, "onnx": {**description.onnx, file: described}}
    description = description.model_copy(update=update)
    with new_file(folder / FILE) as sink:  # without it, the folder is still that of a tagger, also on a full disk
        sink.write(description.to_json())
    return result


def _export_in_place(tagger: Tagger | str | Path, quantize: str | None, corpus: Corpus | str) -> Export:
    folder = None if isinstance(tagger, Tagger) else expand_home(tagger)
    if folder:
        remove_leftovers(folder)
    if folder is None or not folder.is_dir():
        raise PolytagError(
            "An export in place needs the folder of a tagger on this machine. Name it, or export to a folder of its "
            "own without --in-place."
        )
    if TaggerDescription.read(folder).export or not (folder / FILE).is_file():
        raise PolytagError(
            f"{str(folder)!r} is not a tagger that polytag trained, but an export or a token classifier of "
            "transformers. Name the tagger it was made from, or export it to a folder of its own without --in-place."
        )
    loaded = Tagger.load(folder, runtime="tensorflow")
    corpus = as_corpus(corpus, splitter=loaded.splitter)
    with replacing_folder(folder, overwrite=True) as temporary:
        _copy(folder, temporary)
        return add_onnx(loaded, temporary, quantize, corpus, output=folder)


def _copy(folder: Path, to: Path) -> None:
    """Copy what a folder has into another one.

    Raises:
        PolytagError: A file cannot be copied.
    """
    try:
        shutil.copytree(folder, to, dirs_exist_ok=True)
    except shutil.Error as error:  # a list of the errors of all files, as text: one tells users enough
        name, _, problem = error.args[0][0]
        number = re.match(r"\[Errno (\d+)\]", problem)
        why = os.strerror(int(number[1])) if number else problem
        raise PolytagError(
            f"An export in place writes the folder anew, and {name} cannot be copied: {why}. Make room, or repair or "
            "remove this file."
        ) from error


def _check_elsewhere(tagger: Path, output: Path) -> None:
    """Refuse an export that would replace the tagger itself, which cannot be made of it again."""
    if tagger.is_dir() and output.is_dir() and tagger.samefile(output):
        raise PolytagError(
            f"{str(output)!r} is the folder of the tagger itself, which the export would replace. Choose another "
            "folder, or write an ONNX model into this one with --in-place."
        )


def _checked(tagger: Tagger, exported: Tagger, corpus: Corpus, result: Export, n_sentences: int = _SENTENCES) -> Export:
    """Compare the tags of an export with the tags of the tagger, and return the result with the agreement.

    Raises:
        PolytagError: They disagree.
    """
    split = corpus.default_split()
    sentences, documents = corpus.words(split)[:n_sentences], corpus.documents(split)
    expected = tagger.predict_tags(sentences, documents and documents[:n_sentences])
    found = exported.predict_tags(sentences, documents and documents[:n_sentences])
    agreement = {name: _share(expected[name], found[name]) for name in tagger.heads}
    words = sum(map(len, sentences))
    result = replace(result, corpus=corpus.reference, sentences=len(sentences), words=words, agreement=agreement)
    _check_agreement(result)
    return result


def require_packages(to: str) -> None:
    """Check that the packages for an export format are installed.

    Raises:
        PolytagError: One is missing.
    """
    require_extra(*_PACKAGES.get(to, ()))


def _check_size(tagger: Tagger, to: str) -> None:
    if (size := _size(tagger)) > LARGEST_GRAPH:
        raise PolytagError(
            f"The weights of this tagger take {size / 1e9:.1f} GB, and a file for {to} can have at most "
            f"{LARGEST_GRAPH / 1e9:.1f} GB. Export to savedmodel or transformers, or train with a smaller encoder."
        )


def _size(tagger: Tagger) -> int:
    """Bytes of the weights."""
    return 4 * tagger.network.n_parameters


def _chosen(tagger: Tagger, task: str | None) -> Tagger:
    network = tagger.network
    if task is None or list(tagger.heads) == [task]:
        return tagger
    if task not in tagger.heads:
        raise UnknownNameError("task of this tagger", task, tagger.heads)
    return replace(tagger, model=network.only(task), heads={task: tagger.heads[task]})


def _check_transformers(tagger: Tagger) -> None:
    if not tagger.network.encoder.transformers_layout:
        raise PolytagError(
            "Only taggers with a pretrained encoder can be exported to transformers; it has no encoder like this one. "
            "Choose savedmodel, onnx or litert."
        )
    if kinds := [tagger.heads[task].kind for task, own in tagger.network.head_parameters.items() if own]:
        raise PolytagError(
            f"A transformers checkpoint has no place for the parameters of the head {kinds[0]!r}, without which its "
            "tags would be others. Choose savedmodel, onnx or litert."
        )
    if len(tagger.heads) > 1:
        raise PolytagError(
            f"A transformers checkpoint has one task, and this tagger has {', '.join(tagger.heads)}. Choose one with "
            "--task, and export each separately."
        )


def _share(expected: list[list[str]], found: list[list[str]]) -> float:
    pairs = [pair for sides in zip(expected, found, strict=True) for pair in zip(*sides, strict=True)]
    return sum(own == other for own, other in pairs) / max(len(pairs), 1)


def _check_agreement(result: Export) -> None:
    lowest = LOWEST_AGREEMENT[result.quantize]
    low = {name: share for name, share in result.agreement.items() if share < lowest}
    if low:
        shares = ", ".join(f"{name} {share:.2%}" for name, share in low.items())
        advice = "Export without --quantize" if result.quantize else "Report this, with the checkpoint's config.json"
        raise PolytagError(
            f"The export disagrees with the tagger: on {result.words:,} words of {result.corpus!r} only {shares} have "
            f"the same tag in {result.runtime}, and at least {lowest:.1%} must. Nothing was written. {advice}."
        )


def _check_of(result: Export) -> dict[str, object]:
    names = ("runtime", "corpus", "sentences", "words", "agreement")
    return {name: getattr(result, name) for name in names}


def _describe(tagger: Tagger, folder: Path, result: Export) -> None:
    """Write the other files of the export, in addition to the network."""
    encoder = tagger.network.encoder
    encoder.export_files(folder)
    labels = {name: list(head.labels) for name, head in tagger.heads.items()}
    exported = {"to": result.to, "quantize": result.quantize, "checked": _check_of(result)}
    description = replace(tagger, details={**tagger.details, "export": exported}).description()
    network = folder / {"onnx": ONNX_FILE, "litert": LITERT_FILE}.get(result.to, "")
    if network.is_file():
        description = description.model_copy(update={"weights": fingerprint(network)})
    texts = {
        "labels.json": json.dumps(labels, indent=2, ensure_ascii=False) + "\n",
        FILE: description.to_json(),
    }
    if encoder.example_inputs is not None:
        texts["example.py"] = example_program(result.to, encoder.example_inputs, tagger.heads)
    write_parameters(tagger.network.head_parameters, folder)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
