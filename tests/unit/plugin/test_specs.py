"""Every hook is documented with an example that works, and has a test of its own here."""

import ast
import inspect
import re
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pluggy
import pytest

import polytag
from polytag import RunInfo
from polytag.plugin import specs

HOOKS = [name for name in vars(specs) if name.startswith("polytag_")]
RUN = RunInfo(tasks=("ner",), corpus="sample", encoder="compact", output="out")


def example(hook: str) -> SimpleNamespace:
    """What the example in a hook's docstring defines."""
    (block,) = re.findall(r"```python\n(.*?)```", inspect.getdoc(getattr(specs, hook)) or "", re.DOTALL)
    names: dict[str, object] = {"polytag": polytag}
    exec(textwrap.dedent(block), names)
    return SimpleNamespace(**names)


def called(hook: str, **arguments: object) -> list[object]:
    """Register the example as a plugin, and call the hook."""
    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    manager.register(example(hook), name="example")
    manager.check_pending()
    results = getattr(manager.hook, hook)(**arguments)
    return [item for result in results for item in result]


def test_every_hook_has_a_test_here():
    tested = {name.removeprefix("test_hook_") for name in globals() if name.startswith("test_hook_")}
    assert tested == set(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_says_what_it_is_for(hook):
    first = (inspect.getdoc(getattr(specs, hook)) or "").splitlines()[0]
    assert first.endswith(".")
    assert isinstance(ast.parse(inspect.getsource(getattr(specs, hook))).body[0], ast.FunctionDef)


def test_hook_polytag_tasks(registry):
    (task,) = called("polytag_tasks")
    assert isinstance(task, polytag.Task)
    assert task.scheme in registry.schemes


def test_hook_polytag_label_schemes():
    (scheme,) = called("polytag_label_schemes")
    assert isinstance(scheme, polytag.LabelScheme)
    tags = ["B-X", "I-X", "E-X", "W-X"]
    assert scheme.tags(scheme.spans(tags), 4) == tags


def test_hook_polytag_alignments():
    (strategy,) = called("polytag_alignments")
    assert isinstance(strategy, polytag.AlignmentStrategy)
    word_ids = np.array([0, 0, 0, 1], np.int32)
    labels = strategy.to_subwords(np.array([3, 5], np.int32), word_ids, np.arange(6, dtype=np.int32))
    assert labels.tolist() == [3, polytag.IGNORE, 3, 5]
    assert strategy.to_words(np.eye(4, dtype=np.float32), word_ids, 2).argmax(axis=1).tolist() == [2, 3]


def test_hook_polytag_metrics(registry):
    (metric,) = called("polytag_metrics")
    assert isinstance(metric, polytag.Metric)
    scores = metric.compute([["A", "B"], ["A"]], [["A", "B"], ["B"]], registry.schemes["flat"])
    assert scores.overall[metric.headline] == 0.5


def test_hook_polytag_readers(tmp_path: Path):
    (reader,) = called("polytag_readers")
    (tmp_path / "train.slash").write_text("Anna/B-PER left/O\n1/2/O\n", encoding="utf-8")
    source = polytag.Source("here", tmp_path, {"train": [tmp_path / "train.slash"]})
    assert reader.accepts(source)
    read = list(polytag.sentences_of(reader.read(source)["train"]))
    assert [sentence.words for sentence in read] == [["Anna", "left"], ["1/2"]]
    assert read[0].tags == {"tags": ["B-PER", "O"]}


def test_hook_polytag_encoders():
    (provider,) = called("polytag_encoders")
    assert isinstance(provider, polytag.EncoderProvider)
    assert provider.accepts("characters")
    assert not provider.accepts("bert-base-cased")
    with pytest.raises(ModuleNotFoundError, match="acme_characters"):
        provider.create("characters")


def test_hook_polytag_splitters():
    (splitter,) = called("polytag_splitters")
    assert isinstance(splitter, polytag.Splitter)
    text = "[db] user=anna\nok"
    sentences = splitter.split(text)
    assert [[word.text for word in words] for words in sentences] == [["[", "db", "]", "user", "=", "anna"], ["ok"]]
    assert all(text[word.start : word.end] == word.text for words in sentences for word in words)


def test_hook_polytag_heads():
    (head,) = called("polytag_heads")
    assert isinstance(head, polytag.Head)
    gold = np.array([0, 1, 0], np.int32)
    sure, doubtful = (np.asarray(head.loss(size * np.eye(2, dtype="f")[gold], gold, {}, None)) for size in (5, 1))
    assert (sure < doubtful / 100).all()


def test_hook_polytag_train_begin(capsys):
    called("polytag_train_begin", run=RUN)
    assert capsys.readouterr().out == "training ('ner',) on sample\n"


def test_hook_polytag_epoch_end(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for epoch in (1, 2):
        called("polytag_epoch_end", run=RUN, epoch=epoch, scores={"ner f1": 0.5})
    assert (tmp_path / "scores.log").read_text() == "1 {'ner f1': 0.5}\n2 {'ner f1': 0.5}\n"


def test_hook_polytag_train_end(capsys):
    called("polytag_train_end", run=RUN, scores={"ner f1": 0.5})
    assert capsys.readouterr().out == "done: out {'ner f1': 0.5}\n"
