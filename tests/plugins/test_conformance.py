"""The built-in plugins keep the contracts that third parties have to keep."""

import importlib.metadata
from pathlib import Path
from typing import Any, ClassVar

import pytest

from polytag.testing import PluginConformance
from support.checkpoints import make_checkpoint

pytestmark = pytest.mark.usefixtures("uncompiled")


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


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A small corpus in each format that cannot be written."""
    folder = tmp_path_factory.mktemp("formats")
    (folder / "train.csv").write_text("sentence,tokens,ner_tags\n1,Go,O\n2,Anna,B-PER\n")
    line = "x 0 0 Anna NNP (NP*) - - - - (PERSON) * -"
    (folder / "train.v4_gold").write_text(f"#begin document (x); part 000\n{line}\n\n#end document\n")
    return {"hub": "acme/tiny", "csv": str(folder / "train.csv"), "conll2012": str(folder / "train.v4_gold")}


class TestStandard(PluginConformance):
    plugin = "standard"

    @pytest.fixture(autouse=True)
    def small_sources(self, read_only: dict[str, str]) -> None:
        self.sources = read_only

    @pytest.fixture(autouse=True)
    def tiny_hub(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One dataset on the hub; that the client can talk to a hub is tested in `integration/test_hub_corpus.py`."""
        import datasets

        load = datasets.load_dataset

        def load_dataset(name: str, *arguments: Any, **options: Any) -> Any:
            if name == "acme/tiny":
                data = datasets.Dataset.from_dict({"tokens": [["Go"]], "ner_tags": [["O"]]})
                return datasets.DatasetDict({"train": data})
            return load(name, *arguments, **options)

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)


@pytest.mark.slow
class TestNer(PluginConformance):
    plugin = "ner"


@pytest.mark.slow
class TestPos(PluginConformance):
    plugin = "pos"


@pytest.mark.slow
class TestChunk(PluginConformance):
    plugin = "chunk"


@pytest.mark.slow
class TestUd(PluginConformance):
    plugin = "ud"


@pytest.mark.slow
class TestBiomedical(PluginConformance):
    plugin = "biomedical"


def test_every_built_in_plugin_is_here() -> None:
    built_in = importlib.metadata.distribution("polytag").entry_points.select(group="polytag")
    own = [each for each in PluginConformance.__subclasses__() if each.__module__ == __name__]
    assert {each.plugin for each in own} == {entry.name for entry in built_in}
