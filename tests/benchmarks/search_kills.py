"""Random kills of a search: is any trial done twice, and is the best configuration the same?

    python tests/benchmarks/search_kills.py --trials 8 --kills 2

A search of trained taggers runs undisturbed. Another one is killed by SIGKILL at random moments, and each time started
again. The trials of both are then compared: options, states, scores after each epoch, and the best configuration.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Report, console, parser, table

from support.corpora import write_addresses

EPOCHS = 3
SEARCH = """
task = "ner"
corpus = {corpus!r}
epochs = {epochs}
checkpoint_every = 5

[search]
learning_rate = {{ low = 1e-4, high = 2e-2, log = true }}
batch_size = [8, 16]
"""
COMPARED = ("number", "options", "state", "score", "epochs")
OPERATIONS = {"trials": 4, "epochs": 7}
"""Numbers that optuna's journal gives to its operations."""


def main() -> None:
    """Search twice, kill one of them, and print tables."""
    options = parser(__doc__)
    options.add_argument("--trials", type=int, default=8)
    options.add_argument("--kills", type=int, default=2)
    options.add_argument("--seed", type=int, default=0, help="seed of the moments")
    chosen = options.parse_args()
    report = Report("search_kills", chosen)
    choose = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory(prefix="polytag-search-") as name:
        folder = Path(name)
        corpus = write_addresses(folder / "addresses")
        (folder / "search.toml").write_text(SEARCH.format(corpus=str(corpus), epochs=EPOCHS))
        undisturbed, _ = search(folder, "undisturbed", chosen.trials)
        assert undisturbed
        console.print("undisturbed:", undisturbed["best"], markup=False)
        killed = None
        moments = []
        part = chosen.trials * (EPOCHS + 2) // (chosen.kills + 1)  # events between two kills, on average
        for _ in range(chosen.kills):
            event, delay = choose.randint(2, 2 * part - 2), round(choose.uniform(0, 2), 2)
            found, last = search(folder, "killed", chosen.trials, event, delay)
            assert found is None, "it ended before the kill"
            moments.append({"after": last, "seconds": delay})
            console.print("killed", moments[-1], markup=False)
        killed, _ = search(folder, "killed", chosen.trials)
        assert killed
        counts = Counter(line["op_code"] for line in journal(folder / "killed"))
        leftovers = sorted(path.name for path in (folder / "killed/trials").iterdir() if not path.name.isdigit())
    sides = [[{key: trial[key] for key in COMPARED} for trial in side["trials"]] for side in (undisturbed, killed)]
    results = {
        "moments": moments,
        "trials begun": counts[OPERATIONS["trials"]],
        "epochs recorded": counts[OPERATIONS["epochs"]],
        "epochs trained": sum(len(trial["epochs"]) for trial in killed["trials"]),
        "states": dict(Counter(trial["state"] for trial in killed["trials"])),
        "trials equal": sum(one == other for one, other in zip(*sides, strict=True)),
        "best": [undisturbed["best"], killed["best"]],
        "test": [undisturbed["test"], killed["test"]],
        "leftovers": leftovers,
    }
    report.add(**results)
    report.show(table("Kills of a search", ["figure", "value"], [[key, str(value)] for key, value in results.items()]))


def search(
    folder: Path, name: str, trials: int, kill_after: int = 0, delay: float = 0
) -> tuple[dict[str, Any] | None, str]:
    """Run the command; kill it some seconds after an event, if wanted.

    Returns:
        The result, None if it was killed; and its last event.
    """
    command = [sys.executable, "-c", "from polytag.cli.start import main; main()", "search", folder / "search.toml"]
    last: dict[str, Any] = {}
    with subprocess.Popen(
        [*command, "--output", folder / name, "--trials", str(trials), "--json"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        for number, line in enumerate(process.stdout, 1):
            last = json.loads(line)
            if number == kill_after:
                time.sleep(delay)
                process.send_signal(signal.SIGKILL)
                break
    said = f"{last['event']} of trial {last.get('trial', last.get('number'))}"
    if process.returncode not in (0, -signal.SIGKILL):
        raise SystemExit(f"the search ended with status {process.returncode}")
    return (last if last["event"] == "search" else None), said


def journal(folder: Path) -> list[dict[str, Any]]:
    """The lines of the journal of a search, each of which has to be JSON."""
    content = (folder / "journal.log").read_text(encoding="utf-8")
    assert content.endswith("\n")
    return [json.loads(line) for line in content.splitlines()]


if __name__ == "__main__":
    main()
