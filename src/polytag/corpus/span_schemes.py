"""The label scheme of a column with spans, after its tags have been checked: what is trained, scored and converted."""

from __future__ import annotations

from collections.abc import Collection

from polytag.corpus.annotation import have_spans
from polytag.corpus.corpus import Corpus
from polytag.corpus.odd_tags import odd_tags, refuse_odd_tags, tag_counts, unwritten
from polytag.corpus.recognition import SchemeFit, scheme_of_tags
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED
from polytag.plugin.task import Task

SplitTags = dict[str, list[list[str]]]
"""The tags of the sentences of each split."""


def span_scheme_of(
    corpus: Corpus,
    column: str,
    tags: SplitTags,
    declared: str | None = None,
    *,
    tags_as_is: bool = False,
    used: Collection[str] | None = None,
) -> tuple[SchemeFit, bool]:
    """The scheme of a column with spans, and whether it has tags that no label scheme writes.

    Args:
        corpus: The corpus.
        column: The column.
        tags: Its tags, of all splits.
        declared: Name of the declared scheme; recognised if None. Tags that no scheme writes do not count.
        tags_as_is: Whether tags that no scheme writes are accepted.
        used: The splits that are trained, scored or written; all if None. Odd tags in others do no harm.

    Raises:
        CorpusError: Tags that no scheme writes are in the splits that are used, or the column violates the declared
            scheme.
    """
    scheme = None if declared is None else registry().schemes[declared]
    counts = tag_counts(tags)
    odd = unwritten(counts, scheme)
    if not odd:
        return scheme_of_tags(corpus, column, tags, declared), False
    if not tags_as_is:
        chosen = tags if used is None else {split: tags[split] for split in tags if split in used}
        found = odd_tags(chosen, corpus.locate_word, scheme)
        refuse_odd_tags(
            found, f"The column {column!r} of the corpus {corpus.reference!r}", corpus.tag_styles.get(column)
        )
    return scheme_of_tags(corpus, column, without_tags(tags, odd), declared), True


def without_tags(tags: SplitTags, odd: Collection[str]) -> SplitTags:
    """The same tags with `UNANNOTATED` for some of them."""
    return {
        split: [[UNANNOTATED if tag in odd else tag for tag in row] for row in rows] for split, rows in tags.items()
    }


def holds_spans(corpus: Corpus, column: str, declared: str | None, tags: SplitTags) -> bool:
    """Whether a column is read as spans: its tags have prefixes, or the declared scheme needs none.

    A scheme that needs no prefixes (`io`) applies to the columns that have the tag `O`, apart from the columns of a
    task without spans.
    """
    counts = tag_counts(tags)
    if have_spans(counts):
        return True
    scheme = None if declared is None else registry().schemes[declared]
    if scheme is None or scheme.separates_neighbours or not scheme.encodes_spans:
        return False
    return OUTSIDE in counts and not _is_of_flat_task(column) and not unwritten(counts, scheme)


def without_spans(corpus: Corpus, column: str, task: Task, tags: SplitTags) -> str:
    """The message that a column has no spans although a task needs them, with the options that may help."""
    counts = tag_counts(tags)
    message = (
        f"The column {column!r} of the corpus {corpus.reference!r} has no spans: its tags have no prefixes such as B- "
        f"and I-, which the task {task.name!r} needs."
    )
    if OUTSIDE in counts and not _is_of_flat_task(column):
        labels = [tag for tag, _ in counts.most_common() if tag not in (OUTSIDE, UNANNOTATED)]
        message += (
            f" If neighbouring words with one label, such as `{labels[0]}`, are one span, say --corpus-scheme io. "
            "Otherwise name"
        )
    else:
        message += " Name"
    others = [name for name in corpus.columns if name != column and name in corpus.tag_styles]
    example = f", for instance --task {task.name}={others[0]}" if others else ""
    return f"{message} the right column with --columns, or in training with --task{example}."


def _is_of_flat_task(column: str) -> bool:
    """Whether tasks name a column, and none of them has spans."""
    schemes = registry().schemes
    naming = [task for task in registry().tasks.undisputed() if column in task.columns and task.scheme in schemes]
    return bool(naming) and not any(schemes[task.scheme].encodes_spans for task in naming)
