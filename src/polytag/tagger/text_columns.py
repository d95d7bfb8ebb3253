"""Texts from wherever people keep them: lists, iterators, columns of tables, and whole datasets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from polytag.errors import PolytagError
from polytag.tagger.results import TaggedText

if TYPE_CHECKING:
    import datasets

_TEXT = "text"


def is_dataset(texts: object) -> TypeGuard[datasets.Dataset]:
    """Whether this is a `datasets.Dataset`; the library is not imported to find out."""
    library = sys.modules.get("datasets")
    return library is not None and isinstance(texts, library.Dataset)


def texts_of(texts: Iterable[Any]) -> Iterator[str]:
    """The texts of a list, an iterator, a numpy array, a pandas Series or a pyarrow column, one after the other.

    Raises:
        PolytagError: There is something other than a text, or it is a table.
    """
    if isinstance(texts, Mapping) or hasattr(texts, "columns"):
        raise PolytagError(
            f"A {type(texts).__name__} holds several columns or splits. Tag one of them: tagger.tag(table['text'])."
        )
    return _checked(texts)


def _checked(texts: Iterable[Any]) -> Iterator[str]:
    for number, item in enumerate(texts, 1):
        text = item.as_py() if hasattr(item, "as_py") else item  # pyarrow's scalars
        if not isinstance(text, str):
            raise PolytagError(
                f"Text number {number} is no string: it is {text!r:.60}. Leave out what is missing, and give words "
                "that are split already to tag_words."
            )
        yield str(text)  # numpy's strings are not quite strings


def tagged_dataset(
    dataset: datasets.Dataset,
    column: str | None,
    tasks: Iterable[str],
    tag: Callable[[Iterable[str]], Iterable[TaggedText]],
) -> datasets.Dataset:
    """A dataset with what tagging one of its columns gives, in columns named as the fields of `TaggedText`.

    Args:
        dataset: The dataset.
        column: Its column of texts; `text`, or the only column of strings, when None.
        tasks: Names of the tasks.
        tag: Tags texts.

    Raises:
        PolytagError: There is no such column, it holds no texts, or a column of one of the new names is there.
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
            f"The dataset has a column {taken[0]!r} already, which tagging adds. Rename it: "
            f"dataset.rename_column({taken[0]!r}, ...)."
        )

    features = datasets.Features({**dataset.features, **added})
    if not len(dataset):  # of which `map` makes nothing
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
        # Without one, the library would hash the tagger with all its weights to make it.
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
    wanted = "does not say which of its columns holds the texts" if column is None else f"has no texts in {column!r}"
    raise PolytagError(
        f"The dataset {wanted}; its columns of strings are {', '.join(strings) or 'none'}. Choose one: "
        "tagger.tag(dataset, column=...)."
    )
