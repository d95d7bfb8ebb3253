"""Control characters of texts, labels and names of files never reach a terminal."""

import json
import warnings

import pytest

from polytag import CorpusWarning, PolytagError
from polytag.plugin.reporter import Reporter
from polytag.terminal import visible
from polytag.training.progress import ConsoleReporter

RED, LINE, TURNED = "\x1b[31m", "\n", "\u202e"
BAD = f"Ro{RED}me\u202e\x07"
SHOWN = r"Ro\x1b[31mme\u202e\x07"


def clean(text: str) -> bool:
    return visible(text.replace("\n", "")) == text.replace("\n", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (BAD, SHOWN),
        ("a\nb\r\tc\x00\x7f\x9b", r"a\nb\r\tc\x00\x7f\x9b"),
        ("\u2066x\u2069\u2028\ud800", r"\u2066x\u2069\u2028\ud800"),
        ("نیم\u200cفاصله 👩\u200d🚀 café \u00a0 \\n", "نیم\u200cفاصله 👩\u200d🚀 café \u00a0 \\n"),
    ],
)
def test_control_characters_are_written_as_in_python(text, shown):
    assert visible(text) == shown


@pytest.fixture
def corpus(tmp_path):
    """A corpus whose words, labels and names of files have control characters."""
    folder = tmp_path / f"corpus{TURNED}"
    folder.mkdir()
    rows = [{"tokens": ["In", BAD, "."], "ner_tags": ["O", f"B-L{RED}OC", "O"]}, {"tokens": ["He"], "ner_tags": ["O"]}]
    for split in ("train", "validation", "test"):
        lines = (json.dumps(row) for row in rows * 4)
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_tables_of_a_corpus(corpus, command):
    for colour in ({}, {"FORCE_COLOR": "1"}):
        done = command("corpus", "describe", corpus, environment={"NO_COLOR": "1", **colour, "COLUMNS": "200"})
        assert done.status == 0, done.err
        assert SHOWN in done.out
        assert r"L\x1b[31mOC" in done.out
        assert "corpus\\u202e" in done.out
        assert BAD not in done.out
        assert TURNED not in done.out
    done = command("corpus", "check", corpus)
    assert clean(done.out), done.out


def test_tables_of_a_tagger(corpus, command, ner_run, joint_run):
    text = f"Anna{RED} met Peter\u202e in Rome.\n".encode()
    done = command("predict", joint_run.output, "-", "--format", "table", stdin=text)
    assert clean(done.out), done.out
    assert "\\x1b" in done.out
    done = command("evaluate", ner_run.output, "-c", corpus, "--confusions", 3, environment={"COLUMNS": "300"})
    assert done.status == 0, done.err
    assert r"L\x1b[31mOC" in done.out
    assert clean(done.out), done.out


def test_json_and_columns_are_unchanged(command, ner_run):
    text = f"Anna{TURNED} met Peter.\n".encode()
    (line,) = command("predict", ner_run.output, "-", "--format", "jsonl", stdin=text).out.splitlines()
    assert json.loads(line)["text"] == f"Anna{TURNED} met Peter."
    assert TURNED in command("predict", ner_run.output, "-", "--format", "conll", stdin=text).out


def test_messages(command, tmp_path, ner_run, monkeypatch):
    name = f"no{RED}{LINE}polytag: all is well{TURNED}"
    for arguments in (
        ("predict", tmp_path / name),
        ("evaluate", ner_run.output, "-c", tmp_path / name),
        ("push", tmp_path / name, "acme/ner"),
        ("corpus", "check", tmp_path / name),
    ):
        done = command(*arguments)
        assert done.status == 2
        assert clean(done.err)
        assert done.err.count("\n") == 1, done.err

    def warn(*_: object) -> str:
        warnings.warn(f"left out {name}", CorpusWarning, stacklevel=1)
        return ""

    monkeypatch.setattr("polytag.publishing.push.push", lambda *_, **__: warn())
    done = command("push", "tagger", "acme/ner")
    assert done.err == f"polytag: left out {visible(name)}\n"

    def fail(*_: object, **__: object) -> str:
        raise PolytagError(f"A plugin failed: {name}")

    monkeypatch.setattr("polytag.publishing.push.push", fail)
    done = command("push", "tagger", "acme/ner")
    assert done.err == f"polytag: A plugin failed: {visible(name)}\n"


def test_messages_of_a_run(capsys):
    reporter: Reporter = ConsoleReporter()
    reporter.message(f"The corpus {BAD}")
    assert capsys.readouterr().err == f"The corpus {SHOWN}\n"
