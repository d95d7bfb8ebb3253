"""The reader `brat`: spans of characters become tags of words, and what cannot is said."""

import gzip
from pathlib import Path

import pytest

from polytag import CorpusError, CorpusWarning, load_corpus
from polytag.corpus.check.check import check
from polytag.corpus.convert import convert_corpus

TEXT = "Peter Blackburn visited New York.\nIL-2-induced E.\ncoli grew. \U0001f4a9 Yahoo! Inc. fell."


def document(folder: Path, name: str = "a", text: str = TEXT, annotations: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes(annotations.encode())
    return folder / f"{name}.ann"


def tagged(path: Path, split: str = "train", **options) -> list[list[str]]:
    corpus = load_corpus(str(path), **options)
    assert corpus.reader == "brat"
    (column,) = corpus.columns
    rows = zip(corpus.words(split), corpus.tags(split, column), strict=True)
    return [[f"{word}/{tag}" for word, tag in zip(*row, strict=True) if tag != "O"] for row in rows]


def test_spans_become_tags_and_other_annotations_are_left_out(tmp_path):
    annotations = "T1\tPER 0 15\tPeter Blackburn\nR1\tvisits Arg1:T1 Arg2:T2\nT2\tLOC 24 32\tNew York\n#1\tNote T1\tx\n"
    path = document(tmp_path, annotations=annotations)
    assert tagged(path)[0] == ["Peter/B-PER", "Blackburn/I-PER", "New/B-LOC", "York/I-LOC"]
    assert load_corpus(str(path)).documents("train") == [0, 0, 0, 0]
    assert [load_corpus(str(path)).locate("train", i) for i in (0, 3)] == ["a.txt:1", "a.txt:3"]


def test_offsets_count_code_points_and_line_ends_as_they_are(tmp_path):
    text = "\ufeff\U0001f4a9 Ah.\r\nPeter slept.\r\n"
    path = document(tmp_path, text=text, annotations="T1\tPER 8 13\tPeter\r\n")
    assert tagged(path) == [[], ["Peter/B-PER"]]
    assert load_corpus(str(path)).words("train")[0] == ["\U0001f4a9", "Ah", "."]


def test_no_sentence_ends_inside_a_span(tmp_path):
    # brat itself writes a span over a line end in two pieces.
    path = document(tmp_path, annotations="T1\tSP 47 49;50 54\tE. coli\nT2\tORG 63 74\tYahoo! Inc.\n")
    assert tagged(path)[1:] == [["E./B-SP", "coli/I-SP"], ["Yahoo/B-ORG", "!/I-ORG", "Inc./I-ORG"]]


@pytest.mark.parametrize(
    ("annotations", "code", "example", "tags"),
    [
        (
            "T1\tLOC 24 31\tNew Yor\n",
            "span-cuts-word",
            "T1 LOC 24-31 'New Yor', widened to 'New York'",
            ["New", "York"],
        ),
        ("T1\tG 34 38\tIL-2\n", "span-cuts-word", "T1 G 34-38 'IL-2', widened to 'IL-2-induced'", ["IL-2-induced"]),
        ("T1\tX 0 5;16 23\tPeter visited\n", "span-discontinuous", "T1 X 0 5;16 23 'Peter visited'", []),
        ("T1\tX 5 6\t \n", "span-without-word", "T1 X 5-6 ' '", []),
        (
            "T1\tPER 0 5\tPeter\nT2\tPER 0 15\tPeter Blackburn\n",
            "span-overlaps",
            "T1 PER 0-5 'Peter'",
            ["Peter", "Blackburn"],
        ),
    ],
)
def test_what_does_not_fit_words_is_reported_with_its_place(tmp_path, annotations, code, example, tags):
    path = document(tmp_path, annotations=annotations)
    with pytest.warns(CorpusWarning) as warned:
        corpus = load_corpus(str(path))
    assert [str(warning.message).endswith(f" a.ann:1: {example}.") for warning in warned] == [True]
    (finding,) = (finding for finding in check(corpus) if finding.code == code)
    assert (finding.severity, finding.count, finding.places) == ("warning", 1, (("a.ann:1", example),))
    rows = zip(corpus.words("train"), corpus.tags("train", "ner_tags"), strict=True)
    assert [word for row in rows for word, tag in zip(*row, strict=True) if tag != "O"] == tags


def test_the_command_line_reports_once_and_check_lists(tmp_path, command):
    lines = "".join(f"T{i}\tX {i} {i + 1}\t{'Peter'[i]}\n" for i in range(1, 5))
    path = document(tmp_path, annotations=lines)
    described = command("corpus", "describe", path)
    assert described.status == 0
    assert described.err.startswith(
        "polytag: Spans that start or end inside a word are widened to whole words. a.ann:1: T1 X 1-2 'e', "
    )
    assert "; and 1 more, which `polytag corpus check --examples 4` shows.\n" in described.err
    checked = command("corpus", "check", path, "--examples", "4")
    assert not checked.err
    assert checked.out.count("widened to 'Peter'") == 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("T1\tPER 0 5\tPetra", "a.ann:2, T1: the span from 0 to 5 is recorded as 'Petra', but the text has"),
        ("T1\tPER 75 99\tfell.", "a.ann:2: the span from 75 to 99 is not within the text, which has 80 characters"),
        ("T1\tPER 0\tPeter", "a.ann:2: 'T1\\tPER 0\\tPeter' is not a span of brat standoff. Write it like"),
        ("T1 PER 0 5 Peter", "is not a span of brat standoff"),
        ("T1\tPER 83 99\t", "a.ann:2: the span from 83 to 99 is not within the text, which has 80 characters"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, line, expected):
    path = document(tmp_path, annotations=f"#1\tNote T1\tx\n{line}\n")
    with pytest.raises(CorpusError) as caught:
        load_corpus(str(path))
    assert expected in str(caught.value)


def test_a_text_that_is_missing_or_not_utf8_is_named(tmp_path):
    path = document(tmp_path, annotations="T1\tPER 0 5\tPeter\n")
    path.with_suffix(".txt").write_bytes(b"Peter\nZ\xfcrich")
    with pytest.raises(CorpusError, match=r"a\.txt:2: byte 2 of this line"):
        load_corpus(str(path))
    path.with_suffix(".txt").unlink()
    with pytest.raises(CorpusError, match=r"a\.ann has no text: a\.txt is missing in its folder"):
        load_corpus(str(path))


# Folders


def test_splits_are_folders_or_names_or_all_is_train(tmp_path):
    for name in ("train/x/a", "train/test-report", "dev/b"):
        document(tmp_path / "folders" / Path(name).parent, Path(name).name, "A.")
    corpus = load_corpus(str(tmp_path / "folders"))
    assert {split: len(corpus.words(split)) for split in corpus.splits} == {"train": 2, "validation": 1}
    for name in ("a.train", "b.test"):
        document(tmp_path / "names", name, "A.")
    assert load_corpus(str(tmp_path / "names")).splits == ("train", "test")
    for name in ("a", "test-report"):
        document(tmp_path / "flat", name, "A.")
    assert load_corpus(str(tmp_path / "flat")).documents("train") == [0, 1]


def test_a_folder_can_be_named_for_a_split(tmp_path):
    document(tmp_path / "one", text="A.")
    document(tmp_path / "two", text="B.")
    corpus = load_corpus(f"train={tmp_path / 'one'},test={tmp_path / 'two'}")
    assert (corpus.reader, corpus.words("test")) == ("brat", [["B", "."]])


def test_a_text_without_annotations_is_left_out_and_said(tmp_path):
    document(tmp_path, text="A.")
    (tmp_path / "b.txt").write_text("B.")
    with pytest.warns(CorpusWarning, match=r"without an annotation file.* b\.txt"):
        assert load_corpus(str(tmp_path)).words("train") == [["A", "."]]


def test_documents_outside_of_the_folders_of_splits_are_left_out_and_said(tmp_path):
    for name in ("train/a", "train2/b", "c"):
        document(tmp_path / Path(name).parent, Path(name).name, "A.")
    with pytest.warns(CorpusWarning, match=r"outside the folders of splits are left out.* c\.ann.* b\.ann"):
        assert load_corpus(str(tmp_path)).words("train") == [["A", "."]]


# Writing


def test_what_is_written_is_a_collection_of_brat(tmp_path):
    (tmp_path / "in.conll").write_text("Don't O\nNew B-LOC\nYork I-LOC\n. O\n\nEU B-ORG\n. O\n")
    corpus = load_corpus(str(tmp_path / "in.conll"))
    done = convert_corpus(corpus, tmp_path / "out", format="brat")
    assert {path.name: path.read_text() for path in done.folder.iterdir()} == {
        "train.1.txt": "Don't New York .\n",
        "train.1.ann": "T1\tLOC 6 14\tNew York\n",
        "train.2.txt": "EU .\n",
        "train.2.ann": "T1\tORG 0 2\tEU\n",
        "tools.conf": "[options]\nTokens\ttokenizer:whitespace\nSentences\tsplitter:newline\n",
        "annotation.conf": "[entities]\nLOC\nORG\n[relations]\n[events]\n[attributes]\n",
    }
    assert any("no documents, now there are 2 documents" in message for message in done.messages)
    assert done.options == "--columns tokens,tags"
    again = load_corpus(str(done.folder), columns=["tokens", "tags"])
    assert (again.words("train"), again.tags("train", "tags")) == (corpus.words("train"), corpus.tags("train", "tags"))
    convert_corpus(corpus, done.folder, format="brat", overwrite=True)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ('{"tokens": ["New York"], "a": ["B-X"]}', r"in.jsonl:1, word 1: the word 'New York' has white space"),
        ('{"tokens": ["a", "b"], "a": ["B-X", null]}', r"in.jsonl:1, word 2: the word 'b' has no annotation"),
        ('{"tokens": ["a"], "a": ["B-X Y"]}', r"the label 'X Y' has white space"),
        ('{"tokens": ["a"], "a": ["NN"]}', r"no tag column of this corpus has spans"),
        (
            '{"tokens": ["a"], "a": ["B-X"], "b": ["B-Y"]}',
            r"one column of spans, and this corpus has a, b\. Choose one",
        ),
        ('{"tokens": ["a"], "a": ["B"]}', r"a tag without label"),
    ],
)
def test_what_brat_cannot_hold_is_refused(tmp_path, row, expected):
    (tmp_path / "in.jsonl").write_text(row)
    with pytest.raises(CorpusError, match=expected):
        convert_corpus(load_corpus(str(tmp_path / "in.jsonl")), tmp_path / "out", format="brat")
    assert not (tmp_path / "out").exists()


def test_tags_that_break_their_scheme_are_written_by_the_rules_and_said(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"tokens": ["a", "b", "c", "d", "e"], "x": ["B-X", "I-X", "O", "B-Y", "I-X"]}')
    done = convert_corpus(load_corpus(str(tmp_path / "in.jsonl")), tmp_path / "out", format="brat")
    assert any(message.startswith("x: 1 words violate the scheme 'iob2'") for message in done.messages)
    again = load_corpus(str(done.folder), columns=["tokens", "x"])
    assert again.tags("train", "x") == [["B-X", "I-X", "O", "B-Y", "B-X"]]


# Other files


def test_compressed_documents_in_another_encoding_are_read(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress("Zürich brennt".encode("latin-1")))
    (tmp_path / "a.ann.gz").write_bytes(gzip.compress("T1\tLOC 0 6\tZürich\n".encode("latin-1")))
    corpus = load_corpus(str(tmp_path), encoding="latin-1")
    assert corpus.tags("train", "ner_tags") == [["B-LOC", "O"]]
    assert corpus.locate("train", 0) == "a.txt:1"


def test_a_line_of_no_kind_is_named(tmp_path):
    path = document(tmp_path, text="A.", annotations="R1\tOf Arg1:T1 Arg2:T1\nPER 0 1\n")
    with pytest.raises(CorpusError, match=r"a\.ann:2: 'PER 0 1' is not a line of brat standoff"):
        load_corpus(str(path))
