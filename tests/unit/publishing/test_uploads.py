"""Which files of a folder a push uploads."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

import polytag
from polytag import EncoderProvider
from polytag.builtin import CompactProvider
from polytag.encoding.tokenizer import SAVED_FILES
from polytag.errors import PolytagError
from polytag.plugin.manager import PluginManager, isolated
from polytag.publishing.uploads import Uploads, left_out_message, uploads_of
from polytag.tagger.description import TaggerDescription
from polytag.tagger.heads import TaskHead

TAGGER = ("README.md", "config.json", "model.safetensors", "polytag.json", "run.toml", "scores.json")
ONNX = ("onnx/model.onnx", "onnx/model_quantized.onnx")
EXPORTS = ("example.py", "labels.json", "model.onnx", "model.tflite", "units.json", "word_hashes.py")
SAVEDMODEL = ("1/fingerprint.pb", "1/saved_model.pb", "1/variables/variables.data-00000-of-00001")
SHARDS = ("model-00001-of-00002.safetensors", "model.safetensors.index.json")
KERAS = ("tf_model.h5", "tf_model-00001-of-00002.h5", "tf_model.h5.index.json")


def uploads(folder: Path, names: Iterable[str], provider: str = "compact") -> Uploads:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return uploads_of(folder, TaggerDescription.of({"ner": TaskHead(("O",), "iob2", "first")}, provider, provider))


def test_everything_that_polytag_writes_is_uploaded(tmp_path):
    names = {*TAGGER, *ONNX, *EXPORTS, *SAVEDMODEL, *SHARDS, *KERAS, *SAVED_FILES}
    found = uploads(tmp_path, names)
    assert set(found.files) == names
    assert found.left_out == ()


@pytest.mark.parametrize(
    "name",
    [
        *(".env", "id_rsa", ".netrc", ".gitattributes", "polytag.json.bak", "Model.safetensors", "credentials.json"),
        *("training.log", "corpus.conll", "pytorch_model.bin", "model.py", "1/variables/notes", "onnx/polytag.json"),
        *("model-\u0661-of-\u0662.safetensors", "model-1-of-2.safetensors\n", "example.py~", ".README.md.swp"),
    ],
)
def test_nothing_else_is(tmp_path, name):
    found = uploads(tmp_path, [*TAGGER, *ONNX, "1/variables/variables.index", name])
    assert name not in found.files
    assert found.left_out == (name,)


def test_a_folder_without_anything_to_upload_is_one_name(tmp_path):
    found = uploads(tmp_path, [*TAGGER, *(f"runs/{number}/events" for number in range(30)), ".cache/x", "onnx/y"])
    assert found.left_out == (".cache/", "onnx/", "runs/")
    message = left_out_message([f"file-{number}" for number in range(30)])
    assert message.endswith("'file-9' and 20 more.")


def test_links_are_followed_only_inside_the_folder(tmp_path):
    (tmp_path / "tagger").mkdir()
    (tmp_path / "ssh").mkdir()
    (tmp_path / "ssh/model.onnx").write_text("secret")
    folder = tmp_path / "tagger"
    (folder / "onnx").symlink_to(tmp_path / "ssh", target_is_directory=True)
    (folder / "vocab.txt").symlink_to("vocab.json")
    (folder / "merges.txt").symlink_to("merges.txt")
    found = uploads(folder, ["vocab.json", "real.txt"])
    assert set(found.files) == {"vocab.txt", "vocab.json"}
    assert found.left_out == ("merges.txt", "onnx/", "real.txt")
    (folder / "vocab.txt").unlink()
    (folder / "vocab.txt").symlink_to(tmp_path / "ssh/model.onnx")
    with pytest.raises(PolytagError, match=r"vocab\.txt' is a link to .* outside the folder"):
        uploads(folder, [])


@pytest.mark.parametrize("secret", [".env", "id_rsa", "onnx/.token"])
def test_a_link_does_not_give_another_name_to_what_stays(tmp_path, secret):
    uploads(tmp_path, [secret])
    (tmp_path / "README.md").symlink_to(secret)
    with pytest.raises(PolytagError, match=r"README\.md' is a link to .* or no part of the tagger"):
        uploads(tmp_path, [])


def test_a_card_may_be_in_any_encoding(tmp_path, monkeypatch):
    (tmp_path / "README.md").write_bytes(b"caf\xe9")
    (tmp_path / "polytag.json").write_text(
        TaggerDescription.of({"ner": TaskHead(("O",), "iob2", "first")}, "compact", "compact").to_json()
    )
    sent = {}
    monkeypatch.setattr("polytag.hub.open_repository", lambda *_: "acme/ner")
    monkeypatch.setattr("polytag.hub.upload", lambda files, *_: sent.update(files))
    polytag.push(tmp_path, "acme/ner")
    assert sent["README.md"] == b"caf\xe9"


class Vectors(CompactProvider):
    name: ClassVar[str] = "acme.vectors"
    files: ClassVar[tuple[str, ...]] = ("vectors.bin", ".hidden")


class Acme:
    @polytag.hookimpl
    def polytag_encoders(self) -> Sequence[EncoderProvider]:
        return [Vectors()]


def test_an_encoder_of_a_plugin_names_its_files(tmp_path):
    names = ["vectors.bin", "other.bin", ".hidden"]
    with isolated(PluginManager(environ={})) as manager:
        manager.register(Acme(), "acme", "acme", "1.0")
        found = uploads(tmp_path, names, provider="acme.vectors")
    assert (set(found.files), found.left_out) == ({"vectors.bin"}, (".hidden", "other.bin"))
    without_the_plugin = uploads(tmp_path, names, provider="acme.vectors")
    assert without_the_plugin.left_out == (".hidden", "other.bin", "vectors.bin")
