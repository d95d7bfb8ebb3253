"""CoNLL-U as it is found: missing lines, missing values, tags in MISC, and any file name."""

from __future__ import annotations

from pathlib import Path

import pytest

from polytag import UNANNOTATED, CorpusError, CorpusWarning, Sentence, load_corpus
from polytag.corpus.convert import convert_corpus
from support.corpora import built, content


def treebank(folder: Path, text: str, name: str = "train.conllu") -> Path:
    path = folder / name
    path.write_text(text.replace(" ", "\t").replace("~", " "), encoding="utf-8")
    return path


def word(number: object, form: str, xpos: str = "NN", misc: str = "_", upos: str = "NOUN") -> str:
    return f"{number} {form} {form} {upos} {xpos} _ 0 root _ {misc}\n"


# Sentences are whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"{word(1, 'a')}{word(2, 'b')}{word(1, 'c')}",
            "train.conllu:3: the id is 1, and line 2 of the same sentence has 2, but the ids of a sentence run 1, 2, "
            "3, … An empty line is missing between line 2 and this one, or one of the two ids is wrong: look at both "
            "lines",
        ),
        (f"{word(1, 'a')}{word(3, 'b')}", "train.conllu:2: the id is 3, and line 1 before it has 1"),
        (f"{word(1, 'a')}\n{word(2, 'b')}", "train.conllu:3: the sentence starts with the id 2"),
        (
            f"#~sent_id~=~a\n{word(1, 'a')}#~sent_id~=~b\n{word(1, 'b')}",
            "train.conllu:3: the comment '# sent_id = b' stands inside the sentence that starts on line 2. An empty "
            "line is missing between line 2 and this one",
        ),
        (f"{word(1, 'a')}#~newdoc\n{word(2, 'b')}", "train.conllu:2: the comment '# newdoc' stands inside"),
        (f"{word(1, 'a')}#~text~=~{'x' * 900}\n{word(2, 'b')}", f"the comment '# text = {'x' * 70}…' stands"),
    ],
)
def test_the_ids_of_a_sentence_run_from_1(tmp_path, text, expected):
    with pytest.raises(CorpusError) as caught:
        load_corpus(str(treebank(tmp_path, text)))
    assert expected in str(caught.value)


def test_a_missing_empty_line_can_be_inserted_where_the_message_says(tmp_path):
    text = f"#~sent_id~=~a\n{word(1, 'a')}{{}}#~sent_id~=~b\n{word(1, 'b')}"
    assert load_corpus(str(treebank(tmp_path, text.format("\n")))).words("train") == [["a"], ["b"]]


def test_multiword_tokens_and_empty_nodes_do_not_count(tmp_path):
    rows = [word("0.1", "_"), word("1-2", "du"), word(1, "de"), word(2, "le"), word("2.1", "_"), word(3, "x")]
    assert load_corpus(str(treebank(tmp_path, "".join(rows)))).words("train") == [["de", "le", "x"]]


def test_a_repeated_sent_id_is_said(tmp_path):
    text = "\n".join(f"#~sent_id~=~a1\n{word(1, form)}" for form in "ab")
    with pytest.warns(CorpusWarning, match=r"same sent_id; all are read\. train\.conllu:4: 'a1' is also at train\.c"):
        assert load_corpus(str(treebank(tmp_path, text))).words("train") == [["a"], ["b"]]


# What is not annotated


def test_an_underscore_is_no_annotation_where_the_format_says_so(tmp_path):
    text = word(1, "a", "_", upos="_") + word(2, "b")
    corpus = load_corpus(str(treebank(tmp_path, text)))
    assert corpus.columns == ("upos", "xpos", "lemmas", "deprel"), "FEATS is empty"
    assert corpus.tags("train", "xpos") == [[UNANNOTATED, "NN"]]
    assert corpus.tags("train", "upos") == [[UNANNOTATED, "NOUN"]]


def test_in_features_an_underscore_is_a_value(tmp_path):
    text = word(1, "a").replace(" _ 0", " Case=Acc 0") + word(2, "b")
    assert load_corpus(str(treebank(tmp_path, text))).tags("train", "feats") == [["Case=Acc", "_"]]


def test_a_column_that_one_split_lacks_stays(tmp_path):
    treebank(tmp_path, word(1, "a"), "x-train.conllu")
    treebank(tmp_path, word(1, "a", "_"), "x-dev.conllu")
    corpus = load_corpus(str(tmp_path))
    assert corpus.tags("validation", "xpos") == [[UNANNOTATED]]


def test_a_treebank_without_annotation_is_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"train\.conllu:1: no word of .* is annotated"):
        load_corpus(str(treebank(tmp_path, "1 a _ _ _ _ _ _ _ _\n")))


def test_missing_annotation_is_written_as_the_format_has_it(tmp_path):
    tags = {"upos": ["NOUN", UNANNOTATED], "feats": ["X=1", UNANNOTATED]}
    corpus = built({"train": [Sentence(["a", "b"], tags, None, "mine:1")]})
    done = convert_corpus(corpus, tmp_path / "out", format="conllu")
    rows = (done.folder / "train.conllu").read_text().splitlines()
    assert rows[1].split("\t")[3:6] == ["_", "_", "-"]
    assert content(load_corpus(str(done.folder))) == content(corpus)


# Tags in MISC


@pytest.mark.parametrize("tags", [["B-PER", "O"], ["B_PER", "O"], ["b-per", "o"], ["PER-B", "O"], ["I-PER", "0"]])
def test_span_tags_in_misc_are_columns_by_their_keys(tmp_path, tags):
    first, second = (f"SpaceAfter=No|Tag={tag}|Gloss=house" for tag in tags)
    corpus = load_corpus(str(treebank(tmp_path, word(1, "Anna", misc=first) + word(2, "slept", misc=second))))
    assert corpus.columns[-1] == "Tag"
    assert "SpaceAfter" not in corpus.columns
    assert len(set(corpus.tags("train", "Tag")[0])) == 2


def test_a_word_without_the_key_is_not_annotated_or_is_outside(tmp_path):
    known = word(1, "a", misc="NER=B-PER") + word(2, "b", misc="NER=O") + word(3, "c")
    assert load_corpus(str(treebank(tmp_path, known))).tags("train", "NER") == [["B-PER", "O", UNANNOTATED]]
    sparse = word(1, "a", misc="NER=B-PER") + word(2, "b")
    with pytest.warns(CorpusWarning, match=r"outside of its spans.* train\.conllu:1: NER=B-PER"):
        assert load_corpus(str(treebank(tmp_path, sparse))).tags("train", "NER") == [["B-PER", "O"]]


def test_any_key_of_misc_can_be_named(tmp_path):
    path = treebank(tmp_path, word(1, "Haus", misc="Gloss=house") + word(2, "x"))
    corpus = load_corpus(str(path), columns="tokens,Gloss")
    assert corpus.tags("train", "Gloss") == [["house", UNANNOTATED]]


# Other names and encodings


def test_a_file_in_the_format_is_read_whatever_its_name_is(tmp_path, registry):
    from polytag.corpus.source import locate

    path = treebank(tmp_path, f"#~text~=~a~b\n{word(1, 'a')}{word(2, 'b')}", "train.tab")
    assert registry.readers["conllu"].accepts(locate(str(path)))
    assert load_corpus(str(path), reader="conllu").words("train") == [["a", "b"]]
    assert not registry.readers["conllu"].accepts(locate(str(treebank(tmp_path, "a b c\n", "dev.tab"))))


def test_a_treebank_in_another_encoding_is_read(tmp_path):
    (tmp_path / "train.conllu").write_bytes(word(1, "Zürich").replace(" ", "\t").encode("latin-1"))
    assert load_corpus(str(tmp_path), encoding="latin-1").words("train") == [["Zürich"]]


def test_a_compressed_treebank_is_read(tmp_path):
    import gzip

    (tmp_path / "train.conllu.gz").write_bytes(gzip.compress(word(1, "a").replace(" ", "\t").encode()))
    assert load_corpus(str(tmp_path)).words("train") == [["a"]]


def test_what_is_conllu_is_no_column_file_whatever_its_name_and_encoding(tmp_path):
    rows = "".join(f"{n}\t{word}\t_\tPROPN\t_\t_\t0\troot\t_\t_\n" for n, word in ((1, "Müller"), (2, "slept")))
    (tmp_path / "train.conll").write_text(rows, encoding="latin-1")
    corpus = load_corpus(str(tmp_path), encoding="latin-1")
    assert (corpus.reader, corpus.words("train")) == ("conllu", [["Müller", "slept"]])
    (tmp_path / "train.conll").write_text(rows.replace("\t0\troot", "\tx\troot"), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"train\.conll:1: this line is not CoNLL-U"):
        load_corpus(str(tmp_path))
