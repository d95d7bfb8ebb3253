"""A teacher's labels are matched with the student's by name, or as the user says."""

from __future__ import annotations

from pathlib import Path

import pytest

from polytag import PolytagError
from polytag.plugin.registry import Registry
from polytag.tagger.description import TaggerDescription
from polytag.tagger.heads import TaskHead
from polytag.training.teachers import Teacher, label_ids_of

STUDENT = ("O", "B-LOC", "B-PER", "I-LOC", "I-PER")


def teacher(*labels: str, scheme: str = "iob2", task: str = "ner") -> Teacher:
    heads = {task: TaskHead(labels, scheme, "first")}
    return Teacher("mine", Path("mine"), TaggerDescription.of(heads, "compact", "compact"))


def ids(registry: Registry, one: Teacher, labels: tuple[str, ...] = STUDENT, **mapping: str) -> list[int]:
    return label_ids_of(one, "ner", labels, registry.schemes["iob2"], mapping).tolist()


def test_labels_are_matched_by_name_in_any_order(registry):
    assert ids(registry, teacher("O", "B-PER", "I-PER", "B-LOC", "I-LOC")) == [0, 2, 4, 1, 3]


def test_labels_of_other_names_are_mapped(registry):
    one = teacher("O", "B-PERSON", "I-PERSON", "B-GPE", "I-GPE", "B-LOC", "I-LOC", "B-DATE", "I-DATE")
    assert ids(registry, one, PERSON="PER", GPE="LOC", DATE="O") == [0, 2, 4, 1, 3, 1, 3, 0, 0]


def test_tags_of_a_task_without_spans_are_mapped_whole(registry):
    one = teacher("NN", "VB-D", scheme="flat", task="pos")
    found = label_ids_of(one, "pos", ("VBD", "NN"), registry.schemes["flat"], {"VB-D": "VBD"})
    assert found.tolist() == [1, 0]


def test_labels_that_the_student_lacks_are_named(registry):
    with pytest.raises(PolytagError) as refused:
        ids(registry, teacher(*STUDENT, "B-GPE", "I-GPE", "B-DATE", "I-DATE"))
    assert "'mine' has ner labels that the student lacks: GPE, DATE. The student has O, LOC, PER." in str(refused.value)
    assert "--teacher-label GPE=O" in str(refused.value)


def test_labels_that_the_teacher_lacks_are_named(registry):
    with pytest.raises(PolytagError, match=r"labels that the teacher 'mine' lacks, and would unlearn: LOC\."):
        ids(registry, teacher("O", "B-PER", "I-PER"))


def test_another_label_scheme_is_refused(registry):
    with pytest.raises(PolytagError, match=r"has ner in the label scheme iob1, and this run has iob2.*--scheme iob1"):
        ids(registry, teacher("O", "I-PER", "I-LOC", scheme="iob1"))
