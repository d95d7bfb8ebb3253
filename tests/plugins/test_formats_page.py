"""The page about formats: every example on it is read, and gives the sentences it shows."""

import re
from pathlib import Path
from types import ModuleType

import pytest

import polytag
from polytag.corpus.convert import convert_corpus

PAGE = (Path(__file__).parents[2] / "docs/reference/formats.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
FORMATS = [name for name in SECTIONS if name.islower() and name != "hub"]
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
WORDS = [["Peter", "Blackburn", "lives", "."], ["EU", "rejects", "it", "."]]
TAGS = [["B-PER", "I-PER", "O", "O"], ["B-ORG", "O", "O", "O"]]


def test_every_format_has_a_section_and_a_row(registry):
    assert {*FORMATS, "hub"} == set(registry.readers) - {"sample"}
    table = PAGE.partition("\n## ")[0]
    rows = " ".join(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE))
    assert set(FORMATS) == set(re.findall(r"`([a-z0-9-]+)`", rows))


@pytest.mark.parametrize("name", FORMATS)
def test_every_example_is_read(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(SECTIONS[name])
    assert blocks
    for language, title, content in blocks:
        if title:
            path = tmp_path / title
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
        elif language == "python":
            exec(content, {})
    sources = sorted(path for path in tmp_path.iterdir() if path.suffix != ".txt")
    for source in sources:
        corpus = polytag.load_corpus(str(source))
        assert corpus.reader == name
        assert corpus.words("train") == WORDS
        assert corpus.tags("train", "ner_tags") == TAGS
        assert corpus.documents("train") == [0, 0]


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("conll2012", "csv")])
def test_what_is_written_is_as_the_table_says(name, tmp_path, registry):
    row = next(line for line in PAGE.splitlines() if line.startswith("|") and f"`{name}`" in line)
    gaps = row.split("|")[-2].strip()

    def kept(*tags: list[str]) -> bool:
        made = polytag.corpus_from_sentences(
            {"train": [polytag.Sentence(["a", "b"], {"ner_tags": own}, n, "x:1") for n, own in enumerate(tags)]}
        )
        corpus = polytag.Corpus("mine", "test", made)
        try:
            done = convert_corpus(corpus, tmp_path / str(len(list(tmp_path.iterdir()))), format=name)
        except polytag.CorpusError:
            return False
        columns = ["tokens", "ner_tags"] if done.options else None
        return polytag.load_corpus(str(done.folder), columns=columns).tags("train", "ner_tags") == list(tags)

    assert kept(["B-X", "I-X"])
    assert kept(["B-X", "O"], ["", ""]) == (gaps != "no")
    assert kept(["B-X", ""]) == (gaps not in ("no", "whole texts"))


def test_the_plugin_reads_and_writes_its_format(tmp_path, monkeypatch, registry):
    (_, title, content), *_ = BLOCK.findall(SECTIONS["Formats of plugins"])
    module = ModuleType("quotes_plugin")
    exec(content, module.__dict__)
    (reader,) = module.polytag_readers()
    (tmp_path / "train.quotes").write_text('"Peter" sleeps\n"EU" met "Anna"\n')
    read = reader.read(polytag.Source("x", files={"train": [tmp_path / "train.quotes"]}))
    assert read["train"].tags["ner_tags"] == (("B-NAME", "O"), ("B-NAME", "O", "B-NAME"))
    (tmp_path / "out").mkdir()
    reader.write(read, tmp_path / "out")
    assert (tmp_path / "out/train.quotes").read_text() == (tmp_path / "train.quotes").read_text()
    assert (title, reader.can_write) == ("a plugin", True)
