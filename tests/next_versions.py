"""Newer versions than polytag allows, release candidates among them: does the engine still pass its tests?

    python tests/next_versions.py [REQUIREMENT ...]

It installs polytag into a fresh environment of this Python, then the requirements, by default the newest `tensorflow`,
and runs the tests of the engine, of training and of exports. Its status is that of pytest. Not part of the usual tests:
a release candidate that fails is a warning, not a defect.

A release candidate of TensorFlow brings Keras's nightly version, which takes the place of Keras. Unless `keras-nightly`
is asked for, Keras is installed again.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parents[1]
NIGHTLY = "keras-nightly"
TESTS = ("tests/unit/engine", "tests/unit/training", "tests/unit/exporting")
console = Console(stderr=True, highlight=False)


def main() -> int:
    """Install, print the versions, and run the tests."""
    wanted = sys.argv[1:] or ["tensorflow"]
    with tempfile.TemporaryDirectory() as name:
        venv.create(name, with_pip=True)
        python = Path(name) / "bin" / "python"
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        console.print("installing polytag", markup=False)
        subprocess.run([*install, "--editable", f"{ROOT}[dev]"], check=True)
        console.print(f"installing {' '.join(wanted)}", markup=False)
        subprocess.run([*install, "--pre", "--upgrade", *wanted], check=True)
        if NIGHTLY not in wanted:
            subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", NIGHTLY], check=True)
            subprocess.run([*install, "--force-reinstall", "--no-deps", "keras>=3.15,<4"], check=True)
        listed = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
        for line in listed.splitlines():
            if line.partition("==")[0].lower() in {"tensorflow", "keras", "numpy"}:
                console.print(line, markup=False)
        return subprocess.run([python, "-m", "pytest", "--quiet", *TESTS], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
