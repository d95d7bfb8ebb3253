"""The longest time without a change on a terminal, while commands run.

    python tests/benchmarks/silence.py "train -t ner -c sample -o OUT --epochs 1" "evaluate OUT -c sample"

Each command of `polytag` has a pseudo-terminal of its own. A change is anything that it writes there.
"""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import time

from harness import Report, parser, polytag_command, table

BOUND = 3.0
"""Seconds after which a person wonders whether anything happens."""


def silence(command: list[str]) -> tuple[float, float, bytes]:
    """The longest time without a change, the whole time in seconds, and what was written before it."""
    main, terminal = pty.openpty()
    began = last = time.monotonic()
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=os.environ | {"TERM": "xterm-256color"}
    )
    os.close(terminal)
    longest, shown, before = 0.0, b"", b""
    while True:
        try:
            content = os.read(main, 1 << 16)
        except OSError:  # the command has ended
            content = b""
        now = time.monotonic()
        if now - last > longest:
            longest, before = now - last, shown
        last = now
        if not content:
            break
        shown = (shown + content)[-80:]
    os.close(main)
    if process.wait():
        raise SystemExit(f"{shlex.join(command)} failed: {shown!r}")
    return longest, now - began, before


def main() -> None:
    """Run the commands one after the other, and print a table."""
    options = parser(__doc__)
    options.add_argument("commands", nargs="+", help="what follows polytag")
    chosen = options.parse_args()
    report = Report("silence", chosen)
    rows = []
    for command in chosen.commands:
        longest, whole, before = silence([str(polytag_command()), *shlex.split(command)])
        rows.append([command, longest, whole, longest <= BOUND, repr(before[-40:])])
    report.add(commands={row[0]: {"longest": row[1], "whole": row[2], "before": row[4]} for row in rows})
    report.show(table("Seconds without a change", ["command", "longest", "whole", "in bound", "after"], rows))


if __name__ == "__main__":
    main()
