"""Functions of the dataset readers: the library `datasets`, and standard names of splits and of the word column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from polytag import TOKENS, PolytagError, SentenceTable, split_of

if TYPE_CHECKING:
    import datasets

_WORDS = "words"


def library(format: str) -> Any:
    """The library `datasets`.

    Args:
        format: What needs it, in the plural: `Parquet files`.

    Raises:
        PolytagError: It is not installed.
    """
    try:
        import datasets
    except ImportError as error:
        raise PolytagError(
            f"{format} need the package datasets, which is not installed. Install it: pip install polytag"
        ) from error
    return datasets


def with_standard_names(data: datasets.DatasetDict) -> datasets.DatasetDict:
    """Rename splits such as `dev` to `validation`, and the column `words` to `tokens`.

    If several splits would get the same name (`train_2020`, `train_2021`), all keep their names.
    """
    standard = {name: split_of(name) or name for name in data}
    counts = Counter(standard.values())
    named = {}
    for name, dataset in data.items():
        split = standard[name] if counts[standard[name]] == 1 else name
        renames = _WORDS in dataset.features and TOKENS not in dataset.features
        named[split] = dataset.rename_column(_WORDS, TOKENS) if renames else dataset
    return type(data)(named)


def without_location(data: Mapping[str, SentenceTable]) -> dict[str, datasets.Dataset]:
    """The splits as datasets, without the origin of each sentence; null is a word without annotation."""
    return {split: replace(table, locations=("",) * len(table)).to_dataset() for split, table in data.items()}


@contextmanager
def quiet() -> Iterator[None]:
    """Disable the progress bars of the library `datasets`."""
    from datasets.utils import disable_progress_bars, enable_progress_bars, is_progress_bar_enabled

    drawn = is_progress_bar_enabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if drawn:
            enable_progress_bars()
