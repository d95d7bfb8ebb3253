"""What is wrong is said in one clear paragraph, with exit status 2, and nothing is left behind."""

import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from polytag.plugin.manager import PluginManager, isolated
from polytag.runner import TrainResult

_NER = "EU B-ORG\nrejects O\n\nPeter B-PER\nsleeps O\n\nParis B-LOC\n"
_TASK = "polytag.Task({name!r}, '', ('ner_tags', 'tags'), 'iob2', 'first', ('spans',))"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def corpus(here: Path) -> Path:
    """A sound corpus."""
    (here / "mine.conll").write_text(_NER, encoding="utf-8")
    return here / "mine.conll"


@pytest.fixture
def refused(command, here: Path) -> Callable[..., str]:
    """Run a command that has to be refused in one paragraph and leave no trace; give back the paragraph."""

    def run(*arguments: object, stdin: bytes = b"", notes: int = 0) -> str:
        before = {path: path.stat().st_mtime_ns for path in here.parent.rglob("*") if path != here}
        done = command(*arguments, stdin=stdin)
        assert (done.status, done.out) == (2, ""), done
        *noted, paragraph = [line for line in done.err.splitlines() if not line.endswith(" …")]  # stages of the work
        assert len(noted) == notes, done.err
        assert paragraph.startswith("polytag: ")
        assert {path: path.stat().st_mtime_ns for path in here.parent.rglob("*") if path != here} == before
        return paragraph.removeprefix("polytag: ")

    return run


def train(corpus: object, *more: object) -> list[object]:
    return ["train", "--task", "ner", "--corpus", corpus, "--output", "new/tagger", *more]


# Options


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--task", "chnk"], ["no task named 'chnk'", "Did you mean 'chunk'"]),
        (["--scheme", "iob3"], ["no label scheme named 'iob3'", "'iob2'"]),
        (["--scheme", "flat"], ["'flat' fits none of the tasks of this run (ner)", "Choose another scheme"]),
        (["--corpus-scheme", "bilu"], ["no label scheme named 'bilu'", "Did you mean 'bilou'"]),
        (["--alignment", "frist"], ["no alignment strategy named 'frist'", "Did you mean 'first'"]),
        (["--splitter", "standrad"], ["no splitter named 'standrad'", "Did you mean 'standard'"]),
        (["--encoder", "compcat"], ["no encoder named 'compcat'", "Did you mean 'compact'"]),
        (["--encoder", "./no/such/folder"], ["'./no/such/folder'", "Check the path"]),
        (["--encoder", "x y" * 100], ["'x yx y", "Check the path"]),
        (["--reader", "colum"], ["no reader named 'colum'", "'column'"]),
        (["--decoding", "vitrbi"], ["'decoding' is 'vitrbi'", "must be viterbi, argmax or crf"]),
        (["--precision", "float23"], ["'precision' is 'float23'", "'float32', 'bfloat16' or 'float16'"]),
        (["--context", "page"], ["'context' is 'page'", "'sentence' or 'document'"]),
        (["--epochs", "0"], ["'epochs' is 0", "greater than or equal to 1"]),
        (["--warmup", "2"], ["'warmup' is 2.0", "less than 1"]),
        (["--task-weight", "ner"], ["--task-weight 'ner'", "TASK=NUMBER"]),
        (["--task-weight", "ner=much"], ["'task_weights.ner' is 'much'", "valid number"]),
        (["--task-weight", "pos=2"], ["task_weights names 'pos', which is not a task of this run (ner)"]),
        (["--config", "nowhere.toml"], ["configuration file 'nowhere.toml' cannot be read"]),
        (["--config", "/dev/zero"], ["configuration file '/dev/zero' cannot be read: File too large"]),
    ],
)
def test_options_that_name_nothing(refused, corpus, options, expected):
    message = refused(*train(corpus, *options))
    assert all(part in message for part in expected), message


def test_a_run_needs_a_task_a_corpus_and_an_output(refused, corpus):
    assert "--task and --corpus and --output are missing" in refused("train")
    assert "--task is missing" in refused("train", "--corpus", corpus, "--output", "x")


def test_a_file_of_options_is_checked_as_well(refused, corpus, here):
    (here / "run.toml").write_text('epoch = 3\nlearning_rate = "fast"\n')
    message = refused(*train(corpus, "--config", "run.toml"))
    assert "'epoch' is not an option of a run. Did you mean 'epochs'" in message
    assert "'learning_rate' is 'fast'" in message
    assert "'run.toml'" in message


@pytest.mark.parametrize(
    "arguments", [["trian"], ["train", "--epochs", "two"], ["train", "--epoch"], ["evaluate"], ["predict"]]
)
def test_usage_errors_have_the_same_status(command, here, arguments):
    done = command(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "Usage: polytag" in done.err
    assert "Traceback" not in done.err


# Corpora


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ["mine.conll is empty"]),
        (b"\n\n", ["mine.conll", "has no sentence"]),
        (b"EU B-ORG\nrejects\n", ["mine.conll:2", "'rejects' has 1 column", "has 2"]),
        (b"EU B-ORG\nM\xfcller B-PER\n", ["mine.conll:2", "not valid UTF-8", "--encoding"]),
        (b"EU\nrejects\n", ["mine.conll:1", "one column"]),
        (b"EU ORG\nrejects O\n\na PER\n", ["'tags'", "has no spans", "'ner'"]),
        (b"EU NNP B\nrejects VBZ O\n", ["no column for the task 'ner'", "pos_tags, chunk_tags", "--columns"]),
        (b"EU B-ORG\n", ["one training sentence and no validation split"]),
    ],
)
def test_a_file_that_is_no_corpus(refused, corpus, content, expected):
    corpus.write_bytes(content)
    message = refused(*train(corpus))
    assert all(part in message for part in expected), message


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("nowhere.conll", ["'nowhere.conll' does not exist", "Check the path"]),
        ("./nowhere", ["'./nowhere' does not exist"]),
        ("", ["The corpus has no name"]),
        ("train=nowhere.conll", ["The train file 'nowhere.conll' does not exist"]),
        ("train:mine.conll,x=y", ["is not of the form SPLIT=FILE"]),
        (".", ["has no corpus", "train=FILE"]),
        ("test=mine.conll", ["has no split 'train'", "it has test", "train=FILE"]),
        ("acme/news", ["'acme/news'", "no file or folder", "HF_HUB_OFFLINE=1", "unset the variable"]),
        ("mycorpus", ["'mycorpus'", "no file or folder", "HF_HUB_OFFLINE=1", "Check the path"]),
    ],
)
def test_a_source_that_is_no_corpus(refused, corpus, reference, expected):
    message = refused(*train(reference))
    assert all(part in message for part in expected), message


@pytest.mark.parametrize(
    ("locked", "reference"),
    [
        ("data/train.conll", "data/train.conll"),
        ("data/train.jsonl", "data/train.jsonl"),
        ("data/train.parquet", "data/train.parquet"),
        ("data/train.conll", "data"),
        ("data", "data"),
        ("data", "data/train.conll"),
        ("data", "train=data/train.conll"),
        ("data", "train=data"),
    ],
)
def test_a_corpus_that_may_not_be_read(refused, here, like_any_user, locked, reference):
    (here / "data").mkdir()
    (here / (locked if "." in locked else "data/train.conll")).write_text(_NER)
    (here / locked).chmod(0)
    message = refused("corpus", "describe", reference)
    (here / locked).chmod(0o700)
    assert f"The corpus '{reference}' cannot be read: " in message
    assert "Permission denied" in message
    assert "Check the path and its permissions." in message


def test_tags_that_break_the_declared_scheme_are_located(refused, corpus):
    corpus.write_text("EU B-ORG\nrejects O\n\nPeter I-PER\nsleeps O\n")
    message = refused(*train(corpus, "--corpus-scheme", "iob2"))
    assert "not in the scheme 'iob2': 1 of 4 words" in message
    assert "mine.conll:4, word 1: Peter/I-PER sleeps/O" in message


def test_columns_that_do_not_fit_are_explained(refused, corpus):
    assert "mine.conll:1: the line has 2 columns and --columns names 3" in refused(
        *train(corpus, "--columns", "tokens,pos_tags,ner_tags")
    )


@pytest.mark.slow
def test_a_checkpoint_that_cannot_be_had_offline(refused, corpus):
    message = refused(*train(corpus, "--encoder", "acme/model"), notes=2)
    assert "'acme/model' is not a folder here, and not in the cache, and HF_HUB_OFFLINE is set" in message
    assert "hf download acme/model" in message


# Output


def test_a_folder_that_is_in_use_is_not_written_to(refused, corpus, ner_run: TrainResult, here):
    ner = ["train", "-t", "ner", "-c", corpus, "-o"]
    message = refused(*ner, ner_run.output)
    assert "already has a tagger" in message
    assert "--overwrite" in message
    (here / "thesis").mkdir()
    (here / "thesis" / "chapter.txt").write_text("precious")
    for overwrite in ([], ["--overwrite"]):
        assert "'thesis' is not empty and has no tagger" in refused(*ner, "thesis", *overwrite)
    assert "'mine.conll' is a file" in refused(*ner, "mine.conll")
    assert "'mine.conll/tagger' cannot be written: Not a directory" in refused(*ner, "mine.conll/tagger")


def test_a_place_that_cannot_be_written_is_found_out_before_training(refused, corpus, monkeypatch):
    def read_only(*_arguments, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", read_only)  # root may write everywhere, so that rights do not tell
    assert "'new/tagger' cannot be written: Permission denied" in refused(*train(corpus))


def test_a_run_that_stops_leaves_no_trace(refused, corpus, monkeypatch):
    from polytag.engine import loop
    from polytag.errors import TrainingError

    def diverge(*_arguments, **_options):
        raise TrainingError("The loss is nan in step 1 of epoch 1: training has diverged and was stopped.")

    monkeypatch.setattr(loop, "train_epochs", diverge)
    assert "training has diverged" in refused(*train(corpus), notes=3)


@pytest.mark.parametrize("arguments", [["push", "{}", "me/it"], ["serve", "{}"], ["plugins", "new", "{}"]])
def test_a_path_that_is_too_long(refused, arguments):
    assert "too long" in refused(*(a.format("a" * 5_000) for a in arguments))


# Taggers


both = pytest.mark.parametrize("arguments", [["predict", "{}", "-"], ["evaluate", "{}", "--corpus", "sample"]])


@both
def test_a_tagger_that_is_not_there(refused, arguments):
    assert "'nowhere' is not a tagger: it does not exist" in refused(*(a.format("nowhere") for a in arguments))


@both
def test_a_folder_that_is_no_tagger(refused, here, arguments):
    message = refused(*(a.format(here) for a in arguments))
    assert "is not a tagger: it has no polytag.json" in message
    assert "polytag train --output" in message


@both
def test_a_tagger_of_a_newer_format(refused, here, arguments):
    (here / "polytag.json").write_text('{"format": 99}')
    message = refused(*(a.format(here) for a in arguments))
    assert "has format 99, and this polytag reads formats up to 1" in message
    assert "pip install --upgrade polytag" in message


@both
def test_a_tagger_that_is_damaged(refused, here, ner_run: TrainResult, arguments):
    folder = here / "bad"
    shutil.copytree(ner_run.output, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert "model.safetensors is damaged" in refused(*(a.format(folder) for a in arguments))
    (folder / "polytag.json").write_text('{"format": 1, "tasks":')
    message = refused(*(a.format(folder) for a in arguments))
    assert "polytag.json is damaged" in message
    assert "Train the tagger again" in message


@pytest.mark.parametrize(
    "arguments", [["predict", "{}", "-"], ["evaluate", "{}", "-c", "sample"], ["compare", "{}", "{}", "-c", "sample"]]
)
@pytest.mark.parametrize("locked", ["data", "data/tagger"])
def test_a_tagger_that_may_not_be_read(refused, here, like_any_user, arguments, locked):
    (here / "data/tagger").mkdir(parents=True)
    (here / locked).chmod(0)
    message = refused(*(a.format("data/tagger") for a in arguments))
    (here / locked).chmod(0o700)
    assert message == "The tagger 'data/tagger' cannot be read: Permission denied. Check the path and its permissions."


@both
def test_a_classifier_that_may_not_be_read(refused, here, like_any_user, arguments):
    (here / "config.json").write_text("{}")
    (here / "config.json").chmod(0)
    message = refused(*(a.format(here) for a in arguments))
    assert message == f"{here / 'config.json'} cannot be read: Permission denied. Check its permissions."


def test_labels_that_may_not_be_read(refused, here, like_any_user):
    (here / "config.json").write_text('{"num_labels": 3}')
    (here / "data").mkdir(mode=0)
    assert "The file of labels 'data/names.txt' cannot be read: " in refused(
        "predict", here, "--task", "ner", "--labels", "data/names.txt"
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--corpus", "nowhere.conll"], ["'nowhere.conll' does not exist"]),
        (["--corpus", "mine.conll", "--split", "tset"], ["no split 'tset'; it has train"]),
        (
            ["--corpus", "mine.conll", "--columns", "tokens,pos"],
            ["no column for the task 'ner'", "tag columns are pos"],
        ),
        (["--corpus", "mine.conll", "--corpus-scheme", "bilou"], ["not in the scheme 'bilou'", "mine.conll:1"]),
        (["--corpus", "mine.conll", "--decoding", "max"], ["no decoding named 'max'", "viterbi, argmax or crf"]),
        (["--corpus", "mine.conll", "--reader", "jsonl"], ["mine.conll:1", "not JSON"]),
    ],
)
def test_an_evaluation_that_cannot_be(refused, corpus, ner_run: TrainResult, options, expected):
    message = refused("evaluate", ner_run.output, *options)
    assert all(part in message for part in expected), message


# Plugins


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Install a distribution with one plugin, for this process and this test."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it would look like a trace of the command
    modules = []

    def add(name: str, source: str) -> None:
        modules.append(f"plugin_of_{name}")
        (folder / f"plugin_of_{name}.py").write_text(source)
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[polytag]\n{name} = plugin_of_{name}\n")
        importlib.invalidate_caches()
        process.enter_context(isolated(PluginManager()))

    with ExitStack() as process:
        yield add
    monkeypatch.undo()
    for module in modules:
        sys.modules.pop(module, None)


def tasks_of(*names: str) -> str:
    tasks = ", ".join(_TASK.format(name=name) for name in names)
    return f"import polytag\n\n@polytag.hookimpl\ndef polytag_tasks():\n    return [{tasks}]\n"


def test_a_broken_plugin_is_reported_and_the_command_goes_on(command, install, corpus, ner_run: TrainResult):
    install("acme", "raise RuntimeError('no [licence]')")
    report = "Not loaded: plugin 'acme' (acme 1.0): its import raised RuntimeError: no [licence] (plugin_of_acme.py, "
    done = command("evaluate", ner_run.output, "--corpus", corpus, "--json")
    assert (done.status, json.loads(done.out)["words"]) == (0, 5)
    assert done.err.startswith(report)
    done = command("predict", ner_run.output, stdin=b"Peter sleeps.\n")
    assert (done.status, json.loads(done.out)["text"]) == (0, "Peter sleeps.")
    assert done.err.startswith(report)
    done = command("tasks", "--json")
    assert {"ner", "pos", "chunk"} <= {task["name"] for task in json.loads(done.out)}
    assert done.err.startswith(report)
    done = command("plugins")
    assert (done.status, done.err) == (0, "")
    assert "broken" in done.out
    assert "[licence]" in done.out


def test_asking_for_something_of_a_broken_plugin_points_at_it(refused, install, corpus):
    install("acme", "raise RuntimeError('no licence')")
    message = refused(*train(corpus, "--task", "acme.skills"), notes=1)
    assert "no task named 'acme.skills'" in message
    assert "plugin 'acme' (acme 1.0)" in message
    assert "`polytag plugins` shows why" in message


def test_two_plugins_that_claim_one_name_are_both_named(command, refused, install, corpus, ner_run: TrainResult):
    install("one", tasks_of("ner", "one.task"))
    install("two", tasks_of("same.task"))
    install("three", tasks_of("same.task"))
    message = refused(*train(corpus))
    assert "Several plugins provide a task named 'ner'" in message
    assert "plugin 'ner' (polytag" in message
    assert "plugin 'one' (one 1.0)" in message
    assert "POLYTAG_DISABLE_PLUGINS" in message
    # Who does not ask for the name is not troubled, and the rest of the plugin works.
    assert command("predict", ner_run.output, stdin=b"Peter sleeps.\n").status == 0
    assert "is not empty" in refused("train", "-t", "one.task", "-c", corpus, "-o", corpus.parent.parent)
    listed = command("tasks", "--json")
    providers = [task["provider"] for task in json.loads(listed.out) if task["name"] == "same.task"]
    assert sorted(providers) == ["three 1.0 (three)", "two 1.0 (two)"]
