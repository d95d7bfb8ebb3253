"""Which column holds a task: its own, the only one that can, or the one that the user names."""

import re

import pytest

from polytag import CorpusError, CorpusWarning
from polytag.corpus.splits import read_splits
from polytag.plugin.task_choice import choose_tasks
from support.corpora import built

TAGS = {
    "spans": ["O", "B-PER", "I-PER"],
    "more_spans": ["B-LOC", "O", "O"],
    "flat": ["VB", "NNP", "NNP"],
    "lemma": ["see", "Anna", "Lund"],
}


def corpus_with(**columns):
    from polytag import Sentence

    tags = {name: TAGS[kind] for name, kind in columns.items()}
    return built({"train": [Sentence(["see", "Anna", "Lund"], tags, None, "a:1")]})


def read(corpus, registry, *texts):
    """The tags of the tasks that users name with `--task`."""
    tasks = {name: choice.task for name, choice in choose_tasks(texts).items()}
    schemes = {name: registry.schemes[task.scheme] for name, task in tasks.items()}
    return read_splits(corpus, ["train"], tasks, schemes, None)["train"].tags


def test_the_only_column_with_spans_is_taken_and_said_once(registry):
    corpus = corpus_with(label="spans", pos_tags="flat")
    with pytest.warns(CorpusWarning) as said:
        assert [read(corpus, registry, "ner") for _ in range(2)] == [{"ner": [TAGS["spans"]]}] * 2
    (warning,) = said
    assert str(warning.message).startswith("The column 'label' holds span tags; it is read as the task 'ner'")
    assert "--task ner=label says so" in str(warning.message)


def test_the_only_flat_column_is_taken_for_a_task_without_spans(registry):
    with pytest.warns(CorpusWarning, match="'label' holds one tag per word; it is read as the task 'pos'"):
        assert read(corpus_with(label="flat", ner_tags="spans"), registry, "pos") == {"pos": [TAGS["flat"]]}


def test_nothing_is_said_where_the_user_names_the_column(registry, recwarn):
    corpus = corpus_with(label="spans", ner_tags="more_spans")
    assert read(corpus, registry, "ner=label") == {"ner": [TAGS["spans"]]}
    assert read(corpus, registry, "ner", "ner:inner=label") == {
        "ner": [TAGS["more_spans"]],
        "ner:inner": [TAGS["spans"]],
    }
    assert not recwarn.list


def test_several_columns_that_could_be_meant_are_listed_with_the_option(registry, recwarn):
    corpus = corpus_with(outer="spans", inner="more_spans", pos_tags="flat")
    with pytest.raises(CorpusError, match="'outer' and 'inner' could hold it") as refused:
        read(corpus, registry, "ner")
    (option,) = re.findall(r"--task (\S+),", str(refused.value))
    assert read(corpus, registry, option) == {"ner": [TAGS["spans"]]}


@pytest.mark.parametrize("column", ["chunk_tags", "entities"])
def test_a_column_of_another_task_is_never_taken(registry, column):
    corpus = corpus_with(**{column: "spans"})
    with pytest.raises(CorpusError, match="no column for the task 'ner'") as refused:
        read(corpus, registry, "ner")
    (option,) = re.findall(r"--task (\S+),", str(refused.value))
    assert read(corpus, registry, option) == {"ner": [TAGS["spans"]]}


def test_a_column_that_the_user_names_is_not_replaced_by_another(registry):
    with pytest.raises(CorpusError, match=r"no column for the task 'ner' \(that is 'entity'\)"):
        read(corpus_with(label="spans"), registry, "ner=entity")
    with pytest.raises(CorpusError, match=r"no column for the task 'ner:inner' \(that is 'inner'\)"):
        read(corpus_with(label="spans"), registry, "ner:inner=inner")


@pytest.mark.filterwarnings("ignore::polytag.CorpusWarning")
def test_two_tasks_do_not_share_a_column_unless_both_name_it(registry):
    corpus = corpus_with(label="spans")
    with pytest.raises(CorpusError, match=r"'ner' and 'chunk' would be read from one column .*--task ner=label"):
        read(corpus, registry, "ner", "chunk")
    assert list(read(corpus, registry, "ner=label", "chunk=label")) == ["ner", "chunk"]
