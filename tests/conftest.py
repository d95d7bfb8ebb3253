"""Fixtures that all tests share."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from pathlib import Path

import pytest
from hypothesis import settings

from polytag.hooks import registry as registry_module
from polytag.hooks.registry import Registry

# The first example of a property may pay for an import.
settings.register_profile("polytag", deadline=None)
settings.load_profile("polytag")


@pytest.fixture(scope="session")
def registry() -> Registry:
    return registry_module.registry()


@pytest.fixture(scope="session")
def conll2003() -> Path:
    """The folder with the CoNLL-2003 files, which lies beside the checkout and is not part of it."""
    folder = Path(__file__).parents[2] / "shared/data/conll2003"
    if not folder.is_dir():
        pytest.skip(f"the CoNLL-2003 files are licensed and not in the repository; put them in {folder}")
    return folder
