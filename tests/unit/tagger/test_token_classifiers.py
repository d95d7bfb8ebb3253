"""What a token classifier's labels tell: its task and its label scheme; and names for labels that tell nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import polytag
from polytag import PolytagError, Task
from polytag.tagger.description import TaggerDescription
from polytag.testing import PluginManager

ENTITIES = ("PER", "LOC", "ORG", "MISC")

Classifier = Callable[..., Path]


def tags(prefixes: str, types: tuple[str, ...] = ENTITIES) -> list[str]:
    return ["O", *(f"{prefix}-{name}" for name in types for prefix in prefixes)]


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    """A folder with just the configuration of a token classifier."""

    def make(labels: list[str], **config: Any) -> Path:
        described = {
            "architectures": ["BertForTokenClassification"],
            "model_type": "bert",
            "id2label": {str(index): label for index, label in enumerate(labels)},
            **config,
        }
        (tmp_path / "config.json").write_text(json.dumps(described))
        return tmp_path

    return make


def test_a_classifier_is_described_as_a_tagger_s_folder_describes_itself(classifier: Classifier) -> None:
    folder = classifier(tags("BI"))
    assert json.loads(TaggerDescription.read(folder).to_json()) == {
        "format": 1,
        "tasks": {
            "ner": {
                "labels": tags("BI"),
                "scheme": "iob2",
                "alignment": "first",
                "decoding": "argmax",
                "temperature": 1.0,
            }
        },
        "encoder": {"provider": "pretrained", "reference": str(folder)},
        "context": "sentence",
        "window": None,
    }


@pytest.mark.parametrize(
    ("labels", "task", "scheme"),
    [
        (tags("BI"), "ner", "iob2"),
        (tags("I"), "ner", "iob1"),
        (tags("B"), "ner", "iob2"),
        (tags("IE"), "ner", "ioe2"),
        (tags("BIES"), "ner", "iobes"),
        (tags("BILU"), "ner", "bilou"),
        (["B-LOC", "B-ORG", "I-LOC", "I-ORG", "I-PER", "O"], "ner", "iob2"),  # no B-PER, as of CoNLL-2003 in IOB1
        (["O", "PER", "LOC", "ORG"], "ner", "iob1"),
        (tags("BI", ("Chemical", "Disease")), "ner", "iob2"),
        (tags("BI", ("person", "location")), "ner", "iob2"),
        (tags("BI", ("NP", "VP", "PP", "ADVP")), "chunk", "iob2"),
        (["NOUN", "VERB", "ADJ", "PUNCT"], "pos", "flat"),
        (["NN", "VBZ", "DT", "O"], "pos", "flat"),
        (["Noun.sing", "Verb.past"], "pos", "flat"),
    ],
)
def test_task_and_scheme_are_found_by_the_labels(
    classifier: Classifier, labels: list[str], task: str, scheme: str
) -> None:
    found = TaggerDescription.read(classifier(labels)).tasks
    assert {name: head.scheme for name, head in found.items()} == {task: scheme}
    assert found[task].labels == tuple(labels)


def test_broken_and_clashing_plugins_are_no_concern_of_those_who_do_not_ask_for_them(
    classifier: Classifier, polytag_manager: PluginManager
) -> None:
    class Plugin:
        @polytag.hookimpl
        def polytag_tasks(self) -> list[Task]:
            return [
                Task("acme.orphan", "Its scheme is not installed", ("x",), "no-such-scheme", "first", ("spans",)),
                Task("acme.twice", "Claimed twice", ("x",), "iob2", "first", ("spans",)),
            ]

    class Other:
        @polytag.hookimpl
        def polytag_tasks(self) -> list[Task]:
            return [Task("acme.twice", "Claimed twice", ("x",), "iob2", "first", ("spans",))]

    polytag_manager.register(Plugin(), "acme")
    polytag_manager.register(Other(), "other")
    assert list(TaggerDescription.read(classifier(tags("BI"))).tasks) == ["ner"]


def test_the_user_can_say_the_task(classifier: Classifier) -> None:
    folder = classifier(tags("BI"))
    assert list(TaggerDescription.read(folder, task="chunk").tasks) == ["chunk"]
    with pytest.raises(PolytagError, match="The task 'pos' has no spans, and the labels have such prefixes: O, B-PER"):
        TaggerDescription.read(folder, task="pos")
    with pytest.raises(PolytagError, match=r"no task named 'nerr'\. Did you mean 'ner'"):
        TaggerDescription.read(folder, task="nerr")
    with pytest.raises(PolytagError, match="The task 'ner' has spans, and the labels have no prefixes"):
        TaggerDescription.read(classifier(["NOUN", "VERB"]), task="ner")


def test_labels_that_are_numbers_need_names(classifier: Classifier, tmp_path: Path) -> None:
    names = ["O", "B-PER", "I-PER"]
    folder = classifier(["LABEL_0", "LABEL_1", "LABEL_2"])
    with pytest.raises(PolytagError, match=r"does not name its 3 labels: .* --labels O,B-PER,I-PER"):
        TaggerDescription.read(folder)
    for name, text in {
        "lines.txt": "O\nB-PER\nI-PER\n",
        "list.json": json.dumps(names),
        "by_label.json": json.dumps({"LABEL_1": "B-PER", "LABEL_2": "I-PER", "LABEL_0": "O"}),
        "by_id.json": json.dumps({"0": "O", "1": "B-PER", "2": "I-PER"}),
    }.items():
        (tmp_path / name).write_text(text)
        assert TaggerDescription.read(folder, labels=tmp_path / name).tasks["ner"].labels == tuple(names)
    assert TaggerDescription.read(folder, labels="O, B-PER, I-PER") == TaggerDescription.read(folder, labels=names)
    assert TaggerDescription.read(folder, labels=names).tasks["ner"].labels == tuple(names)


def test_labels_may_be_written_out_that_are_longer_than_the_name_of_a_file(classifier: Classifier) -> None:
    types = ("CARDINAL", "ORDINAL", "QUANTITY", "PERCENT", "MONEY", "DATE", "TIME", "PERSON", "NORP", "FAC", "ORG")
    names = tags("BI", (*types, "GPE", "LOC", "PRODUCT", "EVENT", "WORK_OF_ART", "LAW", "LANGUAGE"))
    assert len(",".join(names)) > 255
    folder = classifier([f"LABEL_{index}" for index in range(37)])
    assert TaggerDescription.read(folder, labels=",".join(names)).tasks["ner"].labels == tuple(names)


def test_a_checkpoint_that_names_no_label_has_as_many_as_it_says(classifier: Classifier) -> None:
    folder = classifier([], num_labels=3)
    assert TaggerDescription.read(folder, labels="O,B-PER,I-PER").tasks["ner"].labels == ("O", "B-PER", "I-PER")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("O,B-PER", r"has 3 labels \(LABEL_0, LABEL_1, LABEL_2\), and 2 names are given \(O, B-PER\)"),
        ("nowhere.txt", "neither a file nor a list"),
        ("broken.json", "cannot be read"),
        ("numbers.json", "is neither a JSON list of names nor an object"),
        ("unknown.json", "rename 'LABEL_9', which is not among LABEL_0, LABEL_1, LABEL_2"),
        (["O", "Q-PER", "V-PER"], "No installed label scheme has the prefixes Q, V"),
        (["O", "B-PER", "B-PER"], "two of its labels are called 'B-PER'. Give each a distinct name with --labels"),
        ("O,,B-PER", "one of its labels has no name. Give each a distinct name with --labels"),
    ],
)
def test_names_that_do_not_fit_are_refused(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: Any, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"broken": "{", "numbers": "[1, 2, 3]", "unknown": '{"LABEL_9": "O"}'}.items():
        Path(f"{name}.json").write_text(text)
    with pytest.raises(PolytagError, match=expected):
        TaggerDescription.read(classifier(["LABEL_0", "LABEL_1", "LABEL_2"]), labels=labels)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"architectures": ["BertForMaskedLM"]},
            "is a BertForMaskedLM, which has no token-classification head. Train one",
        ),
        (
            {"id2label": {"0": "O", "2": "B-PER"}},
            "damaged: its id2label does not name labels by consecutive numbers from 0",
        ),
        ({"id2label": {"O": "0"}}, "damaged: its id2label"),
        ({"id2label": ["O"]}, "damaged: its id2label"),
    ],
)
def test_what_is_no_token_classifier_is_refused(classifier: Classifier, config: dict[str, Any], expected: str) -> None:
    with pytest.raises(PolytagError, match=expected):
        TaggerDescription.read(classifier(tags("BI"), **config))
