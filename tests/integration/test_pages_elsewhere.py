"""What pages show that needs more than their folder: a hub on this machine, a benchmark, PyTorch.

It is docs/how-to/hub.md, docs/explanation/runtimes.md, and the program of docs/how-to/tune.md for PEFT.
"""

import runpy
import shlex
import shutil
import sys

import pytest

import polytag
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


def test_the_page_on_tuning_loads_an_adapter_with_peft(tiny_corpus, tmp_path, monkeypatch, uncompiled):
    for package in ("torch", "peft"):
        pytest.importorskip(package)
    make_checkpoint(tmp_path / "checkpoint", "bert")
    monkeypatch.chdir(tmp_path)
    options = {"task": "ner", "corpus": str(tiny_corpus), "epochs": 1, "learning_rate": 3e-2, "quiet": True}
    result = polytag.train(**options, encoder="checkpoint", output="adapter", lora=2, decoding="argmax")
    (block,) = [
        part for part in parts(DOCS / "how-to/tune.md") if isinstance(part, Block) and part.title == "with_peft.py"
    ]
    (tmp_path / block.title).write_text(block.body, encoding="utf-8")
    tag = runpy.run_path(str(tmp_path / block.title))["tag"]
    words = ["Peter", "met", "her", "in", "Berlin"]
    tag_everything = {"ignore_labels": [], "aggregation_strategy": "first"}
    entities = tag(" ".join(words), **tag_everything)
    assert "".join(entity["word"] for entity in entities).replace(" ", "").lower() == "".join(words).lower()
    (tags,) = result.tagger.predict_tags([words])["ner"]
    assert {entity["entity_group"] for entity in entities} == {tag.partition("-")[2] or tag for tag in tags}
