"""Write the files of a tagger's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from polytag.encoding.tensors import WEIGHTS, fingerprint, save_tensors
from polytag.encoding.weights import save_adapter, weights_file
from polytag.tagger.description import FILE, TaggerDescription
from polytag.tagger.heads import TaskHead

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel


def write_files(
    folder: Path,
    network: TaggerModel,
    heads: Mapping[str, TaskHead],
    description: TaggerDescription,
    others: Mapping[str, str],
) -> None:
    """Write weights, configuration, description and the encoder's files.

    Args:
        folder: An empty folder.
        network: Encoder and heads.
        heads: The head of each task; the configuration has the labels of a single one, as transformers expects it.
        description: `polytag.json`; the checksum of the weights is added.
        others: Further text files, by name.
    """
    encoder = network.encoder
    config = encoder.config()
    config["architectures"] = [encoder.architecture()]
    if len(heads) == 1:
        (head,) = heads.values()
        config["id2label"] = {str(index): label for index, label in enumerate(head.labels)}
        config["label2id"] = {label: index for index, label in enumerate(head.labels)}
    if adapter := encoder.adapter():
        new = {name: tensor for name, tensor in encoder.tensors().items() if name in adapter.new} if adapter.new else {}
        save_adapter(folder, adapter, {**new, **network.head_tensors()})
    else:
        save_tensors(network.tensors(), folder / WEIGHTS, metadata={"format": "pt"})
    texts = {
        FILE: description.model_copy(update={"weights": fingerprint(folder / weights_file(folder))}).to_json(),
        "config.json": json.dumps(config, indent=2, ensure_ascii=False) + "\n",
    }
    encoder.save_files(folder)
    for name, text in {**texts, **others}.items():
        (folder / name).write_text(text, encoding="utf-8")
