"""What is loaded when nothing has to be computed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import polytag

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


def test_importing_polytag_and_each_of_its_packages_loads_nothing_slow():
    root = Path(polytag.__file__).parent
    folders = [path.parent.relative_to(root.parent) for path in sorted(root.rglob("__init__.py"))]
    packages = [".".join(folder.parts) for folder in folders if folder.parts[1:2] != ("engine",)]
    assert {"polytag", "polytag.corpus.check", "polytag.testing"} <= set(packages)
    imports = "; ".join(f"import {package}" for package in [*packages, "polytag.pytest_plugin"])
    done = run_python(f"{imports}; polytag.hookimpl; polytag.__version__; {_REPORT}")
    assert done.stdout == "LOADED []\n", done.stderr


def test_the_pytest_plugin_does_without_numpy():
    done = run_python("import polytag.pytest_plugin, sys; print('numpy' in sys.modules)")
    assert done.stdout == "False\n", done.stderr


def test_the_report_sees_what_is_loaded():
    assert run_python(f"import pyarrow; {_REPORT}").stdout == 'LOADED ["pyarrow"]\n'


def test_a_closed_output_is_no_defect():
    command = f"exec {sys.executable} -c 'from polytag.cli.app import main; main()' tasks >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
