"""The main job from end to end: train, evaluate and tag."""

import json
import shutil
import signal
import subprocess
import sysconfig
from pathlib import Path

import pytest

import polytag
from polytag import PolytagError, Tagger
from polytag.plugin.reporter import Reporter
from polytag.runner import TrainResult

_FILES = {"README.md", "config.json", "model.safetensors", "polytag.json", "run.toml", "scores.json"}
_POLYTAG = Path(sysconfig.get_path("scripts")) / "polytag"


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


# What a run leaves


def test_a_tagger_is_a_folder_of_plain_files(ner_run: TrainResult):
    folder = ner_run.output
    assert {path.name for path in folder.iterdir()} == _FILES
    assert [path.name for path in folder.parent.iterdir()] == ["ner"]  # no temporary folders
    description = read_json(folder / "polytag.json")
    assert description["format"] == 1
    assert description["encoder"] == {"provider": "compact", "reference": "compact"}
    assert description["corpus"]["fingerprint"] == polytag.load_corpus("sample").fingerprint
    assert description["scores"]["test"] == ner_run.test.headlines
    assert {"polytag", "tensorflow", "keras"} <= set(description["versions"])
    task = description["tasks"]["ner"]
    assert (task["scheme"], task["alignment"], task["decoding"]) == ("iob2", "first", "viterbi")
    labels = ["LOC", "MISC", "ORG", "PER"]
    assert task["labels"] == ["O", *(f"B-{label}" for label in labels), *(f"I-{label}" for label in labels)]


def test_the_configuration_names_labels_as_transformers_does(ner_run: TrainResult, joint_run: TrainResult):
    from safetensors import safe_open

    config = read_json(ner_run.output / "config.json")
    labels = read_json(ner_run.output / "polytag.json")["tasks"]["ner"]["labels"]
    assert [config["id2label"][str(index)] for index in range(len(labels))] == labels
    assert config["label2id"] == {label: index for index, label in enumerate(labels)}
    assert "id2label" not in read_json(joint_run.output / "config.json")  # several tasks have no one list
    for run, heads in ((ner_run, {"classifier"}), (joint_run, {f"classifiers.{t}" for t in ("ner", "pos", "chunk")})):
        with safe_open(run.output / "model.safetensors", "numpy") as weights:
            assert weights.metadata() == {"format": "pt"}
            names = {name for name in weights.keys() if name.startswith("classifier")}  # noqa: SIM118
            assert names == {f"{head}.{kind}" for head in heads for kind in ("weight", "bias")}


def test_the_card_has_the_scores(joint_run: TrainResult):
    card = (joint_run.output / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    for name, value in joint_run.test.headlines.items():
        assert name in card
        assert f"{value:.4f}" in card


def test_training_learns_more_than_each_word_on_its_own(ner_run: TrainResult, joint_run: TrainResult):
    for run in (ner_run, joint_run):
        for task in run.test.tasks.values():
            assert task.score > task.baseline


def test_every_word_of_every_split_is_scored(joint_run: TrainResult):
    corpus = polytag.load_corpus("sample")
    for split, evaluation in (("validation", joint_run.validation), ("test", joint_run.test)):
        assert evaluation.words == corpus.n_words(split)
        assert evaluation.sentences == len(corpus.words(split))
        for task in evaluation.tasks.values():
            assert next(iter(task.metrics.values())).overall["words"] == corpus.n_words(split)


def test_tags_of_all_tasks_are_predicted_together(joint_run: TrainResult):
    (tagged,) = joint_run.tagger.tag_words([["Peter", "Smith", "visited", "Paris", "."]])
    assert {task: len(tags) for task, tags in tagged.tags.items()} == {"ner": 5, "pos": 5, "chunk": 5}
    assert tagged.tags["pos"][-1] == "."
    assert {tag[0] for tag in tagged.tags["chunk"]} <= set("BIO")


def test_a_run_tells_how_each_epoch_went(joint_run: TrainResult):
    first, second = joint_run.history
    assert (first.number, second.number, first.best) == (1, 2, True)
    assert 0 < second.loss < first.loss
    assert set(first.scores) == {"ner f1", "pos accuracy", "chunk f1"}
    assert second.score == pytest.approx(sum(second.scores.values()) / 3)
    assert 0 < second.learning_rate < first.learning_rate <= 2e-3
    assert joint_run.epochs == 2
    assert joint_run.history[joint_run.best_epoch - 1].score == max(epoch.score for epoch in joint_run.history)
    best = joint_run.history[joint_run.best_epoch - 1]
    assert best.scores == pytest.approx(joint_run.validation.headlines)
    saved = read_json(joint_run.output / "scores.json")["history"]
    assert saved == joint_run.to_dict()["history"]
    assert list(saved[0]) == ["number", "loss", "learning_rate", "score", "scores", "seconds", "best"]
    assert saved[0]["seconds"] == first.seconds > 0


# Evaluation


@pytest.mark.parametrize("split", ["validation", "test"])
def test_evaluating_gives_what_training_reported(command, joint_run: TrainResult, split):
    done = command("evaluate", joint_run.output, "--corpus", "sample", "--split", split, "--json")
    assert done.status == 0, done.err
    evaluated = json.loads(done.out)  # nothing else is on stdout
    reported = read_json(joint_run.output / "scores.json")[split]
    assert (evaluated["words"], evaluated["sentences"]) == (reported["words"], reported["sentences"])
    for task, scores in reported["tasks"].items():
        assert evaluated["tasks"][task]["metrics"] == scores["metrics"]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_run_in_short_numbers_reports_the_tagger_that_it_saves(
    tiny_corpus: Path, tmp_path: Path, precision: str, uncompiled: None
):
    """Arithmetic is short in training only: a saved tagger computes in float32."""
    options = {"task": "ner", "epochs": 1, "precision": precision, "quiet": True}
    run = polytag.train(corpus=str(tiny_corpus), output=tmp_path / "ner", **options)
    words = polytag.load_corpus(str(tiny_corpus)).words("validation")
    assert run.tagger.tag_words(words) == Tagger.load(run.output, runtime="tensorflow").tag_words(words)


def test_the_table_shows_every_label_and_the_counts(command, ner_run: TrainResult):
    done = command("evaluate", ner_run.output, "--corpus", "sample")
    evaluation = ner_run.test
    assert f"sample, test: {evaluation.sentences:,} sentences, {evaluation.words:,} words" in done.out
    scores = evaluation.tasks["ner"].metrics["spans"]
    for label, values in scores.per_label.items():
        (row,) = [line for line in done.out.splitlines() if f"│ {label} " in line]
        assert [f"{values[name]:.4f}" in row for name in ("precision", "recall", "f1")] == [True] * 3
        assert f" {values['support']} " in row
    assert f"{scores.overall['f1']:.4f}" in next(line for line in done.out.splitlines() if "overall" in line)


def test_a_loaded_tagger_is_evaluated_with_the_decoding_that_is_asked_for(joint_run: TrainResult):
    loaded = Tagger.load(joint_run.output)
    viterbi, argmax = (polytag.evaluate(loaded, "sample", decoding=name).headlines for name in (None, "argmax"))
    assert argmax == polytag.evaluate(joint_run.output, "sample", decoding="argmax").headlines
    assert viterbi != argmax
    with pytest.raises(PolytagError, match="no decoding named 'vitrbi'"):
        polytag.evaluate(loaded, "sample", decoding="vitrbi")
    with pytest.raises(PolytagError, match=r"give `task`, `labels`, `runtime` and `device` to Tagger\.load"):
        polytag.evaluate(loaded, "sample", task="ner")


def test_argmax_is_a_flag_away(command, joint_run: TrainResult):
    arguments = ("evaluate", joint_run.output, "--corpus", "sample", "--json")
    viterbi, argmax = (json.loads(command(*arguments, *more).out)["tasks"] for more in ((), ("--decoding", "argmax")))
    assert viterbi["pos"] == argmax["pos"]
    assert (viterbi["ner"], viterbi["chunk"]) != (argmax["ner"], argmax["chunk"])


@pytest.mark.slow
def test_all_words_of_conll2003_are_scored(joint_run: TrainResult, conll2003: Path):
    corpus = polytag.load_corpus(str(conll2003))
    tagger = Tagger.load(joint_run.output)
    for split, words in (("validation", 51_362), ("test", 46_435)):
        evaluation = polytag.evaluate(tagger, corpus, split)
        assert evaluation.words == words
        for task in evaluation.tasks.values():
            scores = next(iter(task.metrics.values()))
            assert scores.overall["words"] == words
    # The corpus has parts of speech that the sample corpus lacks: they are scored, and as wrong.
    unseen = set(scores.per_label) - {tag.partition("-")[2] or tag for tag in tagger.heads["chunk"].labels}
    assert unseen
    assert all(scores.per_label[label]["recall"] == 0 and scores.per_label[label]["support"] > 0 for label in unseen)


# Runs


@pytest.mark.slow
def test_a_run_from_a_file_can_be_repeated_from_what_it_saved(
    command, tiny_corpus: Path, tmp_path: Path, uncompiled: None
):
    config = tmp_path / "mine.toml"
    config.write_text(f'task = "ner"\ncorpus = "{tiny_corpus}"\noutput = "elsewhere"\nepochs = 9\nseed = 5\n')
    first, second = tmp_path / "runs" / "first", tmp_path / "runs" / "second"
    done = command("train", "--config", config, "--epochs", 1, "--output", first, "--json")
    assert done.status == 0, done.err
    result = json.loads(done.out)
    assert (result["output"], result["epochs"], result["best_epoch"]) == (str(first), 1, 1)
    assert result["test"] == read_json(first / "scores.json")["test"]
    assert "64 sentences" in done.err
    assert "epoch 1  loss" in done.err
    # The corpus is in IOB1, the tagger in IOB2.
    assert read_json(first / "polytag.json")["tasks"]["ner"]["scheme"] == "iob2"
    assert {"B-PER", "I-PER"} <= set(read_json(first / "polytag.json")["tasks"]["ner"]["labels"])

    second.mkdir(parents=True)  # an empty folder is as good as none
    again = command("train", "--config", first / "run.toml", "--output", second)
    assert again.status == 0, again.err
    assert f"The tagger is in {second}" in again.out
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()
    scores = [read_json(folder / "scores.json") for folder in (first, second)]
    assert scores[0]["history"] == result["history"]
    assert all(epoch.pop("seconds") > 0 for each in scores for epoch in each["history"])
    assert scores[0] == scores[1]
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"first", "second"}


@pytest.mark.slow
def test_what_a_corpus_lacks_is_made_up_for(command, tmp_path: Path, uncompiled: None):
    import datasets

    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=["B-PER", "I-PER", "O", "B-GPE", "I-GPE"])),
            "pos_tags": datasets.List(datasets.Value("string")),
        }
    )
    rows = {"tokens": [["Ann", "Lee", "won"]] * 20, "ner_tags": [[0, 1, 2]] * 20, "pos_tags": [["Z", "O", "A"]] * 20}
    unseen = {"tokens": [["Bonn", "won"]] * 3, "ner_tags": [[3, 2]] * 3, "pos_tags": [["NEW", "A"]] * 3}
    splits = {"train": rows, "test": unseen}
    data = {split: datasets.Dataset.from_dict(columns, features=features) for split, columns in splits.items()}
    datasets.DatasetDict(data).save_to_disk(tmp_path / "corpus")
    output = tmp_path / "out"
    done = command("train", "-t", "ner", "-t", "pos", "-c", tmp_path / "corpus", "-o", output, "--epochs", 1, "--json")
    assert done.status == 0, done.err
    assert "No validation split: 2 of 20 sentences are held out of training." in done.err
    tasks = read_json(output / "polytag.json")["tasks"]
    assert tasks["ner"]["labels"] == ["B-PER", "I-PER", "O", "B-GPE", "I-GPE"]  # as the ClassLabel has them
    assert tasks["pos"]["labels"] == ["O", "A", "Z"]  # strings: O, then sorted
    result = json.loads(done.out)
    assert result["validation"]["words"] == 6
    assert result["test"]["words"] == 6
    scores = result["test"]["tasks"]["pos"]["metrics"]["tags"]
    assert scores["per_label"]["NEW"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 3}


def test_a_window_longer_than_the_encoder_reads_has_no_effect_and_the_run_says_so(
    command, tiny_corpus: Path, tmp_path: Path, uncompiled: None
):
    arguments = ("train", "--task", "ner", "--corpus", tiny_corpus, "--epochs", 1, "--output", tmp_path / "tagger")
    done = command(*arguments, "--window", 600)
    assert "--window 600 has no effect: the encoder 'compact' reads at most 512 units." in " ".join(done.err.split())


def test_a_run_that_fails_midway_leaves_nothing(tiny_corpus: Path, tmp_path: Path, monkeypatch):
    from polytag.engine import loop

    def diverge(*_arguments, **_options):
        raise polytag.PolytagError("The loss is nan.")

    monkeypatch.setattr(loop, "train_epochs", diverge)
    with pytest.raises(polytag.PolytagError, match="The loss is nan"):
        polytag.train(task="ner", corpus=str(tiny_corpus), output=tmp_path / "a" / "b", quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_between_epochs_gives_the_keyboard_back(tiny_corpus: Path, tmp_path: Path, uncompiled: None):
    class Failing(Reporter):
        def epoch(self, epoch):
            raise RuntimeError("no more")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError) as raised:
        polytag.train(task="ner", corpus=str(tiny_corpus), output=tmp_path / "ner", reporter=Failing())
    assert raised.tb is not None  # its frames live on, as those of the last error do in a notebook
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.slow
def test_overwriting_puts_a_new_tagger_in_the_place_of_the_old(
    command, ner_run, tiny_corpus: Path, tmp_path: Path, uncompiled: None
):
    output = tmp_path / "out"
    shutil.copytree(ner_run.output, output)
    arguments = ("train", "-t", "chunk", "-c", tiny_corpus, "-o", output, "--epochs", 1, "--scheme", "iobes")
    refused = command(*arguments)
    assert refused.status == 2
    assert set(Tagger.load(output).heads) == {"ner"}
    assert command(*arguments, "--overwrite").status == 0
    assert set(Tagger.load(output).heads) == {"chunk"}
    assert Tagger.load(output).heads["chunk"].scheme == "iobes"
    assert {path.name for path in output.iterdir()} == _FILES
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_run_is_given_in_one_way_only(tmp_path: Path):
    config = polytag.RunConfig(task=("ner",), corpus="sample", output=tmp_path / "x")
    with pytest.raises(TypeError, match="not both: epochs"):
        polytag.train(config, epochs=3)


# The installed command


@pytest.mark.slow
def test_a_text_is_piped_through_the_installed_command_as_far_as_its_reader_wants(ner_run: TrainResult, tmp_path: Path):
    text = "My name is Sylvain and I work at Hugging Face in Brooklyn."
    (tmp_path / "long.txt").write_text(f"{text}\n" * 6000)
    with (tmp_path / "long.txt").open() as lines:
        process = subprocess.Popen(
            [_POLYTAG, "predict", ner_run.output, "-"], stdin=lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    assert process.stdout is not None
    spans = json.loads(process.stdout.readline())["spans"]
    assert {text[span["start"] : span["end"]] == span["text"] for span in spans} == {True}
    assert all(list(span) == ["task", "label", "score", "text", "start", "end"] for span in spans)
    process.stdout.close()
    assert process.stderr is not None
    assert (process.stderr.read(), process.wait(60)) == (b"", 0)


def test_a_mistake_ends_the_command_with_status_2_and_one_paragraph(tmp_path: Path):
    done = subprocess.run([_POLYTAG, "predict", tmp_path], capture_output=True, text=True, input="")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"polytag: {str(tmp_path)!r} is not a tagger")
    assert done.stderr.count("\n") == 1
