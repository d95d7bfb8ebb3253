"""JSON as tools write it: arrays, exports of Label Studio and Prodigy, and the formats of spaCy 2."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest

from polytag import UNANNOTATED, CorpusError, CorpusWarning, load_corpus
from polytag_standard.readers.shared.json_files import json_values


def written(folder: Path, value: object, name: str = "train.json", indent: int | None = None) -> str:
    (folder / name).write_text(json.dumps(value, indent=indent))
    return str(folder / name)


SENTENCES = [{"tokens": ["Anna", "slept"], "ner_tags": ["B-PER", "O"]}, {"tokens": ["Ulm"], "ner_tags": ["B-LOC"]}]


# Arrays


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_of_sentences_is_read_like_lines(tmp_path, indent):
    corpus = load_corpus(written(tmp_path, SENTENCES, indent=indent))
    assert corpus.reader == "jsonl"
    assert corpus.words("train") == [["Anna", "slept"], ["Ulm"]]
    assert corpus.tags("train", "ner_tags") == [["B-PER", "O"], ["B-LOC"]]


def test_arrays_of_the_texts_of_every_tool_are_read(tmp_path):
    rows = [{"text": "Anna slept", "label": [[0, 4, "PER"]]}] * 2
    assert load_corpus(written(tmp_path, rows)).reader == "doccano"
    rows = [{"text": "Anna slept", "spans": [{"start": 0, "end": 4, "label": "PER"}]}] * 2
    assert load_corpus(written(tmp_path, rows)).tags("train", "ner_tags") == [["B-PER", "O"]] * 2


def test_what_follows_an_array_is_not_dropped_in_silence(tmp_path):
    (tmp_path / "train.json").write_text(f"{json.dumps(SENTENCES, indent=1)}\n{json.dumps(SENTENCES[0])}\n")
    with pytest.raises(CorpusError, match=r"train\.json:\d+: the JSON array ends here, and more follows"):
        load_corpus(str(tmp_path))


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000], ids=["lists", "objects"])
def test_a_value_that_is_nested_too_deeply_is_named(tmp_path, text):
    (tmp_path / "train.json").write_text(text)
    with pytest.raises(CorpusError, match=r"train\.json:1: the JSON value that starts here is nested too deeply"):
        load_corpus(str(tmp_path))


def test_an_array_on_one_line_is_read_in_time_linear_in_its_values(tmp_path):
    (tmp_path / "train.json").write_text(f"[{'{},' * 200_000}{{}}]")
    began = time.monotonic()
    assert sum(1 for _ in json_values(tmp_path / "train.json")) == 200_001
    assert time.monotonic() - began < 4  # about 0.3 s; twenty times as much if each value counts the lines before it


def test_compressed_json_and_other_encodings_are_read(tmp_path):
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [{"tokens": ["Zürich"], "t": ["B-LOC"]}])
    (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    assert load_corpus(str(tmp_path / "train.jsonl.gz")).words("train") == [["Zürich"]]
    (tmp_path / "dev.jsonl").write_bytes(lines.encode("latin-1"))
    assert load_corpus(str(tmp_path / "dev.jsonl"), encoding="latin-1").words("validation") == [["Zürich"]]
    row = json.dumps({"text": "Zürich brennt", "label": [[0, 6, "LOC"]]}, ensure_ascii=False)
    (tmp_path / "test.jsonl").write_bytes(row.encode("utf-16"))
    assert load_corpus(str(tmp_path / "test.jsonl")).tags("test", "ner_tags") == [["B-LOC", "O"]]


# Label Studio

REGION = {"start": 0, "end": 4, "text": "Anna", "labels": ["PER"]}


def test_the_small_export_of_label_studio_is_read(tmp_path):
    rows = [
        {"id": 1, "text": "Nobody slept", "annotator": 1, "annotation_id": 4, "created_at": "2024-01-02"},
        {"id": 2, "text": "Anna slept", "label": [REGION], "chunks": [{"start": 5, "end": 10, "labels": ["VP"]}]},
    ]
    corpus = load_corpus(written(tmp_path, rows))
    assert corpus.reader == "labelstudio"
    assert corpus.tags("train", "ner_tags") == [["O", "O"], ["B-PER", "O"]]
    assert corpus.tags("train", "chunks") == [["O", "O"], ["O", "B-VP"]]


def test_the_text_of_a_small_export_may_have_any_name(tmp_path):
    row = {"id": 1, "comment": "Anna slept", "mood": "good", "label": [REGION], "updated_at": "2024"}
    assert load_corpus(written(tmp_path, [row])).words("train") == [["Anna", "slept"]]


def test_completions_of_early_versions_are_annotations(tmp_path):
    result = [{"from_name": "label", "to_name": "text", "type": "labels", "value": REGION}]
    rows = [
        {"id": 1, "data": {"text": "Anna slept"}, "completions": [{"result": result}]},
        {"id": 2, "data": {"text": "Anna left"}, "completions": [{"result": result, "was_cancelled": True}]},
        {"id": 3, "data": {"text": "Anna fell"}, "completions": [{"result": [], "skipped": True}, {"result": result}]},
    ]
    with pytest.warns(CorpusWarning) as warned:
        corpus = load_corpus(written(tmp_path, rows))
    assert corpus.words("train") == [["Anna", "slept"], ["Anna", "fell"]]
    assert corpus.tags("train", "ner_tags") == [["B-PER", "O"]] * 2
    assert {str(warning.message) for warning in warned} == {
        "Texts without annotation are left out. train.json:1, item 2: 'Anna left'.",
        "Cancelled annotations are left out. train.json:1, item 3: 1 of 2.",
    }


def test_an_export_without_any_annotation_is_not_called_empty(tmp_path):
    rows = [{"id": 1, "data": {"text": "Anna slept"}, "annotations": []}]
    with pytest.raises(CorpusError, match=r"train\.json: none of the 1 texts of the train split has an annotation"):
        load_corpus(written(tmp_path, rows))


# Prodigy


@pytest.mark.parametrize("answer", ["reject", "ignore", None])
def test_a_span_that_was_not_accepted_is_left_out(tmp_path, answer):
    spans = [
        {"start": 0, "end": 4, "label": "PER", "answer": answer},
        {"start": 5, "end": 10, "label": "VERB", "answer": "accept"},
        {"start": 11, "end": 14, "label": "LOC"},
    ]
    source = written(tmp_path, {"text": "Anna slept Ulm", "spans": spans}, "train.jsonl")
    with pytest.warns(CorpusWarning, match=r"rejected or ignored are left out. train\.jsonl:1, span 1: PER 'Anna'"):
        assert load_corpus(source).tags("train", "ner_tags") == [["O", "B-VERB", "B-LOC"]]


def test_a_text_that_was_not_answered_is_left_out(tmp_path):
    row = {"text": "Anna", "spans": []}
    rows = "\n".join(json.dumps({**row, **answer}) for answer in ({"answer": None}, {}, {"answer": "accept"}))
    (tmp_path / "train.jsonl").write_text(rows)
    with pytest.warns(CorpusWarning, match="rejected or ignored"):
        assert len(load_corpus(str(tmp_path)).words("train")) == 2


# spaCy 2


@pytest.mark.parametrize("lines", [False, True])
def test_training_data_of_spacy_2_is_read(tmp_path, lines):
    pairs = [["Anna slept", {"entities": [[0, 4, "PER"]]}], ["Rome burns", {"entities": []}]]
    source = written(tmp_path, pairs)
    if lines:
        Path(source).write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    corpus = load_corpus(source)
    assert corpus.reader == "spacy-json"
    assert corpus.tags("train", "ner_tags") == [["B-PER", "O"], ["O", "O"]]


def document(*sentences: str) -> dict[str, object]:
    """A document of sentences such as `Anna/NNP/B-PER Lund/NNP/L-PER`."""
    tokens = [
        [dict(zip(("orth", "tag", "ner"), word.split("/"), strict=False)) for word in s.split()] for s in sentences
    ]
    return {"id": 0, "paragraphs": [{"raw": "x", "sentences": [{"tokens": each, "brackets": []} for each in tokens]}]}


def test_the_json_of_spacy_2_is_read(tmp_path):
    rows = [
        document("Anna/NNP/B-PER Maria/NNP/I-PER Lund/NNP/L-PER slept/VBD/O", "In/IN/- Ulm/NNP/U-LOC"),
        document("A"),
    ]
    corpus = load_corpus(written(tmp_path, rows))
    assert corpus.reader == "spacy-json"
    assert corpus.words("train") == [["Anna", "Maria", "Lund", "slept"], ["In", "Ulm"], ["A"]]
    assert corpus.tags("train", "ner_tags") == [["B-PER", "I-PER", "L-PER", "O"], [UNANNOTATED, "U-LOC"], [UNANNOTATED]]
    assert corpus.tags("train", "pos_tags") == [["NNP", "NNP", "NNP", "VBD"], ["IN", "NNP"], [UNANNOTATED]]
    assert corpus.documents("train") == [0, 0, 1]


def test_a_column_that_no_token_has_is_none(tmp_path):
    assert load_corpus(written(tmp_path, [document("Anna/NNP")])).columns == ("pos_tags",)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"paragraphs": [{"sentences": [{"tokens": [{"tag": "NN"}]}]}]}, "sentence 1: a token has no `orth`"),
        ({"paragraphs": [{"sentences": 1}]}, "train.json:1: `sentences` is no list of objects"),
    ],
)
def test_what_is_wrong_with_the_json_of_spacy_2_is_named(tmp_path, row, expected):
    with pytest.raises(CorpusError) as caught:
        load_corpus(written(tmp_path, [row]))
    assert expected in str(caught.value)
