"""The reader `dataset`: folders written by `save_to_disk` of the library `datasets`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from polytag import CorpusError, Reader, SentenceTable, Source
from polytag_standard.readers.shared.tables import library, quiet, with_standard_names, without_location

if TYPE_CHECKING:
    import datasets


class DatasetReader(Reader):
    """Reads a saved `datasets.DatasetDict`, or a saved `datasets.Dataset` as the split `train`."""

    name: ClassVar[str] = "dataset"
    summary: ClassVar[str] = "Folders written by save_to_disk of the library datasets"

    def accepts(self, source: Source) -> bool:
        """Whether the folder has the files that `save_to_disk` writes."""
        if source.path is None or not source.path.is_dir():
            return False
        present = {path.name for path in source.path.iterdir()}
        return "dataset_dict.json" in present or {"state.json", "dataset_info.json"} <= present

    def read(self, source: Source) -> datasets.DatasetDict:
        """Memory-map the folder.

        Raises:
            CorpusError: The folder is not complete, or a split has no row.
            PolytagError: The package `datasets` is not installed.
        """
        datasets = library("Saved datasets")
        import pyarrow

        source.passed_over.clear()  # the library says which files belong to the format

        try:
            data = datasets.load_from_disk(str(source.path or source.reference))
            for split in [data] if isinstance(data, datasets.Dataset) else data.values():
                split.data.validate(full=True)  # offsets beyond the mapped file would end the process
        except (OSError, ValueError, KeyError, IndexError, pyarrow.ArrowException) as error:
            folder = source.path or Path(source.reference)
            if empty := _split_without_rows(folder):
                raise CorpusError(
                    f"The {empty} split of the saved dataset {source.reference!r} has no row. Save it again without "
                    "this split, or fill it."
                ) from error
            raise CorpusError(
                f"The folder {source.reference!r} is not a complete saved dataset: {error}. Save it again "
                "with save_to_disk."
            ) from error
        if isinstance(data, datasets.Dataset):
            data = datasets.DatasetDict({"train": data})
        return with_standard_names(data)

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Save the splits with `save_to_disk`; null is a word without annotation.

        Raises:
            PolytagError: The package `datasets` is not installed.
        """
        datasets = library("Saved datasets")
        with quiet():
            datasets.DatasetDict(without_location(data)).save_to_disk(str(folder))


def _split_without_rows(folder: Path) -> str | None:
    """The first split without data files; the library cannot load it."""
    for state in sorted((*folder.glob("state.json"), *folder.glob("*/state.json"))):
        try:
            if not json.loads(state.read_text(encoding="utf-8")).get("_data_files"):
                return "train" if state.parent == folder else state.parent.name
        except (OSError, ValueError, AttributeError):
            continue
    return None
