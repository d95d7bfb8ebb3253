"""The commands of docs/how-to/hub.md against a hub on this machine, and those of docs/explanation/runtimes.md."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.checkpoints import make_checkpoint
from support.hub_server import TOKEN, client_environment, running_hub
from support.pages import DOCS, Block, parts

ROOT = DOCS.parent
_COMMAND = "from polytag.cli.app import main; main()"


def commands(page: str) -> list[str]:
    """The lines of all console blocks of a page."""
    blocks = [part for part in parts(DOCS / page) if isinstance(part, Block) and part.language == "console"]
    return [line for block in blocks for line in block.body.splitlines() if line]


def run(line: str, folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    program, *arguments = shlex.split(line, comments=True)
    start = ["-c", _COMMAND] if program == "polytag" else []
    return subprocess.run(
        [sys.executable, *start, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_page_on_the_hub(ner_run, tiny_corpus, tmp_path):
    shutil.copytree(ner_run.output, tmp_path / "my-tagger")
    shutil.copytree(tiny_corpus, tmp_path / "my-corpus")
    (tmp_path / "article.txt").write_text("Anna Smith moved to Paris.\n", encoding="utf-8")
    found = commands("how-to/hub.md")
    assert len(found) == 7
    with running_hub() as hub:
        environment = client_environment(hub.url, tmp_path / "home", token=TOKEN)
        for line in found:
            if " train " in line:
                shutil.rmtree(tmp_path / "my-tagger")
                line += " --epochs 1"
            done = run(line, tmp_path, environment)
            # The page says what the second line does: by then the repository is there, and public.
            assert done.returncode == (2 if "--private" in line else 0), (line, done.stderr)
        assert "More data" in hub.model("acme/ner-news").messages


@pytest.mark.slow
def test_the_page_on_runtimes(tmp_path, monkeypatch):
    make_checkpoint(tmp_path / "ENCODER", "bert")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    found = commands("explanation/runtimes.md")
    assert len(found) == 4
    environment = client_environment("http://127.0.0.1:9", tmp_path / "home", offline=True)
    for line in found:
        quick = " --runs 1 --sentences 5" if line.startswith("python") else ""
        done = run(line + quick, tmp_path, environment)
        assert done.returncode == 0, (line, done.stderr)
