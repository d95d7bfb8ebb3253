"""A version of a package without the private parts that the engine uses is named, with the versions that have them."""

from __future__ import annotations

import sys
from importlib import metadata
from types import ModuleType

import pytest

from polytag import PolytagError
from polytag.engine.borrowed import borrowed

MODULE = "tensorflow.lite.python.convert_phase"


def test_a_part_that_is_gone_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, ModuleType(MODULE))
    monkeypatch.delitem(sys.modules, "polytag.engine.graph_files", raising=False)
    with pytest.raises(PolytagError, match=r"the installed version, [\d.]+, does not have \(.*ConverterError") as found:
        __import__("polytag.engine.graph_files")
    assert "pip install 'tensorflow" in str(found.value)


def test_a_package_is_not_taken_for_another_one_whose_name_begins_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["keras-hub>=1", "keras>=3.15,<4"])
    with pytest.raises(PolytagError, match=r"pip install 'keras>=3.15,<4'"), borrowed("keras"):
        raise ImportError("gone")


def test_what_imports_is_imported() -> None:
    with borrowed("tensorflow"):
        import json
    assert json
