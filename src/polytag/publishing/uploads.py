"""Choose the files of a tagger's folder that may leave the machine: those that polytag and the encoder wrote."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from polytag.encoding.coders import UNITS_FILE
from polytag.encoding.tensors import WEIGHTS
from polytag.encoding.tokenizer import SAVED_FILES as TOKENIZER_FILES
from polytag.encoding.weights import ADAPTER, ADAPTER_CONFIG, local_base
from polytag.errors import PolytagError
from polytag.plugin.registry import registry
from polytag.publishing.card import CARD
from polytag.tagger.description import FILE, TaggerDescription
from polytag.tagger.heads import PARAMETERS
from polytag.tagger.onnx_files import FILES as ONNX_FILES
from polytag.tagger.runtimes import LITERT_FILE, ONNX_FILE

_NAMES = {
    *(FILE, "config.json", WEIGHTS, "model.safetensors.index.json", "run.toml", "scores.json", CARD),
    *(ADAPTER, ADAPTER_CONFIG),
    *("tf_model.h5", "tf_model.h5.index.json"),
    *TOKENIZER_FILES,
    *ONNX_FILES.values(),
    *(ONNX_FILE, LITERT_FILE, UNITS_FILE, "labels.json", PARAMETERS, "example.py", "word_hashes.py"),
    *("1/saved_model.pb", "1/fingerprint.pb", "1/variables/variables.index"),
}
_NUMBERED = re.compile(
    r"model-\d+-of-\d+\.safetensors|tf_model-\d+-of-\d+\.h5|1/variables/variables\.data-\d+-of-\d+", re.ASCII
)
_SHOWN = 10


class Uploads(NamedTuple):
    """The files of a folder.

    Attributes:
        files: The files to upload, by their names there.
        left_out: Names of all others; a folder without any file to upload is one name that ends with `/`.
    """

    files: dict[str, Path]
    left_out: tuple[str, ...]


def uploads_of(folder: Path, description: TaggerDescription) -> Uploads:
    """The files of a tagger, an export or a token classifier that may be uploaded, and the names of all others.

    Args:
        folder: The folder.
        description: Its description.

    Raises:
        PolytagError: A file of the tagger is a link to a file outside the folder, or to one that is not uploaded; or
            it is an adapter of a folder on this machine.
    """
    if base := local_base(folder):
        raise PolytagError(
            f"The tagger {str(folder)!r} is an adapter of {base!r}, a folder of this machine, without which nobody can "
            f"load it. Push it whole: Tagger.load({str(folder)!r}).save(FOLDER) writes it so. Or, if a model on the "
            f"hub has the same weights, write its name into {folder / ADAPTER_CONFIG}, as 'base_model_name_or_path'."
        )
    provider = description.encoder.provider
    own = next((found.files for found in registry().encoders.undisputed() if found.name == provider), ())
    files, others, root = {}, [], folder.resolve()
    for name in _content(folder):
        path = folder / name
        if not path.is_file() or not is_part(name, own):
            others.append(name)
        elif (target := path.resolve()).is_relative_to(root) and is_part(target.relative_to(root).as_posix(), own):
            files[name] = path
        else:
            raise PolytagError(
                f"{str(path)!r} is a link to {str(target)!r}, outside the folder or no part of the tagger, "
                "and is not uploaded. Push a copy of the folder without links: cp -rL."
            )
    return Uploads(files, tuple(dict.fromkeys(_shortest(name, files) for name in others)))


def is_part(name: str, own: Collection[str]) -> bool:
    """Whether a file with this name can be part of a tagger or an export; `own` are the files of its encoder alone."""
    hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
    return not hidden and bool(name in _NAMES or name in own or _NUMBERED.fullmatch(name))


def left_out_message(names: Iterable[str]) -> str:
    """A sentence that names what was not uploaded."""
    shown = [repr(name) for name in names]
    more = f" and {len(shown) - _SHOWN:,} more" if len(shown) > _SHOWN else ""
    return f"Not uploaded, since they are not part of the tagger: {', '.join(shown[:_SHOWN])}{more}."


def _content(folder: Path) -> list[str]:
    """The names of all files in a folder; of hidden folders and links to folders, only the name, with a `/`."""
    found = []
    for above, folders, files in os.walk(folder):
        closed = [name for name in folders if name.startswith(".") or Path(above, name).is_symlink()]
        folders[:] = [name for name in folders if name not in closed]  # the others are visited next
        names = [*files, *(f"{name}/" for name in closed)]
        inside = Path(above).relative_to(folder).as_posix()
        found += [name if inside == "." else f"{inside}/{name}" for name in names]
    return sorted(found)


def _shortest(name: str, kept: Iterable[str]) -> str:
    """The name of a file, or of the highest folder around it that has no file to upload."""
    for parent in reversed(PurePosixPath(name).parents[:-1]):
        if not any(other.startswith(f"{parent}/") for other in kept):
            return f"{parent}/"
    return name
