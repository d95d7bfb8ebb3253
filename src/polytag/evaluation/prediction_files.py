"""Read files of predictions written by `polytag predict`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polytag.corpus.column_kinds import LEFT_OUT
from polytag.corpus.dialect import column_rows, recognise_dialect
from polytag.corpus.text_files import EncodingError, text_lines
from polytag.encoding.json_values import parse_json
from polytag.errors import PolytagError
from polytag.files import expand_home

SKIP = "_"  # the name of a task that stands for a column to skip


@dataclass(slots=True)
class Predictions:
    """The content of a file of predictions.

    Attributes:
        words: Words of every sentence.
        tags: Tags of every sentence, by task.
        tasks: Names of the tasks; None for a column file, until `name_columns` sets them.
        columns: Tags of every sentence, by tag column, if it is a column file.
    """

    words: list[list[str]]
    tags: dict[str, list[list[str]]]
    tasks: tuple[str, ...] | None
    columns: list[list[list[str]]] = field(default_factory=list)

    def name_columns(self, tasks: Sequence[str], name: str) -> None:
        """Set the task of each tag column, `_` for a column to skip.

        Raises:
            PolytagError: The number of columns differs.
        """
        if len(tasks) != len(self.columns):
            raise PolytagError(
                f"{name!r} has {len(self.columns)} columns of tags, not {len(tasks)} as in {', '.join(tasks)}. Name "
                "the task of each column after the words, in order, _ for one to skip: --task pos --task _ --task ner."
            )
        self.tags = {task: tags for task, tags in zip(tasks, self.columns, strict=True) if task != SKIP}
        self.tasks = tuple(self.tags)


def is_predictions(name: str | Path) -> bool:
    """Whether the name of a system is a file's; a tagger is a folder. False where that cannot be known."""
    path = expand_home(name)
    with suppress(OSError):
        return path.exists() and not path.is_dir()
    return False


def read_predictions(path: Path) -> Predictions:
    """Read a file of predictions: JSON Lines, or columns with the words in the first.

    Raises:
        PolytagError: The file cannot be read, or has another format.
    """
    try:
        if not path.is_file():
            raise PolytagError(f"{str(path)!r} is a pipe or a device. Write the predictions to a file, and name that.")
        lines = [line for _, line in text_lines(path)]
    except EncodingError as error:  # the option for that is about the corpus, which may be in another encoding
        raise PolytagError(f"{error.problem}. Save the predictions as UTF-8.") from error
    except OSError as error:
        raise PolytagError(f"The file {str(path)!r} cannot be read: {error.strerror}.") from error
    first = next((line for line in lines if line.strip()), "")
    if isinstance(_parsed(first), list):
        raise PolytagError(
            f"{path} is one JSON array. Write JSON Lines, one object a line, as `polytag predict --format jsonl` does."
        )
    found = _objects(path, lines) if isinstance(_parsed(first), dict) else _columns(path, lines)
    if not found.words:
        raise PolytagError(f"{str(path)!r} has no predictions. Check that this is the right file.")
    return found


def _columns(path: Path, lines: Sequence[str]) -> Predictions:
    dialect = recognise_dialect(lines, words_first=True)
    names = dialect.names
    sentences: list[list[list[str]]] = []
    for row in column_rows(lines, dialect):
        if len(row.cells) != len(names) or len(names) < 2 or not all(row.cells):
            problem = "a word without tags" if len(names) < 2 else f"{len(row.cells)} columns, most have {len(names)}"
            raise PolytagError(
                f"{path}, line {row.number}: {problem}. Write one word and its tags per line, separated by tabs, and "
                "an empty line after each sentence."
            )
        if row.starts_sentence:
            sentences.append([])
        sentences[-1].append(row.cells)
    columns = [index for index, kind in enumerate(dialect.layout.kinds) if kind not in LEFT_OUT]
    if not columns:
        return Predictions([], {}, None)
    words, *tags = sorted(columns, key=lambda index: index != dialect.words)
    of = {index: [[cells[index] for cells in rows] for rows in sentences] for index in columns}
    return Predictions(of[words], {}, None, [of[index] for index in tags])


def _objects(path: Path, lines: Sequence[str]) -> Predictions:
    words: list[list[str]] = []
    tags: dict[str, list[list[str]]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record = _parsed(line)
        try:
            of_words, of_tasks, starts = _checked(record)
            tags = tags or {task: [] for task in of_tasks}
            if tags.keys() != of_tasks.keys():
                raise ValueError(f"it has the tasks {', '.join(of_tasks)}, previous lines {', '.join(tags)}")
        except ValueError as error:
            raise PolytagError(
                f"{path}, line {number}: not a prediction as `polytag predict --format jsonl` writes it: {error}."
            ) from error
        for start, end in itertools.pairwise([*starts, len(of_words)]):
            if start < end:
                words.append(of_words[start:end])
                for task, of_task in of_tasks.items():
                    tags[task].append(of_task[start:end])
    return Predictions(words, tags, tuple(tags))


def _checked(record: Any) -> tuple[list[str], dict[str, list[str]], list[int]]:
    """Words, tags of each task, and where sentences begin, of the content of a line.

    Raises:
        ValueError: They are not as they should be.
    """
    if not isinstance(record, dict):
        raise ValueError("it is no JSON object")
    for name in ("words", "tags"):
        if name not in record:
            raise ValueError(f"it has no {name!r}")
    words, tags = record["words"], record["tags"]
    if not _are_texts(words):
        raise ValueError("'words' is no list of words")
    if not isinstance(tags, dict) or not tags:
        raise ValueError("'tags' does not have a list of tags for each task")
    for task, of_task in tags.items():
        if not _are_texts(of_task) or not all(of_task):
            raise ValueError(f"the tags of {task} are no list of tags, none of them empty")
        if len(of_task) != len(words):
            raise ValueError(f"{task} has {len(of_task)} tags for {len(words)} words")
    starts = record.get("sentence_starts", [0])
    if not (
        isinstance(starts, list)
        and all(isinstance(start, int) for start in starts)
        and (starts[:1] == [0] or not words)
        and sorted(starts) == starts
        and all(start <= len(words) for start in starts)
    ):
        raise ValueError(f"'sentence_starts' does not rise from 0 to the number of words, {len(words)}")
    return words, tags, starts


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _parsed(line: str) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        return None
