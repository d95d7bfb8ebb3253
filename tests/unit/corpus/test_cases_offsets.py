"""Texts with offsets: the unit of their offsets is judged, and what nobody confirmed is left out with a remark.

Each test begins with a case of `tests/data/cases`, and goes on with two more inputs of its kind.
"""

import json

import pytest

from support.cases import case, file_with, loaded, proposals, read, refusal, told

FIRE = "\N{FIRE ENGINE}"
ENGINES = f"{FIRE * 3} ab Bo ef gh ok"
"""Characters 10 to 12 are `ef`, and units of UTF-16 10 to 12 are `Bo`: both are words."""


def json_lines(folder, *rows, name="train.jsonl"):
    return file_with(folder, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), name)


def label_studio(start, end, text):
    result = {"from_name": "label", "to_name": "text", "type": "labels", "value": {}}
    result["value"] = {"start": start, "end": end, "labels": ["PER"]}
    return {"id": 1, "data": {"text": text}, "annotations": [{"result": [result]}]}


# The unit of offsets


def tagged(sentences):
    """The words that have a tag of a span."""
    return [word.rpartition("/")[0] for sentence in sentences for word in sentence.split(" ") if word[-2:] != "/O"]


def test_offsets_that_fit_in_both_units_are_refused_with_both_readings():
    reference = case("doccano-utf16-offsets")
    message = refusal(reference)
    assert "'Bo'" in message or "`Bo`" in message
    assert "'ef'" in message or "`ef`" in message
    assert {options["offsets"] for options in proposals(message) if "offsets" in options} >= {"utf16"}
    assert "characters" in message
    assert tagged(read(reference, offsets="utf16")) == ["Bo"]
    assert tagged(read(reference, offsets="characters")) == ["ef"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.json", [label_studio(10, 12, ENGINES)]),
        ("spans.train.json", [[ENGINES, {"entities": [[10, 12, "PER"]]}]]),
    ],
    ids=["labelstudio", "spacy2"],
)
def test_every_reader_of_offsets_judges_their_unit(name, content, tmp_path):
    reference = file_with(tmp_path, json.dumps(content), name)
    assert "utf16" in refusal(reference)
    assert tagged(read(reference, offsets="utf16")) == ["Bo"]
    assert tagged(read(reference, offsets="characters")) == ["ef"]


def test_the_unit_that_alone_fits_is_taken_and_said(tmp_path):
    reference = case("doccano-one-reading")
    assert tagged(read(reference)) == ["Anna"]
    assert "UTF-16" in told(reference)

    text = f"{FIRE} Bo rief Anna"
    utf16 = json_lines(tmp_path, {"text": text, "label": [[3, 5, "PER"], [11, 15, "PER"]]}, name="a.jsonl")
    assert tagged(read(utf16)) == ["Bo", "Anna"]
    assert "UTF-16" in told(utf16)
    characters = json_lines(tmp_path, {"text": text, "label": [[2, 4, "PER"], [10, 14, "PER"]]}, name="b.jsonl")
    assert tagged(read(characters)) == ["Bo", "Anna"]


def test_one_text_decides_for_those_that_fit_in_both_units(tmp_path):
    rows = [{"text": ENGINES, "label": [[10, 12, "PER"]]}, {"text": f"{FIRE * 2} Anna fuhr", "label": [[5, 9, "PER"]]}]
    assert tagged(read(json_lines(tmp_path, *rows))) == ["Bo", "Anna"]


def test_texts_without_such_characters_have_one_reading(tmp_path):
    reference = json_lines(tmp_path, {"text": "Anna fuhr für Bo", "label": [[0, 4, "PER"], [14, 16, "PER"]]})
    assert tagged(read(reference)) == ["Anna", "Bo"]
    assert "UTF-16" not in told(reference)


# Rejected and unanswered annotations


def prodigy(answer, *spans):
    tokens = [{"text": "Anna", "start": 0, "end": 4, "id": 0}, {"text": "slept", "start": 5, "end": 10, "id": 1}]
    return {"text": "Anna slept", "tokens": tokens, "spans": list(spans), "answer": answer}


def test_rejected_spans_are_left_out_with_a_remark(tmp_path):
    reference = case("prodigy-rejected-span")
    assert set(read(reference)) == {"Anna/O slept/B-VERB"}
    assert "reject" in told(reference)

    person = {"start": 0, "end": 4, "label": "PER"}
    rows = json_lines(tmp_path, prodigy("accept", person), prodigy("reject", person), prodigy("ignore"), name="a.jsonl")
    assert read(rows) == ["Anna/B-PER slept/O"]
    assert "a.jsonl:2" in told(rows)
    assert "a.jsonl:3" in told(rows)
    spans = [{**person, "answer": "accept"}, {"start": 5, "end": 10, "label": "VERB", "answer": "ignore"}]
    ignored = json_lines(tmp_path, prodigy("accept", *spans), name="b.jsonl")
    assert read(ignored) == ["Anna/B-PER slept/O"]
    assert "b.jsonl:1" in told(ignored)


# Label Studio


def completion(label, **fields):
    value = {"start": 0, "end": 4, "text": "Anna", "labels": [label]}
    return {"result": [{"from_name": "label", "to_name": "text", "type": "labels", "value": value}], **fields}


def test_label_studio_s_small_json_is_read(tmp_path):
    assert read(case("labelstudio-json-min")) == ["Anna/B-PER slept/O"]

    def task(number, text, *spans):
        values = [{"start": a, "end": b, "text": text[a:b], "labels": [label]} for a, b, label in spans]
        return {"id": number, "text": text, "label": values, "annotator": 1, "annotation_id": number}

    tasks = [
        task(1, "Ulm burns", (0, 3, "LOC")),
        task(2, "It rained"),
        task(3, "Bo saw Ulm", (0, 2, "PER"), (7, 10, "LOC")),
    ]
    reference = file_with(tmp_path, json.dumps(tasks), "a.json")
    assert [line for line in read(reference) if "B-" in line] == ["Ulm/B-LOC burns/O", "Bo/B-PER saw/O Ulm/B-LOC"]
    without = [{key: value for key, value in it.items() if key != "label"} if it["id"] == 2 else it for it in tasks]
    reference = file_with(tmp_path, json.dumps(without), "b.json")
    assert [line for line in read(reference) if "B-" in line] == ["Ulm/B-LOC burns/O", "Bo/B-PER saw/O Ulm/B-LOC"]


def test_label_studio_s_completions_are_annotations(tmp_path):
    assert read(case("labelstudio-completions")) == ["Anna/B-PER slept/O"]

    data = {"text": "Anna slept"}
    both = [{"id": 1, "data": data, "completions": [completion("LOC", was_cancelled=True), completion("PER")]}]
    assert read(file_with(tmp_path, json.dumps(both), "a.json")) == ["Anna/B-PER slept/O"]
    none = [
        {"id": 1, "data": data, "completions": [completion("PER")]},
        {"id": 2, "data": {"text": "Bo left"}, "completions": []},
    ]
    reference = file_with(tmp_path, json.dumps(none), "b.json")
    assert read(reference) == ["Anna/B-PER slept/O"]
    assert "Bo left" in told(reference)


def test_a_file_without_any_annotation_is_not_called_empty(tmp_path):
    tasks = [{"id": 1, "data": {"text": "Anna slept"}, "annotations": []}]
    message = refusal(file_with(tmp_path, json.dumps(tasks), "a.json"))
    assert "annotat" in message
    assert loaded(case("labelstudio-json-min")).columns == ("ner_tags",)
