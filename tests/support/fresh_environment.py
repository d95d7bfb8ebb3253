"""An environment into which wheels are installed, outside the source tree."""

import os
import subprocess
import sys
from functools import cached_property
from pathlib import Path

from support.fork_server import SLOW, ForkServer

ROOT = Path(__file__).parents[2]


class FreshEnvironment:
    """A virtual environment of its own, which borrows only third-party packages from the one that runs the tests.

    Installing TensorFlow anew would take minutes. Folders that a .pth file names are put on the path, and .pth files
    in them are not read, so that a source tree installed with `pip install -e` does not come along.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin/python"
        self.work = folder / "work"
        run(sys.executable, "-m", "venv", "--without-pip", folder)
        self.work.mkdir()
        (site,) = folder.glob("lib/python*/site-packages")
        borrowed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (site / "third-party.pth").write_text("\n".join(borrowed) + "\n")
        for forbidden in ("import polytag", "import polytag_standard"):
            assert self.run("python", "-c", forbidden, check=False).returncode == 1, "the source tree can be imported"

    def install(self, project: Path) -> None:
        """Build a project's wheel and install it."""
        options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
        run(sys.executable, "-m", "pip", "--python", self.python, "install", *options, project)

    @cached_property
    def server(self) -> ForkServer:
        """Where the environment's Python has TensorFlow imported; polytag has to be installed by then."""
        return ForkServer(self.python, (*SLOW, "pytest"), _environment())

    def close(self) -> None:
        """End what runs in the environment."""
        if "server" in vars(self):
            self.server.close()

    def run(
        self, program: str, *arguments: object, stdin: str = "", check: bool = True, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, in a folder outside the source tree."""
        if program in _FORKED:
            done = self.server.run(
                _FORKED[program],
                program,
                *arguments,
                stdin=stdin,
                folder=folder or self.work,
                environment=_environment(),
            )
            return checked(done) if check else done
        command = [self.folder / "bin" / program, *arguments]
        if program in ("mypy", "ruff"):
            command = [self.python, "-m", program, *arguments]
            if program == "mypy":  # which has seen polytag after its first run
                command[3:3] = ["--cache-dir", self.folder / "mypy"]
        return run(*command, stdin=stdin, check=check, folder=folder or self.work)


# A few batches are trained on faster than they are compiled for.
_UNCOMPILED = "import sys, tensorflow; tensorflow.config.run_functions_eagerly(True); "
_FORKED = {
    "polytag": _UNCOMPILED + "from polytag.cli.app import main; main()",
    "pytest": _UNCOMPILED + "import pytest; sys.exit(pytest.main())",
}
"""Programs that import TensorFlow: they run in a process that is forked from one that has imported it."""


def run(
    *command: object, stdin: str = "", check: bool = True, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        list(map(str, command)),
        input=stdin,
        capture_output=True,
        text=True,
        env=_environment(),
        cwd=folder,
        check=False,
    )
    return checked(done) if check else done


def checked(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert done.returncode == 0, f"{' '.join(map(str, done.args))}\n{done.stdout}\n{done.stderr}"
    return done


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
