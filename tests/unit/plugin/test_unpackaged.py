"""Plugins that are not installed: what POLYTAG_PLUGINS names, and what `train(plugins=...)` is given."""

import os
import sys
import types
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

import polytag
from polytag import PluginError
from polytag.plugin.manager import PluginManager, isolated
from polytag.plugin.provenance import Plugin
from polytag.plugin.registry import Registry, add_plugins
from polytag.plugin.registry import registry as of_the_process
from polytag.testing import check

TASK = """
import polytag

@polytag.hookimpl
def polytag_tasks():
    return [polytag.Task("{0}.skills", "", ("skill_tags",), "iob2", "first", ("spans",))]
"""
RAISES = "import polytag\n@polytag.hookimpl\ndef polytag_tasks():\n    return 1 / 0\n"
UNKNOWN = "import polytag\n@polytag.hookimpl\ndef polytag_taskz():\n    return []\n"


class Folder:
    """A folder of plugins in single files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, source: str = TASK) -> Path:
        file = self.path / f"{name}.py"
        file.write_text(source.replace("{0}", name))
        return file

    def manager(self, *given: object, **environ: str) -> PluginManager:
        return PluginManager([], {"POLYTAG_PLUGINS": os.pathsep.join(map(str, given)), **environ})


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Folder]:
    before = set(sys.modules)
    yield Folder(tmp_path)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def module(name: str, source: str = TASK) -> types.ModuleType:
    made = types.ModuleType(name)
    exec(source.replace("{0}", name), made.__dict__)
    return made


def only(manager: PluginManager) -> Plugin:
    (plugin,) = manager.plugins
    return plugin


# POLYTAG_PLUGINS


def test_the_variable_names_files_and_modules(files: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = files.add("acme_one"), files.add("acme_two")
    files.add("acme_three")
    monkeypatch.syspath_prepend(files.path)
    manager = files.manager(f"{one}, {two}", "acme_three", one)
    assert [(plugin.name, plugin.origin) for plugin in manager.plugins] == [
        ("acme_one", str(one)),
        ("acme_two", str(two)),
        ("acme_three", "acme_three"),
    ]
    assert list(Registry(manager).tasks) == ["acme_one.skills", "acme_three.skills", "acme_two.skills"]
    assert manager.plugins[0].import_seconds > 0


def test_a_file_is_found_from_the_current_folder_and_can_be_imported_afterwards(
    files: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = files.add("acme_here")
    monkeypatch.chdir(files.path)
    plugin = only(files.manager("acme_here.py"))
    assert plugin.source == f"plugin 'acme_here' ({file})"
    assert sys.modules["acme_here"] is plugin.plugin
    assert only(files.manager(file)).plugin is plugin.plugin  # another manager does not run it again


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no licence')", "its import raised RuntimeError: no licence (acme_bad.py, line 1). "),
        ("raise SystemExit('bye')", "its import raised SystemExit: bye (acme_bad.py, line 1). "),
        ("def", "its import raised SyntaxError: invalid syntax (acme_bad.py, line 1). "),
        (RAISES, "its hook polytag_tasks raised ZeroDivisionError"),
        (UNKNOWN, "unknown hook 'polytag_taskz'"),
    ],
)
def test_a_broken_file_is_reported_and_leaves_the_others(files: Folder, source: str, reason: str) -> None:
    bad, good = files.add("acme_bad", source), files.add("acme_good")
    manager = files.manager(bad, good)
    assert list(Registry(manager).tasks) == ["acme_good.skills"]
    (problem,) = manager.problems
    assert (problem.source, problem.status) == (f"plugin 'acme_bad' ({bad})", "broken")
    assert reason in problem.error
    assert problem.error.endswith("Repair it, or remove it from POLYTAG_PLUGINS.")
    with pytest.raises(PluginError, match=r"plugin 'acme_bad' \(.*acme_bad.py\): .*POLYTAG_STRICT_PLUGINS is set"):
        Registry(files.manager(bad, good, POLYTAG_STRICT_PLUGINS="1"))


def test_a_file_for_another_contract_is_incompatible(files: Folder) -> None:
    plugin = only(files.manager(files.add("acme_new", f"{TASK}\nPOLYTAG_PLUGIN_API = 2\n")))
    assert plugin.status == "incompatible"
    assert plugin.error == (
        "it needs version 2 of the plugin contract, and this polytag has version 1. Upgrade polytag."
    )


def test_a_file_that_does_not_exist_is_reported(files: Folder) -> None:
    plugin = only(files.manager(files.path / "nowhere.py"))
    assert plugin.status == "broken"
    assert "FileNotFoundError" in plugin.error
    assert "nowhere.py'. Repair it" in plugin.error


def test_a_file_with_the_name_of_a_module_in_use_does_not_take_its_place(files: Folder) -> None:
    plugin = only(files.manager(files.add("pytest")))
    assert "another module named 'pytest' is already loaded" in plugin.error
    assert sys.modules["pytest"] is pytest


def test_a_file_with_the_name_of_a_plugin_leaves_that_one_in_use(files: Folder) -> None:
    (files.path / "other").mkdir()
    first, second = files.add("acme_same"), files.add("other/acme_same", TASK)
    manager = files.manager(first, second)
    assert [plugin.status for plugin in manager.plugins] == ["loaded", "broken"]
    assert manager.plugins[1].error.startswith(f"plugin 'acme_same' ({first}) has the same name.")
    assert list(Registry(manager).tasks) == ["acme_same.skills"]


def test_a_blocked_file_is_not_even_imported(files: Folder) -> None:
    plugin = only(files.manager(files.add("acme_off"), POLYTAG_DISABLE_PLUGINS="acme_off"))
    assert plugin.status == "blocked"
    assert "acme_off" not in sys.modules


def test_a_file_is_listed_with_its_path_and_checked_like_any_plugin(files: Folder, command) -> None:
    file = files.add("acme_listed")
    with isolated(files.manager(file)):
        shown = "".join(line.split("│")[2].strip() for line in command("plugins").out.splitlines() if "│" in line)
        assert str(file) in shown
        of_itself = list(islice(check("acme_listed"), 4))
    assert [outcome.status for outcome in of_itself] == ["passed"] * 4
    assert "imports nothing slow" in str(of_itself[-1].case)


# train(plugins=...)


@pytest.fixture
def process() -> Iterator[PluginManager]:
    with isolated(PluginManager([], {})) as manager:
        yield manager


def test_a_module_is_added_once(process: PluginManager) -> None:
    assert list(of_the_process().tasks) == []
    acme = module("acme")
    for _ in range(2):
        add_plugins([acme])
        assert [plugin.source for plugin in process.plugins] == ["plugin 'acme' (this process)"]
        assert list(of_the_process().tasks) == ["acme.skills"]


def test_another_module_of_the_same_name_is_refused(process: PluginManager) -> None:
    add_plugins([module("acme")])
    with pytest.raises(PluginError, match=r"A plugin named 'acme' already exists: plugin 'acme' \(this process\)"):
        add_plugins([module("acme")])
    assert list(of_the_process().tasks) == ["acme.skills"]


@pytest.mark.parametrize("source", [RAISES, UNKNOWN])
def test_a_broken_module_is_an_error_and_can_be_repaired(process: PluginManager, source: str) -> None:
    broken = module("acme", source)
    with pytest.raises(PluginError, match=r"plugin 'acme' \(this process\): .*Repair it, or remove it from `plugins`"):
        add_plugins([broken])
    add_plugins([module("acme")])
    assert list(of_the_process().tasks) == ["acme.skills"]
    assert [plugin.status for plugin in process.plugins] == ["loaded"]


@pytest.mark.parametrize("given", ["acme.py", polytag, None])
def test_what_implements_no_hook_is_refused(process: PluginManager, given: object) -> None:
    with pytest.raises(PluginError, match=r"it implements no hook\. Mark functions"):
        add_plugins([given])
    assert process.plugins == []
