"""Tagging files from Python: in order, and line by line where the memory has to stay flat."""

import io
import json
import sys

import pytest

from polytag import PolytagError
from polytag.predicting import predict
from polytag.runner import TrainResult


def test_predicting_is_one_call(ner_run: TrainResult, tmp_path):
    (tmp_path / "in.txt").write_text("Anna Keller left.\n\nPeter slept.\n")
    predict(ner_run.output, str(tmp_path / "in.txt"), output=tmp_path / "out.conll", output_format="conll")
    blocks = (tmp_path / "out.conll").read_text().strip().split("\n\n")
    assert [[line.split("\t")[0] for line in block.splitlines()] for block in blocks] == [
        ["Anna", "Keller", "left", "."],
        ["Peter", "slept", "."],
    ]


@pytest.mark.parametrize("kind", ["text", "jsonl"])
def test_input_is_read_as_results_are_written(ner_run: TrainResult, monkeypatch, kind):
    class Sink(io.StringIO):
        lines = 0

        def write(self, text: str) -> int:
            self.lines += text.count("\n")
            return super().write(text)

    sink, seen = Sink(), []

    def source():
        for number in range(6_000):
            seen.append(sink.lines)
            text = f"Number {number} ."
            yield ((json.dumps({"text": text}) if kind == "jsonl" else text) + "\n").encode()

    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": source(), "isatty": lambda self: False})())
    monkeypatch.setattr(sys, "stdout", sink)
    predict(ner_run.output, "-", input_format=kind, output_format="jsonl")
    monkeypatch.undo()
    assert [json.loads(line)["words"][1] for line in sink.getvalue().splitlines()] == [str(n) for n in range(6_000)]
    behind = [read - written for read, written in enumerate(seen)]
    assert max(behind) < 5_000


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(PolytagError, match=r"no input format named 'xml'. Choose one of: text, document"):
        predict(tmp_path, "-", input_format="xml")
