"""Formats of annotation tools and of spaCy: from characters to words and back."""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import polytag
from polytag import UNANNOTATED, CorpusError, CorpusWarning, PolytagError, Sentence, load_corpus
from polytag.corpus.convert import convert_corpus
from support.corpora import built, content

FORMATS = ("brat", "doccano", "labelstudio", "spacy-json", "spacy")
TEXT = "Peter Blackburn visited New York. \U0001f4a9 He slept."


def written(folder: Path, name: str, *rows: object) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def marked(path: Path, column: str = "ner_tags") -> list[list[str]]:
    """The words that have a tag, sentence by sentence."""
    corpus = load_corpus(str(path))
    rows = zip(corpus.words("train"), corpus.tags("train", column), strict=True)
    return [[f"{word}/{tag}" for word, tag in zip(*row, strict=True) if tag != "O"] for row in rows]


# Whatever is in a corpus

_characters = st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters=" \t\n\r")
_words = st.text(_characters, min_size=1, max_size=4).filter(str.strip) | st.sampled_from(
    ["New", "York", ".", "Don't", "\ufeffa", '"', "a\u00a0b", "\U0001f4a9", "e\u0301", "a\x1cb", "T1", "[", "a\x85b"]
)
_labels = st.sampled_from(["X", "Y-Z", "ORG"])


@st.composite
def sentences(draw: st.DrawFn, document: int) -> Sentence:
    words = draw(st.lists(_words, min_size=1, max_size=6))
    tags: list[str] = []
    while len(tags) < len(words):
        length = draw(st.integers(1, len(words) - len(tags)))
        label = draw(st.none() | _labels)
        tags += ["O"] * length if label is None else [f"B-{label}", *[f"I-{label}"] * (length - 1)]
    return Sentence(words, {"ner_tags": tags}, document, f"mine:{document}")


@st.composite
def splits(draw: st.DrawFn) -> dict[str, list[Sentence]]:
    return {
        split: [draw(sentences(number)) for number in range(draw(st.integers(1, 3))) for _ in range(2)]
        for split in draw(st.sets(st.sampled_from(["train", "validation", "test"]), min_size=1))
    }


@given(drawn=splits(), formats=st.tuples(st.sampled_from(FORMATS), st.sampled_from((*FORMATS, "jsonl"))))
@settings(max_examples=15)
def test_words_spans_and_documents_survive_any_two_formats(drawn, formats):
    corpus = built(drawn)
    with TemporaryDirectory() as folder:
        now = corpus
        for number, name in enumerate(formats):
            done = convert_corpus(now, Path(folder) / str(number), format=name)
            assert done.options == ""
            now = load_corpus(str(done.folder))
            assert now.reader == name
            assert content(now) == content(corpus), name


@pytest.mark.parametrize(("scheme", "format"), list(product(["iob1", "iobes", "ioe2"], FORMATS)))
def test_spans_in_any_scheme_are_written(tmp_path, registry, scheme, format):
    drawn = ["B-X", "B-X", "I-X", "O", "B-Y"]
    tags = registry.schemes[scheme].tags(registry.schemes["iob2"].spans(drawn), len(drawn))
    corpus = built({"train": [Sentence(list("abcde"), {"ner_tags": tags}, 0, "mine:1")]})
    done = convert_corpus(corpus, tmp_path / "out", format=format, corpus_scheme=scheme)
    assert done.schemes == {"ner_tags": (scheme, "iob2")}
    assert load_corpus(str(done.folder)).tags("train", "ner_tags") == [drawn]
    with pytest.raises(PolytagError, match=f"{format}' holds spans, not tags"):
        convert_corpus(corpus, tmp_path / "other", format=format, scheme="bilou")


@pytest.mark.parametrize("format", ["labelstudio", "spacy-json", "spacy"])
def test_several_columns_of_spans_keep_their_names(tmp_path, format):
    tags = {"ner_tags": ["B-PER", "O"], "chunk_tags": ["B-NP", "I-NP"], "pos_tags": ["NNP", "NN"], "upos": ["X", "X"]}
    corpus = built({"train": [Sentence(["Peter", "sleeps"], tags, 0, "mine:1")]})
    done = convert_corpus(corpus, tmp_path / "out", format=format)
    again = load_corpus(str(done.folder))
    kept = {name: again.tags("train", name) for name in again.columns}
    if format == "labelstudio":
        assert done.messages == ("The format 'labelstudio' cannot hold the tag columns pos_tags, upos: left out.",)
        tags = {name: tags[name] for name in ("ner_tags", "chunk_tags")}
    assert kept == {name: [values] for name, values in tags.items()}


@pytest.mark.parametrize("format", ["brat", "doccano"])
def test_formats_with_one_column_of_spans_ask_for_one(tmp_path, format):
    tags = {"chunk_tags": ["B-NP"], "ner_tags": ["B-PER"]}
    corpus = built({"train": [Sentence(["Peter"], tags, 0, "mine:1")]})
    with pytest.raises(CorpusError, match=r"chunk_tags, ner_tags\. Choose one: --columns tokens,ner_tags"):
        convert_corpus(corpus, tmp_path / "out", format=format)
    done = convert_corpus(corpus.keeping(["chunk_tags"]), tmp_path / "out", format=format)
    assert done.options == "--columns tokens,chunk_tags"
    assert load_corpus(str(done.folder), columns=["tokens", "chunk_tags"]).columns == ("chunk_tags",)


@pytest.mark.parametrize("format", FORMATS)
def test_a_word_without_annotation_is_kept_or_refused(tmp_path, format):
    corpus = built({"train": [Sentence(["a", "b"], {"ner_tags": ["B-X", UNANNOTATED]}, 0, "mine:1")]})
    if format == "spacy":
        done = convert_corpus(corpus, tmp_path / "out", format=format)
        assert content(load_corpus(str(done.folder))) == content(corpus)
    else:
        with pytest.raises(CorpusError, match=r"mine:1, word 2: the word 'b' has no annotation"):
            convert_corpus(corpus, tmp_path / "out", format=format)


@pytest.mark.parametrize("format", ["doccano", "spacy-json", "spacy"])
def test_a_document_without_annotation_is_kept(tmp_path, format):
    rows = [Sentence(["a"], {"ner_tags": ["B-X"]}, 0, "mine:1"), Sentence(["b"], {"ner_tags": [UNANNOTATED]}, 1, "x")]
    corpus = built({"train": rows})
    done = convert_corpus(corpus, tmp_path / "out", format=format)
    assert content(load_corpus(str(done.folder))) == content(corpus)


# doccano


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "label": [[0, 15, "PER"], [36, 38, "PER"]]},
        {"id": 1, "data": TEXT, "labels": [[36, 38, "PER"], [0, 15, "PER"]]},
        {
            "text": TEXT,
            "entities": [
                {"id": 4, "label": "PER", "start_offset": 0, "end_offset": 15},
                {"id": 5, "label": "PER", "start_offset": 36, "end_offset": 38},
            ],
            "relations": [{"id": 1, "from_id": 4, "to_id": 5, "type": "same"}],
            "Comments": [],
        },
    ],
)
def test_every_layout_of_doccano_is_read(tmp_path, row):
    path = written(tmp_path, "train.jsonl", row)
    assert load_corpus(str(path)).reader == "doccano"
    assert marked(path) == [["Peter/B-PER", "Blackburn/I-PER"], ["He/B-PER"]]


def test_a_text_is_split_by_the_splitter_that_is_named(tmp_path):
    path = written(tmp_path, "train.jsonl", {"text": "他在 北京。", "label": [[3, 6, "LOC"]]})
    assert load_corpus(str(path), splitter="characters").words("train") == [list("他在北京。")]
    assert load_corpus(str(path), splitter="whitespace").words("train") == [["他在", "北京。"]]
    with pytest.raises(PolytagError, match="no splitter named 'jieba'"):
        load_corpus(str(path), splitter="jieba")


def test_scores_are_of_the_words_that_the_tagger_makes(tmp_path, ner_run):
    path = written(tmp_path, "test.jsonl", {"text": "It's Rome.", "label": [[0, 4, "LOC"], [5, 10, "LOC"]]})
    tagger = replace(ner_run.tagger, splitter="whitespace")
    tagger.save(tmp_path / "spaces")
    for spaces in (tagger, tmp_path / "spaces"):
        assert polytag.evaluate(spaces, str(path)).words == 2
    assert polytag.evaluate(ner_run.output, str(path)).words == 4
    assert polytag.compare(tmp_path / "spaces", ner_run.output, str(path)).words == 2


def test_a_column_can_be_named(tmp_path):
    path = written(tmp_path, "train.jsonl", {"text": "Peter", "label": [[0, 5, "PER"]]})
    assert load_corpus(str(path), columns=["tokens", "people"]).tags("train", "people") == [["B-PER"]]


# Label Studio


def task(*results: object, **more: object) -> dict[str, object]:
    return {"id": 1, "data": {"text": TEXT}, "annotations": [{"id": 2, "result": list(results)}], **more}


def region(start: int, end: int, text: str | None, *labels: str, control: str = "label") -> dict[str, object]:
    value = {"start": start, "end": end, "labels": list(labels)} | ({} if text is None else {"text": text})
    return {"id": "x", "from_name": control, "to_name": "text", "type": "labels", "value": value}


def test_an_export_is_one_array_or_an_object_a_line(tmp_path):
    tasks = [task(region(0, 15, "Peter Blackburn", "PER")), task()]
    (tmp_path / "train.json").write_text(json.dumps(tasks, indent=2))
    lines = written(tmp_path, "lines.jsonl", *tasks)
    expected = [["Peter/B-PER", "Blackburn/I-PER"], [], [], []]
    assert marked(tmp_path / "train.json") == marked(lines) == expected
    corpus = load_corpus(str(tmp_path / "train.json"))
    assert corpus.reader == "labelstudio"
    assert corpus.locate("train", 0) == "train.json:2"


@pytest.mark.filterwarnings("ignore:Offsets that do not fit")
def test_offsets_in_units_of_utf16_are_recognised_by_the_text(tmp_path):
    for number, start in enumerate((36, 37)):
        path = written(tmp_path, f"{number}.jsonl", task(region(start, start + 2, "He", "PER")))
        assert marked(path) == [[], ["He/B-PER"]]
        assert len(load_corpus(str(path)).remarks) == number, "UTF-16 is said"
    path = written(tmp_path, "2.jsonl", task(region(38, 40, "He", "PER")))
    with pytest.raises(CorpusError, match=r"2\.jsonl:1, result 1: the span from 38 to 40 is recorded as 'He', but"):
        load_corpus(str(path))


def test_each_control_is_a_column(tmp_path):
    row = task(region(0, 5, None, "PER"), region(0, 15, None, "NP", control="chunk"))
    path = written(tmp_path, "train.jsonl", task(), row)
    assert load_corpus(str(path)).columns == ("ner_tags", "chunk")
    assert marked(path)[2] == ["Peter/B-PER"]
    assert marked(path, "chunk")[2] == ["Peter/B-NP", "Blackburn/I-NP"]
    assert marked(path, "chunk")[0] == [], "annotated, with nothing found"


def test_which_annotation_is_read(tmp_path):
    cancelled = {"was_cancelled": True, "result": [region(0, 5, None, "CANCELLED")]}
    first, truth = {"result": [region(0, 5, None, "FIRST")]}, {"ground_truth": True, "result": []}
    choice = {"type": "choices", "value": {"choices": ["good"]}}
    rows = [
        task() | {"annotations": [cancelled, {**first, "result": [choice, *first["result"]]}]},
        task() | {"annotations": [first, truth]},
        task() | {"annotations": [cancelled], "predictions": [first]},
    ]
    with pytest.warns(CorpusWarning) as warned:
        assert marked(written(tmp_path, "train.jsonl", *rows)) == [["Peter/B-FIRST"], [], [], []]
    left_out, several, nobody = (str(warning.message) for warning in warned)
    assert left_out == "Cancelled annotations are left out. train.jsonl:1: 1 of 2."
    assert "read, else the last updated. train.jsonl:2: 2 of 'Peter" in several
    assert nobody.startswith("Texts without annotation are left out. train.jsonl:3: 'Peter")


def test_the_annotation_that_was_updated_last_is_read(tmp_path):
    """Label Studio adds an annotation behind the imported one when a prediction is accepted."""
    old = {"updated_at": "2026-11-27T15:54:49.53Z", "result": [region(0, 5, None, "OLD")]}
    new = {"updated_at": "2026-11-27T16:02:01.11Z", "result": [region(0, 5, None, "NEW")]}
    path = written(tmp_path, "train.jsonl", *(task() | {"annotations": both} for both in ([old, new], [new, old])))
    with pytest.warns(CorpusWarning, match="last updated"):
        assert marked(path) == [["Peter/B-NEW"], [], ["Peter/B-NEW"], []]


def test_json_min_says_which_texts_nobody_annotated(tmp_path):
    nobody = {"text": TEXT, "id": 1, "annotator": None, "annotation_id": None}
    nothing = {"text": TEXT, "id": 2, "annotator": 1, "annotation_id": 7}
    with pytest.warns(CorpusWarning, match=r"Texts without annotation are left out\. train\.jsonl:1"):
        assert marked(written(tmp_path, "train.jsonl", nobody, nothing)) == [[], []]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": TEXT, "label": [[0, 5, "PER"]]}, "the spans are lists, as doccano writes them"),
        (task() | {"annotations": [{"result": None}]}, "the annotation has no list `result`"),
    ],
    ids=["of doccano", "null"],
)
def test_spans_that_are_not_of_label_studio_are_refused(tmp_path, row, message):
    with pytest.raises(CorpusError, match=rf"^c\.json:1: {message}"):
        load_corpus(str(written(tmp_path, "c.json", row)), reader="labelstudio")


# spaCy's and Prodigy's JSON


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "entities": [[0, 15, "PER"]]},
        {"text": TEXT, "spans": [{"start": 0, "end": 15, "label": "PER", "token_start": 0}], "answer": "accept"},
        {"text": TEXT, "ents": [{"start": 0, "end": 15, "label": "PER"}], "cats": {}},
    ],
)
def test_every_layout_of_spans_is_read(tmp_path, row):
    path = written(tmp_path, "train.jsonl", row)
    assert load_corpus(str(path)).reader == "spacy-json"
    assert marked(path)[0] == ["Peter/B-PER", "Blackburn/I-PER"]


def test_tokens_are_the_words(tmp_path):
    tokens = [{"start": 0, "end": 2, "tag": "UH", "pos": "INTJ"}, {"start": 2, "end": 3}, {"start": 3, "end": 5}]
    row = {"text": "Oh\nno", "ents": [{"start": 0, "end": 5, "label": "X"}], "tokens": tokens}
    corpus = load_corpus(str(written(tmp_path, "train.jsonl", row, {**row, "sents": [{"start": 0}, {"start": 3}]})))
    assert corpus.words("train") == [["Oh", "no"], ["Oh", "no"]], "no sentence ends inside a span"
    assert corpus.tags("train", "ner_tags")[0] == ["B-X", "I-X"]
    assert corpus.tags("train", "pos_tags")[0] == ["UH", UNANNOTATED]
    assert corpus.tags("train", "upos")[0] == ["INTJ", UNANNOTATED]


def test_spacy_reads_what_is_written_and_its_json_is_read(tmp_path):
    import spacy

    vocab = spacy.Vocab()
    tags = {"ner_tags": ["B-PER", "I-PER", "O"], "chunk": ["O", "B-NP", "O"], "pos_tags": ["A", "B", "C"]}
    corpus = built({"train": [Sentence(["Peter", "\U0001f4a9", "."], tags, 0, "mine:1")]})
    done = convert_corpus(corpus, tmp_path / "out", format="spacy-json")
    row = json.loads((done.folder / "train.jsonl").read_text())
    doc = spacy.tokens.Doc(vocab).from_json(row)
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Peter \U0001f4a9", "PER")]
    assert [(span.text, span.label_) for span in doc.spans["chunk"]] == [("\U0001f4a9", "NP")]
    again = load_corpus(str(written(tmp_path, "again.jsonl", doc.to_json())))
    assert content(again) == content(corpus)


def test_examples_that_were_rejected_are_left_out(tmp_path):
    row = {"text": "Peter", "spans": [{"start": 0, "end": 5, "label": "PER"}]}
    path = written(tmp_path, "train.jsonl", {**row, "answer": "reject"}, row)
    with pytest.warns(CorpusWarning, match=r"rejected or ignored are left out. train.jsonl:1: 'Peter'"):
        assert marked(path) == [["Peter/B-PER"]]


# DocBin


def test_documents_of_spacy_are_read_as_they_are(tmp_path):
    import spacy

    nlp = spacy.blank("en")
    doc = nlp("Peter  Blackburn slept. He snored.")
    doc.ents = [doc.char_span(0, 16, "PER")]
    doc.spans["sc"] = [doc.char_span(0, 5, "A"), doc.char_span(0, 22, "B")]
    unannotated = nlp("Nobody knows.")
    spacy.tokens.DocBin(docs=[doc, unannotated]).to_disk(tmp_path / "train.spacy")
    with pytest.warns(CorpusWarning, match=r"overlap.* train\.spacy, text 1, sc: A 0-5 'Peter'"):
        corpus = load_corpus(str(tmp_path / "train.spacy"))
    assert corpus.words("train")[0] == ["Peter", "Blackburn", "slept", ".", "He", "snored", "."]
    assert corpus.tags("train", "ner_tags") == [["B-PER", "I-PER", *["O"] * 5], [UNANNOTATED] * 3]
    assert corpus.tags("train", "sc")[0][:4] == ["B-B", "I-B", "I-B", "O"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"tokens": ["a"], "upos": ["FOO"]}, "spaCy cannot hold this text: .*FOO"),
        ({"tokens": ["a", ""], "ner_tags": ["O", "O"]}, r"in\.jsonl:1, word 2: the word is empty"),
        ({"tokens": ["a"], "lemmas": ["be"]}, "no tag column of this corpus has spans"),
    ],
)
def test_what_spacy_cannot_hold_is_refused(tmp_path, row, expected):
    corpus = load_corpus(str(written(tmp_path, "in.jsonl", row)))
    with pytest.raises(CorpusError, match=expected):
        convert_corpus(corpus, tmp_path / "out", format="spacy")
    assert not (tmp_path / "out").exists()


def test_a_damaged_docbin_is_named(tmp_path):
    (tmp_path / "train.spacy").write_bytes(b"not zlib")
    with pytest.raises(CorpusError, match=r"spaCy cannot read .*train\.spacy as a DocBin"):
        load_corpus(str(tmp_path / "train.spacy"))


# What is wrong is named with its line


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"text": "Peter", "label": [[0, 9, "PER"]]}, ":2, span 1: the span from 0 to 9 is not within the text"),
        ({"text": "Peter", "label": ["good"]}, ":2, span 1: 'good' is not a span"),
        ({"text": "Peter", "label": [[0, 5, ""]]}, ":2, span 1: [0, 5, ''] is not a span"),
        ({"text": "Peter", "label": "good"}, ":2: the spans are not a list"),
        ({"label": []}, ":2: this object has no text"),
        ([1], ":2: this is not a JSON object"),
    ],
)
def test_a_broken_text_is_named(tmp_path, row, expected):
    path = written(tmp_path, "train.jsonl", {"text": "a", "label": []}, row)
    with pytest.raises(CorpusError) as caught:
        load_corpus(str(path))
    assert "train.jsonl" + expected in str(caught.value)


@pytest.mark.parametrize("tokens", [7, [{"start": 0}], [{"start": 0, "end": 9}], [{"start": 3, "end": 2}]])
def test_broken_tokens_are_named(tmp_path, tokens):
    path = written(tmp_path, "train.jsonl", {"text": "Peter", "ents": [], "tokens": tokens})
    with pytest.raises(CorpusError, match=r"train\.jsonl:1: `tokens` is not a list of objects"):
        load_corpus(str(path))


def test_an_array_that_breaks_off_is_named_with_its_line(tmp_path):
    whole = json.dumps([task(), task()], indent=1)
    (tmp_path / "train.json").write_text(whole[:-20])
    with pytest.raises(CorpusError, match=r"train\.json:\d+: the JSON value that starts here is incomplete"):
        load_corpus(str(tmp_path / "train.json"))
    (tmp_path / "train.json").write_bytes(whole.encode() + b"\xff")
    with pytest.raises(CorpusError, match="not valid UTF-8"):
        load_corpus(str(tmp_path / "train.json"))


def test_a_long_array_is_read_item_by_item(tmp_path):
    rows = [
        {"data": {"text": f"{'x' * (number % 700)} Peter"}, "annotations": [{"result": []}]} for number in range(900)
    ]
    (tmp_path / "train.json").write_text(json.dumps(rows))  # all on one line, several times what is read at once
    words = load_corpus(str(tmp_path / "train.json")).words("train")
    assert [len(sentence[0]) for sentence in words[1:]] == [number % 700 or 5 for number in range(1, 900)]


def test_json_lines_of_words_stay_what_they_are(tmp_path):
    rows = [{"tokens": ["Peter"], "text": "Peter", "label": ["B-PER"]}, {"words": ["a"], "spans": ["O"]}]
    for number, row in enumerate(rows):
        assert load_corpus(str(written(tmp_path, f"{number}.jsonl", row))).reader == "jsonl"


@pytest.mark.parametrize("control", ["tokens", "location", "document"])
def test_a_control_cannot_be_named_like_what_every_corpus_has(tmp_path, control):
    value = {"start": 0, "end": 5, "text": "Peter", "labels": ["X"]}
    task = {"data": {"text": "Peter sleeps."}, "annotations": [{"result": [{"from_name": control, "value": value}]}]}
    (tmp_path / "train.json").write_text(json.dumps([task]))
    with pytest.raises(CorpusError, match=f"a tag column cannot be named '{control}'"):
        load_corpus(str(tmp_path / "train.json"))


def test_of_several_texts_of_a_task_the_annotated_one_is_read(tmp_path):
    value = {"start": 0, "end": 5, "text": "Peter", "labels": ["PER"]}
    data = {"doc_id": "doc-17", "review": "Peter sleeps."}
    tasks = [{"data": data, "annotations": [{"result": [{"from_name": "label", "value": value}]}]}]
    (tmp_path / "train.json").write_text(json.dumps(tasks))
    assert load_corpus(str(tmp_path / "train.json")).words("train") == [["Peter", "sleeps", "."]]
    (tmp_path / "train.json").write_text(json.dumps([{"data": data, "annotations": [{"result": []}]}]))
    with pytest.raises(CorpusError, match=r"several texts \(doc_id, review\).*Name that field `text`"):
        load_corpus(str(tmp_path / "train.json"))


def test_labels_of_hypertext_are_reported(tmp_path):
    result = {"from_name": "label", "type": "hypertextlabels", "value": {"hypertextlabels": ["PER"], "start": "/p"}}
    (tmp_path / "train.json").write_text(
        json.dumps([{"data": {"text": "Peter"}, "annotations": [{"result": [result]}]}])
    )
    with pytest.warns(CorpusWarning, match="Only spans of plain text .*hypertextlabels"):
        load_corpus(str(tmp_path / "train.json"))


def test_a_sentence_may_begin_with_white_space(tmp_path):
    starts = [(0, 5), (6, 11), (11, 12), (12, 13), (13, 18), (19, 25), (25, 26)]
    document = {
        "text": "Hello world.\nPeter sleeps.",
        "tokens": [{"id": i, "start": start, "end": end} for i, (start, end) in enumerate(starts)],
        "sents": [{"start": 0, "end": 12}, {"start": 12, "end": 26}],
        "ents": [],
    }
    (tmp_path / "train.jsonl").write_text(json.dumps(document) + "\n")
    corpus = load_corpus(str(tmp_path / "train.jsonl"), reader="spacy-json")
    assert corpus.words("train") == [["Hello", "world", "."], ["Peter", "sleeps", "."]]
