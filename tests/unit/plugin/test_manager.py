import importlib
import importlib.metadata
import inspect
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import polytag
from polytag import PluginError, PolytagError, Task
from polytag.plugin import registry as registry_module
from polytag.plugin import specs
from polytag.plugin.manager import PluginManager, isolated, plugin_manager
from polytag.plugin.provenance import Plugin
from polytag.plugin.registry import Registry
from polytag.plugin.specs import RunInfo
from support import bad_plugins

RUN = RunInfo(tasks=("ner",), corpus="sample", encoder="compact", output="out")


def task_source(*names: str) -> str:
    tasks = ", ".join(f"polytag.Task({name!r}, '', ('x',), 'iob2', 'first', ('spans',))" for name in names)
    return f"import polytag\n\n@polytag.hookimpl\ndef polytag_tasks():\n    return [{tasks}]\n"


class Installation:
    """A folder of distributions as pip leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: set[str] = set()

    def add(self, distribution: str, source: str, *, version: str = "1.0", entry: str = "", module: str = "") -> None:
        module = module or f"fake_{distribution}"
        self.modules.add(module)
        (self.folder / f"{module}.py").write_text(source)
        info = self.folder / f"{distribution}-{version}.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(f"[polytag]\n{entry or distribution} = {module}\n")
        importlib.invalidate_caches()

    def manager(self, **environ: str) -> PluginManager:
        distributions = importlib.metadata.distributions(path=[str(self.folder)])
        entries = [entry for each in distributions for entry in each.entry_points.select(group="polytag")]
        return PluginManager(entries, environ)

    def registry(self, **environ: str) -> Registry:
        return Registry(self.manager(**environ))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    monkeypatch.syspath_prepend(tmp_path)
    installation = Installation(tmp_path)
    installation.add("good", task_source("good.task"))
    yield installation
    for module in installation.modules:
        sys.modules.pop(module, None)


def named(manager: PluginManager, name: str) -> Plugin:
    return next(plugin for plugin in manager.plugins if plugin.name == name)


def test_a_plugin_is_known_with_its_distribution_and_version(installed: Installation) -> None:
    installed.add("acme", task_source("acme.skills"), version="2.3")
    registry = installed.registry()
    assert sorted(registry.tasks) == ["acme.skills", "good.task"]
    assert [plugin.source for plugin in registry.tasks.providers("acme.skills")] == ["plugin 'acme' (acme 2.3)"]
    assert registry.manager.problems == []


BROKEN = {
    "import raises": (
        "raise RuntimeError('no licence')",
        "its import raised RuntimeError: no licence (fake_bad.py, line 1). Reinstall or upgrade bad, or block",
    ),
    "import raises for a reason": (
        "try:\n    {}['KEY']\nexcept KeyError as e:\n    raise RuntimeError('no licence') from e",
        "its import raised RuntimeError: no licence (fake_bad.py, line 4), caused by KeyError: 'KEY' (fake_bad.py, ",
    ),
    "import exits": ("raise SystemExit('bye')", "its import raised SystemExit: bye (fake_bad.py, line 1)"),
    "import is missing": ("import no_such_module", "ModuleNotFoundError"),
    "syntax error": ("def", "SyntaxError"),
    "unknown hook": (
        "import polytag\n@polytag.hookimpl\ndef polytag_taskz():\n    return []\n",
        "it does not fit the hook specifications: PluginValidationError: unknown hook 'polytag_taskz'",
    ),
    "unknown hook argument": (
        "import polytag\n@polytag.hookimpl\ndef polytag_train_begin(run, mood):\n    pass\n",
        "mood",
    ),
    "hook raises": (
        "import polytag\n@polytag.hookimpl\ndef polytag_tasks():\n    return 1 / 0\n",
        "its hook polytag_tasks raised ZeroDivisionError",
    ),
    "hook raises midway": (
        "import polytag\n@polytag.hookimpl\ndef polytag_tasks():\n    yield 1 / 0\n",
        "its hook polytag_tasks raised ZeroDivisionError",
    ),
    "one task, not a list": (
        task_source("bad.task").replace("[", "").replace("]", ""),
        "its hook polytag_tasks raised TypeError",
    ),
    "wrong type": (
        "import polytag\n@polytag.hookimpl\ndef polytag_tasks():\n    return ['ner']\n",
        "its hook polytag_tasks returned str where Task is expected",
    ),
    "no name": (
        "import polytag\nclass Nameless(polytag.PrefixScheme):\n    first = inner = last = single = 'I'\n"
        "@polytag.hookimpl\ndef polytag_label_schemes():\n    return [Nameless()]\n",
        "returned a Nameless without a name",
    ),
    "one name twice": (task_source("bad.task", "bad.task"), "returned two contributions named 'bad.task'"),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_reported_and_leaves_the_others(installed: Installation, source: str, reason: str) -> None:
    installed.add("bad", source)
    registry = installed.registry()
    assert [plugin.source for plugin in registry.manager.problems] == ["plugin 'bad' (bad 1.0)"]
    assert named(registry.manager, "bad").status == "broken"
    error = named(registry.manager, "bad").error
    assert reason in error
    assert "pgrade bad, " in error
    assert "POLYTAG_DISABLE_PLUGINS=bad" in error
    assert list(registry.tasks) == ["good.task"]
    registry.manager.train_begin(RUN)


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_fatal_when_plugins_are_strict(installed: Installation, source: str, reason: str) -> None:
    installed.add("bad", source)
    with pytest.raises(PluginError) as raised:
        installed.registry(POLYTAG_STRICT_PLUGINS="1")
    assert "plugin 'bad' (bad 1.0)" in str(raised.value)
    assert reason in str(raised.value)


def test_a_name_nobody_provides_points_at_plugins_that_failed(installed: Installation) -> None:
    installed.add("bad", "raise RuntimeError")
    with pytest.raises(
        PolytagError, match=r"Not loaded: plugin 'bad' \(bad 1.0\), broken; `polytag plugins` shows why"
    ):
        installed.registry().tasks["bad.task"]


def test_what_a_plugin_gave_before_it_broke_is_not_used(installed: Installation) -> None:
    later = "\n@polytag.hookimpl\ndef polytag_metrics():\n    raise RuntimeError('late')\n"
    installed.add("bad", task_source("bad.task", "good.task") + later)
    registry = installed.registry()
    assert list(registry.tasks) == ["good.task"]
    assert "bad.task" not in registry.tasks
    assert [task.name for task in registry.tasks.values()] == ["good.task"]
    assert [plugin.name for plugin in registry.tasks.providers("good.task")] == ["good"]
    assert registry.tasks["good.task"].name == "good.task"
    with pytest.raises(PluginError, match=r"comes from plugin 'bad' .* which is broken: .*late"):
        registry.tasks["bad.task"]


def test_two_entry_points_of_one_name_load_neither(installed: Installation) -> None:
    installed.add("one", task_source("one.task"), entry="same")
    installed.add("two", task_source("two.task"), entry="same")
    registry = installed.registry()
    assert [plugin.source for plugin in registry.manager.problems] == [
        "plugin 'same' (one 1.0)",
        "plugin 'same' (two 1.0)",
    ]
    assert registry.manager.problems[0].error == (
        "two 1.0 also declares an entry point named 'same'. Uninstall all but one, or block them with "
        "POLYTAG_DISABLE_PLUGINS=same."
    )
    assert {"fake_one", "fake_two"}.isdisjoint(sys.modules)
    assert list(registry.tasks) == ["good.task"]


def test_two_entry_points_of_one_module_load_it_once(installed: Installation) -> None:
    installed.add("later", task_source("shared.task"), module="shared")
    installed.add("sooner", task_source("shared.task"), module="shared")
    registry = installed.registry()
    assert [plugin.name for plugin in registry.manager.problems] == ["sooner"]
    assert registry.tasks["shared.task"].name == "shared.task"


def test_a_name_two_plugins_claim_names_both_when_asked_for(installed: Installation) -> None:
    installed.add("one", task_source("same.task", "one.task"))
    installed.add("two", task_source("same.task"), version="3.1")
    registry = installed.registry()
    assert registry.tasks["one.task"].name == "one.task"
    with pytest.raises(PluginError) as raised:
        registry.tasks["same.task"]
    assert "plugin 'one' (one 1.0) and plugin 'two' (two 3.1)" in str(raised.value)


def test_blocking_one_of_two_plugins_settles_their_conflict(installed: Installation) -> None:
    installed.add("one", task_source("same.task"))
    installed.add("two", task_source("same.task"))
    registry = installed.registry(POLYTAG_DISABLE_PLUGINS="one")
    assert [plugin.name for plugin in registry.tasks.providers("same.task")] == ["two"]
    assert registry.tasks["same.task"].name == "same.task"


def test_a_plugin_for_a_newer_contract_is_incompatible(installed: Installation) -> None:
    installed.add("new", task_source("new.task") + "\nPOLYTAG_PLUGIN_API = 2\n")
    manager = installed.manager()
    assert named(manager, "new").status == "incompatible"
    assert named(manager, "new").error == (
        "it needs version 2 of the plugin contract, and this polytag has version 1. Upgrade polytag, or install an "
        "older new."
    )
    assert [plugin.name for plugin in manager.loaded()] == ["good"]
    with pytest.raises(PluginError, match="needs version 2 of the plugin contract"):
        installed.manager(POLYTAG_STRICT_PLUGINS="1")


def test_a_plugin_for_an_older_contract_is_incompatible_once_that_is_given_up(
    installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.add("old", task_source("old.task") + "\nPOLYTAG_PLUGIN_API = 1\n", version="0.3")
    installed.add("young", task_source("young.task") + "\nPOLYTAG_PLUGIN_API = 2\n")
    monkeypatch.setattr(specs, "PLUGIN_API", 3)
    assert installed.manager().problems == []
    monkeypatch.setattr(specs, "OLDEST_PLUGIN_API", 2)
    manager = installed.manager()
    # Who declares no version was written for the first.
    assert [plugin.source for plugin in manager.problems] == ["plugin 'good' (good 1.0)", "plugin 'old' (old 0.3)"]
    assert named(manager, "old").status == "incompatible"
    assert named(manager, "old").error == (
        "it needs version 1 of the plugin contract, and this polytag has versions 2 to 3. Upgrade old, or install an "
        "older polytag."
    )


def test_a_version_that_is_no_number_is_incompatible(installed: Installation) -> None:
    installed.add("odd", task_source("odd.task") + "\nPOLYTAG_PLUGIN_API = '1.0'\n")
    assert named(installed.manager(), "odd").status == "incompatible"


def test_a_deprecated_hook_is_reported_with_who_uses_it(
    installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def polytag_tasks() -> Iterable[Task]:
        raise NotImplementedError

    deprecated = specs.hookspec(warn_on_impl=DeprecationWarning("polytag_tasks goes away; use something else"))
    monkeypatch.setattr(specs, "polytag_tasks", deprecated(polytag_tasks))
    with pytest.warns(DeprecationWarning, match="goes away") as caught:
        manager = installed.manager()
    (warning,) = caught
    assert str(warning.message) == "plugin 'good' (good 1.0): polytag_tasks goes away; use something else"
    assert Path(warning.filename).name == "fake_good.py"
    assert named(manager, "good").status == "loaded"
    assert named(manager, "good").deprecations == ["polytag_tasks goes away; use something else"]
    assert list(Registry(manager).tasks) == ["good.task"]


def test_a_deprecated_argument_is_reported_with_who_uses_it(
    installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.add("watch", "import polytag\n@polytag.hookimpl\ndef polytag_train_begin(run):\n    pass\n")
    installed.add("calm", "import polytag\n@polytag.hookimpl\ndef polytag_train_begin():\n    pass\n")
    warned = {"run": DeprecationWarning("the argument run goes away")}
    deprecated = specs.hookspec(warn_on_impl_args=warned)
    monkeypatch.setattr(specs, "polytag_train_begin", deprecated(lambda run: None))
    monkeypatch.setattr(specs.polytag_train_begin, "__name__", "polytag_train_begin")
    with pytest.warns(DeprecationWarning, match=r"plugin 'watch' \(watch 1.0\): the argument run goes away"):
        manager = installed.manager()
    assert [plugin.name for plugin in manager.plugins if plugin.deprecations] == ["watch"]


def test_a_blocked_plugin_is_not_even_imported(installed: Installation) -> None:
    installed.add("bad", "raise RuntimeError('imported')")
    manager = installed.manager(POLYTAG_DISABLE_PLUGINS="bad, other", POLYTAG_STRICT_PLUGINS="1")
    assert named(manager, "bad").status == "blocked"
    assert manager.problems == []
    assert [plugin.name for plugin in manager.loaded()] == ["good"]
    assert "fake_bad" not in sys.modules
    assert "POLYTAG_DISABLE_PLUGINS" in named(manager, "bad").error
    with pytest.raises(PolytagError, match=r"Not loaded: plugin 'bad' \(bad 1.0\), blocked; `polytag plugins` shows"):
        Registry(manager).tasks["bad.task"]


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [("good.taks", "Did you mean 'good.task'?"), ("zzz", "Choose one of: good.task, other.")],
)
def test_an_unknown_name_suggests_what_is_known(installed: Installation, wanted: str, hint: str) -> None:
    installed.add("other", task_source("other"))
    with pytest.raises(PolytagError) as raised:
        installed.registry().tasks[wanted]
    assert str(raised.value) == f"There is no task named {wanted!r}. {hint}"


def test_a_name_that_is_required_has_to_be_known(installed: Installation) -> None:
    registry = installed.registry()
    registry.tasks.require()
    registry.tasks.require("good.task")
    with pytest.raises(PolytagError, match="There is no task named 'other'"):
        registry.tasks.require("good.task", "other")


def test_every_hook_has_a_method_of_its_name_on_the_manager() -> None:
    hooks = [name for name in vars(specs) if name.startswith("polytag_")]
    methods = [getattr(PluginManager, hook.removeprefix("polytag_")) for hook in hooks]
    for hook, method in zip(hooks, methods, strict=True):
        wanted = inspect.signature(getattr(specs, hook)).parameters
        assert list(inspect.signature(method).parameters) == ["self", *wanted]


def test_an_observer_sees_the_run(installed: Installation) -> None:
    installed.add(
        "watch",
        "import polytag\nSEEN = []\n@polytag.hookimpl\ndef polytag_epoch_end(run, epoch, scores):\n"
        "    SEEN.append((run.corpus, epoch, dict(scores)))\n",
    )
    manager = installed.manager()
    manager.epoch_end(RUN, 3, {"f1": 0.5})
    assert sys.modules["fake_watch"].SEEN == [("sample", 3, {"f1": 0.5})]


def test_an_observer_that_raises_is_named(installed: Installation) -> None:
    installed.add("watch", "import polytag\n@polytag.hookimpl\ndef polytag_train_begin(run):\n    run.unknown\n")
    manager = installed.manager()
    with pytest.raises(PluginError) as raised:
        manager.train_begin(RUN)
    assert "plugin 'watch' (watch 1.0): its hook polytag_train_begin raised AttributeError" in str(raised.value)
    assert "POLYTAG_DISABLE_PLUGINS=watch" in str(raised.value)


def test_built_in_plugins_load_without_problems(registry: Registry) -> None:
    assert [plugin.error for plugin in registry.manager.problems] == []
    assert {"ner", "pos", "chunk", "upos", "xpos", "feats", "bioner"} <= set(registry.tasks)
    assert {"polytag", "standard", "ner", "pos", "chunk", "ud", "biomedical"} <= {
        p.name for p in registry.manager.loaded()
    }


def test_every_built_in_task_names_things_that_exist(registry: Registry) -> None:
    for task in registry.tasks.values():
        assert task.scheme in registry.schemes
        assert task.alignment in registry.alignments
        assert set(task.metrics) <= set(registry.metrics)


def test_without_the_chunk_plugin_everything_else_stays(registry: Registry) -> None:
    entries = importlib.metadata.entry_points(group="polytag")
    without = Registry(PluginManager([entry for entry in entries if entry.name != "chunk"], {}))
    assert sorted(without.tasks) == sorted(set(registry.tasks) - {"chunk"})
    for kind in ("schemes", "alignments", "metrics", "readers", "encoders", "splitters", "heads"):
        assert list(getattr(without, kind)) == list(getattr(registry, kind))
    with pytest.raises(PolytagError, match="There is no task named 'chunk'"):
        without.tasks["chunk"]


def test_an_isolated_manager_is_that_of_the_process_and_takes_plugins_that_are_not_installed() -> None:
    class Acme:
        @polytag.hookimpl
        def polytag_tasks(self) -> Iterable[Task]:
            return [Task("acme.skills", "", ("x",), "iob2", "first", ("spans",))]

    before = registry_module.registry()
    with isolated(PluginManager([], {})) as manager:
        assert list(registry_module.registry().tasks) == []
        plugin = manager.register(Acme(), "acme")
        assert plugin.source == "plugin 'acme' (this process 0)"
        assert list(registry_module.registry().tasks) == ["acme.skills"]
        with pytest.raises(PluginError, match="A plugin named 'acme' already exists"):
            manager.register(Acme(), "acme")
    assert list(registry_module.registry().tasks) == list(before.tasks)


def test_registering_what_is_no_plugin_is_refused() -> None:
    class Wrong:
        @polytag.hookimpl
        def polytag_taskz(self) -> Iterable[Task]:
            return []

    with pytest.raises(PluginError, match=r"plugin 'wrong' \(this process 0\): it does not fit .*polytag_taskz"):
        PluginManager([], {}).register(Wrong(), "wrong")


@pytest.mark.parametrize("action", ["error", "ignore"])
def test_a_plugin_cannot_hide_what_polytag_notes_or_make_it_an_error(tmp_path: Path, action: str) -> None:
    before = list(warnings.filters)
    with bad_plugins.installed(tmp_path, f"import warnings\nwarnings.simplefilter({action!r})\n"):
        assert bad_plugins.NAME in [plugin.name for plugin in plugin_manager().loaded()]
    assert warnings.filters == before
