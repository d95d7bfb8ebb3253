"""Looking at the sentences of a corpus."""

import json

import pytest

import polytag

ROWS = [
    {"tokens": ["EU", "rejects", "lamb"], "ner_tags": ["B-ORG", "O", "O"], "pos_tags": ["NNP", "VBZ", "NN"]},
    {"tokens": ["Go"], "ner_tags": ["O"], "pos_tags": ["VB"]},
    {"tokens": ["New", "York", "calls", "Bonn"], "ner_tags": ["B-LOC", "I-LOC", "O", "B-LOC"], "pos_tags": ["NNP"] * 4},
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    (tmp_path / "test.jsonl").write_text(json.dumps(ROWS[1]))
    return str(tmp_path)


def test_a_sentence_is_found_by_split_and_index(folder):
    corpus = polytag.load_corpus(folder)
    first = corpus["train"][0]
    assert first.words == ["EU", "rejects", "lamb"]
    assert first.tags["ner_tags"] == ["B-ORG", "O", "O"]
    assert first.location == "train.jsonl:1"
    assert corpus["train"][-1].words[-1] == "Bonn"
    assert [sentence.words[0] for sentence in corpus["train"]] == ["EU", "Go", "New"]
    assert len(corpus["test"]) == 1
    with pytest.raises(polytag.CorpusError, match="no split 'dev'; it has train, test"):
        corpus["dev"]


def test_a_word_without_annotation_looks_the_same_everywhere(tmp_path):
    (tmp_path / "train.conll").write_text("EU B-ORG\nwas -\n\nGo O\n" * 3)
    corpus = polytag.load_corpus(str(tmp_path / "train.conll"), columns=["tokens", "ner_tags"])
    assert corpus["train"][0].tags == {"ner_tags": ["B-ORG", polytag.UNANNOTATED]}
    assert [sentence.tags["ner_tags"] for sentence in corpus["train"]] == corpus.tags("train", "ner_tags")
    assert corpus.label_names("ner_tags") == ("O", "B-ORG")


def test_every_corpus_has_names_of_labels(folder, tmp_path):
    corpus = polytag.load_corpus(folder)
    assert corpus.labels("ner_tags") is None
    assert corpus.label_names("ner_tags") == ("O", "B-LOC", "B-ORG", "I-LOC")
    assert corpus.label_names("pos_tags") == ("NN", "NNP", "VB", "VBZ")
    names = polytag.load_corpus("sample").label_names("ner_tags")
    assert names[0] == "O"
    with pytest.raises(polytag.CorpusError, match="no tag column 'ner'"):
        corpus.label_names("ner")


def test_the_names_of_a_class_label_keep_the_order_of_their_ids(tmp_path):
    import datasets

    names = ["O", "B-PER", "I-PER", "B-ORG"]
    features = {
        "tokens": datasets.List(datasets.Value("string")),
        "ner": datasets.List(datasets.ClassLabel(names=names)),
    }
    data = datasets.Dataset.from_dict({"tokens": [["EU"]], "ner": [[3]]}, features=datasets.Features(features))
    datasets.DatasetDict({"train": data}).save_to_disk(tmp_path / "saved")
    assert polytag.load_corpus(str(tmp_path / "saved")).label_names("ner") == tuple(names)


def test_sentences_are_printed_as_words_over_tags(folder, capsys):
    corpus = polytag.load_corpus(folder)
    corpus.show("train", 1, 2)
    assert capsys.readouterr().out.splitlines() == [
        "train[1]  train.jsonl:2",
        "tokens    Go",
        "ner_tags  O",
        "pos_tags  VB",
        "",
        "train[2]  train.jsonl:3",
        "tokens    New   York  calls Bonn",
        "ner_tags  B-LOC I-LOC O     B-LOC",
        "pos_tags  NNP   NNP   NNP   NNP",
    ]
    corpus.show()
    assert capsys.readouterr().out.startswith("train[0]  train.jsonl:1\ntokens    EU ")


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ((), [0]),
        (("-n", 5), [0, 1, 2]),
        (("--row", 1), [1]),
        (("--label", "B-ORG", "-n", 5), [0]),
        (("--label", "LOC", "-n", 5), [2]),
        (("--label", "VB", "-n", 5), [1]),
        (("--match", "York calls"), [2]),
        (("--match", "o", "--row", 1, "-n", 5), [1, 2]),
        (("--split", "test"), [0]),
    ],
)
def test_the_command_finds_sentences(options, rows, folder, command):
    found = json.loads(command("corpus", "show", folder, *options, "--json").out)
    assert [sentence["row"] for sentence in found["sentences"]] == rows
    expected = ROWS[rows[0]] if found["split"] == "train" else ROWS[1]
    assert found["sentences"][0]["words"] == expected["tokens"]
    assert found["sentences"][0]["tags"]["ner_tags"] == expected["ner_tags"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--row", 3), "the rows 0 to 2, and not 3"),
        (
            ("--label", "B-PER"),
            "has the label 'B-PER'. Choose another split; `polytag corpus describe` lists the labels.",
        ),
        (("--match", "Paris", "--row", 1), "from row 1 on has the text 'Paris'. Choose another split or row."),
        (("--match", "Paris", "--label", "LOC"), "the label 'LOC' and the text 'Paris'"),
        (("--split", "dev"), "no split 'dev'"),
        (("--alignment", "all"), "Name it, for instance --encoder bert-base-cased"),
        (("--encoder", "compact", "--alignment", "al"), "no alignment strategy named 'al'"),
        (("--encoder", "nowhere/at/all"), "'nowhere/at/all'"),
    ],
)
def test_what_is_not_there_is_said(options, said, folder, command):
    done = command("corpus", "show", folder, *options)
    assert done.status == 2
    assert said in done.err
    assert done.out == ""


def test_a_word_longer_than_a_screen_does_not_widen_every_line(tmp_path, command):
    row = {"tokens": ["x" * 10_000, "EU"], "ner_tags": ["B-" + "名" * 200, "O"]}
    (tmp_path / "train.jsonl").write_text(json.dumps(row))
    for options in ((), ("--encoder", "compact")):
        out = command("corpus", "show", tmp_path, *options).out
        assert max(map(len, out.splitlines())) < 250
        assert "x…" in out
        assert "名…" in out.replace(" ", "")


def test_a_terminal_of_unknown_width_has_80_columns(folder, command, monkeypatch):
    outputs = []
    for columns in ("80", "0"):
        monkeypatch.setenv("COLUMNS", columns)
        outputs.append([command("corpus", *words).out for words in (("show", folder), ("describe", folder))])
    assert outputs[0] == outputs[1]
    assert "" not in outputs[0]


def test_control_characters_do_not_reach_the_terminal(tmp_path, command):
    row = {"tokens": ["\x1b[31mEU"], "ner_tags": ["B-\u202eX"]}
    (tmp_path / "train.jsonl").write_text(json.dumps(row))
    for options in ((), ("--encoder", "compact")):
        out = command("corpus", "show", tmp_path, *options).out
        assert "\\x1b[31mEU" in out
        assert "B-\\u202eX" in out
