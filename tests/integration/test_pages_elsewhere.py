"""The commands of docs/how-to/hub.md against a hub on this machine, and those of docs/explanation/runtimes.md."""

import runpy
import shlex
import shutil
import sys

import pytest

from support.checkpoints import make_checkpoint
from support.hub_server import TOKEN, running_hub, use_hub
from support.pages import DOCS, Block, parts

ROOT = DOCS.parent


def commands(page: str) -> list[str]:
    """The commands of all console blocks of a page."""
    blocks = [part for part in parts(DOCS / page) if isinstance(part, Block) and part.language == "console"]
    return [command.line for block in blocks for command in block.commands()]


def test_the_page_on_the_hub(ner_run, tiny_corpus, tmp_path, monkeypatch, command, uncompiled):
    shutil.copytree(ner_run.output, tmp_path / "my-tagger")
    shutil.copytree(tiny_corpus, tmp_path / "my-corpus")
    (tmp_path / "article.txt").write_text("Anna Smith moved to Paris.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = commands("how-to/hub.md")
    assert len(found) == 7
    with running_hub() as hub:
        use_hub(monkeypatch, hub.url, tmp_path / "home", token=TOKEN)
        for line in found:
            if " train " in line:
                shutil.rmtree(tmp_path / "my-tagger")
                line += " --epochs 1"
            done = command(*shlex.split(line, comments=True)[1:])
            # The page says what the second line does: by then the repository is there, and public.
            assert done.status == (2 if "--private" in line else 0), (line, done.err)
        assert "More data" in hub.model("acme/ner-news").messages


@pytest.mark.slow
def test_the_page_on_runtimes(tiny_corpus, tmp_path, monkeypatch, command, capsys, uncompiled):
    """The commands of the page, and those of the benchmark it names, on a smaller corpus."""
    make_checkpoint(tmp_path / "ENCODER", "bert")
    monkeypatch.chdir(tmp_path)
    found = commands("explanation/runtimes.md")
    assert len(found) == 4
    for line in found[:-1]:
        done = command(*shlex.split(line.replace("-c sample", f"-c {tiny_corpus}"))[1:])
        assert done.status == 0, (line, done.err)
    _, script, *folders = shlex.split(found[-1])
    monkeypatch.setattr(sys, "argv", [script, *folders, "--corpus", str(tiny_corpus), "--runs", "1"])
    capsys.readouterr()
    runpy.run_path(str(ROOT / script), run_name="__main__")
    rows = capsys.readouterr().out.splitlines()[-3:]
    assert [row.split(" | ")[0] for row in rows] == ["| tagger", "| tagger-onnx", "| tagger-int8"]
