"""Tagging files from Python: in order, and line by line where the memory has to stay flat."""

import io
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import polytag
from polytag import PolytagError, Tagger
from polytag.prediction.predict import predict
from polytag.runner import TrainResult


@pytest.mark.parametrize("name", [str, Path])
def test_predicting_is_one_call(ner_run: TrainResult, tmp_path, name):
    (tmp_path / "in.txt").write_text("Anna Keller left.\n\nPeter slept.\n")
    files = name(tmp_path / "in.txt"), name(tmp_path / "out.conll")
    polytag.predict(ner_run.output, files[0], output=files[1], output_format="conll")
    blocks = (tmp_path / "out.conll").read_text().strip().split("\n\n")
    assert [[line.split("\t")[0] for line in block.splitlines()] for block in blocks] == [
        ["Anna", "Keller", "left", "."],
        ["Peter", "slept", "."],
    ]


@pytest.mark.parametrize("kind", ["text", "jsonl"])
def test_input_is_read_as_results_are_written(ner_run: TrainResult, monkeypatch, kind):
    class Sink(io.StringIO):
        lines = 0

        def write(self, text: str) -> int:
            self.lines += text.count("\n")
            return super().write(text)

    sink, seen = Sink(), []

    def source():
        for number in range(6_000):
            seen.append(sink.lines)
            text = f"Number {number} ."
            yield ((json.dumps({"text": text}) if kind == "jsonl" else text) + "\n").encode()

    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": source(), "isatty": lambda self: False})())
    monkeypatch.setattr(sys, "stdout", sink)
    predict(ner_run.output, "-", input_format=kind, output_format="jsonl")
    monkeypatch.undo()
    assert [json.loads(line)["words"][1] for line in sink.getvalue().splitlines()] == [str(n) for n in range(6_000)]
    behind = [read - written for read, written in enumerate(seen)]
    assert max(behind) < 5_000


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(PolytagError, match=r"no input format named 'xml'. Choose one of: text, document"):
        predict(tmp_path, "-", input_format="xml")
    with pytest.raises(PolytagError, match=r"no decoding named 'beam'"):
        predict(tmp_path, "-", decoding="beam")


SENTENCES = [["Anna", "met"], ["Peter", "Keller", "slept"], ["Lima"], ["City", "lost", "."]]
DOCUMENTS = [1, 1, 2, 2]


@pytest.mark.parametrize("kind", ["conll", "jsonl"])
def test_sentences_of_a_document_are_tagged_together_where_the_tagger_was_trained_so(
    ner_run: TrainResult, tmp_path, kind
):
    tagger = replace(Tagger.load(ner_run.output), context="document")
    tagger.save(tmp_path / "tagger")
    file = tmp_path / f"in.{kind}"
    if kind == "conll":
        blocks = ["\n".join(f"{word} X" for word in words) for words in SENTENCES]
        file.write_text("-DOCSTART- X\n\n{}\n\n{}\n\n-DOCSTART- X\n\n{}\n\n{}\n".format(*blocks))
    else:
        rows = [{"tokens": words, "document": n} for words, n in zip(SENTENCES, DOCUMENTS, strict=True)]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    predict(tmp_path / "tagger", str(file), output=tmp_path / "out.jsonl")
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [one["words"] for one in found] == SENTENCES
    scores = [score for one in found for score in one["scores"]["ner"]]
    together, alone = (
        [score for tagged in tagger.tag_words(SENTENCES, documents) for score in tagged.scores["ner"]]
        for documents in (DOCUMENTS, None)
    )
    assert scores == pytest.approx(together, abs=2e-6)
    assert scores != pytest.approx(alone, abs=2e-6)


def test_a_file_may_mark_its_second_document_first(ner_run: TrainResult, tmp_path):
    tagger = replace(Tagger.load(ner_run.output), context="document")
    tagger.save(tmp_path / "tagger")
    blocks = ["\n".join(words) for words in SENTENCES]
    (tmp_path / "in.conll").write_text("{}\n\n{}\n\n-DOCSTART-\n\n{}\n\n{}\n".format(*blocks))
    predict(tmp_path / "tagger", str(tmp_path / "in.conll"), output=tmp_path / "out.jsonl")
    found = [json.loads(line)["scores"]["ner"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    together = [tagged.scores["ner"] for tagged in tagger.tag_words(SENTENCES, DOCUMENTS)]
    assert found == [pytest.approx(scores, abs=2e-6) for scores in together]


def test_a_column_file_without_marks_of_documents_has_sentences_that_stand_alone(ner_run: TrainResult, tmp_path):
    tagger = replace(Tagger.load(ner_run.output), context="document")
    tagger.save(tmp_path / "tagger")
    (tmp_path / "in.conll").write_text("\n\n".join("\n".join(words) for words in SENTENCES) + "\n")
    (tmp_path / "empty.conll").write_text("")
    for name, sentences in (("in", SENTENCES), ("empty", [])):
        predict(tmp_path / "tagger", str(tmp_path / f"{name}.conll"), output=tmp_path / f"{name}.jsonl")
        found = [json.loads(line)["scores"]["ner"] for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        alone = [tagged.scores["ner"] for tagged in tagger.tag_words(sentences)]
        assert found == [pytest.approx(scores, abs=2e-6) for scores in alone]


@pytest.mark.parametrize("ending", ["iob2", "CONLL", "tsv", "JSONL"])
def test_the_ending_of_a_file_says_how_to_read_it(ner_run: TrainResult, tmp_path, ending):
    file = tmp_path / f"in.{ending}"
    file.write_text('{"tokens": ["Anna", "left"]}\n' if ending == "JSONL" else "Anna\tB-PER\nleft\tO\n")
    predict(ner_run.output, str(file), output=tmp_path / "out.jsonl")
    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(line)["words"] == ["Anna", "left"]


def test_corpora_of_other_formats_are_not_taken_for_text(ner_run: TrainResult, tmp_path):
    (tmp_path / "in.conllu").write_text("# sent_id = 1\n")
    with pytest.raises(PolytagError, match=r"does not read. Convert it, `polytag corpus convert .*in.conllu FOLDER"):
        predict(ner_run.output, str(tmp_path / "in.conllu"))


@pytest.mark.parametrize("word", ["New\tYork", "a\nb", "", "-DOCSTART-"])
def test_what_cannot_stand_in_columns_is_not_written_there(ner_run: TrainResult, tmp_path, word):
    (tmp_path / "in.jsonl").write_text(json.dumps({"tokens": ["Anna", word]}) + "\n")
    with pytest.raises(PolytagError, match=r"cannot be written in columns.*--format jsonl"):
        predict(ner_run.output, str(tmp_path / "in.jsonl"), output_format="conll", output=tmp_path / "out.conll")
    assert not (tmp_path / "out.conll").exists()


@pytest.mark.parametrize("label", ["a\tb", "a\nb", "\r"])
def test_labels_that_would_break_the_columns_are_not_written_there(ner_run: TrainResult, tmp_path, label):
    folder = shutil.copytree(ner_run.output, tmp_path / "tagger")
    description = json.loads((folder / "polytag.json").read_text())
    description["tasks"]["ner"]["labels"] = [
        tag if tag == "O" else tag[:2] + label + tag[2:] for tag in description["tasks"]["ner"]["labels"]
    ]
    (folder / "polytag.json").write_text(json.dumps(description))
    (tmp_path / "in.txt").write_text("Anna Smith met Peter Keller in Paris.")
    with pytest.raises(PolytagError, match=r"The label '[BI]-.*' cannot be written in columns.*--format jsonl"):
        predict(folder, str(tmp_path / "in.txt"), output_format="conll", output=tmp_path / "out.conll")


def test_words_between_spaces_hold_other_spaces(ner_run: TrainResult, tmp_path):
    (tmp_path / "in.txt").write_text("3\u00a0000  people\tleft\n")
    predict(ner_run.output, str(tmp_path / "in.txt"), input_format="words", output=tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text())["words"] == ["3\u00a0000", "people", "left"]


def test_an_input_that_cannot_be_read_is_not_taken_for_an_output_that_cannot_be_written(
    ner_run: TrainResult, tmp_path, monkeypatch
):
    def source():
        yield b"Anna left.\n"
        raise IsADirectoryError(21, "Is a directory")

    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": source(), "isatty": lambda self: False})())
    with pytest.raises(PolytagError, match=r"standard input cannot be read: Is a directory"):
        predict(ner_run.output, "-", output=tmp_path / "out.jsonl")
    assert not list(tmp_path.iterdir())
