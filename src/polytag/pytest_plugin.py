"""Fixtures for tests of plugins, available in every pytest run in an environment with polytag."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from polytag.plugin.manager import PluginManager

SIZES = {"train": 20, "validation": 5, "test": 5}
"""Number of sentences of each split of the fixture `polytag_corpus`."""


@pytest.fixture
def polytag_manager() -> Iterator[PluginManager]:
    """A plugin manager for one test, with the built-in plugins and no other installed ones.

    All of polytag uses it until the test ends. `polytag_manager.register(module, "acme")` adds the plugin under test.
    """
    import importlib.metadata

    from polytag.plugin.manager import GROUP, PluginManager, isolated

    own = importlib.metadata.distribution("polytag").entry_points.select(group=GROUP)
    with isolated(PluginManager(own, environ={})) as manager:
        yield manager


@pytest.fixture(scope="session")
def polytag_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny corpus in JSON Lines, with the columns `ner_tags`, `pos_tags` and `chunk_tags`."""
    from polytag.corpus.sample.reader import sample_sentences

    folder = tmp_path_factory.mktemp("polytag-corpus")
    for split, size in SIZES.items():
        rows = [{"tokens": sentence.words, **sentence.tags} for sentence in sample_sentences(split)[:size]]
        text = "\n".join(map(json.dumps, rows)) + "\n"
        (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return folder
