"""What `polytag.json` may say: files of before load and are written the same, and each wrong value is named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import polytag
from polytag import PolytagError, TaggerError
from polytag.tagger.description import TaggerDescription
from polytag.tagger.heads import TaskHead
from polytag.testing import PluginManager

SAVED = """{
  "format": 1,
  "tasks": {
    "ner": {
      "labels": [
        "O",
        "B-PER",
        "I-PER"
      ],
      "scheme": "iob2",
      "alignment": "first",
      "decoding": "viterbi",
      "temperature": 1.2849127374526177
    },
    "acme.pos": {
      "labels": [
        "NN",
        "B",
        "$"
      ],
      "scheme": "flat",
      "alignment": "mean",
      "decoding": "argmax",
      "temperature": 1.0
    }
  },
  "encoder": {
    "provider": "compact",
    "reference": "compact"
  },
  "context": "document",
  "window": 128,
  "corpus": {
    "reference": "Übungen/train.conll",
    "fingerprint": "9b2"
  },
  "versions": {
    "polytag": "0.1.0"
  },
  "scores": {
    "validation": {
      "ner": 0.8731
    },
    "test": null
  },
  "export": {
    "to": "onnx",
    "quantize": null,
    "checked": {
      "runtime": "ONNX Runtime",
      "agreement": {
        "ner": 1.0
      }
    }
  }
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "polytag.json").write_text(SAVED, encoding="utf-8")
    return tmp_path


def test_a_file_that_was_saved_before_is_written_the_same(folder: Path) -> None:
    assert TaggerDescription.read(folder).to_json() == SAVED


def test_what_a_file_says(folder: Path) -> None:
    description = TaggerDescription.read(folder)
    assert description.heads() == {
        "ner": TaskHead(("O", "B-PER", "I-PER"), "iob2", "first", "viterbi", 1.2849127374526177),
        "acme.pos": TaskHead(("NN", "B", "$"), "flat", "mean", "argmax", 1.0),
    }
    assert {head.decoding for head in description.heads("argmax").values()} == {"argmax"}
    assert (description.encoder.provider, description.encoder.reference) == ("compact", "compact")
    assert (description.context, description.window) == ("document", 128)
    assert description.export is not None
    assert description.export.to == "onnx"
    assert list(description.details) == ["corpus", "versions", "scores", "export"]
    assert description.details == {name: json.loads(SAVED)[name] for name in description.details}


def test_a_splitter_is_kept_and_the_default_needs_no_key(folder: Path) -> None:
    assert TaggerDescription.read(folder).splitter == "standard"
    damage(folder, "splitter", '"characters"')
    description = TaggerDescription.read(folder)
    assert description.splitter == "characters"
    assert json.loads(description.to_json())["splitter"] == "characters"


def test_another_decoding_has_to_exist(folder: Path) -> None:
    with pytest.raises(PolytagError, match="There is no decoding named 'beam'"):
        TaggerDescription.read(folder).heads("beam")


def damage(folder: Path, key: str, text: str | None) -> None:
    """Put JSON text in place of the value of a key such as `tasks/ner/labels`; None takes the key away."""
    values: Any = json.loads(SAVED)
    *above, last = key.split("/")
    place = values
    for part in above:
        place = place[part]
    place.pop(last, None)
    if text is not None:
        place[last] = "HERE"
    (folder / "polytag.json").write_text(json.dumps(values).replace('"HERE"', str(text)), encoding="utf-8")


LABELS = "a list of distinct, non-empty strings"
FINITE = "a finite number above 0"


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("format", None, "it has no 'format'"),
        ("format", '"1"', "'format' is \"1\", and must be an integer of at least 1"),
        ("format", "true", "'format' is true, and must be an integer of at least 1"),
        ("format", "0", "'format' is 0, and must be an integer of at least 1"),
        ("tasks", None, "it has no 'tasks'"),
        ("tasks", "{}", "'tasks' is {}, and must be an object with at least one task"),
        ("tasks", '["ner"]', "'tasks' is [\"ner\"], and must be an object with at least one task"),
        (
            "tasks/ner",
            "[]",
            "'tasks.ner' is [], and must be an object with labels, scheme, alignment, decoding, temperature",
        ),
        ("tasks/", '{"labels": []}', 'the name of a task is "", and must be a non-empty string'),
        ("tasks/\ud800", "[]", r'the name of a task is "\ud800", and must be a non-empty string'),
        ("tasks/ner/labels", None, "it has no 'labels' in 'tasks.ner'"),
        ("tasks/ner/labels", '"O"', f"'tasks.ner.labels' is \"O\", and must be {LABELS}"),
        ("tasks/ner/labels", '{"O": 0}', f"'tasks.ner.labels' is {{\"O\": 0}}, and must be {LABELS}"),
        ("tasks/ner/labels", "[]", f"'tasks.ner.labels' is [], and must be {LABELS}"),
        ("tasks/ner/labels", '["O", ""]', "'tasks.ner.labels.1' is \"\", and must be a non-empty string"),
        ("tasks/ner/labels", r'["\ud800"]', r'is "\ud800", and must be a non-empty string'),
        ("tasks/ner/labels", '["O", 7]', "'tasks.ner.labels.1' is 7, and must be a non-empty string"),
        ("tasks/ner/labels", '["B-X", "O", "B-X"]', "'tasks.ner.labels' has 'B-X' twice"),
        (
            "tasks/ner/labels",
            '["O", "B-PER", "Q-PER"]',
            "'tasks.ner.labels' has 'Q-PER', which the label scheme 'iob2' cannot read",
        ),
        ("tasks/ner/scheme", "7", "'tasks.ner.scheme' is 7, and must be the name of a label scheme"),
        ("tasks/ner/alignment", "[]", "'tasks.ner.alignment' is [], and must be the name of an alignment strategy"),
        ("tasks/ner/decoding", None, "it has no 'decoding' in 'tasks.ner'"),
        ("tasks/ner/decoding", '"beam"', "'tasks.ner.decoding' is \"beam\", and must be viterbi or argmax"),
        ("tasks/ner/temperature", None, "it has no 'temperature' in 'tasks.ner'"),
        ("tasks/ner/temperature", "0", f"'tasks.ner.temperature' is 0, and must be {FINITE}"),
        ("tasks/ner/temperature", "-1.5", f"'tasks.ner.temperature' is -1.5, and must be {FINITE}"),
        ("tasks/ner/temperature", "NaN", f"'tasks.ner.temperature' is NaN, and must be {FINITE}"),
        ("tasks/ner/temperature", "Infinity", f"'tasks.ner.temperature' is Infinity, and must be {FINITE}"),
        ("tasks/ner/temperature", "1e999", f"'tasks.ner.temperature' is Infinity, and must be {FINITE}"),
        ("tasks/ner/temperature", '"1.0"', f"'tasks.ner.temperature' is \"1.0\", and must be {FINITE}"),
        ("tasks/ner/temperature", "true", f"'tasks.ner.temperature' is true, and must be {FINITE}"),
        ("encoder", '"compact"', "'encoder' is \"compact\", and must be an object with provider and reference"),
        ("encoder/provider", None, "it has no 'provider' in 'encoder'"),
        ("encoder/reference", "null", "'encoder.reference' is null, and must be a non-empty string"),
        ("context", '"page"', "'context' is \"page\", and must be sentence or document"),
        ("window", None, "it has no 'window'"),
        ("window", "0", "'window' is 0, and must be null or an integer of at least 1"),
        ("window", "1.5", "'window' is 1.5, and must be null or an integer of at least 1"),
        ("window", '"128"', "'window' is \"128\", and must be null or an integer of at least 1"),
        ("splitter", "7", "'splitter' is 7, and must be the name of a splitter"),
        ("export", "[]", "'export' is [], and must be an object with to"),
        ("export/to", None, "it has no 'to' in 'export'"),
        ("scores/test", '{"ner": [0.5, NaN]}', "'scores.test.ner.1' is NaN, which is not a number in JSON"),
        ("corpus/size", "-Infinity", "'corpus.size' is -Infinity, which is not a number in JSON"),
        ("window", f'"{"x" * 1000}"', "xx…, and must be null or an integer of at least 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_file_and_its_key(folder: Path, key: str, text: str, problem: str) -> None:
    if key == "corpus/size":
        (folder / "polytag.json").write_text(SAVED.replace('"fingerprint": "9b2"', '"size": -Infinity'))
    else:
        damage(folder, key, text)
    with pytest.raises(TaggerError) as refused:
        TaggerDescription.read(folder)
    message = str(refused.value)
    assert message.startswith(f"{folder / 'polytag.json'} is damaged: ")
    assert f"{problem}. Train the tagger again, or restore it from a copy." in message
    assert "\n" not in message
    assert "pydantic" not in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "Expecting property name"),
        (b"\x00", "Expecting value"),
        (b"[]", "it is not a JSON object"),
        (b'"ner"', "it is not a JSON object"),
        (b"\xff", "can't decode byte"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[" * 200 + b"]" * 200, "nested too deeply"),
        (b'{"format": 1' + b"0" * 5_000 + b"}", "integer string conversion"),
    ],
)
def test_a_file_that_is_no_json_object_is_named(folder: Path, content: bytes, problem: str) -> None:
    (folder / "polytag.json").write_bytes(content)
    with pytest.raises(TaggerError, match=rf"polytag.json is damaged: .*{problem}.*Train the tagger again"):
        TaggerDescription.read(folder)


@pytest.mark.parametrize("put", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_in_the_place_of_the_file_is_damage_and_not_a_tagger_of_transformers(
    folder: Path, put: Callable[[Path], object]
) -> None:
    (folder / "polytag.json").unlink()
    (folder / "config.json").write_text('{"id2label": {"0": "O", "1": "B-PER", "2": "I-PER"}}')
    put(folder / "polytag.json")
    with pytest.raises(TaggerError, match=r"polytag.json does not exist, or is no file. Train the tagger again"):
        TaggerDescription.read(folder)


def test_a_newer_format_is_told_from_damage_whatever_else_it_says(folder: Path) -> None:
    (folder / "polytag.json").write_text('{"format": 2, "tagger": {}}')
    with pytest.raises(TaggerError, match=r"has format 2, and this polytag reads formats up to 1. Upgrade: pip"):
        TaggerDescription.read(folder)
    (folder / "polytag.json").write_text('{"format": 9' + "0" * 4_000 + "}")
    with pytest.raises(TaggerError, match=r"has format 90{58}…, and this polytag reads formats up to 1"):
        TaggerDescription.read(folder)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("tasks/ner/scheme", "There is no label scheme named 'acme.x'"),
        ("tasks/acme.pos/alignment", "There is no alignment strategy named 'acme.x'"),
        ("encoder/provider", "There is no encoder named 'acme.x'"),
        ("splitter", "There is no splitter named 'acme.x'"),
    ],
)
def test_what_no_plugin_provides_is_named_and_is_no_damage(folder: Path, key: str, expected: str) -> None:
    damage(folder, key, '"acme.x"')
    with pytest.raises(PolytagError, match=expected):
        TaggerDescription.read(folder)
    assert "acme.x" in TaggerDescription.read(folder, installed=False).to_json()


class Suffixes(polytag.LabelScheme):
    """The prefix of a tag is at its end: `PER-b`."""

    name = "acme.suffixes"

    def spans(self, tags: Any) -> list[polytag.Span]:
        return []

    def tags(self, spans: Any, length: int) -> list[str]:
        return ["O"] * length

    def continuation(self, tag: str) -> str:
        return tag

    def allows(self, before: str | None, after: str | None) -> bool:
        return all(tag is None or tag == "O" or tag.endswith(("-b", "-i")) for tag in (before, after))


def test_labels_of_a_scheme_without_prefixes_are_those_it_allows(folder: Path, polytag_manager: PluginManager) -> None:
    class Plugin:
        @polytag.hookimpl
        def polytag_label_schemes(self) -> list[polytag.LabelScheme]:
            return [Suffixes()]

    polytag_manager.register(Plugin(), "acme")
    damage(folder, "tasks/ner", json.dumps({**json.loads(SAVED)["tasks"]["ner"], "scheme": "acme.suffixes"}))
    with pytest.raises(TaggerError, match=r"has 'B-PER', which the label scheme 'acme.suffixes' cannot read"):
        TaggerDescription.read(folder)
    (folder / "polytag.json").write_text(
        (folder / "polytag.json").read_text().replace("B-PER", "PER-b").replace("I-PER", "PER-i")
    )
    assert TaggerDescription.read(folder).tasks["ner"].labels == ("O", "PER-b", "PER-i")


@pytest.mark.parametrize(
    "labels",
    [
        ("O", "B", "I"),  # spans without a label
        ("O", "PER", "LOC"),  # tags without a prefix are inside of a span
        ("O", "B-PER", "I-PER", "[PAD]", "O-X"),
    ],
)
def test_labels_that_a_scheme_reads_in_its_lenient_way_are_labels(folder: Path, labels: tuple[str, ...]) -> None:
    damage(folder, "tasks/ner/labels", json.dumps(labels))
    assert TaggerDescription.read(folder).tasks["ner"].labels == labels


def test_what_could_not_be_read_again_is_not_written() -> None:
    head = TaskHead(("O", "B-PER", "B-PER"), "iob2", "first")
    with pytest.raises(TaggerError, match=r"cannot be saved: 'tasks.ner.labels' has 'B-PER' twice"):
        TaggerDescription.of({"ner": head}, "compact", "compact")


def test_a_score_that_is_no_number_is_written_as_null() -> None:
    head = TaskHead(("O", "B-PER"), "iob2", "first")
    details = {"scores": {"test": {"ner": float("nan"), "all": [float("inf"), 0.5]}}}
    written = TaggerDescription.of({"ner": head}, "compact", "compact", details=details).to_json()
    assert json.loads(written)["scores"] == {"test": {"ner": None, "all": [None, 0.5]}}


def _predict(folder: Path) -> tuple[object, ...]:
    return ("predict", folder, "-")


def _evaluate(folder: Path) -> tuple[object, ...]:
    return ("evaluate", folder, "--corpus", "sample")


def _compare(folder: Path) -> tuple[object, ...]:
    return ("compare", folder, folder, "--corpus", "sample")


def _export(folder: Path) -> tuple[object, ...]:
    return ("export", folder, folder / "out", "--to", "savedmodel")


def _push(folder: Path) -> tuple[object, ...]:
    return ("push", folder, "acme/ner")


def _train(folder: Path) -> tuple[object, ...]:
    return ("train", "--from", folder, "--task", "ner", "--corpus", "sample", "--output", folder / "out")


@pytest.mark.parametrize("arguments", [_predict, _evaluate, _compare, _export, _push, _train])
def test_every_command_refuses_a_damaged_tagger_in_one_line(
    command: Any, folder: Path, arguments: Callable[[Path], tuple[object, ...]]
) -> None:
    damage(folder, "tasks/ner/temperature", "NaN")
    done = command(*arguments(folder))
    assert (done.status, done.out) == (2, "")
    assert "polytag.json is damaged: 'tasks.ner.temperature' is NaN" in " ".join(done.err.split())
    assert [path.name for path in folder.iterdir()] == ["polytag.json"]
