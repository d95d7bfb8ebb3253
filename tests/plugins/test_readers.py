"""Readers: every format gives the same corpus, and what is wrong with a file is named with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from polytag import CorpusError, CorpusWarning, load_corpus

if TYPE_CHECKING:
    import datasets

_WORDS = [["EU", "rejects"], ["Peter", "Blackburn", "sleeps"]]
_NER = [["B-ORG", "O"], ["B-PER", "I-PER", "O"]]
_NAMES = ["O", "B-ORG", "B-PER", "I-PER"]


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def error_of(reference: object, **options: object) -> str:
    with pytest.raises(CorpusError) as caught:
        load_corpus(str(reference), **options)
    message = str(caught.value)
    assert "\n" not in message, "an error is one paragraph"
    return message


def class_labels() -> datasets.Dataset:
    import datasets

    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=_NAMES)),
        }
    )
    ids = [[_NAMES.index(tag) for tag in sentence] for sentence in _NER]
    return datasets.Dataset.from_dict({"tokens": _WORDS, "ner_tags": ids}, features=features)


# The same two sentences in every format.


def column_file(folder: Path) -> Path:
    return written(folder, "train.conll", "EU B-ORG\nrejects O\n\nPeter B-PER\nBlackburn I-PER\nsleeps O\n")


def json_lines_file(folder: Path) -> Path:
    rows = [{"id": 7, "tokens": words, "tags": tags} for words, tags in zip(_WORDS, _NER, strict=True)]
    return written(folder, "train.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def parquet_file(folder: Path) -> Path:
    class_labels().rename_column("ner_tags", "tags").to_parquet(folder / "train.parquet")
    return folder / "train.parquet"


def saved_dataset(folder: Path) -> Path:
    class_labels().rename_columns({"ner_tags": "tags", "tokens": "words"}).save_to_disk(folder / "saved")
    return folder / "saved"


def saved_dataset_dict(folder: Path) -> Path:
    import datasets

    data = datasets.DatasetDict({"train": class_labels().rename_column("ner_tags", "tags")})
    data.save_to_disk(folder / "saved")
    return folder / "saved"


@pytest.mark.parametrize(
    ("reader", "write"),
    [
        ("column", column_file),
        ("jsonl", json_lines_file),
        ("parquet", parquet_file),
        ("dataset", saved_dataset),
        ("dataset", saved_dataset_dict),
    ],
)
def test_every_format_gives_the_same_corpus(tmp_path, reader, write):
    corpus = load_corpus(str(write(tmp_path)))
    assert corpus.reader == reader
    assert corpus.splits == ("train",)
    assert corpus.columns == ("tags",)
    assert corpus.words("train") == _WORDS
    assert corpus.tags("train", "tags") == _NER


def test_class_labels_survive_parquet_and_save_to_disk(tmp_path):
    for write in (parquet_file, saved_dataset_dict):
        assert load_corpus(str(write(tmp_path))).labels("tags") == tuple(_NAMES)


@pytest.mark.parametrize("kind", ["parquet", "dataset"])
def test_a_column_of_a_table_that_has_no_tag_for_each_word_can_be_left_out(tmp_path, kind):
    data = class_labels().add_column("spans", [["ORG: EU"], ["PER: Peter Blackburn"]])
    path = tmp_path / "train.parquet"
    if kind == "parquet":
        data.to_parquet(path)
    else:
        data.save_to_disk(path)
    assert error_of(path).endswith(
        "has 2 words and 1 tags in the column 'spans'. Give every word exactly one tag, or leave the column out: "
        "--columns tokens,ner_tags"
    )
    corpus = load_corpus(str(path), columns=["tokens", "ner_tags"])
    assert corpus.columns == ("ner_tags",)
    assert corpus.tags("train", "ner_tags") == _NER
    assert "in the column 'spans'" in error_of(path, columns=["tokens", "spans"])


def test_a_column_is_not_to_be_left_out_where_there_is_no_other(tmp_path):
    class_labels().remove_columns("ner_tags").add_column("spans", [["ORG: EU"], []]).to_parquet(tmp_path / "a.parquet")
    assert error_of(tmp_path / "a.parquet").endswith("Give every word exactly one tag.")


# Column files


@pytest.mark.parametrize(
    "content",
    [
        b"EU B-ORG\r\nrejects O\r\n\r\nPeter B-PER\r\n",
        b"\xef\xbb\xbfEU B-ORG\nrejects O\n\nPeter B-PER\n",
        b"EU B-ORG\nrejects O\n\nPeter B-PER",
        b"EU B-ORG  \nrejects O\t\n  \nPeter B-PER \n\n\n",
        b"\n\nEU\tB-ORG\nrejects\tO\n\n\n\nPeter\tB-PER\n",
    ],
    ids=["CRLF", "BOM", "no newline at the end", "trailing blanks", "tabs and many empty lines"],
)
def test_line_ends_marks_and_blanks_do_not_matter(tmp_path, content):
    corpus = load_corpus(str(written(tmp_path, "a.conll", content)))
    assert corpus.words("train") == [["EU", "rejects"], ["Peter"]]
    assert corpus.tags("train", "tags") == [["B-ORG", "O"], ["B-PER"]]


def test_characters_that_unicode_counts_as_white_space_stay_inside_words(tmp_path):
    corpus = load_corpus(str(written(tmp_path, "a.conll", "10\u00a0000 CD\na\u2028b NN\nc\x85 NN\n")))
    assert corpus.words("train") == [["10\u00a0000", "a\u2028b", "c\x85"]]


def test_words_may_hold_blanks_when_tabs_separate_columns(tmp_path):
    assert load_corpus(str(written(tmp_path, "a.tsv", "New York\tB-LOC\n"))).words("train") == [["New York"]]


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ("EU B-ORG", ("tags",)),
        ("EU NNP B-NP", ("pos_tags", "chunk_tags")),
        ("EU NNP B-NP B-ORG", ("pos_tags", "chunk_tags", "ner_tags")),
        ("EU a b c d", ("column_2", "column_3", "column_4", "column_5")),
    ],
)
def test_columns_are_named_by_their_number(tmp_path, line, columns):
    assert load_corpus(str(written(tmp_path, "a.conll", line + "\n"))).columns == columns


def test_columns_can_be_named_and_skipped(tmp_path):
    path = written(tmp_path, "a.conll", "EU NNP B-NP B-ORG\n")
    corpus = load_corpus(str(path), columns=["tokens", "xpos", "_", "entities"])
    assert corpus.columns == ("xpos", "entities")
    assert corpus.tags("train", "entities") == [["B-ORG"]]


def test_docstart_lines_begin_documents_and_are_no_sentences(tmp_path):
    text = "-DOCSTART- -X-\n\na A\n\nb B\n-DOCSTART- -X-\n-DOCSTART- -X-\n\nc C\n"
    corpus = load_corpus(str(written(tmp_path, "a.conll", text)))
    assert corpus.words("train") == [["a"], ["b"], ["c"]]
    assert corpus.documents("train") == [0, 0, 1]
    assert [corpus.locate("train", i) for i in range(3)] == ["a.conll:3", "a.conll:5", "a.conll:9"]


def test_documents_are_numbered_on_from_file_to_file(tmp_path):
    first = written(tmp_path, "1.conll", "-DOCSTART- O\n\na A\n\n-DOCSTART- O\n\nb B\n")
    second = written(tmp_path, "2.conll", "c C\n")
    corpus = load_corpus(f"train={first},train={second}")
    assert corpus.words("train") == [["a"], ["b"], ["c"]]
    assert corpus.documents("train") == [0, 1, 2]


def test_a_file_of_any_name_is_read_if_it_looks_like_columns(tmp_path):
    assert load_corpus(str(written(tmp_path, "words.data", "EU B-ORG\nrejects O\n"))).reader == "column"
    assert "No reader accepts" in error_of(written(tmp_path, "text.data", "Some words.\nSome more words.\n"))
    assert "No reader accepts" in error_of(written(tmp_path, "image.data", b"\x89PNG \x00\x00\n"))


def test_a_folder_has_its_splits_by_file_name(tmp_path):
    for name in ("x.train", "x.testa", "x.testb"):
        written(tmp_path, name, f"{name} O\n")
    corpus = load_corpus(str(tmp_path))
    assert {split: corpus.words(split)[0][0] for split in corpus.splits} == {
        "train": "x.train",
        "validation": "x.testa",
        "test": "x.testb",
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("EU B-ORG\nrejects O\nGerman\n", "a.conll:3: the line 'German' has 1 column, and most lines of "),
        ("EU\tO\n\nNew York O\n", "a.conll:3: the line 'New York O' has 1 column"),
        ("EU O\n# note\nis not O\n", "a.conll:3: the line 'is not O' has 3 columns"),
        ("EU O\n# a note\n", "--comments '#'"),
        ("EU\tO\n\tO\n", "a.conll:2: column 1 of '\\tO' is empty"),
        ("\n\nEU\nrejects\n", "a.conll:3: the line has one column"),
        (b"EU O\n\nM\xfcnchen O\n", "a.conll:3: byte 2 of this line (0xfc, offset 7 of "),
        (b"\xef\xbb\xbfM\xfcnchen O\n", "a.conll:1: byte 5 of this line (0xfc, offset 4 of "),
        ("", "is empty"),
        ("\n-DOCSTART- O\n\n", "has no sentence"),
    ],
)
def test_what_is_wrong_with_a_column_file_is_named_with_its_line(tmp_path, content, expected):
    assert expected in error_of(written(tmp_path, "a.conll", content))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["tokens", "pos_tags"], "a.conll:2: the line has 3 columns and --columns names 2 (tokens,pos_tags)"),
        (["pos_tags", "ner_tags", "_"], "is named 'tokens'"),
        (["tokens", "_", "_"], "name no tag column"),
        (["tokens", "ner", "ner"], "name 'ner' twice"),
        (["tokens", "_", "document"], "cannot be named 'document'"),
    ],
)
def test_wrong_column_names_are_explained(tmp_path, columns, expected):
    assert expected in error_of(written(tmp_path, "a.conll", "\nEU NNP B-NP\n"), columns=columns)


# CoNLL-U

_CONLLU = """\
# newdoc id = one
# sent_id = 1
# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\tMood=Imp|Number=Plur\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\tCase=Acc\t1\tobj\t_\t_
2.1\tvacío\tvacío\tVERB\t_\t_\t_\t_\t1:conj\t_
3\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\t_

# newdoc
1\t¡\t¡\tPUNCT\t_\t_\t0\tpunct\t_\tSpaceAfter=No
"""


def test_conllu_has_syntactic_words_and_five_columns(tmp_path):
    corpus = load_corpus(str(written(tmp_path, "es-ud-dev.conllu", _CONLLU)))
    assert corpus.reader == "conllu"
    assert corpus.splits == ("validation",)
    assert corpus.words("validation") == [["Vamos", "nos", "mar"], ["¡"]]
    assert corpus.tags("validation", "upos") == [["VERB", "PRON", "NOUN"], ["PUNCT"]]
    assert "xpos" not in corpus.columns, "no word has a value there"
    assert corpus.tags("validation", "lemmas") == [["ir", "nosotros", "mar"], ["¡"]]
    assert corpus.tags("validation", "feats") == [["Mood=Imp|Number=Plur", "Case=Acc", "_"], ["_"]]
    assert corpus.tags("validation", "deprel") == [["root", "obj", "obl"], ["punct"]]
    assert corpus.documents("validation") == [0, 1]
    assert corpus.locate("validation", 1) == "es-ud-dev.conllu:11"


def test_a_comment_may_begin_with_a_blank(tmp_path):
    path = written(tmp_path, "a.conllu", " # text = ir\n1\tir\tir\tVERB\t_\t_\t0\troot\t_\t_\n")
    assert load_corpus(str(path)).words("train") == [["ir"]]


def test_a_treebank_folder_may_hold_plain_text_beside_its_files(tmp_path):
    written(tmp_path, "es-ud-train.conllu", _CONLLU)
    written(tmp_path, "es-ud-train.txt", "Vámonos al mar\n")
    with pytest.warns(CorpusWarning, match=r"were not read\. es-ud-train\.txt: not CoNLL-U\.$"):
        assert load_corpus(str(tmp_path)).reader == "conllu"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "x\ta\ta\tX\t_\t_\t0\troot\t_\t_",
            "a.conllu:3: this line is not CoNLL-U: Failed parsing field 'id'",
        ),
        ("nothing", "a.conllu:3: this line is not CoNLL-U: Invalid line format"),
        ("2\ta\ta\tX", "a.conllu:3: the line has 4 readable fields, and CoNLL-U has 10"),
        (
            "2\tPeter\tPeter  P\tPROPN\tNNP\t_\t0\troot\t_\t_",
            "a.conllu:3: the line has 11 readable fields, and CoNLL-U has 10",
        ),
    ],
)
def test_what_is_wrong_with_a_treebank_is_named_with_its_line(tmp_path, line, expected):
    good = "1\ta\ta\tX\t_\t_\t0\troot\t_\t_"
    assert expected in error_of(written(tmp_path, "a.conllu", f"# text\n{good}\n{line}\n\n{good}\n"))


# JSON Lines


def test_json_lines_take_words_for_tokens_and_number_documents(tmp_path):
    rows = [
        {"words": ["a"], "x": ["A"], "document": "one", "entities": [{"start": 0}], "score": 0.5},
        {"words": [], "x": [], "document": "one"},
        {"words": ["b"], "x": ["B"], "document": "two", "entities": []},
    ]
    path = written(tmp_path, "test.json", "\n\n".join(map(json.dumps, rows)))
    corpus = load_corpus(str(path))
    assert corpus.reader == "jsonl"
    assert corpus.columns == ("x",)
    assert corpus.words("test") == [["a"], ["b"]]
    assert corpus.documents("test") == [0, 1]
    assert corpus.locate("test", 1) == "test.json:5"


def test_columns_choose_which_lists_of_json_lines_are_read(tmp_path):
    path = written(tmp_path, "a.jsonl", '{"tokens": ["a", "b"], "x": ["A", "B"], "ids": [1, 2], "alias": ["c"]}\n')
    assert load_corpus(str(path), columns=["x"]).columns == ("x",)
    assert "no tag column 'y'; its tag columns are x" in error_of(path, columns=["x", "y"])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"tokens": ["a"', "a.jsonl:3: this line is not JSON: Expecting"),
        ('["a"]', "a.jsonl:3: this is not a JSON object"),
        ('{"x": ["A"]}', "a.jsonl:3: the object has no field 'tokens'"),
        ('{"tokens": "a", "x": ["A"]}', "a.jsonl:3: 'tokens' is not a list of strings"),
        ('{"tokens": ["a"], "x": ["A", "B"]}', "a.jsonl:3: 'x' has 2 tags for 1 words"),
        ('{"tokens": ["a"], "x": [3]}', "a.jsonl:3: 'x' is a list of numbers"),
        ('{"tokens": ["a", "b"], "x": ["A", 1]}', "a.jsonl:3: 'x' has values that are not strings"),
        ('{"tokens": ["a"]}', "a.jsonl:3: the object has no list of tags"),
        (
            '{"tokens": ["a"], "y": ["A"]}',
            "a.jsonl:3: this sentence and the previous ones have different columns",
        ),
        ('{"tokens": ["a"], "x": ["A"], "document": 0.5}', "a.jsonl:3: 'document' is neither"),
    ],
)
def test_what_is_wrong_with_json_lines_is_named_with_its_line(tmp_path, line, expected):
    good = '{"tokens": ["a"], "x": ["A"]}'
    assert expected in error_of(written(tmp_path, "a.jsonl", f"{good}\n{good}\n{line}\n"))


# Tables


def test_splits_called_dev_or_valid_are_validation(tmp_path):
    import datasets

    datasets.DatasetDict({"train": class_labels(), "dev": class_labels()}).save_to_disk(tmp_path / "saved")
    assert load_corpus(str(tmp_path / "saved")).splits == ("train", "validation")


def test_splits_that_speak_of_the_same_one_all_keep_their_names(tmp_path):
    import datasets

    names = ("train_2020", "train_2021", "dev", "test", "test_hard")
    datasets.DatasetDict(dict.fromkeys(names, class_labels())).save_to_disk(tmp_path / "saved")
    corpus = load_corpus(str(tmp_path / "saved"))
    assert sorted(corpus.splits) == ["test", "test_hard", "train_2020", "train_2021", "validation"]


def test_half_a_character_is_named_with_its_line(tmp_path):
    path = written(tmp_path, "train.jsonl", '{"tokens": ["a"], "t": ["A"]}\n{"tokens": ["b\\ud83d"], "t": ["B"]}\n')
    assert error_of(path).startswith(r"train.jsonl:2: 'b\ud83d' has half of a surrogate pair")


def test_a_broken_parquet_file_is_named(tmp_path):
    assert "train.parquet cannot be read as Parquet" in error_of(written(tmp_path, "train.parquet", b"PAR1"))


def test_a_saved_dataset_that_lacks_a_split_is_not_complete(tmp_path):
    written(tmp_path, "dataset_dict.json", '{"splits": ["train"]}')
    assert "is not a complete saved dataset" in error_of(tmp_path)


# The original files


def test_conll2003_has_its_published_size(conll2003):
    corpus = load_corpus(str(conll2003))
    assert corpus.reader == "column"
    assert corpus.columns == ("pos_tags", "chunk_tags", "ner_tags")
    sizes = {
        split: (len(set(corpus.documents(split))), len(corpus.words(split)), corpus.n_words(split))
        for split in corpus.splits
    }
    assert sizes == {
        "train": (946, 14_041, 203_621),
        "validation": (216, 3_250, 51_362),
        "test": (231, 3_453, 46_435),
    }
