"""Models in TensorFlow as plain data, which can be pickled and copied."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from polytag.errors import TaggerError
from polytag.plugin.encoder import Tensors
from polytag.plugin.registry import registry
from polytag.tagger.forks import check_tensorflow
from polytag.tagger.heads import TaskHead
from polytag.tagger.numpy_model import tensorflow_model

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel


@dataclass(frozen=True, slots=True)
class PackedModel:
    """The content of a model in TensorFlow.

    Attributes:
        provider: Name of the encoder's provider.
        reference: The name of the encoder that the user gave.
        heads: The head of each task.
        files: The files of the encoder, by their paths in a tagger's folder.
        tensors: The weights.
    """

    provider: str
    reference: str
    heads: Mapping[str, TaskHead]
    files: Mapping[str, bytes]
    tensors: Tensors

    @classmethod
    def of(cls, model: TaggerModel, heads: Mapping[str, TaskHead]) -> PackedModel:
        """Pack a model; `heads` as above."""
        encoder = model.encoder
        with TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "config.json").write_text(json.dumps(encoder.config()), encoding="utf-8")
            encoder.save_files(folder)
            written = [path for path in folder.rglob("*") if path.is_file()]
            files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in written}
        return cls(encoder.provider, encoder.reference, heads, files, model.tensors())

    def unpacked(self) -> TaggerModel | ForkedModel:
        """The model; in a forked process without TensorFlow, an object that raises an error when it is used."""
        try:
            check_tensorflow()
        except TaggerError:
            # An error while an argument is unpickled would end the process of a pool, which then waits without end.
            return ForkedModel()
        with TemporaryDirectory() as name:
            for path, content in self.files.items():
                file = Path(name, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            provider = registry().encoders[self.provider]
            return tensorflow_model(provider, Path(name), self.reference, self.heads, self.tensors)


class ForkedModel:
    """A model in TensorFlow, in a forked process in which TensorFlow cannot compute: every use raises TaggerError."""

    runtime = "tensorflow"

    @property
    def encoder(self) -> Any:
        """Raises TaggerError."""
        return check_tensorflow()

    def scorer(self) -> Any:
        """Raises TaggerError."""
        return check_tensorflow()
