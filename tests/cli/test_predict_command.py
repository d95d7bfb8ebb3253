"""`polytag predict`: what goes in, what comes out, and in which order."""

import json
import re
from pathlib import Path

import pytest

import polytag
from polytag.runner import TrainResult
from polytag.tagger.marks import colours, marks_html, stylesheet

TEXT = "My name is Sylvain and I work at Hugging Face in Brooklyn."


def results(done):
    assert (done.status, done.err) == (0, "")
    return [json.loads(line) for line in done.out.split("\n")[:-1]]


def columns(done):
    """Sentences of rows of fields."""
    assert (done.status, done.err) == (0, "")
    return [[line.split("\t") for line in block.splitlines()] for block in done.out.split("\n\n") if block.strip()]


@pytest.fixture
def ner(ner_run: TrainResult) -> Path:
    return ner_run.output


@pytest.fixture
def joint(joint_run: TrainResult) -> Path:
    return joint_run.output


# What goes in


def test_a_line_of_text_gives_a_line_of_json(command, ner):
    (tagged,) = results(command("predict", ner, "-", stdin=f"{TEXT}\n".encode()))
    assert tagged["text"] == TEXT
    assert tagged["spans"]
    for span in tagged["spans"]:
        assert list(span) == ["task", "label", "score", "text", "start", "end"]
        assert span["task"] == "ner"
        assert span["label"] in {"PER", "LOC", "ORG", "MISC"}
        assert 0 < span["score"] <= 1
        assert TEXT[span["start"] : span["end"]] == span["text"]


def test_every_line_gets_its_own_result_also_an_empty_one(command, ner):
    lines = ["Peter met Paris Hilton.", "", "  ", "x" * 3000, "In Rome.", "\u2028 stays inside"]
    done = command("predict", ner, stdin="\n".join(lines).encode())
    assert [tagged["text"] for tagged in results(done)] == lines


def test_line_ends_and_byte_order_marks_are_no_text(command, ner):
    done = command("predict", ner, stdin=b"\xef\xbb\xbfPeter sleeps.\r\nParis shines.\r\n")
    assert [tagged["text"] for tagged in results(done)] == ["Peter sleeps.", "Paris shines."]


def test_offsets_count_characters_not_bytes(command, ner):
    text = "👩‍👩‍👧 met Zoë in Zu\u0308rich 😀 for Anna Keller of Rome."
    (tagged,) = results(command("predict", ner, stdin=text.encode()))
    assert tagged["text"] == text
    assert all(text[span["start"] : span["end"]] == span["text"] for span in tagged["spans"])
    assert [text[start:end] for start, end in tagged["offsets"]] == tagged["words"]


def test_a_document_is_one_text_of_several_sentences(command, ner, tmp_path):
    text = "Peter Smith went to Rome.\nHe met Anna Keller.\n\nShe left for\nGeneva on Monday."
    path = tmp_path / "story.txt"
    path.write_text(text, encoding="utf-8")
    (tagged,) = results(command("predict", ner, path, "--input", "document"))
    assert tagged["text"] == text
    assert [tagged["words"][start] for start in tagged["sentence_starts"]] == ["Peter", "He", "She"]
    assert all(text[span["start"] : span["end"]] == span["text"] for span in tagged["spans"])
    assert max(span["start"] for span in tagged["spans"]) > text.index("She")


def test_words_between_spaces_are_taken_as_they_are(command, joint):
    done = command("predict", joint, "--input", "words", stdin=b"can't stop Dr. X-1\n\nParis")
    assert [tagged["words"] for tagged in results(done)] == [["can't", "stop", "Dr.", "X-1"], [], ["Paris"]]


def test_a_column_file_gives_its_first_column(command, joint, tmp_path):
    path = tmp_path / "in.conll"  # the ending says what it is
    path.write_text("-DOCSTART- -X- O\n\nPeter NNP O\nsleeps\tVBZ O\n\n\n\nParis NNP O", encoding="utf-8")
    assert [tagged["words"] for tagged in results(command("predict", joint, path))] == [["Peter", "sleeps"], ["Paris"]]


@pytest.mark.parametrize("input_format", ["document", "jsonl"])
def test_lines_can_be_texts_of_their_own(command, ner, tmp_path, input_format):
    text = "Peter lives in New\nYork."
    path = tmp_path / "in"
    path.write_text(json.dumps({"text": text}) if input_format == "jsonl" else text, encoding="utf-8")
    (tagged,) = results(command("predict", ner, path, "--input", input_format, "--lines"))
    assert (tagged["text"], tagged["sentence_starts"]) == (text, [0, 4])
    (tagged,) = results(command("predict", ner, path, "--input", input_format))
    assert tagged["sentence_starts"] == [0]


def test_lines_that_begin_documents_are_no_words(command, joint):
    lines = "-DOCSTART- O\n\nPeter B-PER\n\n###MEDLINE:95369245\n\nsleeps O\n"
    done = command("predict", joint, "-", "--input", "conll", stdin=lines.encode())
    assert [tagged["words"] for tagged in results(done)] == [["Peter"], ["sleeps"]]


def test_words_of_column_files_may_hold_blanks_where_tabs_separate(command, joint):
    stdin = "New York\tNNP\n\u00a0\tNNP\nsleeps\tVBZ\n".encode()
    done = command("predict", joint, "--input", "conll", stdin=stdin)
    assert [tagged["words"] for tagged in results(done)] == [["New York", "\u00a0", "sleeps"]]


def test_objects_hold_a_text_or_words_and_stay_in_order(command, joint, tmp_path):
    rows = [{"text": "Peter sleeps."}, {"tokens": ["Dr.", "No"]}, {"tokens": []}, {"id": 7, "text": "😀"}] * 3
    path = tmp_path / "in.jsonl"
    path.write_text("\n\n".join(map(json.dumps, rows)), encoding="utf-8")
    expected = [["Peter", "sleeps", "."], ["Dr.", "No"], [], ["😀"]] * 3
    assert [tagged["words"] for tagged in results(command("predict", joint, path))] == expected


def test_a_text_can_stand_in_the_command(command, ner, ner_run):
    text = "Anna Keller left.\nPeter slept in Zoë's house."
    (tagged,) = results(command("predict", ner, "--text", text))
    assert (tagged["text"], len(tagged["sentence_starts"])) == (text, 2)
    rows = results(command("predict", ner, "--text", text, "--input", "text", "--encoding", "utf-16"))
    assert [row["text"] for row in rows] == text.split("\n")


@pytest.mark.parametrize("output_format", ["jsonl", "doccano"])
def test_other_fields_of_records_are_passed_on(command, ner, output_format):
    rows = [
        {"id": 7, "text": "Anna left.", "spans": "mine", "meta": {"by": "Zoë"}, "rate": float("nan")},
        {"tokens": ["In", "Rome"], "document": "a", "id": None},
        {"text": "Peter slept."},
    ]
    given = "\n".join(map(json.dumps, rows)).encode()
    first, second, third = results(command("predict", ner, "--input", "jsonl", "--format", output_format, stdin=given))
    assert (first["id"], first["meta"], first["rate"], first["text"]) == (7, {"by": "Zoë"}, None, "Anna left.")
    assert (second["document"], second["id"], "tokens" in second) == ("a", None, False)
    assert (
        third.keys() == {"text", "label"}
        if output_format == "doccano"
        else third.keys()
        == second.keys()
        - {
            "document",
            "id",
        }
    )
    assert (first["spans"] == "mine") == (output_format == "doccano")  # the result stays where names are the same


@pytest.mark.parametrize("stdin", [b"", None], ids=["empty", "closed"])
def test_no_input_gives_no_output(command, ner, stdin):
    assert command("predict", ner, stdin=stdin) == (0, "", "")


def test_results_keep_the_order_of_lines_of_all_lengths(command, ner):
    lines = [f"{number} " + "word " * (number * 37 % 50) for number in range(200)]
    done = command("predict", ner, stdin="\n".join(lines).encode())
    assert [tagged["text"] for tagged in results(done)] == lines


# What comes out


def test_columns_line_up_with_words(command, joint, joint_run):
    done = command("predict", joint, "--format", "conll", stdin=b"Anna Keller met Peter. He left Rome.\nGo!\n")
    rows = columns(done)
    sentences = ["Anna Keller met Peter .", "He left Rome .", "Go !"]
    assert [" ".join(row[0] for row in sentence) for sentence in rows] == sentences
    for task, column in zip(("ner", "pos", "chunk"), (1, 2, 3), strict=True):
        assert {row[column] for sentence in rows for row in sentence} <= set(joint_run.tagger.heads[task].labels)
    tagged = joint_run.tagger.tag("Anna Keller met Peter. He left Rome.")
    assert [row[1] for sentence in rows[:2] for row in sentence] == tagged.tags["ner"]


@pytest.mark.parametrize("scheme", ["iobes", "iob1", "bilou"])
def test_columns_are_written_in_the_scheme_that_is_asked_for(command, joint, registry, scheme):
    text = b"Anna Keller met Peter Smith in Geneva on Monday, the government of Brazil said in a statement.\n"
    own = columns(command("predict", joint, "--format", "conll", stdin=text))[0]
    other = columns(command("predict", joint, "--format", "conll", "--scheme", scheme, stdin=text))[0]
    iob2, target = registry.schemes["iob2"], registry.schemes[scheme]
    for column in (1, 3):
        before, after = ([row[column] for row in rows] for rows in (own, other))
        assert before != after
        assert target.spans(after) == iob2.spans(before) != []
        assert target.violations(after) == []
    assert [row[2] for row in own] == [row[2] for row in other]  # parts of speech have no scheme to convert


def test_a_dash_is_standard_output(command, ner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command("predict", ner, "-", "--output", "-", stdin=b"Anna met Peter.\n")
    assert results(done)[0]["text"] == "Anna met Peter."
    assert not list(tmp_path.iterdir())


def test_a_column_file_can_be_tagged_again(command, joint, tmp_path):
    first = command("predict", joint, "--format", "conll", stdin=b"Anna Keller met Peter.\nHe left Rome.\n")
    again = tmp_path / "again.conll"
    again.write_text(first.out, encoding="utf-8")
    assert columns(command("predict", joint, again, "--format", "conll")) == columns(first)


def test_texts_for_doccano_are_a_corpus_again(command, ner, ner_run, tmp_path):
    done = command("predict", ner, "-", "--format", "doccano", stdin=f"{TEXT}\n\n".encode())
    first, second = results(done)
    assert second == {"text": "", "label": []}
    assert first["label"] == [[span.start, span.end, span.label] for span in ner_run.tagger.tag(TEXT).spans]
    (tmp_path / "train.jsonl").write_text(done.out, encoding="utf-8")
    corpus = polytag.load_corpus(str(tmp_path / "train.jsonl"))
    assert corpus.reader == "doccano"
    assert corpus.words("train") == [ner_run.tagger.tag(TEXT).words]
    iob2 = ner_run.tagger.decoders["ner"].scheme
    assert iob2.spans(corpus.tags("train", "ner_tags")[0]) == iob2.spans(ner_run.tagger.tag(TEXT).tags["ner"])


@pytest.mark.parametrize(
    ("tasks", "message"),
    [(("ner", "chunk"), "the spans of one task, and ner, chunk count"), (("pos",), "no task has any")],
)
def test_a_file_for_doccano_holds_the_spans_of_one_task(
    command, tmp_path, tiny_corpus, uncompiled, tasks: tuple[str, ...], message: str
):
    output = tmp_path / "spans.jsonl"
    polytag.train(task=tasks, corpus=str(tiny_corpus), output=tmp_path / "tagger", epochs=1, quiet=True)
    refused = command("predict", tmp_path / "tagger", "--format", "doccano", "-o", output, stdin=b"Anna met Peter.\n")
    assert (refused.status, message in " ".join(refused.err.split())) == (2, True)
    assert not output.exists()


def test_a_table_shows_each_task_with_labels_beside_spans(command, joint):
    done = command("predict", joint, "--format", "table", stdin=b"Anna Keller met [b]Peter[/b] in Geneva.\n")
    assert (done.status, done.err) == (0, "")
    ner = next(line for line in done.out.splitlines() if line.lstrip().startswith("ner"))
    assert "[Anna Keller] PER" in ner
    assert "[b]" in done.out  # what looks like markup is text
    assert "Keller/NNP" in done.out
    assert "\x1b[" not in done.out  # no colours but on a terminal


def test_a_page_holds_all_texts_and_needs_nothing_else(command, joint, joint_run):
    texts = ["Anna Keller met Peter in Geneva.", "<script>alert(1)</script>", ""]
    done = command("predict", joint, "--format", "html", stdin="\n".join(texts).encode() + b"\n")
    assert (done.status, done.err) == (0, "")
    tagger = joint_run.tagger
    numbers = {task: colours(decoder.shown_labels) for task, decoder in tagger.decoders.items()}
    head, *articles = done.out.split("<article>")
    assert articles == [f"{marks_html(tagged, numbers)}</article>\n" for tagged in tagger.tag(texts)]
    assert stylesheet() in head
    assert re.findall(r"https?:|src=|href=|@import|url\(", done.out) == []
    assert "script" not in re.findall(r"<(\w+)", done.out)


def test_a_page_of_nothing_is_a_page(command, ner):
    done = command("predict", ner, "--format", "html", stdin=b"")
    assert done.out.startswith("<!doctype html>")


def test_a_file_appears_whole(command, ner, tmp_path):
    output = tmp_path / "out.jsonl"
    output.write_text("old")
    assert command("predict", ner, "-o", output, stdin="Zoë 😀\n".encode()) == (0, "", "")
    assert json.loads(output.read_text(encoding="utf-8"))["text"] == "Zoë 😀"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_file_that_cannot_be_made_whole_does_not_appear(command, ner, tmp_path):
    output = tmp_path / "out.jsonl"
    done = command("predict", ner, "-o", output, stdin=b"Good.\n" * 3000 + b"B\xe4d.\n")
    assert (done.status, done.out) == (2, "")
    assert list(tmp_path.iterdir()) == []


# What is wrong with the input


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        ([], b"Good.\nM\xfcller\n", ["standard input, line 2, byte 2", "not UTF-8", "--encoding"]),
        (["--input", "jsonl"], b'{"text": "a"}\n\n{"text": \n', ["standard input, line 3", "not JSON"]),
        (["--input", "jsonl"], b'["a"]\n', ["line 1", '"text"', '"tokens"']),
        (["--input", "jsonl"], b'{"tokens": ["a", 3]}\n', ["line 1", '"text"', '"tokens"']),
        (["--input", "jsonl"], b'{"text": "\\ud83d"}\n', ["line 1", "half a character"]),
        (["--input", "words", "--lines"], b"", ["--lines is for text, and the input format words has words"]),
        (["--input", "texts"], b"", ["no input format named 'texts'", "text, document, words, conll, jsonl"]),
        (["--format", "json"], b"", ["no output format named 'json'", "jsonl, conll, doccano, table"]),
        (["--scheme", "iobs"], b"", ["no label scheme named 'iobs'", "iobes"]),
        (["--decoding", "vitrbi"], b"", ["no decoding named 'vitrbi'", "viterbi, argmax or crf"]),
        (["nowhere.txt"], b"", ["The file 'nowhere.txt' does not exist"]),
        (["."], b"", ["Name a folder for them: --output FOLDER"]),
        (
            ["Anna left. " * 30],
            b"",
            ["cannot be read: File name too long. To tag text itself: polytag predict TAGGER --text TEXT"],
        ),
        (["--input", "jsonl"], b'{"tokens": ["a"], "document": [1]}\n', ["line 1", '"document" is [1]']),
        (["-o", "nowhere/out.jsonl"], b"a", ["'nowhere/out.jsonl' cannot be written"]),
        (["-o", "."], b"a", ["is a folder"]),
        (["in.txt", "--text", "Anna left."], b"", ["a text and the file 'in.txt'. Give one of them"]),
        (["--text", "M\udcfcller", "--input", "text"], b"", ["--text, line 1, byte 2: not UTF-8"]),
        (["--input", "jsonl"], b'{"text": "a", "by": "\\ud83d"}\n', ["line 1", "half a character"]),
    ],
)
def test_mistakes_are_named(command, ner, tmp_path, monkeypatch, arguments, stdin, expected):
    monkeypatch.chdir(tmp_path)
    done = command("predict", ner, *arguments, stdin=stdin)
    assert done.status == 2
    assert all(part in done.err for part in expected), done.err
    assert done.err.startswith("polytag: ")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
