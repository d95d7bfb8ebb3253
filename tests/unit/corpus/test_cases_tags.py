"""Tags are understood, not just split at `-`: their spelling and their scheme are recognised, or named.

Each test begins with a case of `tests/data/cases`, and goes on with two more inputs of its kind.
"""

import json

import pytest

from polytag import Span, describe, scheme
from support.cases import case, file_with, findings, in_iob2, loaded, proposals, read, refusal, spans, told

TAGGED = "see/O Anna/B-PER Lund/I-PER in/O Rome/B-LOC ./O"


def converted(command, reference, folder, *options):
    """What `corpus convert` gave, and the first sentence that it wrote, if it wrote one."""
    done = command("corpus", "convert", reference, folder, "--format", "jsonl", *options)
    path = folder / "train.jsonl"
    return done, json.loads(path.read_text().partition("\n")[0]) if path.exists() else None


# O that is written otherwise


def test_a_zero_among_tags_is_named_and_nothing_is_made_of_it(tmp_path, command):
    reference = case("zero-for-O")
    said = told(reference)
    assert "`0`" in said or "'0'" in said
    assert "`O`" in said or "'O'" in said
    assert 2 in findings(reference).values()

    done, written = converted(command, reference, tmp_path / "refused")
    assert (done.status, written) == (2, None)
    assert "0" in done.err
    assert "train.conll:" in done.err  # where first
    assert "--tags-as-is" in done.err
    done, written = converted(command, reference, tmp_path / "as-is", "--tags-as-is")
    assert done.status == 0
    assert written["tokens"][0] == "see"


@pytest.mark.parametrize("other", ["o", "0", "PRE"])
def test_a_tag_that_no_scheme_can_write_is_named_with_its_number_and_first_place(other, tmp_path, command):
    rows = "Anna B-PER\nLund I-PER\nslept O\n\n" * 10
    reference = file_with(tmp_path, f"{rows}see {other}\nBo B-PER\n. {other}\n\nso {other}\n")
    assert 3 in findings(reference).values()
    done, written = converted(command, reference, tmp_path / "out")
    assert (done.status, written) == (2, None)
    assert other in done.err
    assert "3" in done.err
    assert "train.conll:41" in done.err


def test_a_corpus_that_always_writes_o_for_outside_is_read_and_said(tmp_path, command):
    reference = case("small-o-for-O")
    assert set(read(reference)) == {TAGGED}
    assert "`o`" in told(reference) or "'o'" in told(reference)
    assert "36" in told(reference)
    assert read(reference, tag_style="B-X,o") == read(reference)
    done, written = converted(command, reference, tmp_path / "out")
    assert done.status == 0
    assert "o" in done.err
    assert written["tags"] == ["O", "B-PER", "I-PER", "O", "B-LOC", "O"]

    zeros = file_with(tmp_path, "see 0\nAnna B-PER\nLund I-PER\n. 0\n\nBo B-PER\nleft 0\n\n" * 4, "a.conll")
    assert read(zeros)[:2] == ["see/O Anna/B-PER Lund/I-PER ./O", "Bo/B-PER left/O"]
    small = file_with(tmp_path, "see o\nanna b-per\nlund i-per\n. o\n\nbo b-per\nleft o\n\n" * 4, "b.conll")
    assert spans(loaded(small))[0] in ([("anna lund", "per")], [("anna lund", "PER")])


# Other spellings of prefixes


@pytest.mark.parametrize(("name", "style"), [("underscore-separator", "B_X"), ("suffix-style", "X-B")])
def test_another_spelling_of_the_prefix_is_said_and_read(name, style):
    reference = case(name)
    assert style in told(reference)
    assert set(read(reference, tag_style=style)) == {TAGGED}
    corpus = loaded(reference)
    assert set(read(reference)) == {TAGGED}
    assert describe(corpus).columns[corpus.columns[0]].violations == 0


@pytest.mark.parametrize(
    ("style", "tags"),
    [
        ("B_X", ("B_PER", "I_PER", "B_work_of_art")),
        ("b-x", ("b-per", "i-per", "b-work_of_art")),
        ("X-B", ("PER-B", "PER-I", "work_of_art-B")),
        ("X_B", ("PER_B", "PER_I", "work_of_art_B")),
    ],
)
def test_each_spelling_gives_the_same_spans(style, tags, tmp_path):
    first, inner, other = tags
    outside = "o" if style == "b-x" else "O"
    rows = f"see {outside}\nAnna {first}\nLund {inner}\n\nRome {other}\nBo {first}\nburns {outside}\n\n"
    reference = file_with(tmp_path, rows * 5)
    expected = [[("Anna Lund", "PER")], [("Rome", "work_of_art"), ("Bo", "PER")]]
    for corpus in (loaded(reference), loaded(reference, tag_style=style)):
        found = [[(text, label.upper()) for text, label in sentence] for sentence in spans(corpus)]
        assert found[:2] == [[(text, label.upper()) for text, label in sentence] for sentence in expected]


def test_labels_with_hyphens_and_underscores_are_no_other_spelling(tmp_path):
    rows = "a B-B_X\nb I-B_X\nc O\n\nd B-event-B\ne I-event-B\n\n"
    assert read(file_with(tmp_path, rows * 5, "a.conll"))[:2] == ["a/B-B_X b/I-B_X c/O", "d/B-event-B e/I-event-B"]
    pos = file_with(tmp_path, "a I_PRON\nb S_VERB\nc X-NOUN\n\nd B_PART\n" * 3, "b.conll")
    assert read(pos)[0] == "a/I_PRON b/S_VERB c/X-NOUN"


def test_a_style_that_does_not_exist_or_fit_is_refused():
    assert "tag-style" in refusal(case("underscore-separator"), tag_style="Q+X")
    assert "B_X" in told(case("underscore-separator"), tag_style="X-B")


# Tags without prefixes


@pytest.mark.parametrize("name", ["no-prefix", "io-tags"])
def test_tags_without_prefixes_are_one_option_away(name, command):
    said = told(case(name))
    assert {"corpus_scheme": "io"} in proposals(said)
    done = command("corpus", "check", case(name), "--corpus-scheme", "io")
    assert done.status == 0, done.out


def test_neighbouring_words_of_one_label_are_one_span_in_io(tmp_path):
    io = scheme("io")
    row = ["PER", "PER", "O", "PER", "LOC", "LOC"]
    assert io.spans(row) == [Span(0, 2, "PER"), Span(3, 4, "PER"), Span(4, 6, "LOC")]
    assert io.tags([Span(0, 2, "PER"), Span(3, 4, "LOC")], 4) == ["I-PER", "I-PER", "O", "I-LOC"]
    office, fewnerd = loaded(case("no-prefix")), loaded(case("io-tags"))
    assert spans(office, corpus_scheme="io")[0] == [("Office of", "ORG"), ("Rome", "LOC")]
    assert spans(fewnerd, corpus_scheme="io") == [
        [("Anna Lund", "person-artist"), ("Rome", "location-city")],
        [("AI/ML", "product-AI/ML")],
    ]


def test_an_io_corpus_is_converted_to_another_scheme(tmp_path, command):
    done, written = converted(command, case("io-tags"), tmp_path / "a", "--corpus-scheme", "io", "--scheme", "iob2")
    assert done.status == 0
    assert written["tags"][:3] == ["B-person-artist", "I-person-artist", "O"]
    flat = file_with(tmp_path, "The DT\ndog NN\nbarks VBZ\n\nIt PRP\nis VBZ\n", "b.conll")
    assert {"corpus_scheme": "io"} not in proposals(told(flat))


# More prefixes


def test_m_is_the_inner_prefix_of_bmes(tmp_path):
    reference = case("bmes-prefixes")
    corpus = loaded(reference)
    assert in_iob2(corpus)[0] == ["B-PER", "I-PER", "I-PER", "O", "B-LOC"]
    summary = describe(corpus).columns[corpus.columns[0]]
    assert (summary.violations, set(summary.spans["train"])) == (0, {"PER", "LOC"})
    assert "invalid-transition" not in findings(reference)

    long = file_with(tmp_path, "a B-X\nb M-X\nc M-X\nd E-X\n\ne S-X\nf B-X\ng E-X\nh O\n\n" * 3, "a.bmes")
    assert spans(loaded(long))[:2] == [[("a b c d", "X")], [("e", "X"), ("f g", "X")]]
    two = file_with(tmp_path, "a B-X\nb M-X\nc E-X\nd B-Y\ne E-Y\n\nf O\ng B-X\nh E-X\n\n" * 3, "b.conll")
    assert spans(loaded(two))[:2] == [[("a b c", "X"), ("d e", "Y")], [("g h", "X")]]


def test_w_is_the_prefix_of_a_single_word_in_bmewo(tmp_path):
    corpus = loaded(case("bmewo-prefixes"))
    assert spans(corpus) == [[("Anna", "PER"), ("Bo", "PER"), ("Acme Steel Works", "ORG")], [("Ulm", "LOC")]]

    singles = file_with(tmp_path, "a W-X\nb W-X\nc O\n\nd B-X\ne E-X\n\n" * 3, "a.conll")
    assert spans(loaded(singles))[:2] == [[("a", "X"), ("b", "X")], [("d e", "X")]]
    written = file_with(tmp_path, "a B_X\nb M_X\nc E_X\nd W_X\ne O\n\n" * 3, "b.conll")
    assert spans(loaded(written))[0] == [("a b c", "X"), ("d", "X")]


def test_unknown_prefixes_are_named_and_refused(tmp_path, command):
    reference = file_with(tmp_path, "a B-X\nb Q-X\nc O\n\nd B-X\ne I-X\n\n" * 5, "a.conll")
    assert "Q-X" in told(reference)
    done, written = converted(command, reference, tmp_path / "out")
    assert (done.status, written) == (2, None)
    assert "Q-X" in done.err


# Words that carry more than a word


@pytest.mark.parametrize(
    ("name", "words", "pattern"),
    [
        ("char-with-index", [["科", "技", "李", "明"]], r"(.)\d"),
        ("lang-prefixed-words", [["Anna", "schlief", "."], ["Ulm", "brennt"]], "de:(.*)"),
    ],
)
def test_a_pattern_finds_the_word_and_the_message_proposes_one(name, words, pattern):
    said = told(case(name))
    (proposed, *_) = [options for options in proposals(said) if "word_pattern" in options]
    assert loaded(case(name), **proposed).words("train") == words
    assert loaded(case(name), word_pattern=pattern).words("train") == words


def test_other_words_that_carry_more_are_found_and_ordinary_ones_are_not(tmp_path):
    mixed = "en:Anna B-PER\nen:left O\nen:12:30 O\n\nfr:Bo B-PER\nfr:dort O\n\n" * 4
    found = [options for options in proposals(told(file_with(tmp_path, mixed, "a.conll"))) if "word_pattern" in options]
    assert loaded(tmp_path / "a.conll", **found[0]).words("train")[:2] == [["Anna", "left", "12:30"], ["Bo", "dort"]]
    plain = "Route B-LOC\nA7 I-LOC\nat O\n12:30 O\n\nVitamin O\nB2 O\nand O\nB6 O\nre:Bo O\n\n" * 4
    assert "word-pattern" not in told(file_with(tmp_path, plain, "b.conll"))


def test_a_pattern_that_does_not_fit_a_word_is_an_error_with_its_place(tmp_path):
    reference = file_with(tmp_path, "de:Anna B-PER\nde:left O\n\nBo B-PER\n")
    assert "train.conll:4" in refusal(reference, word_pattern="de:(.*)")
    assert "word-pattern" in refusal(reference, word_pattern="de:(")
