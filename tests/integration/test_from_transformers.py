"""Token classifiers that transformers wrote: tagged with, scored, trained on, under every name their parts can have."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import polytag
from polytag import PolytagError, Tagger
from polytag.plugin.reporter import Reporter
from support.checkpoints import FAMILIES, SENTENCES, make_checkpoint, make_classifier, read_checkpoint, write_tensors
from support.command import Command
from support.old_checkpoints import write_old_checkpoint

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-MISC", "I-MISC")
WORDS = [sentence.split() for sentence in SENTENCES]

pytestmark = pytest.mark.usefixtures("uncompiled")


class Listener(Reporter):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_classifier(tmp_path_factory.mktemp("classifiers") / "bert", "bert", LABELS)


@pytest.fixture(scope="module")
def expected(classifier: Path) -> dict[str, list[list[str]]]:
    found = Tagger.load(classifier).predict_tags(WORDS)
    assert len({tag for tags in found["ner"] for tag in tags}) > 2
    return found


def without_names(classifier: Path, folder: Path) -> Path:
    """The same, with labels that are numbers."""
    shutil.copytree(classifier, folder)
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {str(index): f"LABEL_{index}" for index in range(len(LABELS))}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_a_classifier_of_every_family_is_a_tagger(tmp_path: Path, family: str) -> None:
    """And saved as one, it tags the same."""
    tagger = Tagger.load(make_classifier(tmp_path / "classifier", family, LABELS))
    found = tagger.predict_tags(WORDS)
    assert [len(tags) for tags in found["ner"]] == [len(words) for words in WORDS]
    assert {tag for tags in found["ner"] for tag in tags} <= set(LABELS)
    tagger.save(tmp_path / "tagger")
    assert Tagger.load(tmp_path / "tagger").predict_tags(WORDS) == found
    kept, written = read_checkpoint(tmp_path / "classifier"), read_checkpoint(tmp_path / "tagger")
    assert np.array_equal(written["classifier.weight"], kept["classifier.weight"])


def test_the_command_line_takes_a_classifier(classifier: Path, command: Command, tiny_corpus: Path) -> None:
    text = " ".join(WORDS[1])
    done = command("predict", classifier, "-", "--input", "words", "--format", "jsonl", stdin=text.encode())
    assert done.status == 0, done.err
    (tagged,) = map(json.loads, done.out.splitlines())
    assert {span["task"] for span in tagged["spans"]} == {"ner"}
    done = command("evaluate", classifier, "--corpus", tiny_corpus, "--json")
    assert done.status == 0, done.err
    result = json.loads(done.out)
    assert (result["split"], list(result["tasks"])) == ("test", ["ner"])
    done = command("compare", classifier, classifier, "--corpus", tiny_corpus, "--json")
    assert done.status == 0, done.err


def test_labels_without_names_get_them_on_the_command_line(
    classifier: Path, expected: dict[str, list[list[str]]], tmp_path: Path, command: Command, tiny_corpus: Path
) -> None:
    nameless = without_names(classifier, tmp_path / "nameless")
    done = command("predict", nameless, "-", stdin=b"EU")
    assert done.status == 2
    assert "does not name its 9 labels" in done.err
    names = ",".join(LABELS)
    text = " ".join(WORDS[1]).encode()
    options = ("--input", "words", "--format", "conll")
    named = command("predict", nameless, "-", *options, "--labels", names, stdin=text)
    assert named.out == command("predict", classifier, "-", *options, stdin=text).out != ""
    done = command("evaluate", nameless, "--corpus", tiny_corpus, "--labels", names, "--task", "ner", "--json")
    assert done.status == 0, done.err
    assert Tagger.load(nameless, labels=LABELS).predict_tags(WORDS) == expected


def test_a_tagger_of_polytag_knows_its_labels(ner_run: polytag.runner.TrainResult, command: Command) -> None:
    done = command("predict", ner_run.output, "-", "--labels", "O,B-PER", stdin=b"EU")
    assert done.status == 2
    assert "records its tasks and labels. Leave out --task and --labels" in done.err


# The forms a checkpoint comes in


def test_a_name_on_the_hub_is_as_good_as_a_folder(
    classifier: Path, expected: dict[str, list[list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    cache = tmp_path / "models--someone--tagger"
    shutil.copytree(classifier, cache / "snapshots" / ("0" * 40))
    (cache / "refs").mkdir()
    (cache / "refs" / "v2").write_text("0" * 40)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert Tagger.load("someone/tagger@v2").predict_tags(WORDS) == expected
    with pytest.raises(PolytagError, match="The tagger 'someone/tagger@v1' is not a folder here, and not in the cache"):
        Tagger.load("someone/tagger@v1")


def test_old_names_of_layer_norms_poolers_and_several_files_make_no_difference(
    classifier: Path, expected: dict[str, list[list[str]]], tmp_path: Path
) -> None:
    shutil.copytree(classifier, folder := tmp_path / "old")
    tensors = read_checkpoint(folder)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): values
        for name, values in tensors.items()
    }
    old |= {"bert.pooler.dense.weight": np.ones((16, 16), np.float32), "cls.predictions.bias": np.ones(3, np.float32)}
    assert not old.keys() >= tensors.keys()
    (folder / "model.safetensors").unlink()
    files = {name: f"model-0000{1 + number % 2}-of-00002.safetensors" for number, name in enumerate(sorted(old))}
    for file in set(files.values()):
        write_tensors(folder, {name: old[name] for name in old if files[name] == file}, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    assert Tagger.load(folder).predict_tags(WORDS) == expected


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_in_half_precision_are_read(classifier: Path, tmp_path: Path, dtype: str) -> None:
    import ml_dtypes

    short = np.float16 if dtype == "float16" else ml_dtypes.bfloat16
    found = []
    for name, kinds in {"short": (short,), "long": (short, np.float32)}.items():
        shutil.copytree(classifier, folder := tmp_path / name)
        tensors = read_checkpoint(folder)
        for kind in kinds:
            tensors = {key: values.astype(kind) for key, values in tensors.items()}
        write_tensors(folder, tensors)
        found.append(Tagger.load(folder).predict_tags(WORDS))
    assert found[0] == found[1]


def test_weights_that_are_pickled_are_refused(classifier: Path, tmp_path: Path, command: Command) -> None:
    shutil.copytree(classifier, folder := tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    done = command("predict", folder, "-", stdin=b"EU")
    assert done.status == 2
    assert "Its pytorch_model.bin is a pickle, which could run code, and is not read." in done.err
    assert f"c.from_pretrained('{folder}').save_pretrained('{folder}-safetensors')" in done.err
    assert "for c in (t.AutoModelForTokenClassification, t.AutoTokenizer)" in done.err


def test_a_classifier_of_a_tensorflow_model_is_a_tagger_and_becomes_safetensors(
    tmp_path: Path, command: Command, tiny_corpus: Path
) -> None:
    """It tags, it is exported, and training continues from it, as from any other."""
    old = write_old_checkpoint(tmp_path / "old", "distilbert")
    expected = Tagger.load(old).predict_tags(WORDS)
    assert len({tag for tags in expected["ner"] for tag in tags}) > 2
    done = command("export", old, tmp_path / "new", "--to", "transformers")
    assert done.status == 0, done.err
    (tmp_path / "new" / "polytag.json").unlink()
    assert Tagger.load(tmp_path / "new").predict_tags(WORDS) == expected
    tagger, _ = go_on(old, tiny_corpus, tmp_path / "trained", learning_rate=1e-12)
    before, after = (read_checkpoint(tmp_path / name) for name in ("new", "trained"))
    query = "distilbert.transformer.layer.0.attention.q_lin.weight"
    np.testing.assert_allclose(after[query], before[query], atol=1e-6)
    assert len(tagger.heads["ner"].labels) == len(LABELS)  # those of the corpus, which has more


def test_a_head_of_another_size_than_its_labels_is_named(classifier: Path, tmp_path: Path) -> None:
    shutil.copytree(classifier, folder := tmp_path / "cut")
    write_tensors(folder, read_checkpoint(folder) | {"classifier.bias": np.zeros(2, np.float32)})
    with pytest.raises(PolytagError, match=r"no tensor 'classifier\.bias' of shape \(9,\)"):
        Tagger.load(folder)


# Going on


def go_on(source: object, corpus: Path, output: Path, task: object = "ner", **options: object) -> tuple[Tagger, str]:
    listener = Listener()
    result = polytag.train(
        task=task, corpus=str(corpus), output=output, from_=str(source), reporter=listener, epochs=1, **options
    )
    return result.tagger, "\n".join(listener.said)


def test_training_goes_on_from_a_classifier(
    classifier: Path, expected: dict[str, list[list[str]]], tiny_corpus: Path, tmp_path: Path
) -> None:
    """With a learning rate of next to nothing, encoder and head are what they were."""
    tagger, said = go_on(classifier, tiny_corpus, tmp_path / "out", learning_rate=1e-12, decoding="argmax")
    assert "The head of ner is kept from" in said
    assert tagger.heads["ner"].labels == LABELS
    assert tagger.predict_tags(WORDS) == expected
    before, after = read_checkpoint(classifier), read_checkpoint(tmp_path / "out")
    assert before.keys() == after.keys()
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, atol=1e-6)


def test_a_head_that_does_not_fit_is_replaced_and_that_is_said(
    classifier: Path, tiny_corpus: Path, tmp_path: Path
) -> None:
    tagger, said = go_on(classifier, tiny_corpus, tmp_path / "pos", task=("pos", "ner"), learning_rate=1e-12)
    assert "The head of pos is new: " in said
    assert "The head of ner is kept from" in said
    before, after = read_checkpoint(classifier), read_checkpoint(tmp_path / "pos")
    np.testing.assert_allclose(after["classifiers.ner.weight"], before["classifier.weight"], atol=1e-6)
    query = "bert.encoder.layer.0.attention.self.query.weight"
    np.testing.assert_allclose(after[query], before[query], atol=1e-6)
    assert "NNP" in tagger.heads["pos"].labels

    fewer = make_classifier(tmp_path / "fewer", "bert", LABELS[:5])
    tagger, said = go_on(fewer, tiny_corpus, tmp_path / "fewer-out", learning_rate=1e-12)
    assert f"is kept from '{fewer}', like its encoder, and gets the new labels B-MISC, B-ORG, I-MISC, I-ORG." in said
    assert "does not annotate" not in said  # the corpus has the old ones, too
    assert set(tagger.heads["ner"].labels) == set(LABELS)


def test_labels_are_named_for_training_too(classifier: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    nameless = without_names(classifier, tmp_path / "nameless")
    _, said = go_on(nameless, tiny_corpus, tmp_path / "new")
    assert "The head of ner is new" in said
    tagger, said = go_on(nameless, tiny_corpus, tmp_path / "kept", labels=",".join(LABELS))
    assert "The head of ner is kept" in said
    assert tagger.heads["ner"].labels == LABELS


def test_windows_and_splitter_are_those_of_the_tagger_that_is_gone_on_from(
    classifier: Path, tiny_corpus: Path, tmp_path: Path
) -> None:
    packed = {"context": "document", "window": 30, "splitter": "characters"}
    first, _ = go_on(classifier, tiny_corpus, tmp_path / "first", **packed)
    second, _ = go_on(tmp_path / "first", tiny_corpus, tmp_path / "second")
    third, _ = go_on(tmp_path / "first", tiny_corpus, tmp_path / "third", context="sentence")
    assert (first.context, first.window) == (second.context, second.window) == ("document", 30)
    assert (third.context, third.window) == ("sentence", 30)
    assert first.tag("不错。").words == second.tag("不错。").words == ["不", "错", "。"]
    assert third.splitter == "characters"


def test_training_goes_on_from_a_joint_tagger(
    joint_run: polytag.runner.TrainResult, tiny_corpus: Path, tmp_path: Path, command: Command
) -> None:
    done = command(
        *("train", "--from", joint_run.output, "--task", "chunk", "--corpus", tiny_corpus, "--epochs", 1),
        *("--learning-rate", 1e-12, "--averaging", 0, "--output", tmp_path / "out"),
    )
    assert done.status == 0, done.err
    assert "The head of chunk is kept from" in done.err
    words = [["The", "bank", "in", "Paris", "rose", "."], ["She", "moved"]]
    assert Tagger.load(tmp_path / "out").predict_tags(words)["chunk"] == joint_run.tagger.predict_tags(words)["chunk"]
    assert f'from = "{joint_run.output}"' in (tmp_path / "out" / "run.toml").read_text()
    again = polytag.RunConfig.from_sources(tmp_path / "out" / "run.toml", {})
    assert again.from_ == str(joint_run.output)


def test_a_scheme_that_differs_is_said(tmp_path: Path, tiny_corpus: Path) -> None:
    labels = ["O", *(f"{prefix}-{kind}" for kind in ("PER", "LOC", "ORG", "MISC") for prefix in "BIES")]
    iobes = make_classifier(tmp_path / "iobes", "distilbert", labels)
    tagger, said = go_on(iobes, tiny_corpus, tmp_path / "same")
    assert "The head of ner is kept" in said
    assert tagger.heads["ner"].scheme == "iobes"
    tagger, said = go_on(iobes, tiny_corpus, tmp_path / "other", scheme="iob2")
    assert "has the scheme iobes, and this run has iob2" in said
    assert tagger.heads["ner"].scheme == "iob2"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--encoder", "compact"), "Leave out --encoder, or --from"),
        (("--task", "nerr"), "no task named 'nerr'"),
    ],
)
def test_options_that_contradict_are_refused(
    classifier: Path, command: Command, tmp_path: Path, options: tuple[str, ...], expected: str
) -> None:
    done = command(
        *("train", "--from", classifier, "--task", "ner", "--corpus", "sample", "--output", tmp_path / "out", *options)
    )
    assert done.status == 2
    assert expected in done.err
    assert not (tmp_path / "out").exists()


def test_what_has_no_head_is_an_encoder(command: Command, tmp_path: Path) -> None:
    bare = make_checkpoint(tmp_path / "bare", "bert")
    config = json.loads((bare / "config.json").read_text()) | {"architectures": ["BertForMaskedLM"]}
    (bare / "config.json").write_text(json.dumps(config))
    done = command("train", "--from", bare, "--task", "ner", "--corpus", "sample", "--output", tmp_path / "out")
    assert done.status == 2
    assert "has no token-classification head. Train one: polytag train --encoder" in done.err
    done = command("train", "--task", "ner", "--corpus", "sample", "--labels", "O", "--output", tmp_path / "out")
    assert done.status == 2
    assert "Name it with --from" in done.err
