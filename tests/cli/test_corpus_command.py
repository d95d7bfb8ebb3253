"""`polytag corpus` says what one call in Python gives."""

import json
import warnings

import pytest

import polytag

COLUMNS = ["tokens", "_", "chunk_tags", "ner_tags"]


@pytest.fixture
def corpus(tmp_path):
    """Two files in IOB1, where the last span of the second has a wrong prefix."""
    (tmp_path / "train.conll").write_text("EU N I-NP I-ORG\nPeter N B-NP I-PER\n\nParis N I-NP I-LOC\n" * 3)
    (tmp_path / "test.conll").write_text("Japan N I-NP B-LOC\n")
    return str(tmp_path)


def test_describing_is_one_call(corpus, command):
    described = polytag.describe(corpus, "train", columns=COLUMNS)
    assert list(described.splits) == ["train"]
    assert list(described.columns) == ["chunk_tags", "ner_tags"]
    options = ("--columns", ",".join(COLUMNS), "--split", "train", "--json")
    assert json.loads(command("corpus", "describe", corpus, *options).out) == described.to_dict()
    loaded = polytag.load_corpus(corpus, columns=COLUMNS)
    assert polytag.describe(loaded, "train") == described


def test_checking_is_one_call(corpus, command):
    findings = polytag.check(corpus, columns=COLUMNS, corpus_scheme="iobes", examples=1)
    assert findings[0].severity == "error"
    assert "'iobes'" in findings[0].message
    assert all(len(finding.places) <= 1 for finding in findings)
    options = ("--columns", ",".join(COLUMNS), "--corpus-scheme", "iobes", "--examples", "1", "--json")
    done = command("corpus", "check", corpus, *options)
    assert done.status == 1
    assert json.loads(done.out) == {"reference": corpus, "findings": [finding.to_dict() for finding in findings]}


def test_what_reading_would_warn_about_is_a_finding(tmp_path):
    (tmp_path / "a.txt").write_text("Anna left.\n")
    (tmp_path / "a.ann").write_text("T1\tPER 0 2\tAn\n")
    with pytest.warns(polytag.CorpusWarning):
        polytag.load_corpus(str(tmp_path / "a.ann"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        findings = polytag.check(str(tmp_path / "a.ann"))
    assert "a.ann:1" in {place.location for finding in findings for place in finding.places}


def test_a_conversion_is_told_as_json(corpus, command, tmp_path):
    told = json.loads(
        command("corpus", "convert", corpus, tmp_path / "new", "--scheme", "iobes", "--format", "jsonl", "--json").out
    )
    assert (told["format"], told["folder"]) == ("jsonl", str(tmp_path / "new"))
    assert "violate the scheme 'iob1'" in told["messages"][0]
    assert told["sentences"] == {
        name: len(polytag.load_corpus(str(tmp_path / "new"))[name]) for name in told["sentences"]
    }
    assert told["schemes"]["ner_tags"] == {"before": "iob1", "after": "iobes"}


def test_converting_is_one_call(corpus, command, tmp_path):
    done = polytag.convert_corpus(
        corpus, str(tmp_path / "one"), format="jsonl", scheme="iobes", columns=[*COLUMNS[:2], "chunk_tags", "_"]
    )
    assert done.schemes == {"chunk_tags": ("iob1", "iobes")}
    options = ("--columns", "tokens,_,chunk_tags,_", "--format", "jsonl", "--scheme", "iobes")
    assert command("corpus", "convert", corpus, tmp_path / "two", *options).status == 0
    for name in ("train.jsonl", "test.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_folder_in_use_is_refused_before_the_corpus_is_read(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(polytag.PolytagError, match="is a file"):
        polytag.convert_corpus("no-such-corpus", tmp_path / "mine")


def test_texts_with_offsets_are_split_by_the_chosen_splitter(command, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "Anna slept-in", "label": [[0, 4, "PER"]]}\n')
    words = {}
    for name in ("standard", "characters"):
        done = command("corpus", "describe", tmp_path / "a.jsonl", "--splitter", name, "--json")
        words[name] = json.loads(done.out)["splits"]["train"]["words"]
    assert words == {"standard": 2, "characters": 12}
    assert "no splitter named 'chars'" in command("corpus", "check", tmp_path / "a.jsonl", "--splitter", "chars").err
