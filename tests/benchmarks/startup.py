"""Start-up: `--help`, `tasks` and a first prediction, against the time Python takes to import typer alone.

    python tests/benchmarks/startup.py --tagger FOLDER --tagger FOLDER

Every command is a process of its own; they take turns.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from harness import Report, console, median_ratio, parser, polytag_command, table, timed

IMPORT = 'python -c "import typer"'
TEXT = "My name is Sylvain and I work at Hugging Face in Brooklyn.\n"


def main() -> None:
    """Time the commands, and print a table."""
    options = parser(__doc__)
    options.add_argument("--tagger", type=Path, action="append", default=[], help="a tagger to predict with")
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args()
    report = Report("startup", chosen)
    polytag = polytag_command()
    commands: dict[str, list[str | Path]] = {
        "python -c pass": [sys.executable, "-c", "pass"],
        IMPORT: [sys.executable, "-c", "import typer"],
        "polytag --help": [polytag, "--help"],
        "polytag tasks": [polytag, "tasks"],
        **{f"polytag predict {tagger.name} -": [polytag, "predict", tagger, "-"] for tagger in chosen.tagger},
    }
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text"
        text.write_text(TEXT, encoding="utf-8")
        for number in range(chosen.rounds + 1):
            for name, command in commands.items():
                measured = timed(command, text)
                if number:  # the first round reads files from the disk
                    runs[name].append(measured)
            console.print(f"round {number}/{chosen.rounds}")
    seconds = {name: [took for took, _ in measured] for name, measured in runs.items()}
    rows = [
        [
            name,
            1000 * statistics.median(took),
            median_ratio(took, seconds[IMPORT]),
            max(memory for _, memory in runs[name]),
        ]
        for name, took in seconds.items()
    ]
    report.add(seconds=seconds, over_import_of_typer={row[0]: row[2] for row in rows})
    report.show(table("Start-up, medians", ["command", "ms", f"÷ {IMPORT}", "peak MB"], rows))


if __name__ == "__main__":
    main()
