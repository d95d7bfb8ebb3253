"""The journal of a search that was changed between two runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polytag import PolytagError
from polytag.searching.journal import JOURNAL, open_journal
from polytag.searching.space import Range, SearchSpace

SPACE = SearchSpace({"task": ["ner"]}, {"learning_rate": Range(low=1e-4, high=1e-2, log=True)}, frozenset())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A search with one trial, which was repeated and tested."""
    with open_journal(tmp_path, SPACE, seed=0) as journal:
        journal.begin()
        journal.epoch(0, 1, 0.5)
        journal.complete(0, 0.5, 1.5)
        journal.repeat(0, 7, 0.25)
        journal.is_same_corpus("abc")
        journal.tested(0, {"f1": 0.5})
    return tmp_path


def set_attribute(name: str, value: object) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        (found,) = [line["user_attr"] for line in lines if name in line.get("user_attr", ())]
        found[name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        set_attribute("test 0", {}),
        set_attribute("test 0", {"scores": {"f1": "x"}}),
        set_attribute("repeat 0 7", "x"),
        set_attribute("corpus", 3),
        set_attribute("search", []),
        set_attribute("seconds", float("nan")),
        lambda lines: lines[-1].update(user_attr=["a"]),
        lambda lines: lines[-1].update(op_code=[[]]),
        lambda lines: lines[2].update(params=[[]]),
        lambda lines: lines[2].update(params={}, distributions={}),
        lambda lines: lines[3].update(intermediate_value=[None]),
    ],
)
def test_a_value_that_polytag_does_not_write_is_damage(folder: Path, change: Callable[[Any], object]) -> None:
    lines = [json.loads(line) for line in (folder / JOURNAL).read_text().splitlines()]
    change(lines)
    (folder / JOURNAL).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(PolytagError, match=r"journal\.log' is damaged"), open_journal(folder, SPACE, seed=0):
        pass


def test_a_journal_that_was_not_changed_is_read_again(folder: Path) -> None:
    with open_journal(folder, SPACE, seed=0) as journal:
        (trial,) = journal.trials()
        assert (trial.score, trial.repeats, journal.test(0)) == (0.5, {7: 0.25}, ({"f1": 0.5},))
