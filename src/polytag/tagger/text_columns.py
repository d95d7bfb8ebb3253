"""Read texts from lists, iterators, columns of tables, and datasets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from polytag.errors import PolytagError
from polytag.tagger.arguments import check_iterable
from polytag.tagger.results import TaggedText

if TYPE_CHECKING:
    import datasets

_TEXT = "text"


def is_dataset(texts: object) -> TypeGuard[datasets.Dataset]:
    """Whether this is a `datasets.Dataset`; the check does not import the library."""
    library = sys.modules.get("datasets")
    return library is not None and isinstance(texts, library.Dataset)


def texts_of(texts: Iterable[Any]) -> Iterator[str]:
    """The texts of a list, an iterator, a numpy array, a pandas Series or a pyarrow column, one by one.

    Raises:
        PolytagError: An item is not a string, or the argument is a table.
    """
    if isinstance(texts, Mapping) or hasattr(texts, "columns"):
        raise PolytagError(
            f"A {type(texts).__name__} has several columns or splits. Tag one of them: tagger.tag(table['text'])."
        )
    check_iterable(texts, "texts")
    return _checked(texts)


def _checked(texts: Iterable[Any]) -> Iterator[str]:
    for number, item in enumerate(texts, 1):
        text = item.as_py() if hasattr(item, "as_py") else item  # pyarrow's scalars
        if not isinstance(text, str):
            raise PolytagError(
                f"Text number {number} is not a string: it is {text!r:.60}. Leave out missing values, and tag text "
                "that is already split into words with tag_words."
            )
        yield str(text)  # numpy's strings are a subclass


def tagged_dataset(
    dataset: datasets.Dataset,
    column: str | None,
    tasks: Iterable[str],
    tag: Callable[[Iterable[str]], Iterable[TaggedText]],
) -> datasets.Dataset:
    """Tag a column of a dataset; the results are added as columns named like the fields of `TaggedText`.

    Args:
        dataset: The dataset.
        column: Its column of texts; if None, `text` or the only column of strings.
        tasks: Names of the tasks.
        tag: Function that tags texts.

    Raises:
        PolytagError: The column does not exist or has no texts, or the dataset already has a column with a new name.
    """
    import datasets

    string, number = datasets.Value("string"), datasets.Value("int64")
    span = dict.fromkeys(("task", "label", "text"), string) | dict.fromkeys(("start", "end"), number)
    added = {
        "spans": datasets.List({**span, "score": datasets.Value("float64")}),
        "words": datasets.List(string),
        "offsets": datasets.List(datasets.List(number)),
        "sentence_starts": datasets.List(number),
        "tags": {task: datasets.List(string) for task in tasks},
        "scores": {task: datasets.List(datasets.Value("float64")) for task in tasks},
    }
    chosen = _text_column(dataset, column)
    if taken := [name for name in added if name in dataset.features]:
        raise PolytagError(
            f"The dataset already has a column {taken[0]!r}, which tagging would add. Rename it: "
            f"dataset.rename_column({taken[0]!r}, ...)."
        )

    features = datasets.Features({**dataset.features, **added})
    if not len(dataset):  # `map` would not add the columns
        return datasets.Dataset.from_dict({name: [] for name in features}, features=features)

    def batch(texts: list[str]) -> dict[str, list[Any]]:
        rows = [tagged.to_dict() for tagged in tag(texts)]
        return {name: [row[name] for row in rows] for name in added}

    return dataset.with_format(None).map(
        batch,
        batched=True,
        input_columns=[chosen],
        features=features,
        load_from_cache_file=False,
        # Without a fingerprint, the library would compute one by hashing the tagger with all its weights.
        new_fingerprint=datasets.fingerprint.generate_random_fingerprint(),
    )


def _text_column(dataset: datasets.Dataset, column: str | None) -> str:
    strings = [
        name for name, kind in dataset.features.items() if getattr(kind, "dtype", "") in ("string", "large_string")
    ]
    if column is None and (_TEXT in strings or len(strings) == 1):
        return _TEXT if _TEXT in strings else strings[0]
    if column in strings:
        return str(column)
    wanted = "has no unambiguous column of texts" if column is None else f"has no texts in {column!r}"
    raise PolytagError(
        f"The dataset {wanted}; its columns of strings are {', '.join(strings) or 'none'}. Choose one: "
        "tagger.tag(dataset, column=...)."
    )
