"""CSV files: which column is what, where sentences end, and what quotation marks are."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from polytag import UNANNOTATED, CorpusError, load_corpus

TEXT = "sentence,word,ner\n1,Anna,B-PER\n1,slept,O\n2,Ulm,B-LOC\n"


def table(folder: Path, text: str, name: str = "train.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return str(folder / name)


def error_of(source: str, **options: object) -> str:
    with pytest.raises(CorpusError) as caught:
        load_corpus(source, **options)
    return str(caught.value)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_header_names_words_tags_and_sentences(tmp_path, separator):
    corpus = load_corpus(table(tmp_path, TEXT.replace(",", separator)))
    assert corpus.reader == "csv"
    assert corpus.words("train") == [["Anna", "slept"], ["Ulm"]]
    assert corpus.tags("train", "ner") == [["B-PER", "O"], ["B-LOC"]]
    assert corpus.locate("train", 1) == "train.csv:4"


def test_a_sentence_may_be_numbered_on_its_first_row_only(tmp_path):
    text = ",Sentence #,Word,POS,Tag\n0,Sentence: 1,Anna,NNP,B-PER\n1,,slept,VBD,O\n2,Sentence: 2,Ulm,NNP,\n"
    corpus = load_corpus(table(tmp_path, text))
    assert corpus.columns == ("POS", "Tag"), "the first column numbers the rows"
    assert corpus.words("train") == [["Anna", "slept"], ["Ulm"]]
    assert corpus.tags("train", "Tag") == [["B-PER", "O"], [UNANNOTATED]]


@pytest.mark.parametrize("empty", ["", ",", " , "])
def test_empty_rows_separate_sentences(tmp_path, empty):
    text = f"token,tags\nAnna,B-PER\n{empty}\n{empty}\nslept,O\n"
    assert load_corpus(table(tmp_path, text)).words("train") == [["Anna"], ["slept"]]


def test_documents_are_numbered(tmp_path):
    text = "doc_id,sentence,word,ner\na,1,Anna,O\na,2,slept,O\nb,1,Ulm,O\nb,1,burns,O\n"
    corpus = load_corpus(table(tmp_path, text))
    assert corpus.documents("train") == [0, 0, 1]
    assert corpus.words("train")[2] == ["Ulm", "burns"]


def test_quoted_cells_keep_their_commas_and_line_ends(tmp_path):
    text = 'sentence,word,ner\n1,"Ulm, Donau",B-LOC\n1,"a\nb",O\n2,"say ""hi""",O\n'
    corpus = load_corpus(table(tmp_path, text))
    assert corpus.words("train") == [["Ulm, Donau", "a\nb"], ['say "hi"']]
    assert corpus.locate("train", 1) == "train.csv:5"


@pytest.mark.parametrize("rows", ['1,",O\n1,Anna,B-PER\n1,",O\n', '1,",O\n1,Anna,B-PER\n', '1,"Anna,B-PER\n1,",O\n'])
def test_quotation_marks_that_enclose_nothing_are_words(tmp_path, rows):
    words = load_corpus(table(tmp_path, f"sentence,word,ner\n{rows}")).words("train")[0]
    assert words == [row.split(",")[1] for row in rows.splitlines()]


def test_options_say_what_the_header_does_not(tmp_path):
    assert load_corpus(table(tmp_path, TEXT), columns="tokens,ner").columns == ("ner",)
    text = "1|Anna|B-PER\n1|slept|O\n"
    options = {"header": False, "separator": "|", "columns": "sentence,tokens,ner_tags"}
    corpus = load_corpus(table(tmp_path, text), **options)
    assert (corpus.words("train"), corpus.columns) == ([["Anna", "slept"]], ("ner_tags",))


def test_a_table_without_known_names_is_refused_and_the_options_named_help(tmp_path):
    source = table(tmp_path, "Satz,Wort,Etikett\n1,Anna,B-PER\n2,schlief,O\n")
    message = error_of(source)
    assert "train.csv:1: the first row (Satz, Wort, Etikett) names no column of words" in message
    assert "say --header and name the columns in their order: --columns sentence,tokens,ner_tags" in message
    assert "say --no-header" in message
    names = "sentence,tokens,ner_tags"
    assert load_corpus(source, header=True, columns=names).words("train") == [["Anna"], ["schlief"]]
    assert load_corpus(source, header=False, columns=names).words("train")[0] == ["Wort"]
    assert "needs the name of each of its 3 columns: --columns sentence,tokens" in error_of(source, header=False)
    assert "names no column of words. Name its 3 columns in their order" in error_of(source, header=True)


def test_where_nothing_ends_a_sentence_the_table_is_refused(tmp_path):
    source = table(tmp_path, "satz,word,ner\n" + "".join(f"{n // 9},w,O\n" for n in range(400)))
    message = error_of(source)
    assert "says where sentences end: no column is named `sentence`, and no row is empty" in message
    assert len(load_corpus(source, columns="sentence,tokens,ner_tags").words("train")) == 45, "as the message advises"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{TEXT}2,burns\n", "train.csv:5: the row '2,burns' has 2 cells, and the first row of"),
        (f"{TEXT}2,,O\n", "train.csv:5: the row '2,,O' has no word"),
        (f"{TEXT}2,{'w' * 500},O,x\n", f"the row '2,{'w' * 77}…' has 4 cells"),
        ("sentence,word\n1,a\n", "train.csv:1: the columns sentence, tokens name no tag column"),
        ("word,ner,ner\na,O,O\n", "train.csv:1: two of the columns tokens, ner, ner have the same name"),
    ],
)
def test_what_is_wrong_with_a_table_is_named_with_its_line(tmp_path, text, expected):
    assert expected in error_of(table(tmp_path, text))


def test_compressed_tables_and_other_encodings_are_read(tmp_path):
    text = TEXT.replace("Ulm", "Zürich")
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert load_corpus(str(tmp_path / "train.csv.gz")).words("train")[1] == ["Zürich"]
    (tmp_path / "dev.csv").write_bytes(text.encode("cp1252"))
    assert load_corpus(str(tmp_path / "dev.csv"), encoding="cp1252").words("validation")[1] == ["Zürich"]
    (tmp_path / "test.csv").write_bytes(text.replace("\n", "\r\n").encode("utf-16"))
    assert load_corpus(str(tmp_path / "test.csv")).words("test")[1] == ["Zürich"]


def test_a_table_in_another_encoding_is_refused_with_the_option_that_helps(tmp_path):
    text = "Sentence #,Word,POS,Tag\nSentence: 1,Zürich,NNP,B-geo\n,burns,VBZ,O\n"
    (tmp_path / "ner_dataset.csv").write_bytes(text.encode("latin-1"))
    source = str(tmp_path / "ner_dataset.csv")
    message = error_of(source)
    assert "ner_dataset.csv:2: byte 14 of this line (0xfc" in message
    assert "--encoding cp1252" in message
    assert load_corpus(source, encoding="cp1252").words("train") == [["Zürich", "burns"]]


def test_lists_in_cells_are_no_words(tmp_path):
    text = "tokens,ner_tags\n\"['Anna', 'slept']\",\"[1, 0]\"\n\"['Ulm']\",[5]\n"
    assert "train.csv:2: the cells hold lists, as in \"['Anna', 'slept']\"" in error_of(table(tmp_path, text))
    words = 'word,ner\n[1],O\n"[2, 3]",B-REF\n'
    assert load_corpus(table(tmp_path, words)).words("train") == [["[1]", "[2, 3]"]]


@pytest.mark.filterwarnings("error")  # no reader is left out as broken
def test_a_separator_of_several_characters_is_refused_as_for_column_files(tmp_path):
    for name in ("train.csv", "train.conll"):
        (tmp_path / name).write_text("token,label\nAnna,B-PER\n")
        with pytest.raises(CorpusError, match="--separator 'ab' is neither tab, space, comma, semicolon nor"):
            load_corpus(str(tmp_path / name), separator="ab")
