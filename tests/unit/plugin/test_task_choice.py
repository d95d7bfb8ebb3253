"""Tasks as users name them: with a column, and as variants."""

import pytest

from polytag import PolytagError
from polytag.errors import UnknownNameError
from polytag.plugin.task_choice import choose_tasks, task_named


def test_a_task_alone_has_the_columns_of_its_plugin(registry):
    assert choose_tasks(["ner"])["ner"].task == registry.tasks["ner"]
    assert choose_tasks(["ner"])["ner"].column is None


def test_a_column_can_be_named(registry):
    (choice,) = choose_tasks(["ner = label"]).values()
    assert (choice.task.name, choice.task.columns, choice.column) == ("ner", ("label",), "label")
    assert choice.task.scheme == registry.tasks["ner"].scheme


def test_a_variant_is_a_task_of_its_own_on_its_column(registry):
    chosen = choose_tasks(["ner", "ner:inner=nested_tags"])
    assert list(chosen) == ["ner", "ner:inner"]
    assert chosen["ner:inner"].task.columns == ("nested_tags",)
    assert chosen["ner:inner"].task.metrics == registry.tasks["ner"].metrics


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["ner:inner"], r"names a variant without its column.*--task ner:inner=nested_tags"),
        (["ner="], r"not of the form NAME, NAME=COLUMN or NAME:VARIANT=COLUMN"),
        (["ner:=x"], r"not of the form"),
        (["ner:a/b=x"], r"not of the form"),
        (["=x"], r"not of the form"),
        (["ner", "ner=label"], r"Two tasks of the run are named 'ner'.*--task ner:other=label"),
    ],
)
def test_what_is_wrong_is_said_with_an_example(texts, message):
    with pytest.raises(PolytagError, match=message):
        choose_tasks(texts)


def test_an_unknown_task_is_named_without_its_variant():
    with pytest.raises(UnknownNameError, match="no task named 'nerr'"):
        choose_tasks(["nerr:inner=x"])


def test_the_task_of_a_saved_head_knows_its_column_first(registry):
    own = registry.tasks["ner"].columns
    assert task_named("ner", "label").columns == ("label", *own)
    assert task_named("ner:inner", "nested_tags").columns == ("nested_tags",)
    assert task_named("ner:inner").columns == ()
