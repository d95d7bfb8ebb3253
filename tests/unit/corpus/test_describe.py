"""Describing corpora, as data and on the terminal."""

import json
from io import StringIO

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from polytag import load_corpus
from polytag.cli.corpus import app
from polytag.corpus.describe import describe, render

_TRAIN = """\
-DOCSTART- -X- O O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
German JJ B-NP B-MISC
call NN I-NP O
to TO B-VP O
boycott VB I-VP O
British JJ B-NP B-MISC
lamb NN I-NP O
. . O O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
"""
_TEST = "Japan NNP B-NP B-LOC\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.conll").write_text(_TRAIN)
    (tmp_path / "test.conll").write_text(_TEST)
    return tmp_path


def run(*arguments):
    polytag = typer.Typer()
    polytag.add_typer(app, name="corpus")
    return CliRunner().invoke(polytag, ["corpus", "describe", *map(str, arguments)])


def rendered(description, width):
    console = Console(width=width, record=True, file=StringIO())
    console.print(render(description))
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_sizes_schemes_and_counts(folder):
    description = describe(load_corpus(str(folder)))
    train, test = description.splits["train"], description.splits["test"]
    assert (train.documents, train.sentences, train.words, train.longest) == (1, 2, 11, 9)
    assert (test.documents, test.sentences, test.words, test.longest) == (None, 1, 1, 1)
    ner, pos = description.columns["ner_tags"], description.columns["pos_tags"]
    assert (ner.kind, ner.scheme, ner.violations, ner.labels) == ("strings", "iob2", 0, 6)
    assert ner.spans == {"train": {"MISC": 2, "ORG": 1, "PER": 1}, "test": {"LOC": 1}}
    assert (pos.scheme, pos.spans, pos.tags["train"]["NNP"]) == ("flat", {}, 3)


def test_the_example_shows_spans_in_a_sentence_that_fits_a_line(folder):
    lines = rendered(describe(load_corpus(str(folder))), width=80)
    assert lines[-5:] == [
        "Example: train.conll:3",
        "tokens      EU    rejects German call to   boycott British lamb .",
        "pos_tags    NNP   VBZ     JJ     NN   TO   VB      JJ      NN   .",
        "chunk_tags  B-NP  B-VP    B-NP   I-NP B-VP I-VP    B-NP    I-NP O",
        "ner_tags    B-ORG O       B-MISC O    O    O       B-MISC  O    O",
    ]


def test_the_example_wraps_between_words_at_the_width_of_the_terminal(folder):
    lines = rendered(describe(load_corpus(str(folder), columns=["tokens", "_", "_", "ner_tags"])), width=42)
    assert lines[-5:] == [
        "tokens    EU    rejects German call to",
        "ner_tags  B-ORG O       B-MISC O    O",
        "",
        "tokens    boycott British lamb .",
        "ner_tags  O       B-MISC  O    O",
    ]


def test_wide_characters_stay_aligned(tmp_path):
    (tmp_path / "a.conll").write_text("東京 B-LOC\nは O\n広い O\n")
    lines = rendered(describe(load_corpus(str(tmp_path / "a.conll"))), width=80)
    assert lines[-2:] == ["tokens  東京  は 広い", "tags    B-LOC O  O"]


def test_words_that_break_the_scheme_are_pointed_out(tmp_path):
    (tmp_path / "a.conll").write_text("a B-X\nb I-X\nc I-Y\n\nd B-X\n")
    text = " ".join(rendered(describe(load_corpus(str(tmp_path / "a.conll"))), width=200))
    assert "1 words violate the scheme; the first is in the sentence at a.conll:1, word 3: a/B-X b/I-X c/I-Y" in text


def test_markup_in_a_corpus_is_shown_as_it_is(tmp_path):
    (tmp_path / "a.conll").write_text("[bold] [red]\n")
    text = "\n".join(rendered(describe(load_corpus(str(tmp_path / "a.conll"))), width=80))
    assert "[bold]" in text
    assert "[red]" in text


def test_the_command_prints_tables_or_json(folder):
    shown = run(folder)
    assert shown.exit_code == 0, shown.output
    assert "ner_tags: strings, scheme iob2, 6 labels" in shown.stdout
    printed = json.loads(run(folder, "--json", "--split", "test", "--columns", "tokens,pos,_,_").stdout)
    assert list(printed["splits"]) == ["test"]
    assert printed["columns"]["pos"]["tags"] == {"test": {"NNP": 1}}
    assert printed["example"] == {"location": "test.conll:1", "words": ["Japan"], "tags": {"pos": ["NNP"]}}
