"""The built-in plugins keep the contracts that third parties have to keep."""

from pathlib import Path
from typing import ClassVar

import pytest

from checkpoints import make_checkpoint
from polytag.testing import PluginConformance


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("checkpoints") / "bert", "bert")


@pytest.mark.slow
class TestPolytag(PluginConformance):
    plugin = "polytag"
    sources: ClassVar = {"sample": "sample"}

    @pytest.fixture(autouse=True)
    def small_checkpoint(self, checkpoint: Path) -> None:
        self.encoders = {"pretrained": checkpoint}


class TestStandard(PluginConformance):
    plugin = "standard"


@pytest.mark.slow
class TestNer(PluginConformance):
    plugin = "ner"


@pytest.mark.slow
class TestPos(PluginConformance):
    plugin = "pos"


@pytest.mark.slow
class TestChunk(PluginConformance):
    plugin = "chunk"
