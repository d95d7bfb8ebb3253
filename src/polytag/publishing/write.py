"""Write the folder of a tagger, with its scores, configuration and model card."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from pathlib import Path

from polytag.encoding.json_values import without_infinities
from polytag.errors import PolytagError, message_of
from polytag.evaluation.evaluate import OpenSplit
from polytag.exporting.export import add_onnx, suits_onnx
from polytag.plugin.attribution import attributed
from polytag.publishing.card import CARD, model_card
from polytag.publishing.record import RunRecord
from polytag.publishing.report.report import write_run_report
from polytag.tagger.onnx_files import FILES
from polytag.tagger.tagger import Tagger

_CHECKED = 32
"""Sentences on which the ONNX model of a run is checked: about a batch, so that writing it takes little time."""
_REPORTED_VERSIONS = ("polytag", "tensorflow", "keras", "transformers", "datasets")


def write_tagger(
    tagger: Tagger,
    record: RunRecord,
    folder: Path,
    overwrite: bool,
    reported: OpenSplit | None = None,
    for_use: bool = True,
) -> str | None:
    """Write a tagger with `run.toml`, `scores.json` and its model card, atomically.

    Args:
        tagger: The tagger.
        record: The record of its run.
        folder: The folder to write.
        overwrite: Whether to replace an existing tagger.
        reported: The split that a report is written on; None for no report.
        for_use: Whether texts will be tagged with it; if it is only scored, `--export auto` writes nothing.

    Returns:
        What became of its ONNX model; None if it gets none, or the run has not ended.
    """
    validation, test, corpus = record.validation, record.test, record.corpus
    results = {
        "validation": validation.to_dict(),
        "test": test.to_dict() if test else None,
        "history": [epoch.to_dict() for epoch in record.history],
    }
    tagger.details = {
        "corpus": {"reference": corpus.reference, "fingerprint": corpus.fingerprint},
        "versions": {name: importlib.metadata.version(name) for name in _REPORTED_VERSIONS},
        "scores": {"validation": validation.headlines, "test": test.headlines if test else None},
        **(record.lessons.description(record.config.texts) if record.lessons else {}),
        **({"vectors": record.config.vectors} if record.config.vectors else {}),
    }
    files = {
        "run.toml": record.config.to_toml([f"The corpus was read as: {line}" for line in corpus.form_lines()]),
        "scores.json": json.dumps(without_infinities(results), indent=2, ensure_ascii=False) + "\n",
        CARD: model_card(tagger, record),
    }
    said: str | None = None

    def complete(written: Path) -> None:
        nonlocal said
        if record.ended and (for_use or record.config.export != "auto"):
            said = _add_onnx(tagger, record, written, folder)
        if reported:
            write_run_report(reported, record, written)

    tagger.save(folder, files, overwrite, complete)
    return said


def _add_onnx(tagger: Tagger, record: RunRecord, written: Path, folder: Path) -> str | None:
    """Write an ONNX model into a folder if the run asks for one, or the tagger suits it; says what became of it."""
    # A model that nobody asked for is not preferred: a tagger that is loaded gives the numbers of the trained one.
    asked = record.config.export == "onnx"
    if not asked and (record.config.export == "none" or not suits_onnx(tagger)):
        return None
    try:
        with attributed:
            exported = add_onnx(
                tagger, written, corpus=record.corpus, output=folder, sentences=_CHECKED, preferred=asked
            )
    except (PolytagError, OSError, MemoryError) as error:
        if asked:
            raise
        # Nobody loses a trained tagger to a file that nobody asked for.
        shutil.rmtree((written / FILES["onnx"]).parent, ignore_errors=True)
        return f"No ONNX model was written. {_why(error)}"
    shares = ", ".join(f"{name} {share:.2%}" for name, share in exported.agreement.items())
    return f"ONNX model: {shares} of words have the same tag"


def _why(error: PolytagError | OSError | MemoryError) -> str:
    if isinstance(error, PolytagError):
        return message_of(error)
    wanting = error.strerror or str(error) if isinstance(error, OSError) else "There is not enough memory"
    return f"{wanting}. Make room, and write it with polytag export --in-place."
