"""Taggers from the Hugging Face hub, read from a server on this machine that speaks its protocol."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import polytag
from polytag.errors import PolytagError
from polytag.hub import tagger_folder
from polytag.runner import TrainResult
from support.checkpoints import make_checkpoint
from support.hub_server import TOKEN, Fault, Hub, running_hub, use_hub

_NOBODY = "http://127.0.0.1:9"


class Found(NamedTuple):
    """The folder of a tagger, or why there is none."""

    folder: Path | None
    problem: str


Find = Callable[..., Found]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as server:
        yield server


@pytest.fixture
def files(ner_run: TrainResult) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in ner_run.output.iterdir()}


@pytest.fixture
def find(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Find:
    """Look for a tagger; caches last as long as the test."""
    monkeypatch.chdir(tmp_path)

    def find(reference: str, *, url: str = hub.url, **login: object) -> Found:
        with monkeypatch.context() as patch:
            use_hub(patch, url, tmp_path / "home", **login)
            try:
                return Found(tagger_folder(reference), "")
            except PolytagError as error:
                return Found(None, str(error))

    return find


def same(folder: Path, files: dict[str, bytes]) -> bool:
    return {path.name: path.read_bytes() for path in folder.iterdir()} == files


def test_a_tagger_is_downloaded_once_and_needs_no_network_then(hub, files, find):
    hub.add("models", "acme/ner", {**files, "training.log": b"", "pytorch_model.bin": b"?"})
    found = find("acme/ner")
    assert same(found.folder, files)  # and nothing that a tagger does not consist of
    assert len(hub.seen("GET /acme/ner/resolve/.*safetensors")) == 1
    assert find("acme/ner") == found
    assert len(hub.seen("GET /acme/ner/resolve/.*safetensors")) == 1
    asked = len(hub.requests)
    assert find("acme/ner", offline=True) == found
    assert len(hub.requests) == asked
    assert find("acme/ner", url=_NOBODY) == found
    hub.faults.append(Fault("", status=503))
    assert find("acme/ner") == found


def test_weights_of_keras_are_downloaded_where_no_others_are(hub, find):
    old = {"config.json": b"{}", "tf_model.h5": b"HDF5", "tokenizer.json": b"{}"}
    hub.add("models", "acme/old", {**old, "pytorch_model.bin": b"?"})
    assert same(find("acme/old").folder, old)
    hub.add("models", "acme/both", {**old, "model.safetensors": b"new"})
    assert not (find("acme/both").folder / "tf_model.h5").exists()
    for where in ({"offline": True}, {"url": _NOBODY}):
        assert same(find("acme/old", **where).folder, old)


def test_a_revision_is_a_branch_or_a_commit(hub, files, find):
    repository = hub.add("models", "acme/ner", files)
    first = repository.branches["main"]
    repository.commit("main", {**files, "scores.json": b"{}"}, "Scores of another test set")
    assert (find("acme/ner").folder / "scores.json").read_bytes() == b"{}"
    assert same(find(f"acme/ner@{first}").folder, files)
    assert same(find(f"acme/ner@{first}", url=_NOBODY).folder, files)
    assert "has no revision 'v9'. Check it, or leave it" in find("acme/ner@v9").problem


def test_a_folder_wins_over_a_name_on_the_hub(hub, files, find, tmp_path):
    hub.add("models", "acme/ner", files)
    (tmp_path / "acme/ner").mkdir(parents=True)
    assert find("acme/ner").folder == Path("acme/ner")
    assert hub.requests == []


def test_a_download_that_breaks_off_is_never_used_and_goes_on_with_the_next_start(hub, files, find):
    hub.add("models", "acme/ner", files)
    hub.faults.append(Fault("GET .*safetensors", times=1, cut=15_000_000))
    hub.faults.append(Fault("GET .*safetensors"))
    broken = find("acme/ner").problem
    assert "The download of 'acme/ner' from the hub was interrupted" in broken
    assert "complete files are kept" in broken
    for where in ({"offline": True}, {"url": _NOBODY}):
        problem = find("acme/ner", **where).problem
        assert "'acme/ner' is incomplete in the cache" in problem
        assert ("HF_HUB_OFFLINE is set" in problem) == ("offline" in where)
    hub.faults.clear()
    before = len(hub.requests)
    assert same(find("acme/ner").folder, files)
    fetched = [request for request in hub.requests[before:] if request.startswith("GET") and "/resolve/" in request]
    assert [request.rpartition("/")[2] for request in fetched] == ["model.safetensors"]


def test_a_connection_that_breaks_is_taken_up_at_the_very_byte(hub, files, find):
    hub.add("models", "acme/ner", files)
    hub.faults.append(Fault("GET .*safetensors", times=1, cut=15_000_000))
    assert same(find("acme/ner").folder, files)
    assert [request.rpartition("/")[2] for request in hub.seen("GET .*safetensors")] == [
        "model.safetensors",
        "model.safetensors bytes=10485760-",
    ]


def test_without_a_network_and_a_cache_the_message_says_what_to_do(find):
    offline = find("acme/ner", offline=True).problem
    assert offline.startswith("The tagger 'acme/ner' is not a folder here, and not in the cache, and HF_HUB_OFFLINE is")
    assert "`hf download acme/ner`" in offline
    assert "the hub cannot be reached (" in find("acme/ner", url=_NOBODY).problem
    # The client alone would try again for 23 seconds.
    assert "the hub cannot be reached (" in find(f"acme/ner@{'0' * 40}", url=_NOBODY).problem


def test_a_hub_with_a_problem_of_its_own(hub, find):
    hub.faults.append(Fault("", status=503))
    assert "the hub has an internal error (status 503 Service Unavailable)" in find("acme/ner").problem


def test_what_may_not_be_read(hub, files, find):
    hub.add("models", "acme/secret", files, private=True)
    hub.add("models", "other/gated", files, gated=True)
    assert "no public model 'acme/secret' on the hub exists" in find("acme/secret").problem
    assert "Log in again with `hf auth login`" in find("acme/secret", token="hf_wrong").problem
    assert same(find("acme/secret", token=TOKEN).folder, files)
    assert same(find("acme/secret", token="hf_wrong").folder, files)  # what was downloaded before serves
    assert "'other/gated' is gated: accept its conditions" in find("other/gated").problem
    assert "No folder 'acme/none' and no public model 'acme/none' on the hub exists" in find("acme/none").problem
    assert "neither a folder nor the name of a model" in find("acme/no..pe").problem


def test_predict_takes_a_name(hub, files, ner_run, tmp_path, monkeypatch, command):
    hub.add("models", "acme/ner", files)
    use_hub(monkeypatch, hub.url, tmp_path / "home")
    done = command("predict", "acme/ner@main", "-", stdin=b"She moved to Paris.\n")
    assert json.loads(done.out) == json.loads(json.dumps(ner_run.tagger.tag("She moved to Paris.").to_dict()))


def test_a_corpus_is_checked_with_the_tokenizer_of_an_encoder_alone(hub, tmp_path, monkeypatch, command):
    checkpoint = make_checkpoint(tmp_path / "bert", "bert")
    hub.add("models", "acme/bert", {path.name: path.read_bytes() for path in checkpoint.iterdir()})
    use_hub(monkeypatch, hub.url, tmp_path / "home")
    done = command("corpus", "check", "sample", "--encoder", "acme/bert", "--json")
    assert "unknown-to-encoder" in {finding["code"] for finding in json.loads(done.out)["findings"]}
    assert list((tmp_path / "home").rglob("tokenizer.json"))
    assert not list((tmp_path / "home").rglob("*.safetensors"))


@pytest.mark.usefixtures("uncompiled")
def test_an_adapter_of_a_model_on_the_hub_keeps_its_commit(hub, tmp_path, tiny_corpus, monkeypatch):
    monkeypatch.chdir(tmp_path)
    use_hub(monkeypatch, hub.url, tmp_path / "home", token=TOKEN)
    base = make_checkpoint(tmp_path / "base", "bert")
    files = {path.name: path.read_bytes() for path in base.iterdir()}
    commit = hub.add("models", "acme/bert", files).branches["main"]
    options = {"task": "ner", "corpus": str(tiny_corpus), "epochs": 1, "quiet": True}
    polytag.train(**options, encoder="acme/bert@main", lora=2, output="tagger", push="acme/ner")
    config = json.loads(Path("tagger", "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("acme/bert", commit)

    changed = make_checkpoint(tmp_path / "changed", "bert", seed=1)
    hub.model("acme/bert").commit("main", {path.name: path.read_bytes() for path in changed.iterdir()}, "Again")
    words = [["Peter", "met", "her"]]
    expected = polytag.Tagger.load(Path("tagger")).tag_words(words)
    assert polytag.Tagger.load("acme/ner").tag_words(words) == expected
    base.rename("bert")  # a place that the user writes into the configuration has no commit
    Path("tagger", "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "./bert"}))
    assert polytag.Tagger.load(Path("tagger")).tag_words(words) == expected
