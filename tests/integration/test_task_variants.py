"""Two layers of span tags: `--task ner --task ner:inner=nested_tags`, trained jointly and shown by that name."""

import json
from pathlib import Path

import pytest

import polytag
from polytag import PolytagError, Tagger

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("uncompiled")]

SENTENCES = [
    ("Klinik/B-ORG/O Ulm/I-ORG/B-LOC hilft/O/O Anna/B-PER/O ./O/O"),
    ("Bo/B-PER/O lehrt/O/O in/O/O Bonn/B-LOC/O ./O/O"),
    ("Institut/B-ORG/O Bonn/I-ORG/B-LOC schweigt/O/O ./O/O"),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    for split, repeated in (("train", 8), ("dev", 2), ("test", 2)):
        lines = []
        for sentence in SENTENCES * repeated:
            words, outer, inner = zip(*(word.split("/") for word in sentence.split()), strict=True)
            lines.append(json.dumps({"tokens": words, "ner_tags": outer, "nested_tags": inner}))
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_two_layers_are_trained_saved_evaluated_and_shown_by_name(command, corpus: Path, tmp_path: Path):
    both = ("--task", "ner", "--task", "ner:inner=nested_tags")
    done = command(
        *("train", *both, "--corpus", corpus, "--output", tmp_path / "tagger", "--epochs", 2),
        *("--task-weight", "ner:inner=2", "--learning-rate", "0.01"),
    )
    assert done.status == 0, done.err
    assert "ner: 7 labels, ner:inner: 3 labels" in done.err
    assert "ner:inner f1" in done.out

    saved = json.loads((tmp_path / "tagger/polytag.json").read_text())["tasks"]
    assert saved["ner:inner"]["column"] == "nested_tags"
    assert "column" not in saved["ner"]
    run = (tmp_path / "tagger/run.toml").read_text()
    assert 'task = ["ner", "ner:inner=nested_tags"]' in run
    assert "- ner:inner: " in (tmp_path / "tagger/README.md").read_text()

    tagger = Tagger.load(tmp_path / "tagger")
    assert list(tagger.tag("Klinik Ulm hilft .").tags) == ["ner", "ner:inner"]
    scores = polytag.evaluate(tmp_path / "tagger", str(corpus)).headlines
    assert list(scores) == ["ner f1", "ner:inner f1"]

    words = [sentence.split() for sentence in (" ".join(w.split("/")[0] for w in s.split()) for s in SENTENCES * 2)]
    lines = [json.dumps({"words": row, "tags": {"ner:inner": ["O"] * len(row)}}) for row in words]
    (tmp_path / "nothing.jsonl").write_text("".join(f'{line[:-1]}, "sentence_starts": [0]}}\n' for line in lines))
    compared = polytag.compare(tmp_path / "tagger", tmp_path / "nothing.jsonl", str(corpus), task=["ner:inner"])
    assert (list(compared.tasks), compared.tasks["ner:inner"].b) == (["ner:inner"], 0.0)
    assert compared.tasks["ner:inner"].a == scores["ner:inner f1"]

    elsewhere = tmp_path / "test.jsonl"
    elsewhere.write_text(json.dumps({"tokens": ["a"], "ner_tags": ["O"]}))
    with pytest.raises(PolytagError, match=r"no column for the task 'ner:inner' \(that is 'nested_tags'\)"):
        polytag.evaluate(tagger, str(elsewhere))


def test_a_column_that_the_user_names_is_found_again(corpus: Path, tmp_path: Path):
    polytag.train(task="ner=nested_tags", corpus=str(corpus), output=tmp_path / "tagger", epochs=1, quiet=True)
    tagger = Tagger.load(tmp_path / "tagger")
    assert tagger.heads["ner"].column == "nested_tags"
    assert tagger.heads["ner"].labels == ("O", "B-LOC", "I-LOC")
    gold = sum(tag == "B-LOC" for row in polytag.load_corpus(str(corpus)).tags("test", "nested_tags") for tag in row)
    evaluated = polytag.evaluate(tagger, str(corpus)).tasks["ner"]
    assert evaluated.metrics["spans"].overall["support"] == gold
