"""Which tag column of a corpus holds a task."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from polytag.corpus.tag_style import recognise_tag_style
from polytag.errors import CorpusWarning
from polytag.plugin.reader import TOKENS
from polytag.plugin.registry import registry
from polytag.plugin.task import Task
from polytag.plugin.task_choice import is_as_registered

if TYPE_CHECKING:
    from polytag.corpus.corpus import Corpus

MANY_LABELS = 1000
"""A column with more labels holds no task that a user would not name: lemmas, features, numbers."""


def candidates_for(corpus: Corpus, task: Task) -> list[str]:
    """The tag columns that can hold a task although they have another name.

    These are the columns with span tags, or for a task without spans, those with one tag per word and a limited number
    of labels. None is a column of another installed task. If the user named the column of the task, there is none.
    """
    if not is_as_registered(task) or task.scheme not in registry().schemes:
        return []
    wants_spans = registry().schemes[task.scheme].encodes_spans
    others = {name for other in registry().tasks.undisputed() if other.name != task.name for name in other.columns}
    found = []
    for column in corpus.columns:
        if column not in others:
            counts = counts_of(corpus, column)
            holds_spans = recognise_tag_style(counts) is not None
            if holds_spans == wants_spans and (wants_spans or len(counts) <= MANY_LABELS):
                found.append(column)
    return found


def counts_of(corpus: Corpus, column: str) -> Counter[str]:
    """The number of words with each tag of a column, in all splits."""
    rows = (corpus.data[split].tags[column] for split in corpus.splits_with(column))
    return Counter(chain.from_iterable(chain.from_iterable(rows)))


def say_taken(corpus: Corpus, task: Task, column: str) -> None:
    """Warn that a column with another name is read as a task."""
    tags = "span tags" if registry().schemes[task.scheme].encodes_spans else "one tag per word"
    warnings.warn(
        f"The column {column!r} holds {tags}; it is read as the task {task.name!r}, for which the corpus "
        f"{corpus.reference!r} has no other column. In training, --task {task.name}={column} says so.",
        CorpusWarning,
        stacklevel=4,
    )


def no_column_for(corpus: Corpus, task: Task, candidates: Sequence[str]) -> str:
    """The message that no column of a corpus is the task's, with the options that name one."""
    names = f" (that is {' or '.join(map(repr, task.columns))})" if task.columns else ""
    could = f" {' and '.join(map(repr, candidates))} could hold it." if candidates else ""
    example = next(iter(candidates or corpus.columns[::-1]), "COLUMN")
    columns = f", or give it that name: --columns {_renamed(corpus, example, task.columns[0])}" if names else ""
    return (
        f"The corpus {corpus.reference!r} has no column for the task {task.name!r}{names}; its tag columns are "
        f"{', '.join(corpus.columns) or 'none'}.{could} If one of them holds it, say which in training, for instance "
        f"--task {task.name}={example}{columns}."
    )


def _renamed(corpus: Corpus, column: str, name: str) -> str:
    """The columns of the corpus as `--columns` takes them, one of them with another name."""
    form = next(iter(corpus.forms.values()), None)
    columns = (form and form.options.columns) or (TOKENS, *corpus.columns)
    return ",".join(name if known == column else known for known in columns)
