"""The model card: what the hub reads in its front matter, and what a person reads below."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import polytag
from polytag import hub
from polytag.corpus.splits import Split, read_splits
from polytag.engine.encoders.pretrained import create
from polytag.engine.model import TaggerModel
from polytag.evaluation.results import Evaluation, TaskEvaluation
from polytag.evaluation.robustness import Robustness, measure
from polytag.plugin.metric import Scores
from polytag.plugin.reporter import Epoch
from polytag.publishing.card import model_card
from polytag.publishing.record import RunRecord
from polytag.runner import TrainResult
from polytag.tagger.heads import TaskHead
from polytag.tagger.tagger import Tagger
from polytag.training.config import RunConfig
from support.checkpoints import make_checkpoint
from support.tiny_model import TinyEncoder

LABELS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG")
HISTORY = tuple(
    Epoch(number, 0.2, 1e-3, score, {"ner f1": score}, 1.0, 100.0, "word", best=best)
    for number, score, best in ((1, 0.4, True), (2, 0.5, True), (3, 0.3, False))
)


def scores(f1: float, interval: tuple[float, float] | None = None) -> TaskEvaluation:
    per_label = {"PER": {"precision": f1, "recall": f1, "f1": f1, "support": 1.0}}
    return TaskEvaluation({"spans": Scores({"f1": f1, "precision": f1}, per_label)}, "f1", interval=interval)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = make_checkpoint(tmp_path / "base", "bert")
    (folder / "README.md").write_text("---\nlicense: mit\nlanguage: de\n---\n# A base model\n", encoding="utf-8")
    return folder


@pytest.fixture
def tagger(checkpoint: Path) -> Tagger:
    model = TaggerModel(create(str(checkpoint)), {"ner": LABELS})
    return Tagger(model, {"ner": TaskHead(LABELS, "iob2", "first")}, details={"versions": {"polytag": "9.9"}})


@pytest.fixture
def record(checkpoint: Path) -> RunRecord:
    words = [["Angela", "Merkel", "met", "Peter"]]
    training = Split(words, None, {"ner": [["B-PER", "I-PER", "O", "B-PER"]]})
    validation = Evaluation("sample", "validation", 1, 4, {"ner": scores(0.5)}, "tensorflow")
    config = RunConfig(task=("ner",), corpus="sample", output=Path("my-ner"), encoder=str(checkpoint), push="a/b")
    return RunRecord(config, polytag.load_corpus("sample"), training, False, HISTORY, True, validation)


def test_the_hub_reads_every_score_of_every_split(joint_run: TrainResult):
    from huggingface_hub import ModelCard

    card = ModelCard.load(joint_run.output / "README.md").data
    assert (card.library_name, card.language, card.pipeline_tag) == ("polytag", "en", "token-classification")
    assert {"polytag", "ner", "pos", "chunk"} <= set(card.tags)
    assert set(card.metrics) == {"f1", "precision", "recall", "accuracy"}
    assert card.license is None
    assert card.base_model is None
    read = {
        (result.dataset_split, result.metric_name): (result.metric_value, result.metric_args)
        for result in card.eval_results
    }
    for evaluation in (joint_run.validation, joint_run.test):
        for name, task in evaluation.tasks.items():
            metric, found = next(iter(task.metrics.items()))
            value, further = read[evaluation.split, f"{name} {task.headline} ({metric})"]
            assert value == round(found.overall[task.headline], 4)
            assert further["confidence_interval_95"] == [round(bound, 4) for bound in task.interval]
    assert {("test", "ner recall (spans)"), ("test", "pos accuracy (tags)")} <= set(read)


def test_a_person_reads_labels_data_calibration_and_limitations(ner_run: TrainResult):
    text = (ner_run.output / "README.md").read_text(encoding="utf-8")
    corpus = polytag.load_corpus("sample")
    begins = [tag[2:] for tags in corpus.tags("train", "ner_tags") for tag in tags if tag.startswith("B-")]
    for label in ("LOC", "MISC", "ORG", "PER"):
        f1 = ner_run.test.tasks["ner"].metrics["spans"].per_label[label]["f1"]
        (row,) = (line for line in text.splitlines() if line.startswith(f"| `{label}` |"))
        assert f"| {begins.count(label):,} |" in row
        assert row.endswith(f"| {f1:.4f} |")
    for split in corpus.splits:
        assert f"| {split} | {len(corpus.words(split)):,} | {corpus.n_words(split):,} |" in text
    error = ner_run.test.tasks["ner"].calibration
    assert f"| test | ner | {error.before:.4f} | {error.after:.4f} |" in text
    assert "The weights are from epoch 2 of 2" in text
    assert "It uses capital letters. In lower case, validation has ner f1 0." in text
    assert 'Tagger.load("PATH_TO_THIS_FOLDER")' in text
    assert "transformers import" not in text  # compact is no transformers checkpoint
    assert str(ner_run.output) not in text


def test_a_checkpoint_is_shown_to_transformers_with_the_licence_of_its_base(
    tagger: Tagger, record: RunRecord, tmp_path
):
    from huggingface_hub import ModelCard

    text = model_card(tagger, record)
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    data = ModelCard.load(tmp_path / "README.md").data.to_dict()
    assert data["library_name"] == "transformers"
    assert data["license"] == "mit"
    assert "base_model" not in data  # a folder is no name on the hub
    assert data["model-index"][0]["name"] == "my-ner"
    assert 'model="PATH_TO_THIS_FOLDER", aggregation_strategy="first"' in text
    assert "polytag 9.9" in text
    assert "push" not in text


def test_a_tagger_with_transitions_is_not_shown_to_transformers_which_would_ignore_them(
    checkpoint: Path, record: RunRecord
):
    transitions = np.zeros((len(LABELS) + 1,) * 2, np.float32)
    model = TaggerModel(create(str(checkpoint)), {"ner": LABELS}, {"ner": {"transitions": transitions}})
    text = model_card(Tagger(model, {"ner": TaskHead(LABELS, "iob2", "first", "crf", kind="crf")}), record)
    assert "library_name: polytag" in text
    assert "transformers import" not in text
    assert "license: mit" in text


def test_names_on_the_hub_are_linked(tagger: Tagger, record: RunRecord, tmp_path, monkeypatch):
    from huggingface_hub import ModelCard

    known = {("acme/base@v1", "model"): {"license": "mit"}, ("acme/news", "dataset"): {"language": ["de"]}}
    monkeypatch.setattr(hub, "metadata", lambda name, kind="model": known.get((name, kind), {}))
    tagger.encoder.reference = "acme/base@v1"
    config = record.config.model_copy(update={"encoder": "acme/base@v1"})
    corpus = replace(record.corpus, reference="acme/news:small@v2", reader="hub")
    (tmp_path / "README.md").write_text(model_card(tagger, replace(record, config=config, corpus=corpus)))
    data = ModelCard.load(tmp_path / "README.md").data
    assert (data.base_model, data.license) == ("acme/base", "mit")
    assert (data.datasets, data.language) == (["acme/news"], "de")
    assert {result.dataset_type for result in data.eval_results} == {"acme/news"}
    assert data.to_dict().get("widget") is None  # there are no German examples


def test_strangers_are_not_told_of_folders_on_this_machine(tagger: Tagger, record: RunRecord, tiny_corpus: Path):
    corpus = replace(record.corpus, reference=str(tiny_corpus), reader="column")
    config = record.config.model_copy(
        update={"corpus": f"train={tiny_corpus}/train.conll,test={tiny_corpus}/test.conll"}
    )
    text = model_card(tagger, replace(record, config=config, corpus=corpus))
    assert str(tiny_corpus.parent) not in text
    assert f"dataset:\n      name: {tiny_corpus.name}" in text
    assert "`train.conll`" in text


def test_limitations_are_those_of_the_data(tagger: Tagger, record: RunRecord):
    text = model_card(tagger, record)
    assert "The corpus has no test split" in text
    assert "labels that are rare in training (fewer than 50 examples): `PER` (2)" in text
    assert "held out" not in text
    assert "capital letters" not in text  # nothing was measured


def test_what_is_measured(tagger: Tagger, joint_run: TrainResult, registry):
    tasks = {name: registry.tasks[name] for name in ("ner", "pos", "chunk")}
    schemes = {name: decoder.scheme for name, decoder in joint_run.tagger.decoders.items()}
    splits = read_splits(polytag.load_corpus("sample"), ["train", "validation"], tasks, schemes, None)
    limits = measure(joint_run.tagger, splits["train"], splits["validation"], tasks)
    assert isinstance(limits, Robustness)
    assert limits.sees_case
    usual, small = limits.small["ner"]
    assert usual == pytest.approx(joint_run.validation.tasks["ner"].score)
    assert small < usual
    known = {word for words in splits["train"].sentences for word in words}
    words = [word for words in splits["validation"].sentences for word in words]
    assert limits.unseen == pytest.approx(sum(word not in known for word in words) / len(words))
    old, new = limits.accuracy["pos"]
    accuracy = joint_run.validation.tasks["pos"].score
    assert accuracy == pytest.approx(old * (1 - limits.unseen) + new * limits.unseen)
    assert measure(joint_run.tagger, splits["train"], splits["train"], tasks) is None  # no word is new


def test_while_the_run_goes_on_the_card_says_so(tagger: Tagger, record: RunRecord):
    config = record.config.model_copy(update={"epochs": 3})
    early = replace(record, config=config, held_out=True, history=HISTORY[:2], ended=False)
    text = model_card(tagger, early)
    assert "weights of epoch 2, the best so far of 3" in text
    assert "not calibrated yet" in text
    assert "held out" in text


def test_spans_without_a_label_have_one_name(tagger: Tagger, record: RunRecord):
    training = Split([["Angela", "Merkel", "met"]], None, {"ner": [["B", "I", "O"]]})
    bare = TaskEvaluation({"spans": Scores({"f1": 0.5}, {"_": {"f1": 0.5, "support": 1.0}})}, "f1")
    validation = replace(record.validation, tasks={"ner": bare})
    text = model_card(tagger, replace(record, training=training, validation=validation))
    assert "### ner: 1 labels" in text
    assert "| `_` | 1 | 0.5000 |" in text


def test_a_tagger_that_goes_on_from_another_is_fine_tuned(tagger: Tagger, record: RunRecord):
    assert "fine-tuned." in model_card(tagger, record)
    own = replace(tagger, model=TaggerModel(TinyEncoder(), {"ner": LABELS}))
    assert "trained from scratch." in model_card(own, record)
