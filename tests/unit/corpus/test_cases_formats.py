"""Formats are known by what they hold, and their faults are named with file, row and value.

Each test begins with a case of `tests/data/cases`, and goes on with two more inputs of its kind.
"""

import json

from support.cases import case, file_with, loaded, read, refusal, sentences

# JSON arrays


def test_an_array_holds_what_json_lines_hold(tmp_path):
    assert read(case("json-array-of-sentences")) == ["Anna/B-PER slept/O"] * 5

    rows = [{"tokens": ["Ulm", "burns"], "ner_tags": ["B-LOC", "O"]}, {"tokens": ["Bo"], "ner_tags": ["B-PER"]}]
    assert read(file_with(tmp_path, json.dumps(rows), "a.json")) == ["Ulm/B-LOC burns/O", "Bo/B-PER"]
    texts = [{"text": "Ulm burns", "label": [[0, 3, "LOC"]]}, {"text": "Bo left", "label": [[0, 2, "PER"]]}]
    assert read(file_with(tmp_path, json.dumps(texts, indent=2), "b.json")) == ["Ulm/B-LOC burns/O", "Bo/B-PER left/O"]


def test_a_fault_inside_an_array_is_named_with_its_place(tmp_path):
    rows = [{"tokens": ["Ulm"], "ner_tags": ["B-LOC"]}, {"tokens": ["Bo", "left"], "ner_tags": ["B-PER"]}]
    message = refusal(file_with(tmp_path, json.dumps(rows), "a.json"))
    assert "a.json" in message
    assert "1 tags for 2 words" in message
    assert "2" in message.partition("1 tags")[0]  # the second object


# spaCy 2


def test_the_training_data_of_spacy_2_is_read(tmp_path):
    assert read(case("spacy-v2-json")) == ["Anna/B-PER slept/O", "Rome/B-LOC burns/O"]

    plain = [["It rained", {"entities": []}], ["Bo saw Ulm", {"entities": [[0, 2, "PER"], [7, 10, "LOC"]]}]]
    reference = file_with(tmp_path, json.dumps(plain), "a.json")
    assert read(reference) == ["It/O rained/O", "Bo/B-PER saw/O Ulm/B-LOC"]
    rows = "".join(json.dumps(row) + "\n" for row in plain)
    assert read(file_with(tmp_path, rows, "b.jsonl")) == ["It/O rained/O", "Bo/B-PER saw/O Ulm/B-LOC"]


def test_the_json_of_spacy_2_with_paragraphs_is_read(tmp_path):
    def sentence(*tokens):
        keys = ("orth", "tag", "ner")
        return {"tokens": [{"id": i, **dict(zip(keys, token, strict=True))} for i, token in enumerate(tokens)]}

    first = sentence(("Anna", "NNP", "B-PER"), ("Lund", "NNP", "L-PER"), ("left", "VBD", "O"))
    second = sentence(("Bo", "NNP", "U-PER"), ("slept", "VBD", "O"))
    documents = [
        {"id": 0, "paragraphs": [{"raw": "Anna Lund left Bo slept", "sentences": [first, second]}]},
        {"id": 1, "paragraphs": [{"sentences": [second]}]},
    ]
    corpus = loaded(file_with(tmp_path, json.dumps(documents), "a.json"))
    spans = ["Anna/B-PER Lund/L-PER left/O", "Bo/U-PER slept/O", "Bo/U-PER slept/O"]
    (column,) = (name for name in corpus.columns if "ner" in name)
    assert sentences(corpus, column) == spans
    (column,) = (name for name in corpus.columns if name != column)
    assert corpus.tags("train", column)[0] == ["NNP", "NNP", "VBD"]
    assert corpus.documents("train") == [0, 0, 1]


# CSV


def test_a_csv_file_with_a_header_is_read(tmp_path):
    assert read(case("csv-with-header")) == ["Anna/B-PER slept/O", "Ulm, Donau/B-LOC burns/O"]

    text = 'Sentence #,Word,POS,Tag\nSentence: 1,Anna,NNP,B-PER\n,said,VBD,O\n,"""",``,O\n,"a, b",NN,O\n'
    text += "Sentence: 2,Ulm,NNP,B-LOC\n,burns,VBZ,O\n"
    corpus = loaded(file_with(tmp_path, text, "a.csv"))
    assert sentences(corpus, "Tag") == ['Anna/B-PER said/O "/O a, b/O', "Ulm/B-LOC burns/O"]
    assert sentences(corpus, "POS")[1] == "Ulm/NNP burns/VBZ"
    semicolons = "sentence_id;token;label\n7;Anna;B-PER\n7;1,5;O\n9;Bo;B-PER\n9;left;O\n"
    assert read(file_with(tmp_path, semicolons, "b.csv")) == ["Anna/B-PER 1,5/O", "Bo/B-PER left/O"]


# CoNLL-2012

BEGIN, END = "#begin document (bc/x/00/x_{0}); part 00{1}", "#end document"


def test_the_files_of_conll_2012_are_read(tmp_path):
    corpus = loaded(case("conll-2012"))
    assert sentences(corpus, "ner_tags") == ["Anna/B-PERSON Lund/I-PERSON left/O", "Ulm/B-GPE burns/O"]
    assert corpus.tags("train", "pos_tags") == [["NNP", "NNP", "VBD"], ["NNP", "VBZ"]]
    assert corpus.documents("train") == [0, 0]

    def row(part, index, word, pos, entity, *arguments):
        cells = ("bc/x/00/x_1", part, index, word, pos, "*", "-", "-", "-", "-", entity, *arguments, "-")
        return "   ".join(map(str, cells))

    many = [
        BEGIN.format("1", 0),
        row(0, 0, "Bo", "NNP", "(PERSON)", "(A0*)", "*"),
        row(0, 1, "saw", "VBD", "*", "(V*)", "*"),
        row(0, 2, "the", "DT", "(ORG*", "(A1*", "*"),
        row(0, 3, "Ulm", "NNP", "*", "*", "*"),
        row(0, 4, "Bank", "NNP", "*)", "*)", "*"),
        "",
        row(0, 0, "Yes", "UH", "*"),  # no verb, so no column of arguments
        "",
        END,
        BEGIN.format("1", 1),
        row(1, 0, "Rome", "NNP", "(GPE)", "*"),
        row(1, 1, "burns", "VBZ", "*", "(V*)"),
        "",
        END,
    ]
    corpus = loaded(file_with(tmp_path, "\n".join(many) + "\n", "a.v4_gold_conll"))
    assert sentences(corpus, "ner_tags") == [
        "Bo/B-PERSON saw/O the/B-ORG Ulm/I-ORG Bank/I-ORG",
        "Yes/O",
        "Rome/B-GPE burns/O",
    ]
    assert corpus.documents("train") == [0, 0, 1]
    eleven = [
        BEGIN.format("2", 0),
        "x_2 0 0 Ulm NNP (TOP(NP* - - - B (GPE*",
        "x_2 0 1 Bank NNP *)) - - - B *)",
        "",
        "x_2 0 0 Yes UH (TOP(INTJ*)) - - - B *",
        "",
        END,
    ]
    expected = ["Ulm/B-GPE Bank/I-GPE", "Yes/O"]
    assert read(file_with(tmp_path, "\n".join(eleven) + "\n", "b.conll"), "ner_tags") == expected


# Parquet


def parquet(folder, rows, name="train.parquet", labels=None):
    """A file of rows; with `labels`, its metadata name the values of `ner_tags`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(rows)
    if labels:
        string = {"dtype": "string", "_type": "Value"}
        features = {
            "tokens": {"feature": string, "_type": "List"},
            "ner_tags": {"feature": {"names": labels, "_type": "ClassLabel"}, "_type": "List"},
        }
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, folder / name)
    return str(folder / name)


def test_a_label_outside_its_names_is_an_error_with_its_row(tmp_path):
    message = refusal(case("parquet-label-id-out-of-range"))
    assert "7" in message
    assert "2" in message.replace("-100", "")  # the second row
    assert "ner_tags" in message
    assert "B-" in message  # the names

    good = {"tokens": ["Anna", "left"], "ner_tags": [1, 0]}
    for bad, shown in ((2, "2"), (-7, "-7")):
        rows = [good, good, {"tokens": ["Bo", "slept"], "ner_tags": [bad, 0]}]
        message = refusal(parquet(tmp_path, rows, labels=["O", "B-PER"]))
        assert shown in message
        assert "3" in message  # the third row
        assert "B-PER" in message
    fine = parquet(tmp_path, [good, {"tokens": ["Bo"], "ner_tags": [-1]}], labels=["O", "B-PER"])
    assert read(fine) == ["Anna/B-PER left/O", "Bo/"]


def test_lists_that_are_strings_are_named(tmp_path):
    message = refusal(case("parquet-lists-as-strings"))
    assert "tokens" in message
    assert "strings, not lists" in message

    words = parquet(tmp_path, [{"tokens": "Anna left", "ner_tags": ["B-PER", "O"]}])
    assert "strings, not lists" in refusal(words)
    tags = parquet(tmp_path, [{"tokens": ["Anna", "left"], "ner_tags": "B-PER O"}])
    message = refusal(tags)
    assert "ner_tags" in message
    assert "strings, not lists" in message


def test_what_is_none_of_the_formats_is_refused_with_its_place(tmp_path):
    assert "a.json" in refusal(file_with(tmp_path, '{"a": 1}\n', "a.json"))
