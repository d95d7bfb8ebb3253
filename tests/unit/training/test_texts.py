"""Text without labels comes from text files and from whatever a reader knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polytag import PolytagError
from polytag.training.texts import read_texts, texts_fingerprint

COLUMNS = """-DOCSTART- -X-

Peter NNP
sleeps VBZ
. .

He PRP
dreams VBZ
of IN
Rome NNP

-DOCSTART- -X-

Bonn NNP
is VBZ
far RB
"""
SENTENCES = [["Peter", "sleeps", "."], ["He", "dreams", "of", "Rome"], ["Bonn", "is", "far"]]


def read(folder: Path, name: str, content: str) -> tuple[list[list[str]], list[int] | None]:
    file = folder / name
    file.write_text(content, encoding="utf-8")
    texts = read_texts([str(file)], "standard")
    return texts.sentences, texts.documents


def test_each_line_of_a_text_file_is_split_into_sentences(tmp_path):
    sentences, documents = read(tmp_path, "raw.txt", "Peter sleeps. He dreams of Rome.\n\nBonn is far\n")
    assert sentences == [["Peter", "sleeps", "."], ["He", "dreams", "of", "Rome", "."], ["Bonn", "is", "far"]]
    assert documents == [0, 0, 1]


@pytest.mark.parametrize("name", ["raw.conll", "raw.txt", "raw"])
def test_columns_are_read_as_columns_whatever_the_file_is_called(tmp_path, name):
    assert read(tmp_path, name, COLUMNS) == (SENTENCES, [0, 0, 1])


def test_a_column_of_words_alone_will_do(tmp_path):
    assert read(tmp_path, "raw.conll", "Peter\nsleeps\n.\n\nBonn\n")[0] == [["Peter", "sleeps", "."], ["Bonn"]]


def test_json_lines_have_texts_or_words(tmp_path):
    lines = [{"text": "Peter sleeps. He dreams."}, {"tokens": ["Bonn", "is"], "document": "a"}]
    sentences, documents = read(tmp_path, "raw.jsonl", "\n".join(map(json.dumps, lines)))
    assert sentences == [["Peter", "sleeps", "."], ["He", "dreams", "."], ["Bonn", "is"]]
    assert documents == [0, 0, 1]


def test_a_corpus_gives_the_words_of_all_its_splits(tiny_corpus):
    texts = read_texts([str(tiny_corpus)], "standard")
    assert len(texts.sentences) == 64 + 16 + 16
    assert texts.tags == {}


def test_a_folder_of_text_files_is_read_in_the_order_of_their_names(tmp_path):
    for name, text in (("b.txt", "Bonn is far"), ("a.txt", "Peter sleeps .")):
        (tmp_path / name).write_text(text)
    assert read_texts([str(tmp_path)], "whitespace").sentences == [["Peter", "sleeps", "."], ["Bonn", "is", "far"]]


def test_several_sources_share_no_document(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("Peter sleeps.")
    assert read_texts([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")], "standard").documents == [0, 1]


def test_other_words_have_another_fingerprint(tmp_path):
    (tmp_path / "a.txt").write_text("Peter sleeps.")
    before = texts_fingerprint(read_texts([str(tmp_path / "a.txt")], "standard"))
    assert before == texts_fingerprint(read_texts([str(tmp_path / "a.txt")], "standard"))
    (tmp_path / "a.txt").write_text("Peter slept.")
    assert before != texts_fingerprint(read_texts([str(tmp_path / "a.txt")], "standard"))


def test_text_without_words_is_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(PolytagError, match=r"empty\.txt' has no words"):
        read_texts([str(tmp_path / "empty.txt")], "standard")


@pytest.mark.parametrize("name", ["nowhere.txt", "nowhere.conll", "nowhere.jsonl.gz"])
def test_text_that_does_not_exist_is_refused_as_text_and_not_as_the_corpus(name):
    with pytest.raises(PolytagError, match=f"The text '{name}' does not exist"):
        read_texts([name], "standard")


@pytest.mark.parametrize("content", ["Zoë sleeps.\n".encode("latin-1"), "Peter sleeps.\n".encode("utf-16-le")])
def test_text_in_another_encoding_is_to_be_converted(tmp_path, content):
    (tmp_path / "raw.txt").write_bytes(content)
    with pytest.raises(PolytagError, match=r"has to be UTF-8.*: convert the file") as caught:
        read_texts([str(tmp_path / "raw.txt")], "standard")
    assert "--encoding" not in str(caught.value)
