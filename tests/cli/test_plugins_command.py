"""`polytag plugins` and `polytag tasks`."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from polytag.plugin import manager
from polytag.plugin.manager import PluginManager
from polytag.testing import check
from support.command import Command

SKILLS = """
import polytag

@polytag.hookimpl
def polytag_tasks():
    return [polytag.Task("acme.skills", "Skills", ("skills",), "iob2", "first", ("spans", "missing"), ("O", "B-S"))]
"""
BROKEN = "{}['licence']"
SLOW = "import time\ntime.sleep(1.1)\n"


def install(folder: Path, name: str, source: str, version: str = "1.0") -> None:
    """What pip leaves of a distribution with one plugin."""
    (folder / f"fake_{name}.py").write_text(source)
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[polytag]\n{name} = fake_{name}\n")


@pytest.fixture
def acme(polytag_manager: PluginManager, tmp_path: Path) -> PluginManager:
    """An installed plugin with a task that names a metric that does not exist."""
    namespace: dict[str, object] = {}
    exec(SKILLS, namespace)
    polytag_manager.register(type("Acme", (), {"polytag_tasks": staticmethod(namespace["polytag_tasks"])})(), "acme")
    return polytag_manager


def test_the_list_says_all_there_is_to_know_of_every_plugin(command, polytag_manager):
    rows = {row["name"]: row for row in json.loads(command("plugins", "--json").out)}
    assert set(rows) == {plugin.name for plugin in polytag_manager.plugins}
    assert rows["ner"]["brings"] == {"task": ["ner"]}
    assert all(row["status"] == "loaded" and row["import_seconds"] >= 0 and not row["error"] for row in rows.values())
    shown = command("plugins").out
    assert "import" in shown
    assert "alignment strategy: all, first" in " ".join(shown.replace("│", " ").split())


def test_a_task_is_shown_whole(command, acme):
    task = json.loads(command("tasks", "acme.skills", "--json").out)
    assert task == {
        "name": "acme.skills",
        "summary": "Skills",
        "provider": "this process 0 (acme)",
        "columns": ["skills"],
        "scheme": {"name": "iob2", "provider": task["scheme"]["provider"]},
        "alignment": {**task["alignment"], "name": "first"},
        "metrics": [
            {**task["metrics"][0], "name": "spans", "headline": "f1"},
            {"name": "missing", "provider": "nobody"},
        ],
        "labels": ["O", "B-S"],
    }
    assert task["scheme"]["provider"].startswith("polytag ")
    shown = command("tasks", "acme.skills").out
    assert "O, B-S" in shown
    assert "missing, from nobody" in shown
    assert "read from the training split" in command("tasks", "ner").out


def test_an_unknown_task_or_plugin_suggests_near_ones(command, acme):
    done = command("tasks", "acme.skils")
    assert (done.status, done.out) == (2, "")
    assert "Did you mean 'acme.skills'?" in done.err
    done = command("plugins", "check", "amce")
    assert done.status == 2
    assert "There is no plugin named 'amce'. Did you mean 'acme'?" in done.err


def test_a_check_says_what_is_broken_and_fails(command, acme):
    done = command("plugins", "check", "acme")
    assert done.status == 1
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "passed plugin acme: it implements a hook" in lines
    assert "failed task acme.skills: everything that it names exists" in lines
    assert any(line.startswith("The task 'acme.skills' of plugin 'acme' (this process 0) breaks") for line in lines)


def test_a_check_passes_and_says_what_it_could_not_check(command):
    done = command("plugins", "check", "standard")
    assert done.status == 0, done.out
    assert "not checked  reader hub: every word it reads has its tags" in done.out
    assert "failed" not in done.out


SLASHES = """
import polytag

class Slashes(polytag.Reader):
    name, summary = "{name}", "word/TAG, a sentence a line"

    def accepts(self, source):
        return any(path.suffix == ".{name}" for paths in source.files.values() for path in paths)

    def read(self, source):
        return polytag.corpus_from_sentences({split: self.sentences(paths[0]) for split, paths in source.files.items()})

    def sentences(self, path):
        for number, line in polytag.text_lines(path):
            pairs = [pair.rpartition("/") for pair in line.split()]
            if not all(word for word, _, _ in pairs):
                raise polytag.CorpusError(f"{path.name}:{number}: a word has no tag.")
            tags = {"tags": [tag for _, _, tag in pairs]}
            yield polytag.Sentence([word for word, _, _ in pairs], tags, None, f"{path.name}:{number}")
"""
"""A reader that cannot write."""
_HOOK = "\n@polytag.hookimpl\ndef polytag_readers():\n    return [{}]\n"


@pytest.fixture
def check_plugin(command, monkeypatch, tmp_path):
    """Check a plugin in a file, with these options."""

    def check_plugin(source, *options):
        (tmp_path / "acme_reader.py").write_text(source)
        (tmp_path / "train.slashes").write_text("Go/VB !/.\n")
        monkeypatch.delitem(sys.modules, "acme_reader", raising=False)
        with manager.isolated(PluginManager(environ={"POLYTAG_PLUGINS": str(tmp_path / "acme_reader.py")})):
            return command("plugins", "check", "acme_reader", *options)

    yield check_plugin
    sys.modules.pop("acme_reader", None)


@pytest.mark.parametrize("option", ["{}", "slashes={}"])
def test_a_reader_that_cannot_write_is_tried_with_a_source(check_plugin, tmp_path, option):
    plugin = SLASHES.replace("{name}", "slashes") + _HOOK.format("Slashes()")
    done = check_plugin(plugin)
    assert "not checked  reader slashes: every word it reads has its tags" in done.out
    assert "`polytag plugins check --source slashes=FILE`" in done.out
    done = check_plugin(plugin, "--source", option.format(tmp_path / "train.slashes"))
    assert "passed       reader slashes: every word it reads has its tags" in done.out
    assert done.status == 0, done.out


def test_a_source_is_for_one_reader(check_plugin, tmp_path):
    other = "type('Other', (Slashes,), {'name': 'zz'})()"
    plugin = SLASHES.replace("{name}", "slashes") + _HOOK.format(f"Slashes(), {other}")
    done = check_plugin(plugin, "--source", tmp_path / "train.slashes")
    assert done.status == 2
    assert "has the readers slashes, zz. Say which one the corpus is for: --source slashes=" in done.err
    done = check_plugin("import polytag\n@polytag.hookimpl\ndef polytag_tasks():\n    return []\n", "--source", "x")
    assert done.status == 2
    assert "has no reader to try with a corpus" in done.err


@pytest.mark.parametrize("option", ["{}", "slashes={}"])
def test_a_source_that_does_not_exist_is_no_broken_contract(check_plugin, tmp_path, option):
    plugin = SLASHES.replace("{name}", "slashes") + _HOOK.format("Slashes()")
    done = check_plugin(plugin, "--source", option.format(tmp_path / "nowhere.slashes"))
    assert (done.status, done.out) == (2, "")
    assert "nowhere.slashes' does not exist" in done.err


def test_a_source_for_an_unknown_plugin_is_for_no_plugin(command):
    assert command("plugins", "check", "posi", "--source", "x") == command("plugins", "check", "posi")


class Looked(NamedTuple):
    """What a command shows, which of the ten plugins it imports, and what it says."""

    out: str
    imported: list[str]
    err: str


@pytest.fixture
def ten_plugins(tmp_path: Path) -> Path:
    """A folder with ten installed plugins; one imports slowly, one raises."""
    for number in range(8):
        install(tmp_path, f"p{number}", SKILLS.replace("acme.skills", f"p{number}.skills"))
    install(tmp_path, "slow", SLOW + SKILLS.replace("acme", "slow"), version="2.0")
    install(tmp_path, "wrong", BROKEN, version="0.9")
    return tmp_path


@pytest.fixture
def run(command: Command, ten_plugins: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Looked]]:
    """Run a command as in a process that has not imported any of the ten plugins."""

    def imported() -> list[str]:
        return [name for name in sys.modules if name.startswith("fake_")]

    def forget() -> None:
        for name in imported():
            del sys.modules[name]

    def run(*arguments: str) -> Looked:
        forget()
        with monkeypatch.context() as patch:
            patch.setattr(manager, "_installed", cache(PluginManager))
            done = command(*arguments)
        assert done.status == 0, done.err
        return Looked(done.out, imported(), done.err)

    monkeypatch.syspath_prepend(ten_plugins)
    yield run
    forget()


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["plugins", "--help"], ["--version"]])
def test_help_imports_no_plugin(run, arguments: list[str]):
    assert run(*arguments).imported == []


def test_tasks_imports_each_plugin_once_and_says_which_was_slow_and_which_is_broken(run):
    out, imported, err = run("tasks", "--json")
    assert len(imported) == 9
    assert len([row for row in json.loads(out) if row["name"].endswith(".skills")]) == 9
    (broken,) = [line for line in err.splitlines() if line.startswith("Not loaded")]
    (slow,) = [line for line in err.splitlines() if "'slow'" in line]
    assert broken.startswith("Not loaded: plugin 'wrong' (wrong 0.9): its import raised KeyError: 'licence' (fake_")
    assert slow.startswith("The import of plugin 'slow' (slow 2.0) took ")
    rows = {row["name"]: row for row in json.loads(run("plugins", "--json").out)}
    assert rows["slow"]["import_seconds"] >= 1.1
    assert (rows["wrong"]["status"], rows["wrong"]["version"]) == ("broken", "0.9")


# polytag plugins new


def test_a_new_plugin_takes_what_is_not_asked_from_its_name(command, tmp_path: Path):
    done = command("plugins", "new", "my-skills", "--output", tmp_path / "new")
    assert done.status == 0, done.err
    assert f"{tmp_path}/new/src/polytag_my_skills/__init__.py" in done.out
    source = (tmp_path / "new/src/polytag_my_skills/__init__.py").read_text()
    for part in ('name="my-skills.tags"', 'columns=("tags_tags",)', 'scheme="iob2"', 'metrics=("spans",)'):
        assert part in source
    assert (tmp_path / "new/src/polytag_my_skills/py.typed").is_file()


def test_the_files_of_a_new_plugin_are_told_as_json(command, tmp_path: Path):
    told = json.loads(command("plugins", "new", "acme", "--output", tmp_path / "new", "--json").out)
    assert told["plugin"] == "acme"
    assert {Path(file) for file in told["files"]} == {file for file in (tmp_path / "new").rglob("*") if file.is_file()}


def test_a_new_plugin_asks_a_person(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("polytag.cli.plugins._is_asked", lambda: True)
    answers = b"acme.words\nflat\nword_tags, tags\n"
    done = command("plugins", "new", "acme", "--output", tmp_path / "new", stdin=answers)
    assert done.status == 0, done.err
    source = (tmp_path / "new/src/polytag_acme/__init__.py").read_text()
    for part in ('name="acme.words"', 'columns=("word_tags", "tags")', 'scheme="flat"', 'metrics=("tags",)'):
        assert part in source


def test_a_new_plugin_can_bring_more_than_a_task(command, tmp_path: Path):
    options = ("--with", "scheme, metric,reader,splitter,head", "--columns", "skill_tags", "--output", tmp_path / "new")
    done = command("plugins", "new", "acme-more", *options)
    assert done.status == 0
    assert done.out.endswith("--output FOLDER --decoding acme-more\n")
    module = tmp_path / "new/src/polytag_acme_more"
    assert {path.stem for path in module.glob("*.py")} == {"__init__", "head", "metric", "reader", "scheme", "splitter"}
    source = (module / "__init__.py").read_text()
    assert 'scheme="acme-more"' in source
    assert 'metrics=("spans", "acme-more-sentences")' in source
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(module.parent)
        with manager.isolated(PluginManager(environ={"POLYTAG_PLUGINS": "polytag_acme_more"})):
            outcomes = list(check("polytag_acme_more"))
    for name in [name for name in sys.modules if name.startswith("polytag_acme_more")]:
        del sys.modules[name]
    kinds = {outcome.case.contract.kind for outcome in outcomes}
    assert kinds >= {"label scheme", "metric", "reader", "splitter", "head"}
    assert [outcome.message for outcome in outcomes if outcome.status != "passed"] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["acme", "--with", "reader,spliter"], "There is no part of a plugin named 'spliter'. Did you mean 'splitter'"),
        (["Acme"], "A plugin cannot be named 'Acme'"),
        (["ner"], "The plugin 'ner' (polytag"),
        (["acme", "--task", "ner"], "A task 'ner' already exists, from plugin 'ner'"),
        (["acme", "--task", "my task"], "A task cannot be named 'my task'"),
        (["acme", "--scheme", "iob"], "There is no label scheme named 'iob'. Did you mean 'iob2'"),
        (["acme", "--columns", ","], "The task has no tag column"),
        (["acme", "--columns", "a b"], "A tag column cannot be named 'a b'"),
    ],
)
def test_a_plugin_that_cannot_be_is_refused_and_nothing_written(command, tmp_path: Path, arguments, expected):
    done = command("plugins", "new", *arguments, "--output", tmp_path / "new")
    assert (done.status, done.out) == (2, "")
    assert expected in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(command, tmp_path: Path):
    (tmp_path / "precious.txt").write_text("mine")
    done = command("plugins", "new", "acme", "--output", tmp_path)
    assert done.status == 2
    assert "is not an empty folder" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_the_current_folder_is_left_alone(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    done = command("plugins", "new", "acme", "--output", ".")
    assert done.status == 2
    assert "The output folder is the current one" in done.err
    assert list(tmp_path.iterdir()) == []


def test_the_lists_break_no_word_at_80_columns(command):
    words = set(
        " ".join(str(value) for row in json.loads(command("tasks", "--json").out) for value in row.values()).split()
    )
    shown = command("tasks", environment={"COLUMNS": "80"}).out
    assert max(map(len, shown.splitlines())) <= 80
    named = {"iob2,", "organisations", "Biomedical", "(biomedical)"}
    assert {word for word in words if word.isalpha()} - {"None"} <= set(re.findall(r"[^\W\d_]+", shown)) | named
    assert named <= set(shown.split())
    assert "\\n" not in command("plugins").out
