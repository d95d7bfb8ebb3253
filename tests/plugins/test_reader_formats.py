"""Readers: words without annotation, CoNLL-U Plus, and what readers write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polytag import UNANNOTATED, CorpusError, PolytagError, load_corpus
from polytag.corpus.describe import describe


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_positional_tags_are_no_spans(tmp_path):
    tags = ["N------S1I", "P---------", "A-----MS2D", "C---------"]
    rows = "".join(f"{word}\t{tag}\n" for word, tag in zip("abcd", tags, strict=True))
    corpus = load_corpus(str(written(tmp_path, "train.conll", rows)))
    assert corpus.tags("train", "tags") == [tags]
    assert describe(corpus).columns["tags"].scheme == "flat"


# Partial annotation


def test_every_format_has_words_without_annotation(tmp_path):
    import datasets

    text = {
        "a.conll": "a B-X\nb -\n",
        "b.jsonl": '{"tokens": ["a", "b"], "tags": ["B-X", null]}\n',
        "c.jsonl": '{"tokens": ["a", "b"], "tags": ["B-X", "-"]}\n',
        "d.conllup": "# global.columns = ID FORM POLYTAG:tags\n1\ta\tB-X\n2\tb\t-\n",
    }
    paths = [written(tmp_path, name, content) for name, content in text.items()]
    datasets.Dataset.from_dict({"tokens": [["a", "b"]], "tags": [["B-X", None]]}).to_parquet(tmp_path / "e.parquet")
    for path in (*paths, tmp_path / "e.parquet"):
        corpus = load_corpus(str(path))
        assert corpus.tags("train", "tags") == [["B-X", UNANNOTATED]], path


def test_a_sentence_of_json_lines_may_have_no_annotation_at_all(tmp_path):
    rows = '{"tokens": ["a", "b"], "x": [null, null], "y": [null]}\n{"tokens": ["c"], "x": ["N"]}\n'
    corpus = load_corpus(str(written(tmp_path, "a.jsonl", rows)))
    assert corpus.tags("train", "x") == [[UNANNOTATED, UNANNOTATED], ["N"]]


# CoNLL-U Plus


def test_the_first_line_of_conllu_plus_names_the_columns(tmp_path):
    text = "# global.columns = ID FORM UPOS PARSEME:MWE\n# newdoc\n1\ta\tX\t*\n\n1\tb\tY\t1:VID\n"
    corpus = load_corpus(str(written(tmp_path, "train.conllup", text)))
    assert corpus.reader == "conllu"
    assert corpus.columns == ("upos", "PARSEME:MWE")
    assert corpus.tags("train", "PARSEME:MWE") == [["*"], ["1:VID"]]
    assert corpus.documents("train") == [0, 0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# global.columns = ID UPOS\n1\tX\n", "a.conllup:1: the columns ID UPOS are not valid in CoNLL-U Plus"),
        (
            "# global.columns = ID FORM UPOS\n1\ta\tX\n2\ta\n",
            "a.conllup:3: the line has 2 readable fields, and this file has 3",
        ),
    ],
)
def test_what_is_wrong_with_conllu_plus_is_named_with_its_line(tmp_path, text, expected):
    with pytest.raises(CorpusError) as caught:
        load_corpus(str(written(tmp_path, "a.conllup", text)))
    assert expected in str(caught.value)


# Writing


def test_readers_of_names_only_read(registry):
    able = {reader.name for reader in registry.readers.values() if reader.can_write}
    assert able == {reader.name for reader in registry.readers.values()} - {"conll2012", "csv", "hub", "sample"}
    with pytest.raises(PolytagError, match=r"'hub' cannot write a corpus"):
        registry.readers["hub"].write(None, None)


def test_the_files_that_are_written(tmp_path, registry):
    text = "-DOCSTART- O\n\nEU B-ORG\nrejects -\n\n-DOCSTART- O\n\nx O\n\n"
    corpus = load_corpus(str(written(tmp_path, "dev.conll", text)))
    for name in ("column", "jsonl", "conllu"):
        (tmp_path / name).mkdir()
        registry.readers[name].write(corpus.data, tmp_path / name)
    assert (tmp_path / "column/validation.conll").read_text() == text
    assert [json.loads(line) for line in (tmp_path / "jsonl/validation.jsonl").read_text().splitlines()] == [
        {"tokens": ["EU", "rejects"], "tags": ["B-ORG", "-"], "document": 0},
        {"tokens": ["x"], "tags": ["O"], "document": 1},
    ]
    assert (tmp_path / "conllu/validation.conllup").read_text() == (
        "# global.columns = ID FORM POLYTAG:tags MISC\n"
        "# newdoc\n1\tEU\tB-ORG\t_\n2\trejects\t-\t_\n\n# newdoc\n1\tx\tO\t_\n\n"
    )


# The cache of the library `datasets`


@pytest.mark.parametrize("fault", ["full disk", "unwritable"])
def test_a_cache_that_cannot_be_written_is_named(fault, tmp_path, monkeypatch):
    """The library wraps what the system says in an error about the data."""
    import datasets
    from datasets.arrow_writer import ArrowWriter

    datasets.Dataset.from_dict({"tokens": [["a"]], "tags": [["B-X"]]}).to_parquet(tmp_path / "train.parquet")
    cache = tmp_path / "cache"
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
    if fault == "unwritable":
        cache.write_text("a file")
    else:

        def finalize(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(ArrowWriter, "finalize", finalize)
    with pytest.raises(
        CorpusError, match=r"cache of the library datasets .* cannot be written: .*Make room, or choose"
    ):
        load_corpus(str(tmp_path / "train.parquet"))
