"""Tag rows, and find those that cannot be tagged."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, cast

from polytag.errors import in_brief, message_of
from polytag.prediction.rows import BadRow, Rows
from polytag.tagger.results import TaggedText
from polytag.tagger.tagger import Tagger

Result = TaggedText | BadRow


def tag_rows(tagger: Tagger, rows: Rows, lines: bool = False) -> list[Result]:
    """The result of each row.

    Args:
        tagger: The tagger.
        rows: The rows.
        lines: As in `Tagger.tag`.

    Raises:
        Exception: Every single row fails: the cause is not in the rows.
    """
    results: list[Result | None] = [content if isinstance(content, BadRow) else None for content in rows.contents]
    for kind in (str, list):
        chosen = [at for at, content in enumerate(rows.contents) if isinstance(content, kind)]
        if chosen:
            found = _tagged(tagger, [rows.contents[at] for at in chosen], [rows.documents[at] for at in chosen], lines)
            if len(found) > 1 and not any(isinstance(result, TaggedText) for result in found):
                raise cast("_Failed", found[0]).cause
            for at, result in zip(chosen, found, strict=True):
                results[at] = result
    return cast("list[Result]", results)


class _Failed(BadRow):
    """A row that cannot be tagged, with the error."""

    __slots__ = ("cause",)
    cause: Exception

    def __init__(self, cause: Exception) -> None:
        super().__init__(in_brief(message_of(cause) or type(cause).__name__))
        object.__setattr__(self, "cause", cause)


def _tagged(tagger: Tagger, contents: Sequence[Any], documents: Sequence[Hashable], lines: bool) -> Sequence[Result]:
    try:
        if isinstance(contents[0], str):
            return list(tagger.stream(contents, lines=lines))
        return list(tagger.stream_words(contents, len(contents), _numbers(documents)))
    except (MemoryError, OSError):  # of the machine, not of the row
        raise
    except Exception as error:  # a splitter of a plugin may raise any
        if len(contents) == 1:
            return [_Failed(error)]
    half = len(contents) // 2
    return [
        *_tagged(tagger, contents[:half], documents[:half], lines),
        *_tagged(tagger, contents[half:], documents[half:], lines),
    ]


def _numbers(documents: Sequence[Hashable]) -> list[int] | None:
    """A number for each run of one document; None if no sentence has a document."""
    if all(document is None for document in documents):
        return None
    numbers: list[int] = []
    for at, document in enumerate(documents):
        new = not at or document is None or document != documents[at - 1]
        numbers.append((numbers[-1] if numbers else -1) + new)
    return numbers
