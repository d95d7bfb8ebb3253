"""The reader `parquet`: Parquet tables, as on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from polytag import CorpusError, Reader, SentenceTable, Source
from polytag_standard.readers.shared.lines import PARQUET_ENDINGS, files_ending, same_columns, split_files
from polytag_standard.readers.shared.tables import (
    library,
    quiet,
    with_standard_names,
    without_location,
    writing_the_cache,
)

if TYPE_CHECKING:
    import datasets


class ParquetReader(Reader):
    """Reads Parquet files; features such as ClassLabel stay as they are."""

    name: ClassVar[str] = "parquet"
    summary: ClassVar[str] = "Parquet files with a list of words and lists of tags in each row"

    def accepts(self, source: Source) -> bool:
        """Whether all files end in `.parquet`."""
        return bool(source.files) and files_ending(source, PARQUET_ENDINGS) == {
            split: list(paths) for split, paths in source.files.items()
        }

    def read(self, source: Source) -> datasets.DatasetDict:
        """Read all files.

        Raises:
            CorpusError: A file is not Parquet, or files differ in their columns.
            PolytagError: The package `datasets` is not installed.
        """
        datasets = library("Parquet files")
        import pyarrow.parquet

        for split, paths in source.files.items():
            rows = 0
            for path in paths:
                try:
                    rows += pyarrow.parquet.read_metadata(path).num_rows
                except pyarrow.ArrowException as error:
                    raise CorpusError(
                        f"{path} cannot be read as Parquet: {_first_line(error)} Check that the file is complete."
                    ) from None
            if not rows:
                raise CorpusError(
                    f"{paths[0]} has no row, nor has any other file of the {split} split. Name the files of the other "
                    "splits: train=FILE,…"
                )
        files = {split: [str(path) for path in paths] for split, paths in source.files.items()}
        try:
            with writing_the_cache():
                return with_standard_names(datasets.load_dataset("parquet", data_files=files))
        except (datasets.exceptions.DatasetsError, datasets.exceptions.DatasetGenerationError) as error:
            raise CorpusError(
                f"The Parquet files of {source.reference!r} cannot be read as one corpus: "
                f"{_first_line(error)} Give all files the same columns."
            ) from error

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write `train.parquet` and so on; null is a word without annotation.

        Raises:
            CorpusError: Splits differ in their columns, or one is not named train, validation or test.
            PolytagError: The package `datasets` is not installed.
        """
        library("Parquet files")
        same_columns(data, "Parquet files of one corpus")
        files = split_files(data, folder, ".parquet")
        with quiet():
            for split, dataset in without_location(data).items():
                dataset.to_parquet(str(files[split]))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".") + "."
