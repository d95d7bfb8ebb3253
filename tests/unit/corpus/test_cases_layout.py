"""Column files of every layout are read right, or refused for the right reason: comments, index, header, order.

Each test begins with a case of `tests/data/cases`, and goes on with two more inputs of its kind.
"""

import pytest

from polytag import CorpusError
from support.cases import case, file_with, loaded, read, refusal, sentences, told

SLEPT = "Anna/B-PER Lund/I-PER slept/O"

# Comments


@pytest.mark.parametrize("name", ["comment-lines-with-blanks", "comment-line-with-tab"])
def test_lines_before_the_first_word_of_a_sentence_are_comments(name, tmp_path):
    commented, clean = loaded(case(name)), loaded(case("comment-lines-clean-copy"))
    assert set(sentences(commented, "ner_tags")) == {SLEPT}
    assert commented.fingerprint == clean.fingerprint
    assert "`#`" in told(case(name))

    indented = file_with(
        tmp_path, "# id 1\n# text = a b\n Anna B-PER\n left O\n\n# id 2\n\n# id 3\nBo B-PER\n", "a.conll"
    )
    assert read(indented) == ["Anna/B-PER left/O", "Bo/B-PER"]
    other = file_with(
        tmp_path, "% one\tof two\nAnna\tB-PER\nleft\tO\n\n% two\tof two\nBo\tB-PER\nslept\tO\n", "b.conll"
    )
    assert read(other, comments="%") == ["Anna/B-PER left/O", "Bo/B-PER slept/O"]


def test_words_that_look_like_comments_stay_words(tmp_path):
    inside = file_with(
        tmp_path, "# id 1\nSee VB\n# SYM\n1 CD\n\n# id 2\n#ulm SYM\nburns VBZ\n\n# id 3\nGo VB\n", "a.conll"
    )
    assert read(inside) == ["See/VB #/SYM 1/CD", "#ulm/SYM burns/VBZ", "Go/VB"]
    without = file_with(tmp_path, "See VB\n# SYM\n1 CD\n\n# SYM\n2 CD\n\n#ulm HT\n\nGo VB\n", "b.conll")
    assert read(without) == ["See/VB #/SYM 1/CD", "#/SYM 2/CD", "#ulm/HT", "Go/VB"]
    assert read(without, comments="none") == read(without)
    tabbed = file_with(tmp_path, "#\tSYM\n1\tCD\n\nGo\tVB\n", "c.conll")
    assert read(tabbed) == ["#/SYM 1/CD", "Go/VB"]


def test_a_comment_decides_neither_separator_nor_columns(tmp_path):
    corpus = loaded(case("comment-then-index-column"))
    assert set(sentences(corpus, "ner_tags")) == {"In/O Ulm/B-LOC schlief/O Anna/B-PER"}
    assert "index" in told(case("comment-then-index-column"))

    tab_in_comment = file_with(tmp_path, "#\ta\tb\tc\nAnna B-PER\nleft O\n\n#\ta\tb\td\nBo B-PER\n", "a.conll")
    assert read(tab_in_comment) == ["Anna/B-PER left/O", "Bo/B-PER"]
    spaces_in_comment = file_with(
        tmp_path, "# a b c\n1\tNew York\tB-LOC\n2\tburns\tO\n\n# a b d\n1\tBo\tB-PER\n", "b.conll"
    )
    assert read(spaces_in_comment) == ["New York/B-LOC burns/O", "Bo/B-PER"]


def test_the_clean_copy_of_a_commented_corpus_has_the_same_columns():
    clean = loaded(case("comment-lines-clean-copy"))
    assert set(sentences(clean, "ner_tags")) == {SLEPT}
    assert clean.columns == loaded(case("comment-lines-with-blanks")).columns


# Index columns


def test_a_column_that_counts_is_an_index(tmp_path):
    reference = case("index-column")
    assert set(read(reference, "ner_tags")) == {"In/O Ulm/B-LOC schlief/O Anna/B-PER"}
    assert set(read(reference, columns=["_", "tokens", "ner_tags", "_"])) == set(read(reference, "ner_tags"))

    from_zero = "0 Anna B-PER\n1 left O\n2 Ulm B-LOC\n\n0 Bo B-PER\n1 slept O\n"
    assert read(file_with(tmp_path, from_zero, "a.conll")) == ["Anna/B-PER left/O Ulm/B-LOC", "Bo/B-PER slept/O"]
    rows = (f"d{i // 2}\tAnna\tB-PER\nd{i // 2}\tleft\tO\n\n" for i in range(6))
    assert read(file_with(tmp_path, "".join(rows), "b.conll")) == ["Anna/B-PER left/O"] * 6


def test_words_that_count_by_chance_stay_words(tmp_path):
    corpus = file_with(tmp_path, "1 B-NUM\n2 O\n\n1 O\nAnna B-PER\n\nleft O\n", "a.conll")
    assert read(corpus) == ["1/B-NUM 2/O", "1/O Anna/B-PER", "left/O"]


def test_a_second_layer_of_spans_is_a_column_of_its_own(tmp_path):
    corpus = loaded(case("two-layers"))
    assert corpus.columns == ("ner_tags", "nested_tags")
    assert sentences(corpus, "ner_tags") == ["Universität/B-ORG Ulm/I-ORG baut/O", "Anna/B-PER schlief/O"]
    assert sentences(corpus, "nested_tags") == ["Universität/O Ulm/B-LOC baut/O", "Anna/O schlief/O"]
    assert "index, tokens, ner_tags, nested_tags" in told(case("two-layers"))
    given = loaded(case("two-layers"), columns=["_", "tokens", "outer", "inner"])
    assert given.columns == ("outer", "inner")

    rows = "1 Bank B-ORG O\n2 of I-ORG O\n3 Ulm I-ORG B-LOC\n4 . O O\n\n1 Bo B-PER O\n2 left O O\n\n"
    spaced = loaded(file_with(tmp_path, rows * 3, "a.conll"))
    assert spaced.columns == ("ner_tags", "nested_tags")
    assert spaced.tags("train", "nested_tags")[0] == ["O", "O", "B-LOC", "O"]
    named = loaded(file_with(tmp_path, rows.replace(" ", "\t"), "b.conll"), columns=["_", "tokens", "_", "ner_tags"])
    assert named.tags("train", "ner_tags")[0] == ["O", "O", "B-LOC", "O"]


# Order of the columns


def test_the_words_stand_where_the_tags_do_not(tmp_path):
    expected = ["good/O pea/B-Dish soup/I-Dish near/O here/B-Location", "any/O pie/B-Dish ?/O"]
    reference = case("tag-before-word")
    assert read(reference) == read(reference, columns=["ner_tags", "tokens"]) == expected

    text = "".join(f"{line}\n" for line in ("O any", "B-Dish pie", "O ?", "", "B-Dish soup", "O !", ""))
    assert read(file_with(tmp_path, text, "a.conll")) == ["any/O pie/B-Dish ?/O", "soup/B-Dish !/O"]
    three = "1\tB-PER\tAnna\n2\tO\tleft\n\n1\tB-LOC\tUlm\n2\tO\tburns\n3\tO\t.\n\n1\tO\tIt\n2\tO\trained\n"
    assert read(file_with(tmp_path, three, "b.conll")) == [
        "Anna/B-PER left/O",
        "Ulm/B-LOC burns/O ./O",
        "It/O rained/O",
    ]


# Header


def test_a_line_of_column_names_is_a_header(tmp_path, registry):
    corpus = loaded(case("header-line"))
    assert corpus.columns == ("label",)
    assert sentences(corpus) == ["Anna/B-PER slept/O", "Bo/B-PER left/O"]
    assert "header" in told(case("header-line"))
    assert "label" in of_ner(corpus, registry)
    assert read(case("header-line"), header=False)[0].startswith("token/label ")

    blank = "word pos ner\n\nAnna NNP B-PER\nleft VBD O\n\nBo NNP B-PER\nslept VBD O\n"
    four = loaded(file_with(tmp_path, blank, "a.conll"))
    assert sentences(four, "pos") == ["Anna/NNP left/VBD", "Bo/NNP slept/VBD"]
    assert sentences(four, "ner") == ["Anna/B-PER left/O", "Bo/B-PER slept/O"]
    indexed = "id\ttoken\tner_tag\n1\tAnna\tB-PER\n2\tleft\tO\n\n1\tBo\tB-PER\n2\tslept\tO\n"
    corpus = loaded(file_with(tmp_path, indexed, "b.tsv"))
    assert corpus.columns == ("ner_tag",)
    assert sentences(corpus) == ["Anna/B-PER left/O", "Bo/B-PER slept/O"]


def of_ner(corpus, registry):
    """The column that ner takes, or the message that names the option."""
    try:
        return corpus.column_for(registry.tasks["ner"])
    except CorpusError as error:
        said = str(error)
    assert "--task ner=" in said
    return said


def test_a_first_sentence_that_looks_like_a_header_is_a_sentence(tmp_path):
    corpus = file_with(tmp_path, "word NN\nfor IN\nword NN\n\nlabel NN\n. .\n", "a.conll")
    assert read(corpus) == ["word/NN for/IN word/NN", "label/NN ./."]


# Files that are no columns


def test_words_that_carry_their_tags_are_recognised(tmp_path):
    message = refusal(case("word-bar-tag"))
    assert "word|tag" in message.lower()
    assert "train.iob" in message

    slashes = "The/DT dog/NN barks/VBZ ./.\nIt/PRP sleeps/VBZ ./.\nDogs/NNS bark/VBP ./.\n"
    assert "word/tag" in refusal(file_with(tmp_path, slashes, "a.txt")).lower()
    three = "I|PRP|O saw|VBD|O Anna|NNP|B-PER\nShe|PRP|O left|VBD|O Ulm|NNP|B-LOC\n"
    assert "word|" in refusal(file_with(tmp_path, three, "b.iob")).lower()


def test_columns_have_a_limit_and_messages_have_bounds(tmp_path):
    wide = " ".join(f"w{i} O" for i in range(5_000))
    message = refusal(file_with(tmp_path, f"{wide}\n", "a.conll"))
    assert "a.conll:1" in message
    assert "columns" in message
    long = refusal(file_with(tmp_path, f"Anna B-PER\nleft O\n\n{'x' * 2_000} B-PER extra\n", "b.conll"))
    assert "b.conll:4" in long
    assert "x" * 81 not in long


def test_a_ragged_first_line_is_suspected_like_a_later_one(tmp_path):
    """Where all lines but the first agree, the first is the odd one."""
    message = refusal(file_with(tmp_path, "Anna NNP B-PER\n" + "left O\n\nBo B-PER\n" * 4, "a.conll"))
    assert "a.conll:1:" in message
    message = refusal(file_with(tmp_path, "left O\n\nBo B-PER\n" * 4 + "Anna NNP B-PER\n", "b.conll"))
    assert "b.conll:13" in message
