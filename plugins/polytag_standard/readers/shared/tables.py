"""Functions of the dataset readers: the library `datasets`, and standard names of splits and of the word column."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from polytag import TOKENS, CorpusError, PolytagError, SentenceTable, split_of

if TYPE_CHECKING:
    import datasets

_WORDS = "words"
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_TOO_LARGE = "Not enough disk space"
"""How the library begins an error of its own."""


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
def writing_the_cache() -> Iterator[None]:
    """The block calls `load_dataset`, which copies what it reads into a cache, and wraps the errors of the system.

    Raises:
        CorpusError: The disk of the cache is full, or the cache cannot be written.
    """
    try:
        yield
    except Exception as error:
        from datasets import config

        cache = str(config.HF_DATASETS_CACHE)
        cause: BaseException | None = error
        while cause is not None and not (isinstance(cause, OSError) and _is_of_cache(cause, cache)):
            cause = cause.__cause__ or cause.__context__
        if not isinstance(cause, OSError):
            raise
        raise CorpusError(
            f"The cache of the library datasets in {cache!r} cannot be written: {cause.strerror or cause}. Make room, "
            "or choose another place with HF_DATASETS_CACHE or, for all of Hugging Face's caches, HF_HOME."
        ) from error


def _is_of_cache(error: OSError, cache: str) -> bool:
    inside = isinstance(error.filename, str) and error.filename.startswith(cache)
    return inside or error.errno in _UNWRITABLE or str(error).startswith(_TOO_LARGE)


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
