"""Offsets that count characters or units of UTF-16, in every format of annotated texts."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from polytag import Corpus, CorpusError, CorpusWarning, Sentence, load_corpus
from polytag.corpus.convert import convert_corpus
from support.corpora import built, content

ENGINE = "\U0001f692"
ONE_READING = f"{ENGINE}{ENGINE} Anna fuhr"
BOTH_READINGS = f"{ENGINE}{ENGINE}{ENGINE} ab Bo ef gh ok"
REPEATED = f"{ENGINE} Anna an an"

Spans = list[tuple[int, int]]
Write = Callable[[Path, str, Spans], str]


def written(folder: Path, *rows: object) -> str:
    path = folder / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def doccano(folder: Path, text: str, spans: Spans) -> str:
    return written(folder, {"text": text, "label": [[*span, "PER"] for span in spans]})


def prodigy(folder: Path, text: str, spans: Spans) -> str:
    return written(folder, {"text": text, "spans": [{"start": a, "end": b, "label": "PER"} for a, b in spans]})


def spacy_2(folder: Path, text: str, spans: Spans) -> str:
    (folder / "train.json").write_text(json.dumps([[text, {"entities": [[*span, "PER"] for span in spans]}]]))
    return str(folder / "train.json")


def label_studio(folder: Path, text: str, spans: Spans) -> str:
    results = [{"from_name": "label", "value": {"start": a, "end": b, "labels": ["PER"]}} for a, b in spans]
    return written(folder, {"data": {"text": text}, "annotations": [{"result": results}]})


def brat(folder: Path, text: str, spans: Spans, recorded: str = "an") -> str:
    (folder / "a.txt").write_text(text)
    (folder / "a.ann").write_text("".join(f"T{n}\tPER {a} {b}\t{recorded}\n" for n, (a, b) in enumerate(spans, 1)))
    return str(folder)


OF_SPANS = [doccano, prodigy, spacy_2, label_studio]


def people(corpus: Corpus) -> list[str]:
    rows = zip(corpus.words("train")[0], corpus.tags("train", "ner_tags")[0], strict=True)
    return [word for word, tag in rows if tag != "O"]


@pytest.mark.parametrize("write", OF_SPANS)
def test_the_only_reading_that_cuts_no_word_is_taken(tmp_path, write):
    with pytest.warns(CorpusWarning, match=r"are read as units of UTF-16\. train\.json.*:1, .* 1: 'Anna'"):
        assert people(load_corpus(write(tmp_path, ONE_READING, [(5, 9)]))) == ["Anna"]


@pytest.mark.parametrize("write", OF_SPANS)
def test_offsets_in_characters_are_read_without_a_word(tmp_path, write):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert people(load_corpus(write(tmp_path, ONE_READING, [(3, 7)]))) == ["Anna"]
        assert people(load_corpus(write(tmp_path, "Anna \U0001f692", [(0, 4)]))) == ["Anna"], "before the engine"


@pytest.mark.parametrize("write", OF_SPANS)
def test_where_both_readings_fit_the_user_decides(tmp_path, write):
    source = write(tmp_path, BOTH_READINGS, [(10, 12)])
    with pytest.raises(CorpusError) as caught:
        load_corpus(source)
    message = str(caught.value)
    assert "is 'ef' in characters and 'Bo' in UTF-16. Both fit all spans of the file." in message
    assert message.endswith("Say which is right: --offsets characters or --offsets utf16.")
    assert people(load_corpus(source, offsets="characters")) == ["ef"]
    assert people(load_corpus(source, offsets="utf16")) == ["Bo"]


@pytest.mark.parametrize(("unit", "person"), [("characters", "Annabell"), ("utf16", "Annabell")])
def test_where_no_reading_fits_the_user_decides(tmp_path, unit, person):
    source = doccano(tmp_path, f"{ENGINE} Annabell fuhr", [(3, 5)])
    with pytest.raises(CorpusError, match=r"'nn' in characters and 'An' in UTF-16\. Neither fits all spans.*--offsets"):
        load_corpus(source)
    with pytest.warns(CorpusWarning, match="widened"):
        assert people(load_corpus(source, offsets=unit)) == [person]


def test_a_unit_that_is_impossible_is_not_advised(tmp_path):
    source = doccano(tmp_path, ONE_READING, [(3, 6), (5, 8)])
    with pytest.raises(CorpusError) as caught:
        load_corpus(source)
    assert (
        "Say --offsets characters if that is right; the other unit needs a repair: train.jsonl:1, span 1: in units"
        in (str(caught.value))
    )
    with pytest.warns(CorpusWarning):
        assert people(load_corpus(source, offsets="characters")) == ["Anna"]
    with pytest.raises(CorpusError, match="starts or ends inside a character"):
        load_corpus(source, offsets="utf16")


def test_one_span_that_cuts_a_word_does_not_outweigh_the_others(tmp_path):
    rows = [{"text": ONE_READING, "label": [[3, 7, "PER"]]}] * 11
    source = written(tmp_path, *rows, {"text": ONE_READING, "label": [[3, 6, "PER"]]})
    with pytest.warns(CorpusWarning, match=r"widened to whole words\. train\.jsonl:12"):
        assert people(load_corpus(source)) == ["Anna"]


def test_all_texts_of_a_file_decide_together(tmp_path):
    rows = [{"text": BOTH_READINGS, "label": [[10, 12, "PER"]]}, {"text": ONE_READING, "label": [[5, 9, "PER"]]}]
    with pytest.warns(CorpusWarning, match=r"UTF-16\. train\.jsonl:1, span 1: 'Bo'"):
        assert people(load_corpus(written(tmp_path, *rows))) == ["Bo"]


def test_a_reading_beyond_the_text_is_none(tmp_path):
    with pytest.warns(CorpusWarning, match="UTF-16"):
        assert people(load_corpus(doccano(tmp_path, f"{ENGINE} Bo", [(3, 5)]))) == ["Bo"]


# Where the file says more than offsets


def test_the_recorded_text_decides(tmp_path):
    with pytest.warns(CorpusWarning, match=r"UTF-16\. a\.ann:1: 'Anna'"):
        assert people(load_corpus(brat(tmp_path, ONE_READING, [(5, 9)], "Anna"))) == ["Anna"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert people(load_corpus(brat(tmp_path, ONE_READING, [(3, 7)], "Anna"))) == ["Anna"]


def test_a_recorded_text_that_fits_both_decides_nothing(tmp_path):
    text = f"{ENGINE}{ENGINE}{ENGINE} an an an"
    source = brat(tmp_path, text, [(7, 9)])
    with pytest.raises(CorpusError, match=r"'an' in characters and 'an' in UTF-16\. Both fit"):
        load_corpus(source)
    assert load_corpus(source, offsets="utf16").tags("train", "ner_tags")[0][-3:] == ["B-PER", "O", "O"]


def test_each_recorded_text_may_have_its_own_unit(tmp_path):
    results = [
        {"from_name": "label", "value": {"start": start, "end": start + 4, "text": "Anna", "labels": ["PER"]}}
        for start in (3, 5)
    ]
    rows = [{"data": {"text": ONE_READING}, "annotations": [{"result": [result]}]} for result in results]
    with pytest.warns(CorpusWarning, match="UTF-16"):
        corpus = load_corpus(written(tmp_path, *rows))
    assert [tags.count("B-PER") for tags in corpus.tags("train", "ner_tags")] == [1, 1]


@pytest.mark.filterwarnings("ignore:Offsets that do not fit")
@pytest.mark.parametrize(("first", "unit"), [(2, "characters"), (4, "utf16")])
def test_tokens_with_their_texts_decide(tmp_path, first, unit):
    words = ["ab", "Bo", "ef"]
    edges = [(first + 3 * number, first + 3 * number + 2) for number in range(3)]
    engine = {"text": ENGINE * 2, "start": 0, "end": 2 * first - 4 if unit == "utf16" else 2}
    tokens = [engine] + [{"text": w, "start": a + 1, "end": b + 1} for w, (a, b) in zip(words, edges, strict=True)]
    spans = [{"start": edges[1][0] + 1, "end": edges[1][1] + 1, "label": "PER"}]
    source = written(tmp_path, {"text": f"{ENGINE}{ENGINE} ab Bo ef", "tokens": tokens, "spans": spans})
    corpus = load_corpus(source)
    assert corpus.words("train") == [[ENGINE * 2, *words]]
    assert people(corpus) == ["Bo"]
    assert [remark.code for remark in corpus.remarks] == ["offsets-in-utf16"] * (unit == "utf16")


@pytest.mark.parametrize("format", ["brat", "doccano", "labelstudio", "spacy-json"])
def test_what_is_written_counts_characters_and_is_read_without_doubt(tmp_path, format):
    words, tags = [ENGINE * 2, "a", "b", "b"], ["O", "O", "B-X", "O"]
    corpus = built({"train": [Sentence(words, {"ner_tags": tags}, 0, "mine:1")]})
    done = convert_corpus(corpus, tmp_path / "out", format=format)
    assert content(load_corpus(str(done.folder))) == content(corpus)
