"""Taggers pushed to a server on this machine that speaks the hub's protocol, by hand and by runs."""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from polytag import Tagger, export
from polytag.runner import TrainResult
from support.command import Command, Done
from support.hub_server import TOKEN, Fault, Hub, running_hub, use_hub

_NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as server:
        yield server


Run = Callable[..., Done]


@pytest.fixture
def run(hub: Hub, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in an empty folder, logged in."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, url: str = hub.url, **login: object) -> Done:
        with monkeypatch.context() as patch:
            use_hub(patch, url, tmp_path / "home", **{"token": TOKEN, **login})
            return command(*arguments)

    return run


@pytest.fixture
def push(run: Run, ner_run: TrainResult) -> Callable[..., str]:
    """`polytag push`; gives back what it says about a failure, or nothing."""

    def push(*arguments: object, folder: Path = ner_run.output, **where: object) -> str:
        done = run("push", folder, *arguments, **where)
        assert done.status == (0 if done.out else 2), done.err
        return "" if done.out else done.err.rpartition("polytag: ")[2]

    return push


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_tagger_goes_to_a_new_repository_in_one_commit(hub, push, ner_run):
    assert push("acme/ner", "--private", "-m", "First try") == ""
    repository = hub.model("acme/ner")
    assert repository.private
    assert repository.messages == ["initial commit", "First try"]
    pushed = {name: data for name, data in repository.files.items() if name not in ("README.md", ".gitattributes")}
    assert pushed == {name: data for name, data in contents(ner_run.output).items() if name != "README.md"}
    assert 'polytag.Tagger.load("acme/ner")' in repository.files["README.md"].decode()
    assert hub.stored == dict.fromkeys(hub.stored, pushed["model.safetensors"])  # weights alone are large files


def test_weights_and_tokenizers_of_before_go_and_all_else_stays(hub, push, ner_run):
    old = ("model-00001-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json", "vocab.txt")
    kept = {"LICENSE": b"all rights", "onnx/model.safetensors": b"?", "notes.txt": b"mine"}
    hub.add("models", "acme/ner", {**dict.fromkeys(old, b"{}"), **kept})
    assert push("ner") == ""  # a name alone is one's own
    assert set(hub.model("acme/ner").files) == {*kept, *contents(ner_run.output)}


def test_only_a_taggers_own_files_leave_the_machine(hub, run, ner_run, tmp_path):
    folder = shutil.copytree(ner_run.output, tmp_path / "tagger")
    secrets = {"id_rsa", ".env", "notes.txt", "checkpoint-5/state.safetensors", ".git/config", "onnx/model.onnx.bak"}
    for name in secrets:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("secret")
    (tmp_path / "elsewhere").write_text("secret")
    (folder / "link.json").symlink_to(tmp_path / "elsewhere")
    done = run("push", folder, "acme/ner")
    assert done.status == 0, done.err
    pushed = hub.model("acme/ner").files
    assert set(pushed) == {*contents(ner_run.output), ".gitattributes"}
    assert not any(b"secret" in content for content in pushed.values())
    assert done.err.endswith(
        "polytag: Not uploaded, since they are not part of the tagger: '.env', '.git/', 'checkpoint-5/', 'id_rsa', "
        "'link.json', 'notes.txt', 'onnx/'.\n"
    )
    assert done.out.startswith(f"{hub.url}/acme/ner/commit/")


def test_a_link_in_the_place_of_a_taggers_file_is_not_followed(hub, push, ner_run, tmp_path):
    folder = shutil.copytree(ner_run.output, tmp_path / "tagger")
    (folder / "run.toml").rename(tmp_path / "run.toml")
    (folder / "run.toml").symlink_to(tmp_path / "run.toml")
    assert f"run.toml' is a link to '{tmp_path / 'run.toml'}', outside the folder" in push("acme/ner", folder=folder)
    assert hub.requests == []


@pytest.mark.slow
def test_exports_are_pushed_whole_and_onnx_ones_are_taggers_on_the_hub(hub, push, run, ner_run, tmp_path):
    for to in ("savedmodel", "onnx"):
        export(ner_run.output, tmp_path / to, to)
        expected = {path.relative_to(tmp_path / to).as_posix() for path in (tmp_path / to).rglob("*") if path.is_file()}
        (tmp_path / to / ".git").mkdir()
        (tmp_path / to / ".git" / "config").write_text("mine")
        assert push(f"acme/{to}", folder=tmp_path / to) == ""
        assert set(hub.model(f"acme/{to}").files) == {*expected, ".gitattributes"}  # which the hub adds
    (tmp_path / "text.txt").write_text("Peter Blackburn lives in Rome.\n")
    done = run("predict", "acme/onnx", "text.txt")
    (tagged,) = ner_run.tagger.tag(["Peter Blackburn lives in Rome."])
    assert [span["text"] for span in json.loads(done.out)["spans"]] == [span.text for span in tagged.spans], done.err


def test_a_branch_is_made(hub, push):
    hub.add("models", "acme/ner", {"README.md": b"# Mine\n"})
    assert push("acme/ner", "--revision", "v2") == ""
    repository = hub.model("acme/ner")
    assert repository.files == {"README.md": b"# Mine\n"}
    card = repository.commits[repository.branches["v2"]]["README.md"].decode()
    assert 'polytag.Tagger.load("acme/ner@v2")' in card


def test_who_may_not_push_is_told_why(hub, push):
    hub.add("models", "acme/open", {})
    hub.add("models", "other/ner", {})
    for token in (None, "hf_wrong"):
        assert "log in to the hub with `hf auth login`, or set HF_TOKEN" in push("acme/ner", token=token)
    assert "The token may not write to 'other/ner'" in push("other/ner")
    assert "The token may not write to 'other/new'" in push("other/new")
    assert "exists and is public" in push("acme/open", "--private")
    assert "cannot be the name of a repository" in push("acme/ner/tagger")
    assert "HF_HUB_OFFLINE is set" in push("acme/ner", offline=True)
    assert hub.stored == {}


def test_what_is_no_tagger_is_not_pushed(hub, push, tmp_path):
    assert "is not a tagger: it does not exist" in push("acme/ner", folder=tmp_path / "none")
    assert hub.requests == []


def test_a_card_that_the_hub_cannot_read_is_corrected_first(hub, push, ner_run, tmp_path):
    folder = tmp_path / "tagger"
    shutil.copytree(ner_run.output, folder)
    (folder / "README.md").write_text("---\nlicense: [mit\n---\n# Mine\n")
    message = push("acme/ner", folder=folder)
    assert "does not accept the model card: Invalid metadata in README.md" in message
    assert hub.model("acme/ner").messages == ["initial commit"]


def test_a_push_that_breaks_off_leaves_nothing_to_be_seen(hub, push):
    assert "Pushing to 'acme/ner' failed: the hub cannot be reached (" in push("acme/ner", url=_NOBODY)
    for where in ("POST /api/repos", "PUT", "POST /api/validate", "POST .*commit"):
        for fault in (Fault(where, status=501), Fault(where, status=400)):
            hub.faults[:] = [fault]
            message = push("acme/ner")
            refused = fault.status == 400 and "validate" not in where  # there, the client expects JSON whatever happens
            assert ("The hub refuses the push" if refused else "the hub has an internal error") in message
    hub.faults[:] = [Fault("POST .*commit")]
    assert "the hub cannot be reached (Server disconnected" in push("acme/ner")
    assert hub.model("acme/ner").messages == ["initial commit"]
    hub.faults.clear()
    sent = len(hub.seen("PUT"))
    assert push("acme/ner") == ""
    assert len(hub.seen("PUT")) == sent  # what has arrived is not sent twice


# Runs


OPTIONS = ("-t", "ner", "-o", "tagger", "--epochs", 2, "--batch-size", 8, "--push", "acme/ner", "--push-every", "epoch")


@pytest.fixture
def train(run: Run, tiny_corpus: Path, uncompiled: None) -> Run:
    """Train on a tiny corpus, pushing to acme/ner after each epoch."""

    def train(*arguments: object, **where: object) -> Done:
        return run("train", "-c", tiny_corpus, *OPTIONS, *arguments, **where)

    return train


@pytest.mark.slow
def test_a_run_pushes_its_best_tagger_after_each_epoch_and_the_final_one(hub, train, tmp_path):
    done = train("--push-private", "--json")
    assert done.status == 0, done.err
    repository = hub.model("acme/ner")
    assert repository.private
    result = json.loads(done.out)
    assert result["push"]["commit"] == f"{hub.url}/acme/ner/commit/{repository.branches['main']}"
    assert result["push"]["failures"] == []
    assert repository.messages[1].startswith("Epoch 1: ner f1 ")
    assert repository.messages[-1].startswith("ner f1 ")
    assert repository.files["polytag.json"] == (tmp_path / "tagger/polytag.json").read_bytes()
    assert "push" not in repository.files["run.toml"].decode()

    first = next(files for files in repository.commits.values() if b"has not ended" in files.get("README.md", b""))
    early = tmp_path / "early"
    early.mkdir()
    for name, data in first.items():
        (early / name).write_bytes(data)
    assert len(Tagger.load(early).tag("She moved to Paris.").words) == 5
    assert not (tmp_path / ".tagger.run").exists()


@pytest.mark.slow
def test_a_run_goes_on_without_a_network_and_says_so_at_the_end(train, tmp_path):
    done = train(url=_NOBODY)
    assert done.status == 0, done.err
    *_, count, reason, advice = done.err.strip().splitlines()
    assert count.endswith("pushes failed:")
    assert "Pushing to 'acme/ner' failed: the hub cannot be reached" in reason
    assert advice == "The tagger is not on the hub. Push it with: polytag push tagger acme/ner"
    assert (tmp_path / "tagger/polytag.json").exists()


def test_a_run_that_cannot_push_anyway_does_not_begin(train, tmp_path):
    done = train(token=None)
    assert done.status == 2
    assert "log in to the hub with `hf auth login`" in done.err
    assert not list(tmp_path.glob("*tagger*"))


_TRAIN = """
import sys
from pathlib import Path

import pytest

from polytag.cli.app import main
from support.hub_server import TOKEN, use_hub

url, home = sys.argv[1:3]
del sys.argv[1:3]
with pytest.MonkeyPatch.context() as patch:
    use_hub(patch, url, Path(home), token=TOKEN)
    main()
"""


@pytest.mark.slow
def test_an_interrupt_does_not_wait_for_an_upload(hub, tiny_corpus, tmp_path, fork_server):
    held = threading.Event()
    hub.faults.append(Fault("PUT", wait=held))
    arguments = (hub.url, tmp_path / "home", "train", "-c", tiny_corpus, *OPTIONS, "--epochs", 200)
    tests = Path(__file__).parents[1]
    with (tmp_path / "out").open("w+") as out, Path(os.devnull).open() as nothing:
        streams = (nothing, out, out)
        process = fork_server.start(_TRAIN, "polytag", *arguments, streams=streams, folder=tmp_path, path=[tests])
        try:
            deadline = time.monotonic() + 300
            while not hub.seen("PUT") and time.monotonic() < deadline:
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            too_late = threading.Timer(60, process.kill)
            too_late.start()
            assert process.wait() == 128 + signal.SIGINT, (tmp_path / "out").read_text()
            too_late.cancel()
        finally:
            process.kill()
            held.set()
    assert "Continue with --resume" in (tmp_path / "out").read_text()
