"""Values of heads in saved files that nobody would write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polytag import LabelScheme, TaggerError
from polytag.corpus.recognition import unreadable_tags
from polytag.tagger.description import TaggerDescription
from polytag.tagger.heads import TaskHead, exported_parameters

LABELS = ("O", "B-PER", "I-PER")


@pytest.mark.parametrize("number", [10**400, 10**39, None, "x", [1]])
def test_a_transition_of_an_export_that_is_no_number_is_refused(tmp_path: Path, number: object) -> None:
    rows: list[list[object]] = [[0.0] * 4 for _ in range(4)]
    rows[1][2] = number
    (tmp_path / "heads.json").write_text(json.dumps({"ner": {"transitions": rows}}))
    with pytest.raises(TaggerError):
        exported_parameters(tmp_path, {"ner": TaskHead(LABELS, "iob2", "first", "crf", kind="crf")})


@pytest.mark.parametrize("kind", [None, ["crf"], {}, 3])
def test_a_kind_that_is_no_name_is_named(tmp_path: Path, kind: object) -> None:
    description = TaggerDescription.of({"ner": TaskHead(LABELS, "iob2", "first", "crf", kind="crf")}, "compact", "x")
    values = json.loads(description.to_json())
    values["tasks"]["ner"]["kind"] = kind
    (tmp_path / "polytag.json").write_text(json.dumps(values))
    with pytest.raises(TaggerError, match=r"'tasks\.ner\.kind' is .* must be the name of a head"):
        TaggerDescription.read(tmp_path)


def test_the_first_of_many_unreadable_labels_is_found_without_comparing_all_pairs() -> None:
    compared = []

    class Nothing(LabelScheme):
        name = "nothing"
        encodes_spans = False

        def allows(self, before: str | None, after: str | None) -> bool:
            compared.append((before, after))
            return False

        def spans(self, tags):
            return []

        def tags(self, spans, length):
            return []

        def continuation(self, tag):
            return tag

    labels = [f"X-{number}" for number in range(500)]
    assert next(unreadable_tags(labels, Nothing())) == "X-0"
    assert len(compared) == 2 * 501
