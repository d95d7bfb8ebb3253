"""What is loaded when nothing has to be computed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import polytag
from support.checkpoints import make_checkpoint
from support.random_tagger import save_random_tagger

_SLOW = (
    "tensorflow",
    "keras",
    "transformers",
    "datasets",
    "seqeval",
    "torch",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "spacy",
)
_REPORT = f"print('LOADED', json.dumps(sorted(set({_SLOW!r}) & set(sys.modules))))\n"
_COMMAND = """
sys.argv = ["polytag", *{argument!r}.split()]
try:
    main()
except SystemExit as exited:
    assert not exited.code, exited.code
"""
_TAG = """
import io, polytag
from polytag.cli.app import main
polytag.Tagger.load({folder!r}).tag("Peter sleeps.")
sys.stdin = io.TextIOWrapper(io.BytesIO(b"Anna sleeps."))
sys.argv = ["polytag", "predict", {folder!r}]
try:
    main()
except SystemExit as exited:
    assert not exited.code
"""
_LIGHT = {"rich", "pydantic", "numpy"}
"""What the list of commands needs none of; other commands may load it."""
_SHOW = "corpus show sample --alignment all --encoder "
LOOKING = (
    "--help",
    "plugins",
    "tasks",
    "corpus describe sample",
    "corpus check sample",
    f"{_SHOW}compact",
    f"{_SHOW}CKPT",
)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{code}"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, list[str], list[str]]]:
    """For each command its output, and the slow and the light packages loaded after it; all in one process."""
    checkpoint = make_checkpoint(tmp_path_factory.mktemp("checkpoint"), "bert")
    code = "from polytag.cli.app import main\n"
    for argument in (argument.replace("CKPT", str(checkpoint)) for argument in LOOKING):
        code += (
            _COMMAND.format(argument=argument) + _REPORT + f"print(json.dumps(sorted({_LIGHT!r} & set(sys.modules))))\n"
        )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"(.*?)^LOADED (\[.*?\])\n(\[.*?\])\n", done.stdout, re.DOTALL | re.MULTILINE)
    return {
        argument: (shown, json.loads(slow), json.loads(light))
        for argument, (shown, slow, light) in zip(LOOKING, found, strict=True)
    }


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("--help", "predict"),
        ("tasks", "chunk_tags"),
        ("plugins", "standard"),
        ("corpus describe sample", "longest sentence"),
        ("corpus check sample", "0 errors"),
        (f"{_SHOW}compact", "ner_tags"),
        (f"{_SHOW}CKPT", "[SEP]"),
    ],
)
def test_commands_that_only_look_load_nothing_slow(argument, part, looked):
    shown, loaded, _ = looked[argument]
    assert loaded == []
    assert part in shown


def test_the_list_of_commands_does_without_rich_and_the_options_of_a_run(looked):
    shown, _, light = looked["--help"]
    assert light == []
    assert "predict         Tag text" in shown


def test_a_run_says_what_it_trains_on_before_it_imports_tensorflow(tmp_path):
    code = f"""
import polytag

class Listener(polytag.Reporter):
    def message(self, text):
        print(text.partition(":")[0], "tensorflow" in sys.modules)

    def status(self, text):
        print(text, "tensorflow" in sys.modules)
        if text == "Starting TensorFlow":
            sys.exit()

polytag.train(task="ner", corpus="sample", output={str(tmp_path / "tagger")!r}, reporter=Listener())
"""
    assert run_python(code).stdout == "sample False\nStarting TensorFlow False\n"


def test_commands_write_a_line_before_they_import_tensorflow(tmp_path):
    tagger = tmp_path / "tagger"
    save_random_tagger(tagger, {"ner": (("O", "B-PER", "I-PER"), "iob2")})
    commands = [
        f"train --task ner --corpus sample --output {tmp_path / 'new'}",
        f"evaluate {tagger} --corpus sample --runtime tensorflow",
        f"predict {tagger} {__file__} --runtime tensorflow -v",
        f"predict {tagger} {__file__} --runtime tensorflow",
    ]
    code = f"""
import importlib.abc, importlib.machinery, io
from polytag.cli.app import main

class Stop(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "tensorflow" else None

    def exec_module(self, module):
        print(json.dumps(sys.stderr.getvalue().splitlines()))
        raise SystemExit

sys.meta_path.insert(0, Stop())
for command in {commands!r}:
    sys.argv, sys.stderr = ["polytag", *command.split()], io.StringIO()
    try:
        main()
    except SystemExit:
        for name in [name for name in sys.modules if name.startswith("polytag.engine")]:
            del sys.modules[name]
"""
    done = run_python(code)
    train, evaluate, verbose, usual = map(json.loads, done.stdout.splitlines())
    assert train[0].startswith("sample: 1,608 sentences"), done.stderr
    assert train[1:] == evaluate == verbose == ["Starting TensorFlow …"]
    assert usual == []  # scripts see nothing new


def test_the_command_imports_the_engine_without_what_it_does_not_use():
    unused = ("pandas", "sklearn")
    code = (
        "from polytag import terminal; terminal.is_program = True\n"
        "import polytag.engine.encoders.pretrained\n"
        f"print([name for name in {unused!r} if name in sys.modules])\n"
    )
    assert run_python(code).stdout == "[]\n"


def test_the_engine_has_tensorflow_use_onednn_unless_it_is_told_not_to():
    name = "TF_ENABLE_ONEDNN_OPTS"
    code = f"import importlib, os; del os.environ[{name!r}]; import polytag.engine; print(os.environ[{name!r}])\n"
    code += f"os.environ[{name!r}] = '0'; importlib.reload(polytag.engine); print(os.environ[{name!r}])\n"
    # In another program than the command, Keras is complete.
    code += "print(sys.modules['keras.src.trainers.data_adapters.array_slicing'].pandas is not None)"
    done = run_python(code, **{name: "set"})
    assert done.stdout.split() == ["1", "0", "True"], done.stderr
    assert not done.stderr


def test_importing_polytag_and_each_of_its_packages_loads_nothing_slow():
    root = Path(polytag.__file__).parent
    folders = [path.parent.relative_to(root.parent) for path in sorted(root.rglob("__init__.py"))]
    packages = [".".join(folder.parts) for folder in folders if folder.parts[1:2] != ("engine",)]
    assert {"polytag", "polytag.corpus.check", "polytag.testing"} <= set(packages)
    imports = "; ".join(f"import {package}" for package in [*packages, "polytag.pytest_plugin"])
    done = run_python(f"{imports}; polytag.hookimpl; polytag.__version__; {_REPORT}")
    assert done.stdout == "LOADED []\n", done.stderr


def test_tagging_in_numpy_loads_nothing_slow(ner_run):
    tagged, loaded = run_python(_TAG.format(folder=str(ner_run.output)) + _REPORT).stdout.splitlines()
    assert '"text": "Anna sleeps."' in tagged
    assert loaded == "LOADED []"


def test_the_pytest_plugin_does_without_numpy():
    done = run_python("import polytag.pytest_plugin, sys; print('numpy' in sys.modules)")
    assert done.stdout == "False\n", done.stderr


def test_a_python_runs_the_command_by_the_name_of_the_package():
    command = [sys.executable, "-m", "polytag", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert polytag.__version__ in done.stdout


def test_the_report_sees_what_is_loaded():
    assert run_python(f"import pyarrow; {_REPORT}").stdout == 'LOADED ["pyarrow"]\n'


def test_a_closed_output_is_no_defect():
    command = f"exec {sys.executable} -c 'from polytag.cli.app import main; main()' tasks >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
