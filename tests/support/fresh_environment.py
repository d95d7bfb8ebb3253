"""An environment into which wheels are installed, outside the source tree."""

import os
import subprocess
import sys
from pathlib import Path

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

    def install(self, project: Path, name: str) -> Path:
        """Build a project's wheel and install it; returns the wheel."""
        wheels = self.folder / "wheels" / name
        build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels)
        run(sys.executable, "-m", "pip", *build, project)
        (wheel,) = wheels.glob("*.whl")
        run(
            sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--no-deps", "--no-index", wheel
        )
        return wheel

    def run(
        self, program: str, *arguments: object, stdin: str = "", check: bool = True, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, in a folder outside the source tree."""
        command = [self.folder / "bin" / program, *arguments]
        if program in ("pytest", "mypy", "ruff"):
            command = [self.python, "-m", *command]
            command[2] = program
        return run(*command, stdin=stdin, check=check, folder=folder or self.work)


def run(
    *command: object, stdin: str = "", check: bool = True, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        list(map(str, command)), input=stdin, capture_output=True, text=True, env=environment, cwd=folder, check=False
    )
    if check:
        assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done
