"""Export taggers to other runtimes; the export is checked against the tagger and written atomically."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

from polytag.corpus.corpus import Corpus, as_corpus
from polytag.errors import PolytagError, UnknownNameError
from polytag.exporting.example_program import example_program
from polytag.exporting.writers import WRITERS
from polytag.files import expand_home
from polytag.tagger.description import FILE, open_folder
from polytag.tagger.folder import check_output, replacing_folder
from polytag.tagger.runtimes import require_extra
from polytag.tagger.tagger import Tagger

FORMATS = ("savedmodel", "onnx", "litert", "transformers")
QUANTISATIONS = ("int8",)
LARGEST_GRAPH = 2_000_000_000
"""Maximum bytes of weights in a file for ONNX Runtime or LiteRT: the limit of Protocol Buffers, with a margin."""

LOWEST_AGREEMENT = {None: 0.999, "int8": 0.95}
"""Minimum share of words per task with the same tag as the tagger, without and with quantisation."""

_SENTENCES = 200
_PACKAGES = {"onnx": ("tf2onnx", "onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}


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
    corpus: str
    sentences: int
    words: int
    agreement: dict[str, float]


def export(
    tagger: Tagger | str | Path,
    output: str | Path,
    to: str,
    *,
    task: str | None = None,
    quantize: str | None = None,
    corpus: Corpus | str = "sample",
    overwrite: bool = False,
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

    Raises:
        PolytagError: An argument is unknown or does not fit, a package is missing, the folder cannot be written, or the
            export disagrees with the tagger.
    """
    folder = expand_home(output)
    if to not in FORMATS:
        raise UnknownNameError("export format", to, FORMATS)
    if quantize is not None and (quantize not in QUANTISATIONS or to != "onnx"):
        raise PolytagError(f"{to} has no quantisation {quantize!r}. Only onnx can be quantised, to int8.")
    require_extra(*_PACKAGES.get(to, ()))
    if not isinstance(tagger, Tagger):
        tagger, _ = open_folder(tagger)
    check_output(folder, overwrite)
    chosen = _chosen(tagger if isinstance(tagger, Tagger) else Tagger.load(tagger), task)
    if to == "transformers":
        _check_transformers(chosen)
    elif to != "savedmodel":
        _check_size(chosen, to)
    loaded = as_corpus(corpus)
    split = loaded.default_split()
    sentences, documents = loaded.words(split)[:_SENTENCES], loaded.documents(split)
    with replacing_folder(folder, overwrite) as temporary:
        runtime, exported = WRITERS[to](chosen, temporary, quantize)
        expected = chosen.predict_tags(sentences, documents and documents[:_SENTENCES])
        found = exported.predict_tags(sentences, documents and documents[:_SENTENCES])
        agreement = {name: _share(expected[name], found[name]) for name in chosen.heads}
        result = Export(
            folder, to, quantize, runtime, loaded.reference, len(sentences), sum(map(len, sentences)), agreement
        )
        _check_agreement(result)
        if to != "transformers":
            _describe(chosen, temporary, result)
    return result


def _check_size(tagger: Tagger, to: str) -> None:
    size = sum(4 * math.prod(variable.shape) for variable in tagger.network.trainable_variables)
    if size > LARGEST_GRAPH:
        raise PolytagError(
            f"The weights of this tagger take {size / 1e9:.1f} GB, and a file for {to} can have at most "
            f"{LARGEST_GRAPH / 1e9:.1f} GB. Export to savedmodel or transformers, or train with a smaller encoder."
        )


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


def _describe(tagger: Tagger, folder: Path, result: Export) -> None:
    """Write the other files of the export, in addition to the network."""
    encoder = tagger.network.encoder
    encoder.export_files(folder)
    labels = {name: list(head.labels) for name, head in tagger.heads.items()}
    exported = {
        "to": result.to,
        "quantize": result.quantize,
        "checked": {
            "runtime": result.runtime,
            "corpus": result.corpus,
            "sentences": result.sentences,
            "words": result.words,
            "agreement": result.agreement,
        },
    }
    description = replace(tagger, details={**tagger.details, "export": exported}).description()
    texts = {
        "labels.json": json.dumps(labels, indent=2, ensure_ascii=False) + "\n",
        FILE: description.to_json(),
    }
    if encoder.example_inputs is not None:
        alignments = {name: head.alignment for name, head in tagger.heads.items()}
        texts["example.py"] = example_program(result.to, encoder.example_inputs, alignments)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
