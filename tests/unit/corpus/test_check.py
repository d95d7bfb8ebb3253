"""Checking corpora: what is found, how grave it is, and where it stands."""

import json
import subprocess
import sys
import time
from io import StringIO

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from polytag import PolytagError, load_corpus
from polytag.cli.corpus import app
from polytag.corpus.check.check import check
from polytag.corpus.check.findings import plain_lines, render
from polytag.errors import UnknownNameError

GOOD = "EU B-ORG\nrejects O\n\nPeter B-PER\nBlackburn I-PER\n\nthe O\nEU B-ORG\nand O\nPeter B-PER\n"


def corpus_of(folder, text, name="train.conll"):
    (folder / name).write_text(text, encoding="utf-8")
    return load_corpus(str(folder / name))


def rows_of(folder, *rows, name="train.jsonl"):
    return corpus_of(folder, "".join(json.dumps(row) + "\n" for row in rows), name)


def found(corpus, code, **options):
    return [finding for finding in check(corpus, **options) if finding.code == code]


def only(corpus, code, **options):
    (finding,) = found(corpus, code, **options)
    return finding


def run(*arguments):
    polytag = typer.Typer()
    polytag.add_typer(app, name="corpus")
    return CliRunner().invoke(polytag, ["corpus", "check", *map(str, arguments)])


def test_nothing_but_notes_about_a_good_corpus(tmp_path):
    findings = check(corpus_of(tmp_path, GOOD * 3))
    assert [(finding.severity, finding.code) for finding in findings] == [("note", "rare-labels")]


# Tags


def test_an_invalid_transition_is_an_error_at_its_line(tmp_path):
    finding = only(corpus_of(tmp_path, GOOD + "\na O\nb O\nc O\nd I-PER\ne O\n"), "invalid-transition")
    assert (finding.severity, finding.count, finding.column) == ("error", 1, "tags")
    assert finding.places == (("train.conll:15", "b/O c/O d/I-PER e/O"),)
    assert "'iob2'" in finding.message


def test_the_declared_scheme_judges_transitions(tmp_path):
    corpus = corpus_of(tmp_path, GOOD)
    assert not found(corpus, "invalid-transition", corpus_scheme="iob2")
    assert only(corpus, "invalid-transition", corpus_scheme="iob1").count == 4
    with pytest.raises(UnknownNameError):
        check(corpus, corpus_scheme="iob3")


def test_columns_without_spans_have_no_transitions_even_if_a_scheme_is_declared(tmp_path):
    assert not found(corpus_of(tmp_path, "a NN\nb VB\nc NN\nd VB\n"), "invalid-transition", corpus_scheme="iob2")


def test_tags_seen_once(tmp_path):
    finding = only(corpus_of(tmp_path, GOOD + "\nx B-LOC\n"), "tag-once")
    assert "B-LOC" in finding.message
    assert "I-PER" in finding.message
    assert "B-ORG" not in finding.message
    assert finding.count == 2
    assert finding.places[1].location == "train.conll:12"


@pytest.mark.parametrize(
    ("text", "rare", "frequent"),
    [
        (GOOD + "\nx B-Per\ny I-Per\n", "Per", "PER"),
        ("a NN\n" * 2 + "b nn\n", "nn", "NN"),
        ("a ADJ_F\n" * 2 + "b ADJ-F\n", "ADJ-F", "ADJ_F"),
        ("a NOUN\n" * 300 + "b NUON\n", "NUON", "NOUN"),
        ("a B-PERSON\n" * 300 + "b B-PESON\n", "PESON", "PERSON"),
    ],
)
def test_names_that_are_nearly_the_same(tmp_path, text, rare, frequent):
    finding = only(corpus_of(tmp_path, text), "near-duplicate-tags")
    assert finding.message.startswith(f"{rare!r} (")
    assert f"and {frequent!r}" in finding.message
    assert finding.places


def test_only_columns_that_a_task_can_train_have_names(tmp_path):
    tags = ["NN"] * 2 + ["nn"]
    row = {"tokens": ["a", "b", "c"], "pos_tags": tags, "lemma_of_the_noun": tags}
    assert [finding.column for finding in found(rows_of(tmp_path, row), "near-duplicate-tags")] == ["pos_tags"]


@pytest.mark.parametrize("prefix", ["", "B-"])
def test_a_column_with_thousands_of_labels_gets_one_line(tmp_path, prefix):
    corpus = corpus_of(tmp_path, "".join(f"w{number} {prefix}l{number}\n" for number in range(3000)) + "b O\n" * 3000)
    findings = [finding for finding in check(corpus) if finding.column == "tags"]
    assert [(finding.code, finding.severity) for finding in findings] == [("many-tags", "warning")]
    assert findings[0].message.startswith("3,00")
    assert "is it the right column?" in findings[0].message


def test_places_are_those_that_come_first(tmp_path):
    corpus = corpus_of(tmp_path, "a NN\nb VB\nc nn\nd NN\ne nn\n\nf nn\ng NN\nh nn\n" + "i NN\n" * 9)
    finding = only(corpus, "near-duplicate-tags", examples=3)
    assert [place.location for place in finding.places] == ["train.conll:3", "train.conll:5", "train.conll:7"]


@pytest.mark.parametrize(
    "tags",
    ["NN NNS", "WP WP$", "PDT DT", "'' ``", "VB VBZ VBD VBN", "B-PER B-LOC I-PER", "V3S V3P", "NOUN PRON"],
)
def test_names_that_are_told_apart_on_purpose(tmp_path, tags):
    first, *others = tags.split()
    text = f"a {first}\n" * 2000 + "".join(f"b {tag}\n" * 19 for tag in others)
    assert not found(corpus_of(tmp_path, text), "near-duplicate-tags")


def test_digits_tell_rare_tags_apart(tmp_path):
    assert not found(corpus_of(tmp_path, "a V3S\n" * 2000 + "b V1S\n"), "near-duplicate-tags")


def test_tags_that_training_does_not_have(tmp_path):
    (tmp_path / "test.conll").write_text("a B-LOC\nb I-LOC\n\nc O\nd B-PER\n")
    (tmp_path / "train.conll").write_text(GOOD)
    finding = only(load_corpus(str(tmp_path)), "unseen-in-training")
    assert (finding.severity, finding.count) == ("warning", 2)
    assert finding.message.startswith("test has LOC, which never occurs")
    assert finding.places[0] == ("test.conll:1", "a/B-LOC b/I-LOC")


def test_only_the_type_counts_not_the_prefix(tmp_path):
    # Training of IOB1 that lacks B-PER writes it once it is in another scheme.
    (tmp_path / "train.conll").write_text("a I-PER\nb O\n")
    (tmp_path / "test.conll").write_text("a I-PER\nb B-PER\n")
    assert not found(load_corpus(str(tmp_path)), "unseen-in-training")


def test_rare_labels(tmp_path):
    spans = only(corpus_of(tmp_path, "a B-X\n\n" * 10 + "a B-Y\n\n" * 9), "rare-labels")
    assert "Y (9)" in spans.message
    assert "X" not in spans.message.split(":")[0]
    flat = only(corpus_of(tmp_path, "a NN\n" * 1999 + "b UH\n"), "rare-labels")
    assert "UH (1)" in flat.message
    assert not found(corpus_of(tmp_path, "a NN\n" * 1998 + "b UH\n" * 2), "rare-labels")


def test_words_without_annotation_are_counted_and_are_no_tag(tmp_path):
    corpus = corpus_of(tmp_path, GOOD * 3 + "\na -\nb I-ORG\n")
    finding = only(corpus, "unannotated")
    assert (finding.severity, finding.count) == ("note", 1)
    assert finding.places[0].example == "a/- b/I-ORG"
    assert not found(corpus, "invalid-transition")


# Sentences


def test_sentences_tagged_differently_within_and_across_splits(tmp_path):
    (tmp_path / "train.conll").write_text("a O\nb B-X\n\na O\nb O\n\nc B-X\n\nd O\n\nd O\n")
    (tmp_path / "test.conll").write_text("c O\n\nd O\n\na O\nb -\n")
    finding = only(load_corpus(str(tmp_path)), "tagged-differently")
    assert (finding.severity, finding.count) == ("warning", 2)
    assert "(1 within a split, 1 across splits)" in finding.message
    assert finding.places[0] == ("train.conll:2", "a/O b/B-X  but train.conll:5: a/O b/O")
    assert finding.places[1] == ("train.conll:7", "c/B-X  but test.conll:1: c/O")


def test_sentences_shared_with_training_are_counted_for_each_split(tmp_path):
    long = "".join(f"w{i} O\n" for i in range(10))
    (tmp_path / "train.conll").write_text(f"x B-X\n\n{long}\n1 O\n0 O\n")
    (tmp_path / "dev.conll").write_text(f"1 O\n0 O\n\n{long}\ny O\n\nz O\n")
    (tmp_path / "test.conll").write_text("q O\n")
    finding = only(load_corpus(str(tmp_path)), "shared-with-training")
    assert (finding.severity, finding.count) == ("warning", 2)
    assert (
        "2 of 4 sentences of validation (50.0%) also occur in train, 1 of them with 10 words or more" in finding.message
    )
    assert finding.places[0].location == "dev.conll:4"
    assert finding.places[0].example == "w0 w1 w2 w3 w4 w5 w6 w7 …"


def test_long_sentences_and_documents(tmp_path):
    text = "-DOCSTART- O\n\n" + "a O\n" * 513 + "\n-DOCSTART- O\n\n" + ("b O\n" * 512 + "\n") * 20
    corpus = corpus_of(tmp_path, text)
    sentence, document = only(corpus, "long-sentence"), only(corpus, "long-document")
    assert (sentence.count, sentence.places[0].location) == (1, "train.conll:3")
    assert (document.count, document.places[0].location) == (1, "train.conll:519")
    assert "10,240" in document.message


def test_documents_that_do_not_stand_together(tmp_path):
    corpus = rows_of(tmp_path, *({"tokens": ["a"], "x": ["N"], "document": name} for name in "aabab"))
    finding = only(corpus, "scattered-document")
    assert (finding.count, finding.places[0].location) == (2, "train.jsonl:4")


# Words


@pytest.mark.parametrize("word", ["", " ", "\u00a0", "\u200b", "\u200d", "\ufeff", "\x00", "\u00ad"])
def test_words_that_nobody_sees_are_errors(tmp_path, word):
    finding = only(rows_of(tmp_path, {"tokens": ["a", word], "x": ["N", "N"]}), "empty-word")
    assert (finding.severity, finding.count, finding.places[0].location) == ("error", 1, "train.jsonl:1, word 2")
    assert finding.places[0].example == f"a {word!a}"


@pytest.mark.parametrize("word", ["a\u200bb", "\ufeffa", "a\x07", "a\u00adb", "a\ufffd", "a\u200cb", "\u200da"])
def test_hidden_characters_are_warned_of(tmp_path, word):
    assert only(rows_of(tmp_path, {"tokens": [word], "x": ["N"]}), "hidden-character").severity == "warning"


@pytest.mark.parametrize("word", ["می\u200cخواهم", "क्\u200dष", "👩\u200d🚀", "naïve", "東京", "e\u0301"])
def test_what_belongs_into_words_of_other_scripts_is_no_finding(tmp_path, word):
    codes = {finding.code for finding in check(rows_of(tmp_path, {"tokens": [word], "x": ["N"]}))}
    assert not codes & {"hidden-character", "empty-word", "white-space-in-word"}


@pytest.mark.parametrize("word", ["New York", "10\u00a0000", "a\tb"])
def test_white_space_in_words(tmp_path, word):
    assert only(rows_of(tmp_path, {"tokens": [word], "x": ["N"]}), "white-space-in-word").count == 1


# Encoders


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"[UNK]": 0, "[PAD]": 1, "a": 2, "b": 3, "##b": 4}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    folder = tmp_path_factory.mktemp("checkpoint")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)
    return folder


def test_words_that_tokenise_to_nothing(tmp_path, checkpoint):
    corpus = rows_of(tmp_path, {"tokens": ["a", "\x01", "ab", "日", "日"], "x": ["N"] * 5})
    nothing = only(corpus, "no-subwords", encoder=str(checkpoint))
    assert (nothing.severity, nothing.count) == ("warning", 1)
    assert nothing.places == (("train.jsonl:1, word 2", "a '\\x01' ab 日"),)
    unknown = only(corpus, "unknown-to-encoder", encoder=str(checkpoint))
    assert (unknown.severity, unknown.count) == ("note", 2)
    assert not found(corpus, "no-subwords", encoder="compact")


def test_an_encoder_without_a_tokenizer_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PolytagError, match=r"has no fast tokenizer"):
        check(corpus_of(tmp_path, GOOD), encoder=str(tmp_path / "empty"))
    with pytest.raises(PolytagError, match=r"The encoder 'a b/c/d' does not exist"):
        check(corpus_of(tmp_path, GOOD), encoder="a b/c/d")


def test_no_tensorflow_is_loaded(tmp_path, checkpoint):
    corpus_of(tmp_path, GOOD)
    code = (
        "import sys; from polytag import load_corpus; from polytag.corpus.check.check import check; "
        "check(load_corpus(sys.argv[1]), encoder=sys.argv[2]); print('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "train.conll"), str(checkpoint)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "False"


# Showing


def test_the_command_exits_with_1_on_errors_alone(tmp_path):
    corpus_of(tmp_path, GOOD)
    good = run(tmp_path / "train.conll")
    assert good.exit_code == 0, good.output
    assert good.stdout.splitlines()[-1] == "0 errors, 1 warning, 1 note"
    corpus_of(tmp_path, GOOD + "\na I-PER\n", "dev.conll")
    bad = run(tmp_path / "dev.conll")
    assert bad.exit_code == 1
    assert bad.stdout.startswith("error: invalid-transition [tags]: 1 word has a tag")
    assert "    dev.conll:12: a/I-PER\n" in bad.stdout


def test_json_has_every_finding_with_its_first_place(tmp_path):
    corpus_of(tmp_path, GOOD + "\na I-PER\n\nb I-PER\n")
    result = run(tmp_path / "train.conll", "--json", "--examples", 1)
    assert result.exit_code == 1
    first = json.loads(result.stdout)["findings"][0]
    assert {key: first[key] for key in ("severity", "code", "count", "column", "location", "example")} == {
        "severity": "error",
        "code": "invalid-transition",
        "count": 2,
        "column": "tags",
        "location": "train.conll:12",
        "example": "a/I-PER",
    }
    assert len(first["places"]) == 1


def test_the_table_groups_by_severity_and_shows_markup_as_it_is(tmp_path):
    findings = check(corpus_of(tmp_path, GOOD + "\n[bold] I-PER\nx B-LOC\n"))
    console = Console(width=100, record=True, file=StringIO())
    console.print(render(findings))
    text = console.export_text()
    assert text.index("Errors") < text.index("Warnings") < text.index("Notes")
    assert "[bold]/I-PER" in text
    assert plain_lines(findings)[0].startswith("error: ")


def test_conll2003_in_a_few_seconds(conll2003):
    corpus = load_corpus(str(conll2003))
    began = time.process_time()
    findings = {(finding.code, finding.column, finding.message.split(" ")[0]): finding for finding in check(corpus)}
    assert time.process_time() - began < 15
    assert {(code, column): finding.count for (code, column, _), finding in findings.items() if column} == {
        ("invalid-transition", "ner_tags"): 2,
        ("tagged-differently", "ner_tags"): 11,
        ("rare-labels", "pos_tags"): 10,
    }
    assert findings["shared-with-training", None, "193"].count == 193
    assert findings["shared-with-training", None, "126"].count == 126
    assert findings["invalid-transition", "ner_tags", "2"].places[0].location == "eng.train:152428"
    assert len(findings) == 5
