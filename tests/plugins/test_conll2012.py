"""Files of CoNLL-2012: documents, named entities in brackets, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from polytag import UNANNOTATED, CorpusError, CorpusWarning, load_corpus


def ontonotes(folder: Path, *documents: str, name: str = "train.v4_gold") -> str:
    """Documents of sentences such as `Anna/NNP/(PERSON* Lund/NNP/*)`, one per line."""
    lines = []
    for number, document in enumerate(documents):
        lines.append(f"#begin document (bc/x); part {number:03}")
        for sentence in document.splitlines():
            for position, word in enumerate(sentence.split()):
                form, tag, entity = word.split("/")
                lines.append(f"bc/x {number} {position} {form:>9} {tag} (S* - - - B {entity:>9} * -")
            lines.append("")
        lines.append("#end document")
    (folder / name).write_text("\n".join(lines) + "\n")
    return str(folder / name)


def test_words_tags_and_documents_are_read(tmp_path):
    source = ontonotes(tmp_path, "Anna/NNP/(PERSON* Lund/NNP/*) left/VBD/*\nUlm/NNP/(GPE)", "#/NN/* 1/CD/(CARDINAL)")
    corpus = load_corpus(source)
    assert corpus.reader == "conll2012"
    assert corpus.words("train") == [["Anna", "Lund", "left"], ["Ulm"], ["#", "1"]]
    assert corpus.tags("train", "ner_tags") == [["B-PERSON", "I-PERSON", "O"], ["B-GPE"], ["O", "B-CARDINAL"]]
    assert corpus.tags("train", "pos_tags")[0] == ["NNP", "NNP", "VBD"]
    assert corpus.documents("train") == [0, 0, 1]
    assert corpus.locate("train", 1) == "train.v4_gold:6"


def test_neighbouring_spans_stay_apart_and_nested_ones_are_said(tmp_path):
    source = ontonotes(tmp_path, "a/X/(A) b/X/(A) c/X/(ORG(GPE) d/X/*)")
    with pytest.warns(CorpusWarning, match=r"only the outer one is read.* train\.v4_gold:4: GPE, 1 words"):
        assert load_corpus(source).tags("train", "ner_tags") == [["B-A", "B-A", "B-ORG", "I-ORG"]]


def test_the_column_of_coreference_may_be_missing(tmp_path):
    path = Path(ontonotes(tmp_path, "Ulm/NNP/(GPE)"))
    path.write_text(path.read_text().replace("(GPE) * -", "(GPE)"))
    assert load_corpus(str(path)).tags("train", "ner_tags") == [["B-GPE"]]


def test_a_document_without_entities_is_not_annotated(tmp_path):
    assert load_corpus(ontonotes(tmp_path, "a/X/- b/X/-")).tags("train", "ner_tags") == [[UNANNOTATED] * 2]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("\n\n", "\n", "train.v4_gold:3: the word has the number '0', and the line before it has 0"),
        (" 0         a", " 1         a", "train.v4_gold:2: the word has the number '1', and it starts a sentence"),
        ("(A)", "A", "train.v4_gold:2: the column of named entities has 'A'"),
        ("(A)", "(A*", "train.v4_gold:2: the named entity 'A' does not end in this sentence"),
        ("(A)", "*)", "train.v4_gold:2: a named entity ends here that did not begin"),
        ("        a", "[WORD]", "train.v4_gold:2: the words are [WORD]: the file is distributed without its text"),
        (" (S* - - -", "", "train.v4_gold:2: the line 'bc/x 0 0         a X B       (A) * -' has 9 columns"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, old, new, expected):
    path = Path(ontonotes(tmp_path, "a/X/(A)\nb/X/*"))
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(CorpusError) as caught:
        load_corpus(str(path))
    assert expected in str(caught.value)


def test_a_compressed_file_in_another_encoding_is_read(tmp_path):
    import gzip

    path = Path(ontonotes(tmp_path, "Zürich/NNP/(GPE)"))
    (tmp_path / "dev.v4_gold.gz").write_bytes(gzip.compress(path.read_text().encode("latin-1")))
    corpus = load_corpus(str(tmp_path / "dev.v4_gold.gz"), encoding="latin-1")
    assert corpus.words("validation") == [["Zürich"]]
