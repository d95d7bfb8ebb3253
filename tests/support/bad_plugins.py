"""Plugins that do everything wrong, and what every command has to keep to in spite of them."""

from __future__ import annotations

import faulthandler
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.command import Done, call

SECONDS = 60
"""The longest time that a command may take; then the test process ends with a traceback."""
LONGEST = 1000
"""Characters of a message."""
NAME, DISTRIBUTION, VERSION, MODULE = "bad", "acme-bad", "6.6.6", "acme_bad_plugin"
SOURCE = f"plugin '{NAME}' ({DISTRIBUTION} {VERSION})"


def endured(*arguments: object, stdin: bytes = b"") -> Done:
    """Run a command, and check what holds whatever its input and its plugins are."""
    before = Path.cwd(), sys.stdin, sys.stdout, sys.stderr
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    try:
        done = call(*arguments, stdin=stdin)
    finally:
        faulthandler.cancel_dump_traceback_later()
    assert before == (Path.cwd(), sys.stdin, sys.stdout, sys.stderr)
    assert done.status in ((0, 1, 2) if arguments[:2] == ("corpus", "check") else (0, 2)), done.err[:2000]
    assert "Traceback" not in done.err
    assert "defect of polytag" not in done.err
    # A line of a message ends with a line feed alone: other characters that split lines may be part of a quotation.
    lines = done.err.rstrip("\n").split("\n")
    assert all(len(line) < LONGEST for line in lines), [len(line) for line in lines]
    if done.status == 2:
        assert lines[-1].startswith("polytag: "), done.err[:2000]
    if "--json" in arguments and done.out:
        json.loads(done.out, parse_constant=_refused)
    return done


def _refused(constant: str) -> None:
    raise AssertionError(f"{constant} in JSON")


def write_distribution(folder: Path, source: str) -> None:
    """Write the plugin, with its metadata, into a folder, which makes it installed where Python imports from there."""
    folder.mkdir(exist_ok=True)
    (folder / f"{MODULE}.py").write_text(source, encoding="utf-8")
    info = folder / f"acme_bad-{VERSION}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {VERSION}\n")
    (info / "entry_points.txt").write_text(f"[polytag]\n{NAME} = {MODULE}\n")


@contextmanager
def installed(folder: Path, source: str) -> Iterator[None]:
    """The plugin is installed, and all plugins are loaded as by a new process."""
    from polytag.plugin.manager import PluginManager, isolated

    write_distribution(folder, source)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        with isolated(PluginManager(environ={})):
            yield
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(MODULE, None)
        sys.dont_write_bytecode = written


FAILURES = {
    "raises": "raise RuntimeError('no licence')",
    "exits with success": "import sys; sys.exit(0)",
    "exits with a text": "raise SystemExit('bye')",
    "ends the command": "import typer; raise typer.Exit(0)",
    "raises what ends programs": "raise type('Stop', (BaseException,), {})('all of it')",
    "cannot be told": "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()",
    "exits when it is told": "raise type('Mute', (Exception,), {'__str__': lambda self: sys.exit(0)})()",
    "has causes in a circle": "a, b = ValueError('a'), KeyError('b'); a.__cause__, b.__cause__ = b, a; raise a",
    "talks too much": "raise ValueError('blah\\n' * 100_000)",
    "recurses": "fail()",
    "is cut short": "raise GeneratorExit",
    "prints first": "print('hello'); raise ValueError(chr(27) + '[31m' + chr(0xd800))",
    "goes away": "import os, tempfile; os.chdir(tempfile.gettempdir()); raise OSError(28, 'No space left on device')",
    "takes the streams": "sys.stdout = sys.stderr = sys.stdin = None; raise AttributeError",
    "asserts": "assert False",
}
"""What the function `fail` of a plugin does."""

_BEGIN = "import sys\nimport numpy as np\nimport polytag\n\ndef fail(*_, **__):\n    {failure}\n\n"
_HOOK = "\n@polytag.hookimpl\ndef {hook}({arguments}):\n    {body}\n"
_SCHEME = (
    "class Bad(polytag.PrefixScheme):\n    name, first, inner, last, single = 'bad', 'B', 'Q', 'Q', 'B'\n    {body}\n"
)
_ALIGNMENT = (
    "class Bad(polytag.AlignmentStrategy):\n    name, summary = 'bad', ''\n"
    "    def to_subwords(self, labels, word_ids, continuation):\n"
    "        return polytag.labels_at(labels, word_ids, polytag.first_units(word_ids))\n"
    "    def to_words(self, scores, word_ids, n_words):\n"
    "        return polytag.scores_at(scores, word_ids, n_words, polytag.first_units(word_ids))\n"
    "    {body}\n"
)
_METRIC = (
    "class Bad(polytag.Metric):\n    name, summary, headline = 'bad', '', 'x'\n"
    "    def compute(self, gold, predicted, scheme):\n        return polytag.Scores({{'x': 1.0}})\n    {body}\n"
)
_READER = (
    "class Bad(polytag.Reader):\n    name, summary = 'bad', ''\n    def accepts(self, source):\n        return False\n"
    "    def read(self, source):\n        return None\n    {body}\n"
)
_SPLITTER = (
    "class Bad(polytag.Splitter):\n    name, summary = 'bad', ''\n"
    "    def split(self, text):\n        return []\n    {body}\n"
)
_ENCODER = (
    "class Bad(polytag.EncoderProvider):\n    name, summary = 'bad', ''\n"
    "    defaults = polytag.TrainingDefaults(1, 8, 1e-3, 0.0, 0.0)\n"
    "    def accepts(self, reference):\n        return False\n    def create(self, reference):\n        return None\n"
    "    def restore(self, folder):\n        return None\n    {body}\n"
)


def _part(template: str, hook: str, body: str, failure: str = "pass") -> str:
    """A plugin with one contribution, whose class has `body`."""
    made = template.format(body=body)
    return _BEGIN.format(failure=failure) + made + _HOOK.format(hook=hook, arguments="", body="return [Bad()]")


@dataclass(frozen=True)
class Bad:
    """A plugin, the command that it must not break, and what the command has to say about it.

    Attributes:
        source: The code of the plugin.
        command: The command; `{corpus}`, `{tagger}`, `{split}` (a tagger with its splitter), `{aligned}` (one with its
            alignment) and `{out}` stand for paths.
        status: The exit status.
        said: Text on stderr, besides the name, distribution and version of the plugin.
        saves: Whether the command has already written its output when the plugin fails.
    """

    source: str
    command: str
    status: int
    said: str = ""
    saves: bool = False

    def check(self, paths: dict[str, Path]) -> None:
        """Run the command, and check what it says."""
        arguments = [part.format(**paths) for part in self.command.split()]
        done = endured(*arguments, stdin=b"Peter lives in Paris.\n")
        assert done.status == self.status, done
        assert SOURCE in done.err, done.err
        assert self.said in done.err, done.err
        assert "hello" not in done.out


_LISTS = "tasks --json"
_DESCRIBES = "corpus describe {corpus} --json"
_CONVERTS = "corpus convert {corpus} {out} --scheme bad"
_READS = "corpus describe {corpus} --reader bad"
_SCORES = "evaluate {tagger} --corpus {corpus} --metric bad --json"
_SPLITS = "predict {split} -"
_ALIGNS = "predict {aligned} -"
_TRAINS = "train --task ner --corpus {corpus} --output {out} --epochs 1"

_PLACES: dict[str, Callable[[str], Bad]] = {
    "import": lambda f: Bad(_BEGIN.format(failure=f) + "fail()\n", _LISTS, 0, "its import raised"),
    "hook": lambda f: Bad(
        _BEGIN.format(failure=f) + _HOOK.format(hook="polytag_tasks", arguments="", body="fail()"),
        _LISTS,
        0,
        "its hook polytag_tasks raised",
    ),
    "accepts": lambda f: Bad(
        _part(_READER, "polytag_readers", "accepts = fail", f), _DESCRIBES, 0, "Left out: the reader 'bad'"
    ),
    "read": lambda f: Bad(_part(_READER, "polytag_readers", "read = fail", f), _READS, 2, "its reader 'bad' raised"),
    "scheme": lambda f: Bad(
        _part(_SCHEME, "polytag_label_schemes", "allows = fail", f), _DESCRIBES, 0, "its label scheme 'bad' raised"
    ),
    "metric": lambda f: Bad(
        _part(_METRIC, "polytag_metrics", "compute = fail", f), _SCORES, 2, "its metric 'bad' raised"
    ),
    "splitter": lambda f: Bad(
        _part(_SPLITTER, "polytag_splitters", "split = fail", f), _SPLITS, 2, "The splitter 'bad'"
    ),
    "alignment": lambda f: Bad(_part(_ALIGNMENT, "polytag_alignments", "reads = fail", f), _ALIGNS, 2, "raised"),
}


def _registered(body: str, hook: str = "polytag_tasks") -> Bad:
    source = _BEGIN.format(failure="pass") + _HOOK.format(hook=hook, arguments="", body=body)
    return Bad(source, _LISTS, 0, f"its hook {hook} r")


def _task(**changes: str) -> Bad:
    fields = {
        "name": "'bad.task'",
        "summary": "''",
        "columns": "('x',)",
        "scheme": "'iob2'",
        "alignment": "'first'",
        "metrics": "('spans',)",
    } | changes
    return _registered(f"return [polytag.Task({', '.join(f'{name}={value}' for name, value in fields.items())})]")


def _contribution(template: str, hook: str, body: str, command: str = _LISTS, status: int = 0, said: str = "") -> Bad:
    return Bad(_part(template, hook, body), command, status, said)


_WRONG = {
    "no list": _registered("return 3"),
    "endless": _registered(
        "import itertools; return (polytag.Task(f'bad.{n}', '', ('x',), 'iob2', 'first', ('spans',)) "
        "for n in itertools.count())"
    ),
    "other type": _registered("return ['ner']"),
    "a class": _registered("return [polytag.Task]"),
    "lies about its class": _registered("return [type('Liar', (), {'__class__': property(lambda self: 1 / 0)})()]"),
    "task in a hook for metrics": _registered(
        "return [polytag.Task('bad.t', '', ('x',), 'iob2', 'first', ('spans',))]", "polytag_metrics"
    ),
    "number as name": _task(name="3"),
    "empty name": _task(name="''"),
    "long name": _task(name="'x' * 5000"),
    "control characters in a name": _task(name="'bad\\x1b[31m'"),
    "text as columns": _task(columns="'ner_tags'"),
    "no columns": _task(columns="()"),
    "numbers as columns": _task(columns="(1, 2)"),
    "no metrics": _task(metrics="()"),
    "None as scheme": _task(scheme="None"),
    "labels twice": _task(labels="('O', 'O')"),
    "numbers as labels": _task(labels="(1, 2)"),
    "text as examples": _task(examples="'Anna left.'"),
    "summary that is no text": _task(summary="7"),
    "unprintable value": _task(summary="type('V', (), {'__repr__': lambda self: 1 / 0})()"),
    "name that raises": _contribution(_METRIC, "polytag_metrics", "name = property(lambda self: 1 / 0)"),
    "endings as text": _contribution(_READER, "polytag_readers", "endings = '.conll'"),
    "companions as number": _contribution(_READER, "polytag_readers", "companions = 3"),
    "headline as number": _contribution(_METRIC, "polytag_metrics", "headline = 3"),
    "no headline": _contribution(_METRIC, "polytag_metrics", "headline = None"),
    "defaults as dict": _contribution(_ENCODER, "polytag_encoders", "defaults = {}"),
    "NaN as learning rate": _contribution(
        _ENCODER, "polytag_encoders", "defaults = polytag.TrainingDefaults(1, 8, float('nan'), 0.0, 0.0)"
    ),
    "unknown hook": Bad(
        _part(_METRIC, "polytag_metricz", "pass"), _LISTS, 0, "it does not fit the hook specifications: PluginVal"
    ),
    "another contract": Bad("POLYTAG_PLUGIN_API = 10 ** 5000\n", _LISTS, 0, "version"),
    "attributes that raise": Bad("def __getattr__(name):\n    raise SystemExit(0)\n", _LISTS, 0),
    "reads nothing": _contribution(_READER, "polytag_readers", "pass", _READS, 2, "gave None"),
    "reads numbers": _contribution(
        _READER,
        "polytag_readers",
        "read = lambda self, source: {'train': polytag.SentenceTable(((1,),), {'t': (('O',),)}, None, ('',))}",
        _READS,
        2,
        "words that are not strings",
    ),
    "reads lists": _contribution(
        _READER, "polytag_readers", "read = lambda self, source: {'train': [1]}", _READS, 2, "gave [1]"
    ),
    "reads a split without name": _contribution(
        _READER, "polytag_readers", "read = lambda self, source: {None: 1}", _READS, 2, "a split named None"
    ),
    "accepts maybe": _contribution(
        _READER, "polytag_readers", "accepts = lambda self, source: np.zeros(3)", _DESCRIBES, 0, "Left out"
    ),
    "scores None": _contribution(_METRIC, "polytag_metrics", "compute = fail", _SCORES, 2, "gave None"),
    "scores NaN": _contribution(
        _METRIC,
        "polytag_metrics",
        "compute = lambda self, *_: polytag.Scores({'x': float('nan')})",
        _SCORES,
        2,
        "is finite",
    ),
    "scores texts": _contribution(
        _METRIC, "polytag_metrics", "compute = lambda self, *_: polytag.Scores({'x': '1'})", _SCORES, 2
    ),
    "lacks its headline": _contribution(
        _METRIC, "polytag_metrics", "compute = lambda self, *_: polytag.Scores({'y': 1.0})", _SCORES, 2, "KeyError"
    ),
    "tags None": _contribution(
        _SCHEME, "polytag_label_schemes", "tags = fail", _CONVERTS, 2, "its label scheme 'bad' gave None from tags()"
    ),
    "spans beyond the words": _contribution(
        _SCHEME,
        "polytag_label_schemes",
        "spans = lambda self, tags: [polytag.Span(0, 99, 'X')]",
        _CONVERTS,
        2,
        "from spans()",
    ),
    "refuses every span": _contribution(
        _SCHEME,
        "polytag_label_schemes",
        "def tags(self, spans, length):\n        raise polytag.PolytagError('no')",
        _DESCRIBES,
        0,
        "Left out",
    ),
    "fails later": _contribution(
        _SCHEME,
        "polytag_label_schemes",
        "def tags(self, spans, length):\n        return super().tags(spans, length) if length < 4 else 1 / 0",
        _CONVERTS,
        2,
        "it raised ZeroDivisionError",
    ),
    "aligns to nothing": _contribution(
        _ALIGNMENT, "polytag_alignments", "to_words = fail", _ALIGNS, 2, "gave None from to_words()"
    ),
    "aligns to labels that do not exist": _contribution(
        _ALIGNMENT,
        "polytag_alignments",
        "to_subwords = lambda self, labels, word_ids, continuation: word_ids + 7",
        _ALIGNS,
        2,
        "which are not labels",
    ),
    "aligns to NaN": _contribution(
        _ALIGNMENT,
        "polytag_alignments",
        "to_words = lambda self, scores, ids, n: np.full((n, scores.shape[1]), np.nan, np.float32)",
        _ALIGNS,
        2,
        "scores that are not finite",
    ),
    "aligns long texts to nothing": _contribution(
        _ALIGNMENT,
        "polytag_alignments",
        "to_words = lambda self, scores, ids, n: scores[:2] if n == 2 else scores[:4]",
        _ALIGNS,
        2,
        "and not an array of the shape (5, ",
    ),
    "splits into None": _contribution(_SPLITTER, "polytag_splitters", "split = fail", _SPLITS, 2, "TypeError"),
    "splits into other words": _contribution(
        _SPLITTER, "polytag_splitters", "split = lambda self, text: [[polytag.Word('x', 0, 1)]]", _SPLITS, 2, "not in"
    ),
    "splits without end": _contribution(
        _SPLITTER,
        "polytag_splitters",
        "def split(self, text):\n        while True:\n            yield []",
        _SPLITS,
        2,
        "more sentences than characters",
    ),
    "encoder of no type": _contribution(
        _ENCODER, "polytag_encoders", "pass", _TRAINS + " --encoder bad", 2, "gave None and not an object of the type"
    ),
    "encoder that exits": _contribution(
        _ENCODER,
        "polytag_encoders",
        "create = lambda self, reference: sys.exit(0)",
        _TRAINS + " --encoder bad",
        2,
        "its encoder 'bad' raised SystemExit",
    ),
    "encoder that will not answer": _contribution(
        _ENCODER,
        "polytag_encoders",
        "accepts = lambda self, reference: 1 / 0",
        "corpus check {corpus} --encoder nowhere/at/all/x",
        2,
        "Left out: the encoder 'bad'",
    ),
    "observer that exits": Bad(
        _BEGIN.format(failure="sys.exit(0)") + _HOOK.format(hook="polytag_train_begin", arguments="run", body="fail()"),
        _TRAINS,
        2,
        "its hook polytag_train_begin raised SystemExit",
    ),
}

_OBSERVERS: dict[str, Bad] = {
    f"observer at {hook}: {failure}": Bad(
        _BEGIN.format(failure=FAILURES[failure])
        + _HOOK.format(hook=f"polytag_{hook}", arguments=arguments, body="print('hello'); fail()"),
        _TRAINS,
        2,
        f"its hook polytag_{hook} raised",
        saves=hook == "train_end",
    )
    for hook, arguments in (("epoch_end", "run, epoch, scores"), ("train_end", "run, scores"))
    for failure in ("raises", "exits with success", "prints first", "takes the streams")
}

LOUD: dict[str, str] = {
    "predict {split} -": _part(
        _SPLITTER,
        "polytag_splitters",
        "def split(self, text):\n        print('hello')\n        return [[polytag.Word(text[:5], 0, 5)]]",
    ),
    "evaluate {aligned} --corpus {corpus} --json": _part(
        _ALIGNMENT,
        "polytag_alignments",
        "def to_words(self, scores, word_ids, n_words):\n        print('hello')\n"
        "        return polytag.scores_at(scores, word_ids, n_words, polytag.first_units(word_ids))",
    ),
}
"""Commands, each with a sound plugin that prints while texts are tagged."""

PLUGINS: dict[str, Bad] = (
    {f"{place}: {failure}": make(code) for place, make in _PLACES.items() for failure, code in FAILURES.items()}
    | _WRONG
    | _OBSERVERS
)
