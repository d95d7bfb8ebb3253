"""No text and no corpus, however it is damaged, ends a command in any other way than well or with one paragraph."""

from itertools import product
from pathlib import Path
from random import Random

import pytest

from support.bad_plugins import endured
from support.hostile_inputs import BYTES, DAMAGES, FORMATS, TEXTS, as_json_lines, damaged, sound_corpora

_SEED = 18
_COMMANDS = (
    ("corpus", "check", "{corpus}", "--json"),
    ("corpus", "describe", "{corpus}", "--json"),
    ("corpus", "convert", "{corpus}", "{out}"),
    ("evaluate", "{tagger}", "--corpus", "{corpus}", "--json"),
)
_PREDICTIONS = (
    (),
    ("--input", "document", "--lines"),
    ("--input", "words"),
    ("--input", "conll"),
    ("--format", "conll"),
    ("--format", "doccano"),
    ("--format", "table"),
)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A sound corpus in each format."""
    return sound_corpora(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_tagged(name, ner_run):
    text = TEXTS[name]
    tagged = ner_run.tagger.tag(text)
    assert tagged.text == text
    assert [text[start:end] for start, end in tagged.offsets] == tagged.words
    assert all(0 <= score <= 1 for score in tagged.scores["ner"])


@pytest.mark.parametrize("name", [*TEXTS, *BYTES])
def test_hostile_input_is_tagged_or_refused(name, ner_run):
    data = BYTES[name] if name in BYTES else TEXTS[name].encode("utf-8", "surrogatepass")
    options = Random(f"{_SEED} {name}").choice(_PREDICTIONS)
    endured("predict", ner_run.output, "-", *options, stdin=data)
    if name in TEXTS:
        endured("predict", ner_run.output, "-", "--input", "jsonl", stdin=as_json_lines(TEXTS[name]))


@pytest.mark.parametrize(("format", "damage"), list(product(FORMATS, DAMAGES)))
def test_a_damaged_corpus_is_read_or_refused(format, damage, corpora, tmp_path, ner_run):
    random = Random(f"{_SEED} {format} {damage}")
    corpus = damaged(corpora[format], tmp_path / format, damage, random)
    paths = {"corpus": corpus, "tagger": ner_run.output, "out": tmp_path / "out"}
    endured(*(part.format(**paths) for part in random.choice(_COMMANDS)))
