"""Scores belong to words and tags: how a file is laid out does not change them."""

import json

import pytest

import polytag
from polytag.runner import TrainResult

SENTENCES = 40
HEADER = "id\ttoken\tner_tags\n"


@pytest.fixture(scope="module")
def rows():
    """The words of some sentences, each with its tag."""
    corpus = polytag.load_corpus("sample")
    words, tags = corpus.words("test")[:SENTENCES], corpus.tags("test", "ner_tags")[:SENTENCES]
    return [list(zip(*sentence, strict=True)) for sentence in zip(words, tags, strict=True)]


def scores(command, tagger, path):
    """The scores that `polytag evaluate` prints."""
    done = command("evaluate", tagger, "--corpus", path, "--json")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    return {key: found[key] for key in ("sentences", "words", "tasks")}


def clean(rows):
    return "".join("".join(f"{word}\t{tag}\n" for word, tag in sentence) + "\n" for sentence in rows)


def annotated(rows):
    """With a header, a comment before each sentence, and an index."""
    text = HEADER
    for number, sentence in enumerate(rows):
        text += f"# sent_id = test-{number}\n# text = {' '.join(word for word, _ in sentence)}\n"
        text += "".join(f"{index}\t{word}\t{tag}\n" for index, (word, tag) in enumerate(sentence, 1)) + "\n"
    return text


def reordered(rows):
    """With the tags before the words, spelt otherwise, in another encoding and with other line ends."""
    lines = [f"{tag.replace('-', '_', 1)} {word}" for sentence in rows for word, tag in [*sentence, ("", "")]]
    return "\r\n".join(line.strip() for line in lines)


def test_a_clean_corpus_and_the_same_in_other_dialects_have_equal_scores(command, ner_run: TrainResult, rows, tmp_path):
    paths = {name: tmp_path / f"{name}.test.tsv" for name in ("clean", "annotated", "reordered")}
    paths["clean"].write_text(clean(rows), encoding="utf-8")
    paths["annotated"].write_text(annotated(rows), encoding="utf-8")
    paths["reordered"].write_bytes(reordered(rows).encode("utf-16"))
    expected = scores(command, ner_run.output, paths["clean"])
    assert expected["words"] == sum(map(len, rows))
    assert expected["tasks"]["ner"]["metrics"]
    assert scores(command, ner_run.output, paths["annotated"]) == expected
    assert scores(command, ner_run.output, paths["reordered"]) == expected


def test_words_of_an_annotated_file_are_tagged_like_those_of_a_clean_one(command, ner_run: TrainResult, rows, tmp_path):
    outputs = []
    for name, text in (("clean", clean(rows)), ("annotated", annotated(rows))):
        path = tmp_path / f"{name}.conll"
        path.write_text(text, encoding="utf-8")
        done = command("predict", ner_run.output, path, "--input", "conll", "--format", "jsonl")
        assert done.status == 0, done.err
        outputs.append([json.loads(line) for line in done.out.splitlines()])
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == SENTENCES


def test_a_file_of_predictions_may_have_another_dialect(rows, tmp_path):
    paths = {"clean": tmp_path / "clean.test.conll", "annotated": tmp_path / "annotated.conll"}
    paths["clean"].write_text(clean(rows), encoding="utf-8")
    paths["annotated"].write_text(annotated(rows), encoding="utf-8")
    compared = polytag.compare(*map(str, paths.values()), str(paths["clean"]), task=["ner"])
    result = compared.tasks["ner"]
    assert (result.a, result.b, result.differing) == (1, 1, 0)
