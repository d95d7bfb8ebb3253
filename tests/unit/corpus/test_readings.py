"""Corpora in the form of public ones are read as they were before dialects were recognised, word for word."""

import warnings

import pytest

from polytag import CorpusWarning, load_corpus
from polytag.corpus.recognition import scheme_of
from support.readings import FOLDER, NAMES, reading, recorded

SCHEMES = {
    "bc5cdr": {"tags": "iob2"},
    "conll2000": {"pos_tags": "flat", "chunk_tags": "iob2"},
    # Three columns are read as in CoNLL-2000: the second is flat, and the third has spans.
    "conll2002": {"pos_tags": "flat", "chunk_tags": "iob2"},
    "conll2003": {"pos_tags": "flat", "chunk_tags": "iob1", "ner_tags": "iob1"},
    "ewt": {"upos": "flat", "xpos": "flat", "lemmas": "flat", "feats": "flat", "deprel": "flat"},
    "jnlpba": {"tags": "iob2"},
}
CONLL_2003 = {
    "": "09793316abb95b6e",
    "eng.train": "63a0f377ef949a11",
    "eng.testa": "a5f6f5e14b7d5113",
    "eng.testb": "0d42bf26109815f5",
}
"""Of all files, and of each: the fingerprint of its words and tags."""
CONLL_2003_SIZES = {"train": (946, 14_041, 203_621), "validation": (216, 3_250, 51_362), "test": (231, 3_453, 46_435)}


@pytest.mark.parametrize("name", NAMES)
def test_a_corpus_in_the_form_of_a_public_one_is_read_as_before(name):
    before = recorded(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CorpusWarning)
        corpus = load_corpus(str(FOLDER / name))
    assert reading(corpus) == before
    assert sum(map(len, before["splits"].values())) >= 20
    assert {column: scheme_of(corpus, column).scheme.name for column in corpus.columns} == SCHEMES[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_reading_is_that_of_the_file_and_not_of_the_folder(name):
    """A file alone has less to recognise a dialect by, and is read the same."""
    for split, before in recorded(name)["splits"].items():
        files = {sentence["location"].partition(":")[0] for sentence in before}
        (path,) = (FOLDER / name / file for file in files)
        assert reading(load_corpus(str(path)))["splits"] == {split: before}


@pytest.mark.parametrize("file", CONLL_2003)
def test_the_files_of_conll_2003_are_read_as_before(file, conll2003):
    corpus = load_corpus(str(conll2003 / file))
    assert corpus.fingerprint == CONLL_2003[file]
    assert corpus.columns == ("pos_tags", "chunk_tags", "ner_tags")
    for split in corpus.splits:
        documents = len(set(corpus.documents(split)))
        assert (documents, len(corpus.words(split)), corpus.n_words(split)) == CONLL_2003_SIZES[split]
