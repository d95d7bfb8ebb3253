"""What is loaded when nothing has to be computed, and what is left when a plugin is gone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from polytag.plugin.registry import registry

_SLOW = (
    "tensorflow",
    "keras",
    "keras_hub",
    "transformers",
    "datasets",
    "seqeval",
    "torch",
    "pandas",
    "pyarrow",
    "spacy",
)
_REPORT = f"import json, sys; print('LOADED', json.dumps(sorted(set({_SLOW!r}) & set(sys.modules))))"
_COMMAND = """
import sys
from polytag.cli.app import main
sys.argv = ["polytag", {argument!r}]
try:
    main()
except SystemExit as exited:
    assert not exited.code, exited.code
"""


def run_python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("argument", ["--help", "tasks", "plugins"])
def test_commands_that_only_look_load_nothing_slow(argument):
    done = run_python(_COMMAND.format(argument=argument) + _REPORT)
    assert done.returncode == 0, done.stderr
    shown, _, loaded = done.stdout.partition("LOADED ")
    assert json.loads(loaded) == []
    assert {"--help": "predict", "tasks": "chunk_tags", "plugins": "standard"}[argument] in shown


@pytest.mark.parametrize(("setting", "found"), [(None, "1"), ("0", "0")])
def test_the_engine_has_tensorflow_use_onednn_unless_it_is_told_not_to(setting, found):
    name = "TF_ENABLE_ONEDNN_OPTS"
    before = f"del os.environ[{name!r}]" if setting is None else f"os.environ[{name!r}] = {setting!r}"
    done = run_python(f"import os; {before}; import polytag.engine; print(os.environ[{name!r}])", **{name: "set"})
    assert done.stdout.split() == [found], done.stderr
    assert not done.stderr


def test_the_list_of_commands_does_without_rich_and_the_options_of_a_run():
    done = run_python(_COMMAND.format(argument="--help") + "print({'rich', 'pydantic', 'numpy'} & set(sys.modules))")
    assert done.stdout.splitlines()[-1] == "set()", done.stderr
    assert "predict   Tag text" in done.stdout


def test_importing_polytag_loads_nothing_slow():
    done = run_python(f"import polytag; polytag.hookimpl; polytag.__version__; {_REPORT}")
    assert done.stdout == "LOADED []\n", done.stderr


def test_the_pytest_plugin_and_the_test_suite_for_plugins_load_nothing_slow():
    for module in ("polytag.pytest_plugin", "polytag.testing"):
        assert run_python(f"import {module}; {_REPORT}").stdout == "LOADED []\n"
    done = run_python(f"import polytag.pytest_plugin, sys; print('numpy' in sys.modules); {_REPORT}")
    assert done.stdout == "False\nLOADED []\n"


def test_the_report_sees_what_is_loaded():
    assert run_python(f"import pyarrow; {_REPORT}").stdout == 'LOADED ["pyarrow"]\n'


_WITHOUT_CHUNK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name == "polytag_chunk":
            raise ModuleNotFoundError("No module named 'polytag_chunk'", name=name)

sys.meta_path.insert(0, Blocker())
from polytag.cli.app import main

corpus, output = sys.argv[1:]
for arguments in (
    ["tasks", "--json"],
    ["train", "--task", "ner", "--task", "pos", "--corpus", corpus, "--epochs", "1", "--output", output, "--json"],
    ["train", "--task", "chunk", "--corpus", corpus, "--output", output + "-chunk"],
):
    sys.argv = ["polytag", *arguments]
    try:
        main()
    except SystemExit as exited:
        print(f"EXIT {exited.code or 0}", flush=True)
"""


@pytest.mark.slow
def test_without_the_chunk_plugin_only_the_chunk_task_is_gone(tiny_corpus: Path, tmp_path: Path):
    done = run_python(_WITHOUT_CHUNK, tiny_corpus, tmp_path / "tagger")
    tasks, trained, refused, _ = done.stdout.split("EXIT ")
    assert {task["name"] for task in json.loads(tasks)} == set(registry().tasks) - {"chunk"}
    assert trained.startswith("0\n"), done.stderr
    assert set(json.loads(trained[2:])["test"]["tasks"]) == {"ner", "pos"}
    assert refused.startswith("0\n")
    assert done.stdout.endswith("EXIT 2\n")
    assert "Not loaded: plugin 'chunk' (polytag" in done.stderr
    assert "There is no task named 'chunk'" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tagger"]


def test_a_closed_output_is_no_defect():
    command = f"exec {sys.executable} -c 'from polytag.cli.app import main; main()' tasks >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
