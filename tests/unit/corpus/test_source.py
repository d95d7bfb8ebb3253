"""The files of a folder: which split each one is, and which are not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from polytag import CorpusError, CorpusWarning, load_corpus, split_of


def folder_with(folder: Path, *names: str) -> str:
    for name in names:
        text = '{"tokens": ["a"], "tags": ["O"]}\n' if name.endswith("jsonl") else "a O\n\nb O\n"
        (folder / name).write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("emerging.dev.conll", "validation"),
        ("emerging.test.annotated", "test"),
        ("wnut17train.conll", "train"),
        ("nerTrain.txt", "train"),
        ("corpus2003testb", "test"),
        ("mytrain.conll", "train"),
        ("newsdev.conll", "validation"),
        ("latest.conll", None),
        ("contest.conll", None),
        ("constrain.conll", None),
        ("train2.conll", None),
        ("wnut17train.test.conll", "test"),
    ],
)
def test_the_split_is_in_the_name(name, split):
    assert split_of(name) == split


def test_files_that_are_not_read_are_named_with_the_reason(tmp_path):
    names = ("train.conll", "latest.conll", "train.conll~", "README.md", "LICENSE", "plot.png", ".hidden")
    with pytest.warns(CorpusWarning) as warned:
        corpus = load_corpus(folder_with(tmp_path, *names))
    assert [str(warning.message) for warning in warned] == [
        "Files of the folder were not read. latest.conll: its name tells no split (train, dev, test); train.conll~: a "
        "backup; 3 others: documentation, programs or pictures."
    ]
    assert [remark.location for remark in corpus.remarks] == ["latest.conll", "train.conll~", "3 others"]


@pytest.mark.filterwarnings("error")
def test_documentation_alone_is_not_worth_a_line(tmp_path):
    assert load_corpus(folder_with(tmp_path, "train.conll", "README.md", "LICENSE.txt", "convert.py")).remarks == ()


@pytest.mark.parametrize(("first", "second"), [("train.conll", "train.jsonl"), ("a.train.txt", "b.train.jsonl")])
def test_a_split_in_two_formats_is_refused_and_the_advice_helps(tmp_path, first, second):
    with pytest.raises(CorpusError) as caught:
        load_corpus(folder_with(tmp_path, first, second))
    message = str(caught.value)
    assert f"holds the train split in two formats: {first} (column) and {second} (jsonl)" in message
    _, _, advice = message.partition("Name the files to read: ")
    assert load_corpus(advice).reader == "column"
