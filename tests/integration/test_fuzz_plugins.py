"""No plugin breaks what is not its own: every command ends well, and names the plugin that did not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.bad_plugins import FAILURES, LOUD, PLUGINS, Bad, endured, installed

_CORPUS = "EU B-ORG\nrejects O\nGerman B-MISC\ncall O\n\nPeter B-PER\nBlackburn I-PER\nsleeps O\n\nParis B-LOC\n"


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory, ner_run) -> dict[str, Path]:
    """A corpus, and taggers of which one has the splitter and one the alignment of the bad plugin."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "mine.conll").write_text(_CORPUS)
    found = {"corpus": folder / "mine.conll", "tagger": ner_run.output}
    described = json.loads((ner_run.output / "polytag.json").read_text())
    for name in ("split", "aligned"):
        found[name] = shutil.copytree(ner_run.output, folder / name)
        changed = json.loads(json.dumps(described))
        if name == "split":
            changed["splitter"] = "bad"
        else:
            changed["tasks"]["ner"]["alignment"] = "bad"
        (found[name] / "polytag.json").write_text(json.dumps(changed))
    return found


def test_there_are_enough_of_them():
    assert len(PLUGINS) >= 60


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("bad", PLUGINS.values(), ids=PLUGINS)
def test_a_bad_plugin_harms_nothing_but_itself(bad: Bad, paths, tmp_path, capfd):
    with installed(tmp_path / "site", bad.source):
        assert capfd.readouterr().out == ""
        bad.check({**paths, "out": tmp_path / "out"})
    assert (tmp_path / "out").exists() == bad.saves


@pytest.mark.parametrize("command", LOUD)
def test_what_a_plugin_prints_while_texts_are_tagged_does_not_come_between_the_results(command: str, paths, tmp_path):
    arguments = command.format(**paths).split()
    with installed(tmp_path / "site", LOUD[command]):
        done = endured(*arguments, stdin=b"Peter lives in Paris.\n")
    assert done.status == 0
    assert "hello" in done.err.splitlines()
    assert json.loads(done.out)


@pytest.mark.parametrize("failure", ["exits with success", "takes the streams"])
def test_a_process_of_its_own_ends_as_well(failure: str, tmp_path):
    (tmp_path / "bad.py").write_text(f"import sys\nprint('hello')\ninput()\n{FAILURES[failure]}\n")
    command = [sys.executable, "-c", "from polytag.cli.app import main; main()", "tasks", "--json"]
    environment = {**os.environ, "POLYTAG_PLUGINS": "bad.py"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, input="y\n", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert {"ner", "pos"} <= {task["name"] for task in json.loads(done.stdout)}
    printed, mentioned = done.stderr.splitlines()
    assert printed == "hello"
    assert mentioned.startswith(f"Not loaded: plugin 'bad' ({tmp_path / 'bad.py'}): its import raised EOFError")
