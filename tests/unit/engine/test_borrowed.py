"""A version of a package without the private parts that the engine uses is named, with the versions that have them."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from polytag import PolytagError
from polytag.engine.borrowed import borrowed

MODULE = "keras_hub.src.layers.modeling.transformer_encoder"


def test_a_part_that_is_gone_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, ModuleType(MODULE))
    monkeypatch.delitem(sys.modules, "polytag.engine.encoders.keras_hub_parts", raising=False)
    with pytest.raises(
        PolytagError, match=r"the installed version, [\d.]+, does not have \(.*TransformerEncoder"
    ) as found:
        __import__("polytag.engine.encoders.keras_hub_parts")
    assert "pip install 'keras-hub" in str(found.value)


def test_a_package_is_not_taken_for_another_one_whose_name_begins_like_it() -> None:
    with pytest.raises(PolytagError, match=r"pip install 'keras[<>=]"), borrowed("keras"):
        raise ImportError("gone")


def test_what_imports_is_imported() -> None:
    with borrowed("tensorflow"):
        import json
    assert json
