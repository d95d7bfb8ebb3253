"""Functions of the dataset readers: standard names of splits and of the word column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from polytag import TOKENS, split_of

if TYPE_CHECKING:
    import datasets

_WORDS = "words"
_LOCATION = "location"


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


def without_location(data: datasets.DatasetDict) -> datasets.DatasetDict:
    """The same splits without the column with the origin of each sentence."""
    kept = {
        split: dataset.remove_columns([_LOCATION] if _LOCATION in dataset.features else [])
        for split, dataset in data.items()
    }
    return type(data)(kept)


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
