"""Correction files: written for doccano and Label Studio, corrected there, and applied to the corpus."""

import json
import re

import pytest

import polytag
from polytag import CorpusError, Span
from polytag.labelling.label_errors import LabelErrors
from polytag.labelling.suspects import Suspect
from polytag.labelling.words import annotated_sentences

WORDS = [["😀", "Anna", "Smith", "left"], ["Santa", "Fe", "won"], ["Santa", "Fe", "won"]]
TEXT = """😀 O
Anna I-PER
Smith I-PER
left O

Santa I-ORG
Fe I-ORG
won O

Santa I-ORG
Fe I-ORG
won O
"""


@pytest.fixture
def source(tmp_path):
    """A column file in IOB1, in which the second and the third sentence are the same."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.conll").write_text(TEXT, encoding="utf-8")
    return str(folder)


@pytest.fixture
def found(source):
    """The third sentence is suspicious."""
    corpus = polytag.load_corpus(source)
    task = polytag.task("ner")
    annotated = annotated_sentences(corpus, {"ner": task}, {"ner": polytag.scheme("iob2")})
    suspect = Suspect("ner", "type", 2, Span(0, 2, "ORG"), Span(0, 2, "LOC"), 0.97, {"LOC": 11, "ORG": 1})
    other = Suspect("ner", "boundary", 0, Span(1, 3, "PER"), Span(1, 2, "PER"), 0.92)
    return LabelErrors(annotated, (suspect, other))


def corrected_in_doccano(path):
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[0]["label"] = [[0, 8, "LOC"]]
    for number, row in enumerate(rows):
        row |= {"id": number, "Comments": []}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def corrected_in_label_studio(path):
    rows = json.loads(path.read_text(encoding="utf-8"))
    rows[0]["annotations"] = [{"result": rows[0].pop("predictions")[0]["result"]}]
    path.write_text(json.dumps(rows, indent=2), encoding="utf-8")


def minimal_from_label_studio(path):
    corrected_in_label_studio(path)
    rows = [
        {**row["data"], "label": [it["value"] for it in row["annotations"][0]["result"]], "annotator": 1}
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "correct"),
    [
        ("c.jsonl", corrected_in_doccano),
        ("c.json", corrected_in_label_studio),
        ("c.json", minimal_from_label_studio),
    ],
    ids=["doccano", "Label Studio", "JSON_MIN"],
)
def test_a_corrected_sentence_replaces_its_own_and_no_other(found, source, tmp_path, command, name, correct):
    path = tmp_path / name
    assert found.write_corrections(path) == 2
    correct(path)
    done = command("corpus", "correct", source, path, "--output", tmp_path / "out")
    assert done.status == 0
    assert done.out.endswith("(column): 1 of 2 sentences changed\n    train.conll:10\n")
    third = TEXT.rindex("Santa")
    expected = TEXT[:third] + TEXT[third:].replace("ORG", "LOC")
    assert (tmp_path / "out/train.conll").read_text(encoding="utf-8").strip() == expected.strip()


def test_files_say_what_is_suspicious_the_surest_first(found, tmp_path):
    found.write_corrections(tmp_path / "c.jsonl")
    first, second = map(json.loads, (tmp_path / "c.jsonl").read_text(encoding="utf-8").splitlines())
    assert first["suspicious"] == "`Santa Fe` is ORG, rather LOC; LOC 11 times and ORG once"
    assert second["suspicious"] == "`Anna Smith` is PER, rather `Anna` is PER"
    assert (first["text"], first["label"], first["location"]) == ("Santa Fe won", [[0, 8, "ORG"]], "train.conll:10")


def test_label_studio_gets_the_proposal_as_a_prediction(found, tmp_path):
    found.write_corrections(tmp_path / "c.json")
    first = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))[0]
    (prediction,), (annotation,) = first["predictions"], first["annotations"]
    assert prediction["score"] == 0.97
    assert [result["value"]["labels"] for result in prediction["result"]] == [["LOC"]]
    assert [result["value"]["labels"] for result in annotation["result"]] == [["ORG"]]
    assert annotation["ground_truth"] is False, "Label Studio's default would outdo an annotation that is added"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sentence": 7}, r"c\.jsonl:1: the fields `split` and `sentence` do not name"),
        ({"sentence": None}, r"c\.jsonl:1: the fields `split` and `sentence` do not name"),
        (
            {"sentence": 0},
            r"c\.jsonl:1: the words are 'Santa Fe won', and in the corpus .* at train\.conll:1 they are",
        ),
        ({"label": [[0, 99, "LOC"]]}, r"c\.jsonl:1, span 1"),
    ],
)
def test_what_does_not_fit_the_corpus_is_refused_with_file_and_line(found, source, tmp_path, change, message):
    path = tmp_path / "c.jsonl"
    found.write_corrections(path)
    first, *others = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(first), **change}), *others]), encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        polytag.correct_corpus(source, path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["c.jsonl", "c.json"])
def test_the_column_that_was_judged_is_corrected_and_no_other(tmp_path, name):
    """Neither doccano nor Label Studio exports the column: the file of polytag names it."""
    source = tmp_path / "train.jsonl"
    row = {"tokens": ["Santa", "Fe", "won"], "ner_tags": ["B-LOC", "I-LOC", "O"], "chunk_tags": ["B-NP", "I-NP", "O"]}
    source.write_text(json.dumps(row) + "\n", encoding="utf-8")
    corpus = polytag.load_corpus(str(source))
    task = polytag.task("chunk")
    annotated = annotated_sentences(corpus, {"chunk": task}, {"chunk": polytag.scheme("iob2")})
    suspect = Suspect("chunk", "missed", 0, None, Span(2, 3, "VP"), 0.97)
    LabelErrors(annotated, (suspect,)).write_corrections(tmp_path / name)
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert '"from_name": "label"' in text or name.endswith("l"), "the name in Label Studio's template"
    (tmp_path / name).write_text(text.replace('"NP"', '"VP"'), encoding="utf-8")
    done = polytag.correct_corpus(corpus, tmp_path / name, tmp_path / "out")
    assert done.changed == ("train.jsonl:1",)
    written = json.loads((tmp_path / "out/train.jsonl").read_text(encoding="utf-8"))
    assert written == row | {"chunk_tags": ["B-VP", "I-VP", "O"]}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([None, None], "has no field `column`"),
        (["tags", "pos"], "names several tag columns: pos, tags"),
        (["ner", "ner"], "has no tag column 'ner'; it has tags"),
    ],
)
def test_the_column_must_be_clear(found, source, tmp_path, columns, message):
    path = tmp_path / "c.jsonl"
    found.write_corrections(path)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps(row | {"column": name}) + "\n" for row, name in zip(rows, columns, strict=True)))
    with pytest.raises(CorpusError, match=message):
        polytag.correct_corpus(source, path, tmp_path / "out")
    assert polytag.correct_corpus(source, path, tmp_path / "out", column="tags").changed == ()


@pytest.mark.parametrize("label", [{}, {"label": None}])
def test_a_sentence_without_annotation_stays_as_it_is(found, source, tmp_path, label):
    path = tmp_path / "c.jsonl"
    found.write_corrections(path)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    del rows[0]["label"]
    path.write_text("".join(json.dumps(row) + "\n" for row in [rows[0] | label, rows[1]]), encoding="utf-8")
    assert polytag.correct_corpus(source, path, tmp_path / "out").changed == ()


@pytest.mark.parametrize("name", ["c.jsonl", "c.json"])
def test_an_editor_of_windows_may_have_saved_the_file(found, source, tmp_path, name):
    """With a byte order mark, and line ends of two characters."""
    path = tmp_path / name
    found.write_corrections(path)
    text = path.read_text(encoding="utf-8").replace('"ORG"', '"LOC"')
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert polytag.correct_corpus(source, path, tmp_path / "out").changed == ("train.conll:10",)


def test_white_space_that_is_no_blank_stays_in_its_word(tmp_path):
    """French numbers and names have such spaces: they are no bounds of words in a correction file either."""
    source = tmp_path / "train.conll"
    source.write_text("10\u202f000 O\nM.\xa0Hugo B-PER\n", encoding="utf-8")
    corpus = polytag.load_corpus(f"train={source}")
    annotated = annotated_sentences(corpus, {"ner": polytag.task("ner")}, {"ner": polytag.scheme("iob2")})
    suspect = Suspect("ner", "type", 0, Span(1, 2, "PER"), Span(1, 2, "LOC"), 0.97)
    path = tmp_path / "c.jsonl"
    assert LabelErrors(annotated, (suspect,)).write_corrections(path) == 1
    path.write_text(path.read_text(encoding="utf-8").replace('"PER"', '"LOC"'), encoding="utf-8")
    polytag.correct_corpus(corpus, path, tmp_path / "out")
    assert "M.\xa0Hugo B-LOC" in (tmp_path / "out/train.conll").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "message"),
    [("c.zip", "unpack an archive first"), ("c.jsonl", r"The corrected file '.*c\.jsonl' does not exist")],
)
def test_a_file_that_is_not_there_or_an_archive_is_one_paragraph(source, tmp_path, command, name, message):
    done = command("corpus", "correct", source, tmp_path / name, "--output", tmp_path / "out")
    assert done.status == 2
    assert re.search(message, " ".join(done.err.split()))


def test_a_sentence_that_is_corrected_twice_is_refused(found, source, tmp_path):
    path = tmp_path / "c.jsonl"
    found.write_corrections(path)
    path.write_text(path.read_text(encoding="utf-8") * 2, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"c\.jsonl:3: this sentence is corrected in c\.jsonl:1 already"):
        polytag.correct_corpus(source, path, tmp_path / "out")


def test_a_file_that_is_not_json_is_one_paragraph(source, tmp_path, command):
    path = tmp_path / "c.jsonl"
    path.write_text('{"text": "Santa Fe won"\n', encoding="utf-8")
    done = command("corpus", "correct", source, path, "--output", tmp_path / "out")
    assert done.status == 2
    assert "c.jsonl:1" in done.err
    assert "Traceback" not in done.err
