"""Treebanks are whole: their ids run, their gaps are gaps, and they are known by what they hold.

Each test begins with a case of `tests/data/cases`, and goes on with two more inputs of its kind.
"""

import re

import pytest

from polytag import UNANNOTATED, describe
from support.cases import case, file_with, findings, in_iob2, loaded, read, refusal, told


def token(number, form, upos="X", xpos="_", feats="_", deprel="dep", misc="_"):
    return "\t".join((str(number), form, form, upos, xpos, feats, "0", deprel, "_", misc))


def treebank(folder, *sentences, name="train.conllu"):
    """A file of sentences, each a list of lines."""
    return file_with(folder, "".join("\n".join([*lines, "", ""]) for lines in sentences), name)


# Ids


def test_a_missing_blank_line_is_an_error_with_its_place(tmp_path):
    message = refusal(case("conllu-missing-blank-line"))
    assert re.search(r"train\.conllu:[45]\b", message)
    assert re.search("(blank|empty) line", message)

    again = treebank(tmp_path, [token(1, "a"), token(2, "b"), token(1, "c")], name="a.conllu")
    assert re.search(r"a\.conllu:3\b.*(blank|empty) line", refusal(again))
    inside = treebank(tmp_path, [token(1, "a"), "# sent_id = 2", token(2, "b")], name="b.conllu")
    message = refusal(inside)
    assert re.search(r"b\.conllu:2\b", message)
    assert "sent_id" in message


@pytest.mark.parametrize(("numbers", "line"), [((1, 3), 2), ((2, 3), 1), ((1, 2, 2), 3)])
def test_ids_run_from_one(numbers, line, tmp_path):
    message = refusal(treebank(tmp_path, [token(number, "a") for number in numbers]))
    assert re.search(rf"train\.conllu:{line}\b", message)


def test_multiword_tokens_empty_nodes_and_other_comments_disturb_no_ids(tmp_path):
    lines = [token("1-2", "don't"), token(1, "do"), token(2, "n't"), "# a remark", token("2.1", "x"), token(3, "go")]
    assert read(treebank(tmp_path, ["# sent_id = 1", *lines], name="a.conllu"), "upos") == ["do/X n't/X go/X"]


def test_a_repeated_sent_id_is_a_finding(tmp_path):
    reference = treebank(tmp_path, *(["# sent_id = same-7", token(1, "a")] for _ in range(2)))
    assert "same-7" in told(reference)
    other = treebank(tmp_path, *([f"# sent_id = own-{i}", token(1, "a")] for i in range(2)), name="b.conllu")
    assert "own-" not in told(other)


# Recognition


def test_a_treebank_is_known_by_its_fields_whatever_its_name(tmp_path):
    corpus = loaded(case("conllu-named-conll"))
    assert corpus.words("train")[0] == ["Anna", "schlief"]
    assert corpus.tags("train", "upos")[0] == ["PROPN", "VERB"]
    assert describe(corpus).reader == "conllu"

    lines = ["# sent_id = 1", token("1-2", "zum", "_"), token(1, "zu", "ADP"), token(2, "dem", "DET")]
    for name in ("train.txt", "train.tsv"):
        assert read(treebank(tmp_path, lines, lines[2:], name=name), "upos") == ["zu/ADP dem/DET"] * 2


# Gaps


def test_underscores_are_gaps_where_the_format_says_so(tmp_path):
    corpus = loaded(case("conllu-underscore-xpos"))
    assert corpus.tags("train", "xpos")[0] == ["APPR", UNANNOTATED, "NE"]
    assert corpus.tags("train", "upos")[0] == ["ADP", "PUNCT", "PROPN"]
    assert "feats" not in corpus.columns  # nothing but `_`

    features = treebank(
        tmp_path,
        [token(1, "a", "DET", feats="Definite=Ind"), token(2, "dog", "_", deprel="_"), token(3, "_", "PUNCT")],
        name="a.conllu",
    )
    corpus = loaded(features)
    assert corpus.words("train") == [["a", "dog", "_"]]
    assert corpus.tags("train", "feats") == [["Definite=Ind", "_", "_"]]
    assert corpus.tags("train", "upos") == [["DET", UNANNOTATED, "PUNCT"]]
    assert corpus.tags("train", "deprel") == [["dep", UNANNOTATED, "dep"]]
    assert "xpos" not in corpus.columns
    sparse = treebank(tmp_path, [token(1, "a"), token(2, "b")], [token(1, "c", xpos="NN")], name="b.conllu")
    assert read(sparse, "xpos") == ["a/ b/", "c/NN"]


# Spans in MISC


def test_span_tags_in_misc_are_columns(tmp_path):
    corpus = loaded(case("conllu-misc-tags"))
    assert corpus.tags("train", "Tag") == [["B-PER", "O"]]
    assert corpus.tags("train", "upos") == [["PROPN", "VERB"]]

    spaced = treebank(
        tmp_path,
        [token(1, "New", misc="NE=B-LOC"), token(2, "York", misc="NE=I-LOC|SpaceAfter=No"), token(3, ".", misc="NE=O")],
        name="a.conllu",
    )
    corpus = loaded(spaced)
    assert corpus.tags("train", "NE") == [["B-LOC", "I-LOC", "O"]]
    assert "SpaceAfter" not in corpus.columns
    ends = [token(i, form, misc=f"Gloss={form}|Entity={tag}") for i, (form, tag) in enumerate(
        [("Bo", "S-PER"), ("saw", "O"), ("Anna", "B-PER"), ("Lund", "E-PER")], 1)]  # fmt: skip
    corpus = loaded(treebank(tmp_path, ends, name="b.conllu"))
    assert in_iob2(corpus, "Entity") == [["B-PER", "O", "B-PER", "I-PER"]]
    assert "Gloss" not in corpus.columns


def test_a_treebank_without_faults_has_no_finding_of_its_form(tmp_path):
    clean = [["# sent_id = 1", token(1, "a", "DET", "DT"), token(2, "dog", "NOUN", "NN")]]
    assert not [code for code in findings(treebank(tmp_path, *clean)) if "sent" in code or "id" in code.split("-")]
