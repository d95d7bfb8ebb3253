"""`polytag export`, and `polytag predict` with what it wrote."""

import json

import pytest


@pytest.fixture(scope="module")
def ner(ner_run):
    return ner_run.output


def test_the_agreement_is_printed_and_the_export_tags_like_the_tagger(command, ner, tmp_path):
    done = command("export", ner, tmp_path / "onnx", "--to", "onnx")
    assert done.status == 0, done.err
    assert "ner: 100.00% of words have the same tag\nChecked in ONNX Runtime on 200 sentences, 1,927 words" in done.out
    text = b"Anna Keller met Peter Smith in Geneva.\n\nHe left for Rome on Monday!\n"
    here = command("predict", ner, "--format", "conll", stdin=text)
    there = command("predict", tmp_path / "onnx", "--format", "conll", "--runtime", "onnx", stdin=text)
    assert there == here
    assert "B-PER" in here.out
    assert command("predict", tmp_path / "onnx", "--format", "conll", stdin=text) == here


def test_the_result_can_be_had_as_json(command, ner, tmp_path):
    done = command("export", ner, tmp_path / "out", "--to", "savedmodel", "--json")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert found["agreement"] == {"ner": 1.0}
    assert found["output"] == str(tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--to", "onxn"], "Did you mean 'onnx'?"),
        (["--to", "transformers"], "Choose savedmodel, onnx or litert"),
        (["--to", "onnx", "--corpus", "nowhere/corpus.conll"], "nowhere/corpus.conll"),
        (["--to", "savedmodel", "--quantize", "int8"], "Only onnx can be quantised"),
    ],
)
def test_mistakes_are_named(command, ner, tmp_path, arguments, expected):
    done = command("export", ner, tmp_path / "out", *arguments)
    assert done.status == 2
    assert expected in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_tagger_without_an_onnx_model_says_how_to_make_one(command, ner):
    done = command("predict", ner, "--runtime", "onnx", stdin=b"a")
    assert done.status == 2
    assert f"polytag export {ner} --in-place" in done.err
