"""Tags that no label scheme writes: each command names them, and the options that the message proposes help."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from polytag import CorpusError, check, convert_corpus, load_corpus
from polytag.corpus.recognition import recognise_scheme
from polytag.corpus.splits import read_splits
from polytag.plugin.registry import Registry

SENTENCES = "see O\nAnna B-PER\nLund I-PER\nin O\nRome B-LOC\n. O\n\n" * 3


def corpus_in(folder: Path, text: str) -> str:
    (folder / "train.conll").write_text(text, encoding="utf-8")
    return str(folder / "train.conll")


def refusal(corpus: str, folder: Path, **options: object) -> str:
    with pytest.raises(CorpusError) as refused:
        convert_corpus(corpus, folder / "out", **options)
    return str(refused.value)


@dataclass(frozen=True)
class Use:
    """Something that a corpus is used for."""

    name: str
    registry: Registry
    folder: Path

    def __call__(self, corpus: str, tags_as_is: bool = False, corpus_scheme: str | None = None, **reading: str) -> None:
        if self.name == "convert":
            options = {"tags_as_is": tags_as_is, "corpus_scheme": corpus_scheme, "overwrite": True}
            convert_corpus(corpus, self.folder / "out", **options, **reading)
        else:  # train, evaluate and compare read splits in this one way
            loaded, ner = load_corpus(corpus, **reading), self.registry.tasks["ner"]
            schemes = {"ner": self.registry.schemes["iob2"]}
            split = read_splits(loaded, ["train"], {"ner": ner}, schemes, corpus_scheme, tags_as_is)["train"]
            assert {tag[:2] for row in split.tags["ner"] for tag in row} <= {"O", "B", "B-", "I-"}


@pytest.fixture(params=["convert", "read"])
def use(request: pytest.FixtureRequest, registry: Registry, tmp_path: Path) -> Use:
    return Use(request.param, registry, tmp_path)


def proposed(message: str) -> list[dict[str, object]]:
    """The options in a message, as keyword arguments."""
    found = re.findall(r"--([a-z-]+)(?: (\S+[^\s,.]))?", message)
    keywords = {"tag-style": str, "corpus-scheme": str, "tags-as-is": lambda _: True}
    return [{name.replace("-", "_"): keywords[name](value)} for name, value in found if name in keywords]


@pytest.mark.parametrize(
    ("text", "names", "options"),
    [
        (SENTENCES + "a 0\nb O\nc 0\n", "`0` (2 words, first at train.conll:22) looks like `O`", 2),
        (SENTENCES + "a O\nb PER\n", "`PER` (1 word, at train.conll:23) looks like `I-PER`", 1),
        (SENTENCES + "a O\nb X-PER\nc Q-LOC\n", "`Q-LOC` (1 word, at train.conll:24); `X-PER` (1 word, at ", 1),
        (SENTENCES + "a O\nb B_PER\n", "`B_PER` (1 word, at train.conll:23) looks like `B-PER`", 1),
        (SENTENCES + "a O\nb b-PER\n", "`b-PER` (1 word, at train.conll:23) looks like `B-PER`", 1),
        (SENTENCES.replace("-", "_") + "a 0\nb O\n", "`0` (1 word, at train.conll:22) looks like `O`", 2),
        (SENTENCES.replace(" O", " OTHER"), "`OTHER` (9 words, first at train.conll:1) looks like `O`", 2),
    ],
)
@pytest.mark.filterwarnings("ignore::polytag.CorpusWarning")
def test_odd_tags_are_named_and_the_options_of_the_message_help(use, tmp_path, text, names, options):
    corpus = corpus_in(tmp_path, text)
    with pytest.raises(CorpusError) as refused:
        use(corpus)
    assert names in str(refused.value)
    assert not (tmp_path / "out").exists()
    found = proposed(str(refused.value))
    assert len(found) == options
    for option in found:
        use(corpus, **option)


def test_a_declared_scheme_does_not_hide_odd_tags(use, tmp_path):
    corpus = corpus_in(tmp_path, SENTENCES + "a 0\n")
    with pytest.raises(CorpusError, match=r"`0` .* looks like `O`"):
        use(corpus, corpus_scheme="iob2")
    use(corpus, corpus_scheme="iob2", tags_as_is=True)


def test_many_odd_tags_are_counted(tmp_path):
    corpus = corpus_in(tmp_path, SENTENCES + "".join(f"a Q-{number}\n" for number in range(8)))
    assert refusal(corpus, tmp_path).count("`Q-") == 5
    assert "and 3 more tags" in refusal(corpus, tmp_path)


def test_a_long_tag_is_cut(tmp_path):
    message = refusal(corpus_in(tmp_path, SENTENCES + f"a {'x' * 500}\n"), tmp_path)
    assert f"`{'x' * 39}…`" in message


def test_the_same_tags_are_an_error_of_the_check(tmp_path):
    corpus = corpus_in(tmp_path, SENTENCES + "a 0\nb O\nc 0\n")
    (finding,) = [found for found in check(corpus) if found.severity == "error"]
    assert (finding.code, finding.count) == ("unknown-tag", 2)
    assert finding.message in refusal(corpus, tmp_path).replace("tags that no label", "Tags that no label").replace(
        "schemes write", "scheme writes"
    )
    assert [place.location for place in finding.places] == ["train.conll:22", "train.conll:24"]


def test_odd_tags_of_other_splits_do_no_harm(registry, tmp_path):
    corpus_in(tmp_path, SENTENCES)
    (tmp_path / "test.conll").write_text(SENTENCES + "a 0\n")
    corpus, ner = load_corpus(str(tmp_path)), {"ner": registry.tasks["ner"]}
    schemes = {"ner": registry.schemes["iob2"]}
    assert read_splits(corpus, ["train"], ner, schemes, None)["train"].n_words == 18
    with pytest.raises(CorpusError, match=r"test\.conll:22"):
        read_splits(corpus, ["test"], ner, schemes, None)


# Tags without prefixes

IO = "see O\nOffice ORG\nof ORG\nRome LOC\n. O\n\n"


def test_tags_without_prefixes_are_refused_and_the_scheme_io_reads_them(registry, tmp_path):
    corpus, ner = load_corpus(corpus_in(tmp_path, IO)), {"ner": registry.tasks["ner"]}
    schemes = {"ner": registry.schemes["iob2"]}
    with pytest.raises(CorpusError, match=r"no spans.*such as `ORG`, are one span, say --corpus-scheme io"):
        read_splits(corpus, ["train"], ner, schemes, None)
    split = read_splits(corpus, ["train"], ner, schemes, "io")["train"]
    assert split.tags["ner"] == [["O", "B-ORG", "I-ORG", "B-LOC", "O"]]


def test_the_check_proposes_io_and_is_content_with_it(tmp_path):
    corpus = corpus_in(tmp_path, IO * 4)
    (finding,) = [found for found in check(corpus) if found.code == "no-prefixes"]
    assert "such as `ORG`" in finding.message
    assert "--corpus-scheme io" in finding.message
    assert not [found for found in check(corpus, corpus_scheme="io") if found.severity == "error"]
    assert "no-prefixes" not in [found.code for found in check(corpus, corpus_scheme="io")]


def test_convert_proposes_io_and_writes_with_it(tmp_path):
    done = convert_corpus(corpus_in(tmp_path, IO), tmp_path / "out", scheme="iob2")
    assert "--corpus-scheme io" in done.messages[0]
    done = convert_corpus(str(tmp_path / "train.conll"), tmp_path / "spans", scheme="bmes", corpus_scheme="io")
    assert done.schemes == {"tags": ("io", "bmes")}
    assert load_corpus(str(tmp_path / "spans")).tags("train", "tags") == [["O", "B-ORG", "E-ORG", "S-LOC", "O"]]


def test_parts_of_speech_are_not_taken_for_io(registry, tmp_path):
    corpus = load_corpus(corpus_in(tmp_path, "see VB\nit PRP\n"))
    with pytest.raises(CorpusError, match=r"no spans") as refused:
        read_splits(corpus, ["train"], {"ner": registry.tasks["ner"]}, {"ner": registry.schemes["iob2"]}, None)
    assert "io" not in str(refused.value).split()


@pytest.mark.parametrize(
    ("scheme", "tags"), [("bmes", "B-PER M-PER E-PER O S-LOC"), ("bmewo", "W-PER W-PER B-ORG M-ORG E-ORG")]
)
def test_bmes_and_bmewo_are_recognised_and_converted(tmp_path, scheme, tags):
    corpus = corpus_in(tmp_path, "".join(f"w {tag}\n" for tag in tags.split()))
    done = convert_corpus(corpus, tmp_path / "out", scheme="iobes")
    assert done.schemes == {"tags": (scheme, "iobes")}
    expected = tags.replace("M-", "I-").replace("W-", "S-").split()
    assert load_corpus(str(tmp_path / "out")).tags("train", "tags") == [expected]
    assert not [found for found in check(corpus) if found.severity == "error"]


def test_io_is_never_recognised_by_itself(registry):
    tags = [["I-PER", "I-PER", "O", "PER", "O", "I-LOC"]]
    assert recognise_scheme(tags, registry.schemes.values()).scheme.name == "iob1"


def test_tags_taken_as_they_are_are_written_as_the_scheme_writes_parts_of_spans(tmp_path):
    corpus = corpus_in(tmp_path, SENTENCES + "a O\nb PER\nc PER\n")
    convert_corpus(corpus, tmp_path / "kept", tags_as_is=True)
    assert load_corpus(str(tmp_path / "kept")).tags("train", "tags")[-1] == ["O", "PER", "PER"]
    convert_corpus(corpus, tmp_path / "out", scheme="iob2", tags_as_is=True)
    assert load_corpus(str(tmp_path / "out")).tags("train", "tags")[-1] == ["O", "B-PER", "I-PER"]
