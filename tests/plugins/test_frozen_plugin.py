"""Plugins that were written for an earlier polytag go on working."""

from pathlib import Path
from types import ModuleType

import frozen_plugin
import pytest
from frozen_plugin import SEEN

import polytag
from polytag.plugin import specs
from polytag.plugin.manager import PluginManager, isolated
from polytag.plugin.registry import registry
from polytag.testing import cases
from polytag.testing.contracts import Workbench
from polytag.testing.suite import Case

HOOKS = sorted(name for name in vars(specs) if name.startswith("polytag_"))
RUN = polytag.RunInfo(tasks=("ner",), corpus="sample", encoder="compact", output="out")


def cases_of(plugin: ModuleType) -> list[Case]:
    with isolated(PluginManager(environ={})) as manager:
        manager.register(plugin, "frozen")
        # That its reader reads and its task trains is tested below.
        kinds = ("label scheme", "alignment strategy", "metric")
        return [case for case in cases("frozen") if case.contract.kind in kinds]


@pytest.mark.parametrize("case", cases_of(frozen_plugin), ids=str)
def test_what_it_brings_keeps_the_contracts_of_today(
    case: Case, polytag_manager: PluginManager, tmp_path: Path
) -> None:
    polytag_manager.register(frozen_plugin, "frozen")
    case.run(Workbench(registry(), tmp_path))


def test_its_reader_reads(polytag_manager: PluginManager, tmp_path: Path) -> None:
    polytag_manager.register(frozen_plugin, "frozen")
    (tmp_path / "train.frozen").write_text("Peter=B-PER sleeps=O\n")
    corpus = polytag.load_corpus(str(tmp_path / "train.frozen"), reader="frozen.reader")
    assert corpus.words("train") == [["Peter", "sleeps"]]
    assert corpus.tags("train", "tags") == [["B-PER", "O"]]


def test_it_implements_every_hook_of_its_version(polytag_manager: PluginManager) -> None:
    plugin = polytag_manager.register(frozen_plugin, "frozen")
    # A hook that is new since needs no place here: old plugins do not have it.
    assert set(polytag_manager.implements(plugin)) <= set(HOOKS)
    assert len(polytag_manager.implements(plugin)) == 9


@pytest.mark.filterwarnings("ignore:Argument:UserWarning")  # pluggy says that nobody gives `novelty`
@pytest.mark.parametrize("hook", HOOKS)
def test_a_new_argument_of_any_hook_does_not_break_it(hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = getattr(specs, hook)
    names = known.__code__.co_varnames[: known.__code__.co_argcount]
    namespace: dict[str, object] = {}
    exec(f"def {hook}({', '.join((*names, 'novelty'))}): ...", namespace)
    monkeypatch.setattr(specs, hook, specs.hookspec(namespace[hook]))
    manager = PluginManager([], {})
    plugin = manager.register(frozen_plugin, "frozen")
    assert plugin.status == "loaded"
    given = {"run": RUN, "epoch": 1, "scores": {"f1": 0.5}}
    SEEN.clear()
    getattr(manager, hook.removeprefix("polytag_"))(**{name: given[name] for name in names})
    assert plugin.status == "loaded"
    assert len(SEEN) == (hook in ("polytag_train_begin", "polytag_epoch_end", "polytag_train_end"))


@pytest.mark.usefixtures("uncompiled")
def test_its_task_is_trained_and_its_observers_see_it(polytag_manager: PluginManager, tmp_path: Path) -> None:
    polytag_manager.register(frozen_plugin, "frozen")
    corpus, output = tmp_path / "train.jsonl", tmp_path / "tagger"
    corpus.write_text('{"tokens": ["Peter", "sleeps"], "tags": ["B-X", "O"]}\n' * 10)
    SEEN.clear()
    polytag.train(task="frozen.spans", corpus=str(corpus), output=output, epochs=2, quiet=True)
    assert SEEN[0] == ("begin", ("frozen.spans",), str(corpus), "compact", str(output))
    assert [event[:2] for event in SEEN[1:3]] == [("epoch", 1), ("epoch", 2)]
    assert SEEN[3][0] == "end"
