"""With any one package under `plugins/` gone, every command starts, and what depends on it says what it misses."""

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from polytag.plugin.manager import GROUP, PluginManager, isolated

TASKS = {
    "polytag_ner": {"ner"},
    "polytag_pos": {"pos"},
    "polytag_chunk": {"chunk"},
    "polytag_ud": {"upos", "xpos", "feats"},
    "polytag_biomedical": {"bioner"},
    "polytag_standard": set(),
}
OF_THE_TAGGER = ("ner", "pos", "chunk")
ENTRIES = [*importlib.metadata.distribution("polytag").entry_points.select(group=GROUP)]
each_package = pytest.mark.parametrize("gone", TASKS, indirect=True)


def modules_of_plugins() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in TASKS]


@pytest.fixture
def gone(request) -> Iterator[str]:
    """Name of a package that can neither be found nor imported in this test; the others are imported anew."""
    kept = {name: sys.modules.pop(name) for name in modules_of_plugins()}
    sys.modules[request.param] = None  # what makes an import fail
    try:
        with isolated(PluginManager([entry for entry in ENTRIES if entry.value != request.param], {})) as manager:
            assert not manager.problems
            yield request.param
    finally:
        for name in modules_of_plugins():
            del sys.modules[name]
        sys.modules.update(kept)


def test_every_package_under_plugins_is_tried():
    folder = Path(__file__).parents[2] / "plugins"
    assert {path.parent.name for path in folder.glob("*/__init__.py")} == set(TASKS)
    assert set(TASKS) == {entry.value for entry in ENTRIES} - {"polytag.builtin"}


@each_package
def test_commands_that_look_start(gone, command):
    assert "predict         Tag text" in command("--help").out
    listed = json.loads(command("tasks", "--json").out)
    assert {task["name"] for task in listed} == set().union(*TASKS.values()) - TASKS[gone]
    for task in listed:
        parts = [task["scheme"], task["alignment"], *task["metrics"]] if gone == "polytag_standard" else []
        nouns = ["label scheme", "alignment strategy", *["metric"] * len(task["metrics"])]
        assert task["missing"] == [f"{noun} {name!r}" for noun, name in zip(nouns, parts, strict=False)]
    shown = command("plugins")
    assert shown.status == 0
    assert f" {gone.removeprefix('polytag_')} " not in shown.out


@each_package
def test_corpora_are_described_checked_and_converted_or_it_is_said_what_is_missing(gone, command, tmp_path):
    described = command("corpus", "describe", "sample")
    checked = command("corpus", "check", "sample")
    converted = command("corpus", "convert", "sample", tmp_path / "out")
    if gone == "polytag_standard":
        assert (described.status, checked.status, converted.status) == (2, 2, 2)
        assert "No plugin provides a label scheme" in described.err
        assert "No plugin provides a label scheme" in checked.err
        assert "There is no reader named 'jsonl', which writing a corpus without --format needs." in converted.err
    else:
        assert (described.status, checked.status, converted.status) == (0, 0, 0)


@each_package
def test_taggers_tag_and_are_scored_or_it_is_said_what_is_missing(gone, command, joint_run):
    tagged = command("predict", joint_run.output, "-", stdin=b"Anna Keller left.\n")
    scored = command("evaluate", joint_run.output, "--corpus", "sample")
    compared = command("compare", joint_run.output, joint_run.output, "--corpus", "sample")
    if gone == "polytag_standard":
        for done in (tagged, scored, compared):
            assert done.status == 2
            assert "There is no label scheme named 'iob2', which the tagger needs." in done.err
        return
    # A saved tagger has its labels, so it tags without the plugin of its task.
    assert set(json.loads(tagged.out)["tags"]) == set(OF_THE_TAGGER)
    if missing := TASKS[gone] & set(OF_THE_TAGGER):
        (task,) = missing
        assert f"There is no task named {task!r}, which scoring the tagger needs." in scored.err
        assert f"There is no task named {task!r}, which the comparison needs." in compared.err
    assert (scored.status, compared.status) == ((2, 2) if missing else (0, 0))


@each_package
def test_training_starts_with_what_is_left_and_names_what_is_gone(gone, command, tmp_path):
    options = ("--corpus", "nowhere.conll", "--output", tmp_path / "tagger")
    for task in TASKS[gone]:
        refused = command("train", "--task", task, *options)
        assert refused.status == 2
        assert f"There is no task named {task!r}." in refused.err
    left = set().union(*TASKS.values()) - TASKS[gone]
    started = command("train", *(part for task in sorted(left) for part in ("--task", task)), *options)
    assert started.status == 2
    if gone == "polytag_standard":
        assert "There is no label scheme named 'iob2', which the task 'bioner' needs." in started.err
        assert "Install the plugin that provides it, or name its file in POLYTAG_PLUGINS." in started.err
    else:  # tasks, schemes, alignments, metrics and encoder are known by the time the corpus is looked for
        assert "The corpus 'nowhere.conll' does not exist" in started.err


@pytest.mark.slow
@pytest.mark.parametrize("gone", ["polytag_chunk"], indirect=True)
def test_what_is_left_is_trained(gone, command, polytag_corpus, tmp_path):
    options = ("--corpus", polytag_corpus, "--epochs", 1, "--output", tmp_path / "tagger", "--json")
    trained = command("train", "--task", "ner", "--task", "pos", *options)
    assert trained.status == 0, trained.err
    assert set(json.loads(trained.out)["test"]["tasks"]) == {"ner", "pos"}
