"""An environment that tags without TensorFlow: build it, weigh it, and use it.

    python tests/tagging_environment.py [PYTHON]

It installs polytag's wheel without dependencies, and what `requirements-tagging.txt` and later
`requirements-serving.txt` list, into a fresh environment of PYTHON (by default this one), as
docs/how-to/tag-without-tensorflow.md says, and compares what that environment does with what this one does. Run it with
the project's Python.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
TEXT = "Anna Keller met Peter Smith in Geneva. He left for Rome on Monday!\n"
ABSENT = ("tensorflow", "keras", "datasets", "pyarrow", "pandas", "scipy", "sklearn", "transformers")
LARGEST = {"without onnxruntime": 250, "with onnxruntime": 330}
"""MB that may be installed."""

_WEIGH = """
import importlib.metadata, json
sizes = {}
for found in importlib.metadata.distributions():
    files = [file.locate() for file in found.files or ()]
    sizes[found.name] = sum(path.stat().st_size for path in files if path.is_file()) / 1e6
print(json.dumps(sizes))
"""


def main() -> None:
    """Build the environment, and check everything."""
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        here = Path(sys.executable).parent / "polytag"
        train(here, work)
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
        run(*pip, "wheel", "--no-deps", "--wheel-dir", work, ROOT)
        run(python, "-m", "venv", "--without-pip", work / "env")
        install = (*pip, "--python", work / "env/bin/python", "install")
        run(*install, "--no-deps", *work.glob("polytag-*.whl"))
        run(*install, "--requirement", ROOT / "requirements-tagging.txt")
        there = work / "env/bin/polytag"
        check_absent(work / "env/bin/python")
        check_use(here, there, work / "compact", work)
        refused = run(there, "train", "-t", "ner", "-c", "sample", "-o", work / "new", status=2)
        assert "needs TensorFlow" in refused.stderr
        assert refused.stderr.count("\n") == 1, refused.stderr
        refused = run(there, "predict", work / "checkpoint", status=2, stdin=TEXT)
        assert "pip install onnxruntime" in refused.stderr
        assert refused.stderr.count("\n") == 1, refused.stderr
        weigh(work / "env/bin/python", "without onnxruntime")
        run(*install, "onnxruntime")
        check_use(here, there, work / "checkpoint", work)
        weigh(work / "env/bin/python", "with onnxruntime")
        run(*install, "--requirement", ROOT / "requirements-serving.txt")
        check_absent(work / "env/bin/python")
        check_serving(here, there, work / "compact", work / "checkpoint")
    print("tags and scores are those of the environment with TensorFlow")


def train(polytag: Path, work: Path) -> None:
    """Train a tagger with the encoder compact, and one over a small checkpoint with an ONNX model."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support.checkpoints import make_checkpoint

    checkpoint = make_checkpoint(work / "bert", "bert")
    options = ("train", "-t", "ner", "-t", "pos", "-c", "sample", "--epochs", 1)
    run(polytag, *options, "-o", work / "compact")
    run(polytag, *options, "-e", checkpoint, "--export", "onnx", "-o", work / "checkpoint")


def check_absent(python: Path) -> None:
    """Check that the packages that tagging must not need are not installed."""
    code = f"import importlib.util; print([name for name in {ABSENT!r} if importlib.util.find_spec(name)])"
    assert run(python, "-c", code).stdout == "[]\n"


def check_use(here: Path, there: Path, tagger: Path, work: Path) -> None:
    """Check that both environments tag and score alike."""
    corpus = work / "corpus"
    if not corpus.exists():
        run(here, "corpus", "convert", "sample", corpus, "--format", "conllu")
    for source in ("sample", corpus):
        command = ("evaluate", tagger, "--corpus", source, "--json")
        found, expected = (json.loads(run(polytag, *command).stdout) for polytag in (there, here))
        for task in expected["tasks"]:  # probabilities differ in their last digits between versions of NumPy
            errors = [scores["tasks"][task].pop("calibration") for scores in (found, expected)]
            assert all(abs(errors[0][when] - errors[1][when]) < 1e-4 for when in ("before", "after")), errors
        assert found == expected, command
    command = ("predict", tagger, "--format", "conll", "-")
    found, expected = (run(polytag, *command, stdin=TEXT).stdout for polytag in (there, here))
    assert found == expected, (found, expected)
    assert found.count("\n") >= 14


def check_serving(here: Path, there: Path, *taggers: Path) -> None:
    """Check that the environment serves taggers as they tag here, and stops in good order."""
    command = [there, "serve", *taggers, "--port", "0"]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            address = server.stdout.readline().strip()
            assert [server.stdout.readline().split()[1] for _ in taggers] == ["numpy", "onnx"]
            for tagger in taggers:
                body = json.dumps({"texts": TEXT, "model": tagger.name}).encode()
                request = Request(f"{address}v1/tag", body, {"Content-Type": "application/json"})
                with urlopen(request, timeout=60) as answer:
                    found = json.load(answer)["results"]
                expected = run(here, "predict", tagger, "--format", "jsonl", "-", stdin=TEXT).stdout
                assert [one["tags"] for one in found] == [json.loads(expected)["tags"]], (found, expected)
        finally:
            server.terminate()
        _, log = server.communicate(timeout=60)
    assert server.returncode == 0, log


def weigh(python: Path, title: str) -> None:
    """Print the size of each package, and check the sum."""
    sizes = json.loads(run(python, "-c", _WEIGH).stdout)
    table = Table("package", "MB", title=f"Installed to tag, {title}")
    for name, size in sorted(sizes.items(), key=lambda pair: -pair[1]):
        table.add_row(name, f"{size:.1f}")
    table.add_row("sum", f"{sum(sizes.values()):.1f}")
    Console().print(table)
    assert sum(sizes.values()) <= LARGEST[title]


def run(*command: object, stdin: str = "", status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, which must have a status."""
    done = subprocess.run(list(map(str, command)), input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


if __name__ == "__main__":
    main()
