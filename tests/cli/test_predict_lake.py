"""`polytag predict` with folders, patterns, several files and columns: options, messages, exit statuses."""

import io
import json
import sys
from pathlib import Path

import pytest

from polytag.cli import lake as lake_module

pa, pq = map(pytest.importorskip, ("pyarrow", "pyarrow.parquet"))


@pytest.fixture
def ner(ner_run, tmp_path, monkeypatch) -> Path:
    """A tagger, and inputs in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    pq.write_table(pa.table({"id": [1, 2], "body": ["Anna left.", "Peter sleeps."]}), "in/a.parquet")
    Path("in/b.txt").write_text("Anna left.\nIn Rome.\n", encoding="utf-8")
    return ner_run.output


def texts(path: str) -> list[str]:
    return [json.loads(line)["text"] for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_a_folder_is_tagged_into_a_folder(command, ner):
    Path("in/notes.csv").write_text("no", encoding="utf-8")
    done = command("predict", ner, "in", "--output", "out")
    assert (done.status, done.out) == (0, "")
    assert "Left out, as their extension is none that is read: in/notes.csv" in done.err
    assert "4 rows in out, in 2 files." in done.err
    assert texts("out/b.jsonl") == ["Anna left.", "In Rome."]
    assert "All was done before" in command("predict", ner, "in", "--output", "out").err


@pytest.mark.parametrize(
    "inputs",
    [["in/b.txt", "in/a.parquet"], ["in/*"], ["in/b.txt", "--workers", "1"], ["in/b.txt", "--runner", "processes"]],
)
def test_several_files_a_pattern_and_workers_make_the_output_a_folder(command, ner, inputs):
    done = command("predict", ner, *inputs, "-o", "out", "--quiet")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert texts("out/b.jsonl") == ["Anna left.", "In Rome."]


def test_rows_that_are_left_out_give_status_3(command, ner):
    Path("in/c.jsonl").write_text('{"text": "Anna"}\noops\n', encoding="utf-8")
    done = command("predict", ner, "in", "-o", "out")
    assert done.status == 3
    assert "polytag: Rows left out, as they cannot be tagged: 1. out/_quarantine says which and why.\n" in done.err
    assert command("predict", ner, "in", "-o", "out").status == 3


def test_events_are_json(command, ner):
    done = command("predict", ner, "in", "-o", "out", "--json")
    assert (done.status, done.err) == (0, "")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["event"] for event in events if event["event"] != "progress"] == ["shard", "shard", "end"]
    assert (events[0]["rows"], events[0]["total_rows"]) == (0, 4)
    assert (events[-1]["rows"], events[-1]["quarantined"], events[-1]["tagged"]) == (4, 0, 4)


def test_a_terminal_shows_a_bar_over_rows_with_the_time_left(command, ner, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    from polytag.prediction.lake import LakeProgress

    with lake_module.bar() as show:
        show(LakeProgress(10, 100, 0, 2, 0))
        show(LakeProgress(60, 100, 1, 2, 0))
    assert "60/100" in shown.getvalue()
    assert "1/2 files" in shown.getvalue()
    assert "left" in shown.getvalue()


def test_elsewhere_a_line_says_how_far_it_is_now_and_then(monkeypatch, capsys):
    from polytag.prediction.lake import LakeProgress

    monkeypatch.setattr(lake_module, "_LINES_EVERY", 0)
    with lake_module.lines() as show:
        show(LakeProgress(10, 100, 0, 2, 0))
        show(LakeProgress(60, 100, 1, 2, 0))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("60/100 rows  1/2 files")
    assert line.endswith("left")


def test_one_parquet_file_gives_one_file(command, ner):
    done = command("predict", ner, "in/a.parquet", "-o", "a.parquet")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert pq.read_table("a.parquet")["words"].to_pylist() == [["Anna", "left", "."], ["Peter", "sleeps", "."]]
    done = command("predict", ner, "in/a.parquet")
    assert [json.loads(line)["body"] for line in done.out.splitlines()] == ["Anna left.", "Peter sleeps."]
    assert command("predict", ner, "in/a.parquet", "-o", "a.jsonl").status == 0
    assert Path("a.jsonl").read_text(encoding="utf-8") == done.out
    assert command("predict", ner, "in/b.txt", "-o", "b.parquet").status == 0
    assert pq.read_table("b.parquet")["text"].to_pylist() == ["Anna left.", "In Rome."]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["in"], "Name a folder for them: --output FOLDER"),
        (["in/a.parquet", "in/b.txt"], "Name a folder for them: --output FOLDER"),
        (["in", "-o", "in/b.txt"], "is in the other"),
        (["in", "-o", "out", "--text", "Anna"], "--text is for one text or file"),
        (["in", "-o", "out", "--scheme", "iob1"], "--scheme is for one text or file"),
        (["in", "-o", "out", "--format", "html"], "no output format named 'html'. Choose one of: parquet, jsonl"),
        (["in", "-o", "out", "--runner", "spark"], "no runner named 'spark'. Choose one of: processes, ray"),
        (["in/b.txt", "--json"], "--json is for a folder of outputs"),
        (["in/a.parquet", "--format", "table"], "read by its columns, and the format is 'table'"),
        (["in/a.parquet", "--format", "parquet"], "Parquet cannot be written to standard output"),
        (["in/a.parquet", "--text-column", "id"], "no column 'id' of strings: it is of type int64"),
        (["-", "--text-column", "id"], "Standard input has no columns with names"),
        (["in/nothing.parquet"], "'in/nothing.parquet' does not exist"),
        (["s3://bucket/in", "-o", "out"], "Install s3fs to access S3"),
    ],
)
def test_mistakes_are_one_paragraph(command, ner, arguments, expected):
    done = command("predict", ner, *arguments)
    assert (done.status, done.out) == (2, "")
    assert expected in done.err
    assert len(done.err.splitlines()) == 1
