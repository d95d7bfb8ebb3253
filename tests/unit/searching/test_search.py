"""A search tries options, keeps what it has tried, and continues where it was killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from polytag import PolytagError, RunConfig, Search
from polytag.errors import InterruptedRunError
from polytag.searching.conductor import SearchOptions
from polytag.searching.search import carry_out
from polytag.searching.space import read_space
from polytag.searching.workers import DefectError, Worker
from support import fake_runs

FILE = {
    "task": "ner",
    "corpus": "sample",
    "epochs": 2,
    "search": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}, "batch_size": [8, 16]},
}
SPACE, _ = read_space(FILE)


def search(folder: Path, space: Any = SPACE, *, train: Any = fake_runs.train, **options: Any) -> Search:
    """Search in threads, unless `worker` is `Worker`."""
    other = {name: options.pop(name) for name in ("listener", "seed", "report", "worker") if name in options}
    other.setdefault("worker", fake_runs.ThreadWorker)
    return carry_out(space, folder, SearchOptions(**options), train=train, test=fake_runs.test, **other)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """An undisturbed search of four trials."""
    return search(tmp_path_factory.mktemp("four") / "found", trials=4)


def without_place(found: Search) -> dict[str, Any]:
    return json.loads(json.dumps(found.to_dict()).replace(str(found.output), "FOUND"))


def test_the_best_of_all_trials_is_found_and_tested_once(four):
    scores = {trial.number: trial.score for trial in four.trials}
    assert sorted(scores) == [0, 1, 2, 3]
    assert four.best.number == max(scores, key=scores.get)
    assert four.best.epochs == {1: pytest.approx(four.best.score - 0.05), 2: four.best.score}
    assert four.test == {"ner f1": 0.5}
    done = fake_runs.record(four.output)
    assert [line for line in done if line.endswith("tested")] == [f"{four.best.number:03} tested"]
    assert sorted(line for line in done if line.endswith("ends")) == [f"{number:03} ends" for number in range(4)]
    assert f"trials, best {four.best.number}: learning_rate" in repr(four)


def test_the_file_of_the_best_configuration_is_one_for_training(four):
    config = RunConfig.from_sources(four.config, {"output": "again"})
    assert config.learning_rate == four.best.options["learning_rate"]
    assert config.batch_size == four.best.options["batch_size"]
    assert (config.epochs, config.task, config.output) == (2, ("ner",), Path("again"))
    assert f"trial {four.best.number}, score {four.best.score:.4f}" in four.config.read_text().splitlines()[0]


def test_a_search_that_is_killed_twice_ends_as_if_undisturbed(four, tmp_path):
    code = """
import os, signal, sys
from pathlib import Path
from polytag.searching.conductor import SearchOptions
from polytag.searching.search import carry_out
from polytag.searching.space import read_space
from support import fake_runs

events = []
def listener(event):
    events.append(event)
    if len(events) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

space, _ = read_space(eval(sys.argv[3]))
carry_out(space, Path(sys.argv[1]), SearchOptions(trials=4), 0, listener, train=fake_runs.train, test=fake_runs.test)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for event in (3, 6):  # in the second epoch of the first trial, and in the first one of the second
        command = [sys.executable, "-c", code, tmp_path / "found", str(event), repr(FILE)]
        done = subprocess.run(command, env=environment, check=False, timeout=300)
        assert done.returncode == -signal.SIGKILL
    found = search(tmp_path / "found", trials=4, worker=Worker)
    assert without_place(found) == without_place(four)
    done = fake_runs.record(found.output)
    assert sorted(line for line in done if line.endswith("ends")) == [f"{number:03} ends" for number in range(4)]
    assert len([line for line in done if line.endswith("resumed")]) == 2


def test_the_same_call_again_does_only_what_is_left(tmp_path, four):
    first = search(tmp_path / "found", trials=2)
    before = fake_runs.record(first.output)
    again = search(tmp_path / "found", trials=2)
    assert again.to_dict() == first.to_dict()
    assert fake_runs.record(first.output) == before
    assert without_place(search(tmp_path / "found", trials=4)) == without_place(four)


def test_the_seed_chooses_the_options(tmp_path, four):
    other = search(tmp_path / "found", trials=1, seed=1)
    assert other.trials[0].options != four.trials[0].options


def test_a_trial_that_is_worse_than_the_median_is_stopped_early(tmp_path):
    found = search(tmp_path / "found", train=fake_runs.train_worse_and_worse, trials=7)
    assert [trial.state for trial in found.trials] == ["complete"] * 5 + ["pruned"] * 2
    assert (found.trials[5].score, list(found.trials[5].epochs)) == (None, [1])
    assert found.best.number == 0


def test_a_search_ends_when_every_configuration_was_tried(tmp_path):
    space, _ = read_space({**FILE, "search": {"batch_size": [8, 16]}})
    found = search(tmp_path / "found", space, trials=20)
    assert sorted(trial.options["batch_size"] for trial in found.trials) == [8, 16]


def test_the_best_trials_are_repeated_with_other_seeds(tmp_path):
    found = search(tmp_path / "found", trials=2, repeats=3)
    assert {trial.number: sorted(trial.repeats) for trial in found.trials} == {0: [1, 2], 1: [1, 2]}
    best = found.best
    assert best.mean == pytest.approx(best.score + 0.01)
    assert best.deviation == pytest.approx(0.01)
    assert f"{best.number:03}-seed-2 ends" in fake_runs.record(found.output)
    before = fake_runs.record(found.output)
    assert search(tmp_path / "found", trials=2, repeats=3).to_dict() == found.to_dict()
    assert fake_runs.record(found.output) == before


def test_no_trial_begins_after_the_budget(tmp_path):
    found = search(tmp_path / "found", trials=20, budget=0.1, worker=Worker)  # starting a process takes longer
    assert [trial.state for trial in found.trials] == ["complete"]


def test_several_trials_run_at_a_time(tmp_path):
    events: list[str] = []
    found = search(
        tmp_path / "found", trials=3, workers=3, worker=Worker, listener=lambda event: events.append(event["event"])
    )
    assert events[:3] == ["begin"] * 3
    assert [trial.state for trial in found.trials] == ["complete"] * 3


def test_a_trial_that_diverges_has_failed_and_the_search_continues(tmp_path):
    space, _ = read_space({**FILE, "search": {"learning_rate": [1e-3, 1e-1]}})
    found = search(tmp_path / "found", space, train=fake_runs.train_or_diverge, trials=2)
    by_rate = {trial.options["learning_rate"]: trial for trial in found.trials}
    assert by_rate[1e-1].state == "failed"
    assert by_rate[1e-1].error == "The loss is no longer finite."
    assert found.best is by_rate[1e-3] or found.best == by_rate[1e-3]


@pytest.mark.parametrize(
    ("train", "error", "message"),
    [
        (fake_runs.train_without_corpus, PolytagError, "'sample' does not exist"),
        (fake_runs.train_with_a_defect, DefectError, "ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_wrong_with_the_first_trial_ends_the_search_and_leaves_nothing(tmp_path, train, error, message):
    with pytest.raises(error, match=message):
        search(tmp_path / "found", train=train, trials=4, worker=Worker)
    assert list(tmp_path.iterdir()) == []


def test_a_trial_whose_process_is_killed_is_done_again(tmp_path):
    found = search(tmp_path / "found", train=fake_runs.train_or_die, trials=1, worker=Worker)
    assert fake_runs.record(found.output) == ["000 killed", "000 begins", "000 ends", "000 tested"]


def test_an_interrupted_search_says_what_was_done_and_continues(tmp_path, four):
    def interrupt(event: Mapping[str, Any]) -> None:
        if event["event"] == "epoch" and event["trial"] == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(InterruptedRunError) as raised:
        search(tmp_path / "found", trials=4, listener=interrupt, worker=Worker)
    assert str(raised.value).startswith(
        "Interrupted: 1 of 4 trials have ended, and 1 can be resumed. The best so far is"
    )
    assert str(raised.value).endswith("Continue with the same command.")
    assert without_place(search(tmp_path / "found", trials=4)) == without_place(four)


def test_another_search_is_not_continued(tmp_path, four):
    other, _ = read_space({**FILE, "epochs": 3})
    with pytest.raises(PolytagError, match=r"has another search: epochs was 2 and is 3\. Continue"):
        search(four.output, other)
    wider, _ = read_space({**FILE, "search": {**FILE["search"], "batch_size": [8, 16, 32]}})
    with pytest.raises(PolytagError, match=r"\[search\] batch_size was \[8, 16\] and is \[8, 16, 32\]"):
        search(four.output, wider)
    with pytest.raises(PolytagError, match="--seed was 0 and is 7"):
        search(four.output, seed=7)


def test_a_corpus_that_has_changed_ends_the_search(tmp_path, four):
    search(tmp_path / "found", trials=2)
    with pytest.raises(PolytagError, match="The corpus 'sample' has changed since the search began"):
        search(tmp_path / "found", train=fake_runs.train_on_another_corpus, trials=4)
    assert without_place(search(tmp_path / "found", trials=4)) == without_place(four)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(PolytagError, match="is not empty and has no search"):
        search(tmp_path)
    with pytest.raises(PolytagError, match="is a file"):
        search(tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_only_one_process_searches_into_a_folder(tmp_path):
    def again(event: Mapping[str, Any]) -> None:
        if event["event"] == "search":
            return  # at its end
        with pytest.raises(PolytagError, match="Another process is searching into"):
            search(tmp_path / "found", trials=1)

    search(tmp_path / "found", trials=1, listener=again)


def test_half_of_a_line_in_the_journal_is_what_a_kill_has_left(tmp_path, four):
    found = search(tmp_path / "found", trials=2)
    journal = found.output / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"work')
    (found.output / "journal.log.lock").symlink_to("journal.log")
    assert without_place(search(found.output, trials=4)) == without_place(four)
    journal.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(PolytagError, match=r"journal.log' is damaged"):
        search(found.output, trials=4)


def test_the_report_has_every_trial_and_curves(tmp_path):
    found = search(tmp_path / "found", trials=3, report=True)
    page = (found.output / "report.html").read_text()
    assert page.count("<svg") == 4
    assert "\\math" not in page  # the labels of a logarithmic scale
    assert page.index(">8<") < page.index(">16<")
    assert all(f"{trial.score:.4f}" in page for trial in found.trials)
    figures = json.loads((found.output / "report.json").read_text())
    assert figures["best"] == found.best.number
    assert figures["fixed"] == {"task": "ner", "corpus": "sample", "epochs": 2}
