"""Every plugin that a page shows keeps the contracts of plugins."""

import inspect
import re
import sys
import textwrap
from pathlib import Path

import pytest

from polytag.plugin import specs
from polytag.plugin.manager import PluginManager, isolated
from polytag.testing import check
from support.pages import DOCS, Block, pages, parts

pytestmark = pytest.mark.usefixtures("uncompiled")

WITHOUT_ITS_ENCODER = "polytag_encoders"
"""A hook whose example imports an encoder that no page shows."""

SOURCES = {"slashes": "Anna/B-PER left/O\nGo/O\n", "quotes": 'It is "Anna"\nGo\n'}
"""A file for each reader that cannot write, or writes some corpora only."""


def on_pages() -> dict[str, str]:
    """The plugins of the pages, as modules, by page."""
    blocks = [block for page in pages() for block in parts(page) if isinstance(block, Block)]
    found = {
        f"{block.page.relative_to(DOCS)}:{Path(block.title).stem}": block.body
        for block in blocks
        if block.language == "python" and "@polytag.hookimpl" in block.body
    }
    for hook in (name for name in vars(specs) if name.startswith("polytag_") and name != WITHOUT_ITS_ENCODER):
        (example,) = re.findall(r"```python\n(.*?)```", inspect.getdoc(getattr(specs, hook)) or "", re.DOTALL)
        found[f"reference/hooks.md:{hook}"] = f"import polytag\n\n{textwrap.dedent(example)}"
    return found


ON_PAGES = on_pages()


@pytest.mark.parametrize("place", ON_PAGES)
def test_a_plugin_of_a_page_keeps_the_contracts(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if "rjieba" in ON_PAGES[place]:
        pytest.importorskip("rjieba", reason="comes with the extra dev")
    name = "page_" + re.sub(r"\W", "_", place)
    (tmp_path / f"{name}.py").write_text(ON_PAGES[place], encoding="utf-8")
    sources = {"slashes": tmp_path / "train.slash", "quotes": tmp_path / "train.quotes"}
    for reader, path in sources.items():
        path.write_text(SOURCES[reader], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    with isolated(PluginManager(environ={"POLYTAG_PLUGINS": str(tmp_path / f"{name}.py")})):
        outcomes = list(check(name, sources))
    monkeypatch.delitem(sys.modules, name, raising=False)
    assert len(outcomes) > 4 - place.count("train_") - place.count("epoch_")
    assert [outcome.message for outcome in outcomes if outcome.status != "passed"] == []


def test_the_pages_show_plugins():
    assert {place.partition(":")[0] for place in ON_PAGES} >= {
        "how-to/split-your-language.md",
        "how-to/write-a-plugin.md",
        "reference/hooks.md",
        "tutorial/your-own-task.md",
    }
