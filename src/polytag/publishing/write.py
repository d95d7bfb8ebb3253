"""Write the folder of a tagger, with its scores, configuration and model card."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

from polytag.encoding.json_values import without_infinities
from polytag.evaluation.evaluate import OpenSplit
from polytag.exporting.export import Export, add_onnx
from polytag.publishing.card import CARD, model_card
from polytag.publishing.record import RunRecord
from polytag.publishing.report.report import write_run_report
from polytag.tagger.tagger import Tagger

_REPORTED_VERSIONS = ("polytag", "tensorflow", "keras", "transformers", "datasets")


def write_tagger(
    tagger: Tagger, record: RunRecord, folder: Path, overwrite: bool, reported: OpenSplit | None = None
) -> Export | None:
    """Write a tagger with `run.toml`, `scores.json` and its model card, atomically.

    Args:
        tagger: The tagger.
        record: The record of its run.
        folder: The folder to write.
        overwrite: Whether to replace an existing tagger.
        reported: The split that a report is written on; None for no report.

    Returns:
        The check of its ONNX model; None if the run asks for none, or has not ended.
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
    exported: list[Export] = []

    def complete(written: Path) -> None:
        if record.ended and record.config.export:
            exported.append(add_onnx(tagger, written, corpus=corpus, output=folder))
        if reported:
            write_run_report(reported, record, written)

    tagger.save(folder, files, overwrite, complete)
    return exported[0] if exported else None
