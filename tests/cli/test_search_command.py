"""`polytag search`, with runs that train."""

import json
from pathlib import Path

import pytest

from polytag import RunConfig
from polytag.cli.search import seconds_of
from polytag.searching.runs import train_run
from polytag.searching.search import carry_out
from polytag.searching.workers import PrunedError
from support.fake_runs import ThreadWorker

SEARCH = """
task = "ner"
corpus = {corpus!r}
epochs = 1

[search]
batch_size = [16, 32]
"""


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch, uncompiled: None) -> None:
    """Trials need not import TensorFlow; docs/how-to/search.md runs them in processes."""
    monkeypatch.setitem(carry_out.__kwdefaults__, "worker", ThreadWorker)


@pytest.mark.usefixtures("in_threads")
def test_the_command_searches_and_tests_the_best_tagger(tiny_corpus: Path, tmp_path: Path, command):
    file, output = tmp_path / "search.toml", tmp_path / "found"
    file.write_text(SEARCH.format(corpus=str(tiny_corpus)))
    done = command("search", file, "--output", output, "--trials", 2)
    assert done.status == 0, done.err
    assert done.err.count("\ntrial ") + done.err.startswith("trial ") == 2
    assert "complete" in done.out
    assert "The best is trial" in done.out
    assert f"its configuration in {output / 'best.toml'}" in done.out

    again = command("search", file, "--output", output, "--trials", 2, "--json")
    found = json.loads(again.out.splitlines()[-1])
    assert found["event"] == "search"
    scores = {trial["number"]: trial["score"] for trial in found["trials"]}
    assert found["best"] == max(scores, key=lambda number: scores[number])
    for trial in found["trials"]:
        recorded = json.loads((Path(trial["output"]) / "scores.json").read_text())
        assert recorded["test"] is None  # the best tagger alone is scored on test, at the end
        assert max(epoch["score"] for epoch in recorded["history"]) == trial["score"]
    best = Path(found["trials"][found["best"]]["output"])
    scored = json.loads(command("evaluate", best, "--corpus", tiny_corpus, "--split", "test", "--json").out)
    assert found["test"]["ner f1"] == scored["tasks"]["ner"]["metrics"]["spans"]["overall"]["f1"]

    epochs: list[tuple[int, float, float]] = []
    config = RunConfig.from_sources(output / "best.toml", {"output": best})
    again = train_run(config, lambda *epoch: epochs.append(epoch))  # as after a kill before the journal has its score
    assert (again.score, len(epochs)) == (scores[found["best"]], 1)

    refused = command("search", file, "--output", output, "--seed", 1)
    assert (refused.status, "has another search" in refused.err) == (2, True)


def test_a_run_that_is_stopped_early_leaves_nothing(tiny_corpus: Path, tmp_path: Path, uncompiled: None):
    def stop(number: int, score: float, seconds: float) -> None:
        raise PrunedError

    config = RunConfig(task=("ner",), corpus=str(tiny_corpus), output=tmp_path / "tagger", epochs=3)
    with pytest.raises(PrunedError):
        train_run(config, stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("duration", "seconds"), [("2h", 7200), ("90m", 5400), ("45s", 45), ("1h30m", 5400), ("0.5h", 1800)]
)
def test_a_budget_is_a_duration(duration, seconds):
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize("duration", ["2", "2 hours", "h", "2h x", ""])
def test_another_budget_is_said(command, tmp_path, duration):
    done = command("search", tmp_path / "search.toml", "--budget", duration)
    assert (done.status, "is no duration. Write it as in 2h" in done.err) == (2, True)
