"""Everything a change has to pass: lint, formatting, types, import contracts, tests (which build the documentation).

Run it with the project's Python."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))
CHECKS = {
    "lint": ["ruff", "check", "."],
    "formatting": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports"],
    # Files, not single tests, are shared out: what a file trains once is used by all its tests.
    # xdist would give a file whose test ends its process to another process, which ends in the same test, and so on.
    "tests": [
        *("pytest", "--numprocesses", "auto", "--dist", "loadfile", "--no-loadscope-reorder"),
        *("--max-worker-restart", "0"),
    ],
}


def main() -> int:
    """Run every check, also after one has failed; return 1 when any has."""
    failed = []
    for name, (program, *arguments) in CHECKS.items():
        print(f"== {name}", flush=True)
        began = time.monotonic()
        if subprocess.run([SCRIPTS / program, *arguments], cwd=ROOT, check=False).returncode:
            failed.append(name)
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
