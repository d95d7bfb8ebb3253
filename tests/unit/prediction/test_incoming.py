"""Input that comes while it is awaited: each text is answered before the next one is there."""

import io
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polytag
from polytag import Tagger
from polytag.prediction.incoming import bursts
from polytag.runner import TrainResult


class Writer(io.StringIO):
    """Writes the next part of the input once the parts before it are answered, and ends it after the last part."""

    def __init__(self, descriptor: int, parts: Sequence[str]) -> None:
        super().__init__()
        self._descriptor, self._parts = descriptor, list(parts)
        self._late = threading.Timer(5, self._end)
        self._late.start()
        self.ends_in_time = False
        self._give()

    def _give(self) -> None:
        if self._parts:
            os.write(self._descriptor, self._parts.pop(0).encode())
        else:
            self._late.cancel()
            self.ends_in_time = True
            self._end()

    def _end(self) -> None:
        os.close(self._descriptor)

    def flush(self) -> None:
        super().flush()
        if self.getvalue().count("\n") and not self.ends_in_time:
            self._give()


def answers(monkeypatch, tagger: Path, parts: Sequence[str], **options) -> list[list[str]]:
    """The words of the answers, if the last part of the input was answered before the input ended."""
    read, write = os.pipe()
    sink = Writer(write, parts)
    with os.fdopen(read, "rb") as buffer, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", type("Stdin", (), {"buffer": buffer, "isatty": lambda self: False})())
        patch.setattr(sys, "stdout", sink)
        polytag.predict(tagger, "-", output_format="jsonl", **options)
    assert sink.ends_in_time
    return [json.loads(line)["words"] for line in sink.getvalue().splitlines()]


def test_a_line_of_a_pipe_is_answered_before_the_next_one_comes(ner_run: TrainResult, monkeypatch):
    expected = [["Anna", "left"], ["Peter"], ["In", "Rome"]]
    lines = [" ".join(words) + "\n" for words in expected]
    assert answers(monkeypatch, ner_run.output, lines) == expected
    assert answers(monkeypatch, ner_run.output, lines, input_format="words") == expected
    rows = [json.dumps({"text": " ".join(words)}) + "\n" for words in expected]
    assert answers(monkeypatch, ner_run.output, rows, input_format="jsonl") == expected
    # Two lines at once are two texts; half a line is none yet.
    parts = ["Anna left\nPeter\nIn Ro", "me\n"]
    assert answers(monkeypatch, ner_run.output, parts) == expected


def test_a_sentence_of_columns_is_answered_at_the_empty_line_after_it(ner_run: TrainResult, monkeypatch):
    parts = ["# one\nAnna\tNNP\nleft\tVBD\n\n", "# two\nPeter\tNNP\n\n\n", "In\tIN\nRome\tNNP\n\n"]
    found = answers(monkeypatch, ner_run.output, parts, input_format="conll")
    assert found == [["Anna", "left"], ["Peter"], ["In", "Rome"]]


def test_a_document_is_answered_as_a_whole(ner_run: TrainResult, tmp_path, monkeypatch):
    replace(Tagger.load(ner_run.output), context="document").save(tmp_path / "tagger")
    rows = [
        {"tokens": ["Anna"], "document": 1},
        {"tokens": ["left"], "document": 1},
        {"tokens": ["Rome"], "document": 2},
    ]
    first = "".join(json.dumps(row) + "\n" for row in rows)
    last = json.dumps({"text": "Peter"}) + "\n"  # ends the document
    assert answers(monkeypatch, tmp_path / "tagger", [first, last], input_format="jsonl") == [
        ["Anna"],
        ["left"],
        ["Rome"],
        ["Peter"],
    ]


def test_a_full_pipe_is_tagged_in_large_groups():
    asked = []

    def waits() -> bool:
        asked.append(1)
        return len(asked) == 6

    assert list(bursts(range(10), waits, size=4)) == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert list(bursts("aabbbbbbc", lambda: False, document=str, size=4)) == [["a", "a"], ["b"] * 4, ["b", "b", "c"]]


class Terminal(io.StringIO):
    """Types a line at each prompt, and Ctrl-D at the last."""

    def __init__(self, descriptor: int, typed: Sequence[str]) -> None:
        super().__init__()
        self._descriptor, self._typed = descriptor, [*typed, "\x04"]

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text == "> ":
            os.write(self._descriptor, self._typed.pop(0).encode())
        return super().write(text)


def test_a_terminal_shows_a_prompt_for_each_text(ner_run: TrainResult, monkeypatch):
    main, terminal = os.openpty()
    shown, sink = Terminal(main, ["Anna left\n", "Peter\n"]), io.StringIO()
    with os.fdopen(terminal, "rb") as buffer, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", type("Stdin", (), {"buffer": buffer, "isatty": lambda self: True})())
        patch.setattr(sys, "stdout", sink)
        patch.setattr(sys, "stderr", shown)
        polytag.predict(ner_run.output, "-", output_format="jsonl")
    os.close(main)
    assert [json.loads(line)["words"] for line in sink.getvalue().splitlines()] == [["Anna", "left"], ["Peter"]]
    assert shown.getvalue() == "Ctrl-D ends the input.\n> > > "
