"""Write the folder of a tagger, with its scores, configuration and model card."""

from __future__ import annotations

import importlib.metadata
import json
from functools import partial
from pathlib import Path

from polytag.exporting.export import add_onnx
from polytag.publishing.card import CARD, model_card
from polytag.publishing.record import RunRecord
from polytag.tagger.tagger import Tagger

_REPORTED_VERSIONS = ("polytag", "tensorflow", "keras", "keras-hub", "transformers", "datasets")


def write_tagger(tagger: Tagger, record: RunRecord, folder: Path, overwrite: bool) -> None:
    """Write a tagger with `run.toml`, `scores.json`, its model card and, if the run asks for it, ONNX, atomically."""
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
    }
    files = {
        "run.toml": record.config.to_toml(),
        "scores.json": json.dumps(results, indent=2, ensure_ascii=False) + "\n",
        CARD: model_card(tagger, record),
    }
    exported = record.ended and record.config.export
    add = partial(add_onnx, tagger, corpus=corpus, output=folder) if exported else None
    tagger.save(folder, files, overwrite, add)
