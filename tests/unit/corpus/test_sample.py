import hashlib
import json
import re
from collections import Counter, defaultdict

import pytest

from polytag import sentences_of
from polytag.corpus.sample.reader import SampleReader, sample_sentences
from polytag.corpus.source import locate
from polytag.plugin.reader import SPLITS

NER, POS, CHUNK = "ner_tags", "pos_tags", "chunk_tags"
PENN = """
CC CD DT EX IN JJ JJR JJS MD NN NNS NNP NNPS POS PRP PRP$ RB RBR RP TO VB VBD VBG VBN VBP VBZ WDT WP WRB
. , : ( ) " $
"""


@pytest.fixture(scope="module")
def sample():
    return {split: sample_sentences(split) for split in SPLITS}


def spans(tags):
    """The spans of IOB2 tags as a set of (start, end, label), read leniently."""
    found, start = set(), None
    for i, tag in enumerate([*tags, "O"]):
        if start is not None and tag != f"I-{tags[start][2:]}":
            found.add((start, i, tags[start][2:]))
            start = None
        if tag != "O" and start is None:
            start = i
    return found


def entities(sentences):
    return {
        (" ".join(sentence.words[start:end]), label)
        for sentence in sentences
        for start, end, label in spans(sentence.tags[NER])
    }


def kinds_of_words(sentences):
    kinds = defaultdict(set)
    for sentence in sentences:
        for word, tag in zip(sentence.words, sentence.tags[NER], strict=True):
            if tag != "O":
                kinds[word].add(tag[2:])
    return kinds


def test_sizes(sample):
    assert len(sample["train"]) >= 1500
    assert len(sample["validation"]) >= 200
    assert len(sample["test"]) >= 200


def test_columns_have_one_tag_a_word(sample):
    for sentences in sample.values():
        for sentence in sentences:
            assert list(sentence.tags) == [NER, POS, CHUNK]
            assert {len(tags) for tags in sentence.tags.values()} == {len(sentence.words)}
            assert all(sentence.words)


@pytest.mark.parametrize("split", SPLITS)
def test_documents_are_numbered_from_zero_and_have_5_to_12_sentences(sample, split):
    numbers = [sentence.document for sentence in sample[split]]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(numbers[-1] + 1))
    assert all(5 <= size <= 12 for size in Counter(numbers).values())


def test_location_names_split_and_sentence(sample):
    assert sample["train"][16].location == "sample:train:17"


def test_the_same_on_every_machine(sample):
    assert sample_sentences("test") == sample["test"]
    written = json.dumps([sentence[:3] for sentence in sample["test"]])
    assert hashlib.sha256(written.encode()).hexdigest()[:16] == "5e3f6a8906e6eadb"


@pytest.mark.parametrize("column", [NER, CHUNK])
def test_tags_are_valid_iob2(sample, column):
    for sentences in sample.values():
        for sentence in sentences:
            for before, tag in zip(["O", *sentence.tags[column]], sentence.tags[column], strict=False):
                assert tag[0] != "I" or before[1:] == tag[1:], sentence


def test_inventory(sample):
    for sentences in sample.values():
        seen = {column: {tag for s in sentences for tag in s.tags[column]} for column in (NER, POS, CHUNK)}
        assert {tag[2:] for tag in seen[NER]} == {"", "PER", "LOC", "ORG", "MISC"}
        assert {tag[2:] for tag in seen[CHUNK]} == {"", "NP", "VP", "PP", "ADJP", "ADVP", "SBAR", "PRT"}
        assert seen[POS] <= set(PENN.split())
        assert len(seen[POS]) > 30


def test_no_tag_occurs_outside_training(sample):
    for column in (NER, POS, CHUNK):
        trained = {tag for sentence in sample["train"] for tag in sentence.tags[column]}
        for split in ("validation", "test"):
            assert {tag for sentence in sample[split] for tag in sentence.tags[column]} <= trained


def test_no_notation_of_the_grammar_is_left(sample):
    for sentences in sample.values():
        for sentence in sentences:
            assert not re.search(r"[<>{}\[\]#_/]", "".join(sentence.words)), sentence.words


def test_one_name_stands_for_different_things(sample):
    kinds = kinds_of_words(sample["train"])
    assert sum(len(found) > 1 for found in kinds.values()) >= 20
    assert sum(found >= {"PER", "LOC", "ORG"} for found in kinds.values()) >= 10
    assert kinds["Jordan"] >= {"PER", "LOC"}


def test_some_words_have_several_parts_of_speech(sample):
    parts = defaultdict(set)
    for sentence in sample["train"]:
        for word, pos in zip(sentence.words, sentence.tags[POS], strict=True):
            parts[word].add(pos)
    assert parts["plans"] >= {"NNS", "VBZ"}
    assert parts["talks"] >= {"NNS", "VBZ"}
    assert parts["rose"] >= {"NN", "VBD"}
    assert parts["cut"] >= {"VB", "VBD"}
    assert parts["report"] >= {"NN", "VB"}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_many_names_do_not_occur_in_training(sample, split):
    trained = {word for sentence in sample["train"] for word in sentence.words}
    new = {(name, kind) for name, kind in entities(sample[split]) if not trained & set(name.split())}
    assert len(new) >= 30
    assert {kind for _, kind in new} >= {"PER", "LOC", "ORG"}


def test_possessive_begins_a_noun_phrase(sample):
    chunks = {
        chunk
        for sentence in sample["train"]
        for word, chunk in zip(sentence.words, sentence.tags[CHUNK], strict=True)
        if word == "'s"
    }
    assert chunks == {"B-NP"}


def test_prepositions_are_chunks_of_one_word(sample):
    assert all(tag != "I-PP" for sentence in sample["train"] for tag in sentence.tags[CHUNK])


def test_articles_agree_with_the_next_word(sample):
    for sentence in sample["train"]:
        text = " ".join(sentence.words)
        assert not re.search(r"\b[Aa] [aeio]|\b[Aa]n [^aeiouAEIOU]", text), text


@pytest.mark.parametrize("split", ["validation", "test"])
def test_no_word_by_word_tagger_does_well(sample, split):
    counts = defaultdict(Counter)
    for sentence in sample["train"]:
        for word, tag in zip(sentence.words, sentence.tags[NER], strict=True):
            counts[word][tag] += 1
    usual = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    right = gold = guessed = 0
    for sentence in sample[split]:
        expected = spans(sentence.tags[NER])
        found = spans([usual.get(word, "O") for word in sentence.words])
        right, gold, guessed = right + len(expected & found), gold + len(expected), guessed + len(found)
    assert 0.5 <= 2 * right / (gold + guessed) <= 0.8


def test_reader_accepts_sample_only():
    reader = SampleReader()
    assert reader.accepts(locate("sample"))
    assert not reader.accepts(locate("samples"))


def test_reader_reads_all_splits(sample):
    corpus = SampleReader().read(locate("sample"))
    assert list(corpus) == list(SPLITS)
    assert len(corpus["test"]) == len(sample["test"])
    assert list(sentences_of(corpus["test"])) == sample["test"]
