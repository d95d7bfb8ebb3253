"""Converting corpora: nothing gets lost between any two formats or schemes, and what cannot be held is said."""

import json
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from polytag import (
    UNANNOTATED,
    CorpusError,
    LabelScheme,
    PolytagError,
    Sentence,
    corpus_from_sentences,
    load_corpus,
    sentences_of,
)
from polytag.cli.corpus import app
from polytag.corpus.convert import check_folder, convert_corpus
from polytag.corpus.corpus import Corpus
from polytag.corpus.tables import checked
from polytag.plugin.scheme import annotated_stretches
from support.corpora import built, content

FORMATS = ("column", "conllu", "jsonl", "parquet", "dataset")
SCHEMES = ("iob1", "iob2", "ioe1", "ioe2", "iobes", "bilou")
TEXT = "-DOCSTART- O\n\nEU B-ORG\nrejects O\nPeter B-PER\nBlackburn I-PER\n\nNato B-ORG\nEU B-ORG\n"


def corpus_of(folder: Path, text: str, name: str = "train.conll", **options) -> Corpus:
    (folder / name).write_text(text, encoding="utf-8")
    return load_corpus(str(folder / name), **options)


def read(folder: Path, options: str = "") -> Corpus:
    said = {"header": False} if "--no-header" in options else {}
    words = options.replace("--no-header", "").split()
    said |= {
        flag.removeprefix("--").replace("-", "_"): value for flag, value in zip(words[::2], words[1::2], strict=True)
    }
    return load_corpus(str(folder), **said)


def spans(scheme: LabelScheme, sentences: list[list[str]]) -> list[list[tuple[int, int, str]]]:
    """Spans of the annotated stretches of every sentence."""
    return [
        [
            (start + span.start, start + span.end, span.label)
            for start, end in annotated_stretches(tags)
            for span in scheme.spans(tags[start:end])
        ]
        for tags in sentences
    ]


def run(*arguments: object):
    polytag = typer.Typer()
    polytag.add_typer(app, name="corpus")
    return CliRunner().invoke(polytag, ["corpus", "convert", *map(str, arguments)])


# Whatever is in a corpus

_characters = st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters=" \t\n\r")
_words = st.text(_characters, min_size=1, max_size=4) | st.sampled_from(
    ["#", "# newdoc", "1-2", "_", "-", "\ufeff", "O", '"', "a\u00a0b", "\x1c", "\u2028", "\x85"]
).filter(lambda word: " " not in word)
_span_tags = st.sampled_from(["O", "B-X", "I-X", "B-Y-Z", "I-Y-Z", "B", "I", UNANNOTATED])
_flat_tags = st.sampled_from(["NN", "VB", "_", ".", "#", "PRP$"])


@st.composite
def splits(draw: st.DrawFn) -> dict[str, list[Sentence]]:
    known = draw(st.booleans())
    found = {}
    for split in draw(st.sets(st.sampled_from(["train", "validation", "test"]), min_size=1)):
        sentences, document = [], 0
        for lengths in draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)):
            words = draw(st.lists(_words, min_size=lengths, max_size=lengths))
            tags = {
                "ner_tags": draw(st.lists(_span_tags, min_size=lengths, max_size=lengths)),
                "upos": draw(st.lists(_flat_tags, min_size=lengths, max_size=lengths)),
            }
            sentences.append(Sentence(words, tags, document if known else None, f"mine:{len(sentences)}"))
            document += draw(st.booleans())
        found[split] = sentences
    return found


@given(drawn=splits(), formats=st.tuples(st.sampled_from(FORMATS), st.sampled_from(FORMATS)))
@settings(max_examples=20)
def test_words_tags_and_documents_survive_any_two_formats(drawn, formats):
    corpus = built(drawn)
    with TemporaryDirectory() as folder:
        now = corpus
        for number, name in enumerate(formats):
            done = convert_corpus(now, Path(folder) / str(number), format=name)
            assert not any("left out" in message or "documents" in message for message in done.messages if number == 0)
            now = read(done.folder, done.options)
            assert content(now) == content(corpus), name


@pytest.mark.parametrize(("first", "second"), list(product(FORMATS, FORMATS)))
def test_every_pair_of_formats(tmp_path, first, second):
    corpus = corpus_of(tmp_path, TEXT + "\nx -\ny I-ORG\n", columns=["tokens", "ner_tags"])
    one = convert_corpus(corpus, tmp_path / "one", format=first)
    two = convert_corpus(read(one.folder, one.options), tmp_path / "two", format=second)
    again = read(two.folder, two.options)
    assert again.reader == second
    assert content(again) == content(corpus)


@pytest.mark.parametrize(("source", "target"), list(product(SCHEMES, SCHEMES)))
def test_every_pair_of_schemes_keeps_spans(tmp_path, registry, source, target):
    drawn = [["B-X", "B-X", "I-X", "O", "B-Y"], ["B-X", "I-X", UNANNOTATED, "B-Y", "I-Y", "B-Y"], ["O"]]
    words = [["w"] * len(tags) for tags in drawn]
    made = [
        Sentence(w, {"ner_tags": t, "upos": ["N"] * len(w)}, None, "x:1") for w, t in zip(words, drawn, strict=True)
    ]
    first = convert_corpus(
        built({"train": made}), tmp_path / "one", format="jsonl", scheme=source, corpus_scheme="iob2"
    )
    corpus = read(first.folder)
    done = convert_corpus(corpus, tmp_path / "two", format="column", scheme=target, corpus_scheme=source)
    again = read(done.folder, done.options)
    assert done.schemes == {"ner_tags": (source, target), "upos": ("flat", "flat")}
    assert spans(registry.schemes[target], again.tags("train", "ner_tags")) == spans(registry.schemes["iob2"], drawn)
    assert [[tag == UNANNOTATED for tag in tags] for tags in again.tags("train", "ner_tags")] == [
        [tag == UNANNOTATED for tag in tags] for tags in drawn
    ]
    assert registry.schemes[target].violations(again.tags("train", "ner_tags")[0]) == []
    assert again.tags("train", "upos") == corpus.tags("train", "upos")


def test_class_labels_stay_class_labels(tmp_path):
    import datasets

    names = ["I-PER", "O", "B-PER", "-"]
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "pos_tags": datasets.List(datasets.ClassLabel(names=["Z", "A"])),
            "ner_tags": datasets.List(datasets.ClassLabel(names=names)),
        }
    )
    rows = {"tokens": [["a", "b", "c"]], "pos_tags": [[0, 1, 0]], "ner_tags": [[2, 0, 3]]}
    data = datasets.DatasetDict({"train": datasets.Dataset.from_dict(rows, features=features)})
    corpus = Corpus("mine", "test", checked(data, "mine"))
    for name in ("parquet", "dataset"):
        done = convert_corpus(corpus, tmp_path / name, format=name, scheme="iobes")
        again = read(done.folder)
        assert again.labels("pos_tags") == ("Z", "A")
        assert again.labels("ner_tags") == ("B-PER", "E-PER")
        assert again.tags("train", "ner_tags") == [["B-PER", "E-PER", UNANNOTATED]]


# What cannot be held


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("New York", "the word 'New York' cannot be written to a column file: it has white space"),
        ("a\tb", "has white space"),
        ("a\nb", "has white space"),
        ("", "the word '' cannot be written to a column file: it is empty"),
        ("-DOCSTART-", "would start a document"),
    ],
)
def test_words_that_a_column_file_cannot_hold_are_named(tmp_path, word, reason):
    row = {"tokens": ["a", word], "x": ["N", "N"]}
    corpus = corpus_of(tmp_path, json.dumps(row), "train.jsonl")
    with pytest.raises(CorpusError) as caught:
        convert_corpus(corpus, tmp_path / "out", format="column")
    assert str(caught.value).startswith("train.jsonl:1, word 2: ")
    assert reason in str(caught.value)
    assert "--format jsonl" in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.jsonl"], "nothing is left behind"
    assert content(read(convert_corpus(corpus, tmp_path / "out", format="jsonl").folder)) == content(corpus)


def test_tags_that_a_column_file_cannot_hold_are_named(tmp_path):
    corpus = corpus_of(tmp_path, '{"tokens": ["a"], "x": ["N N"]}', "train.jsonl")
    with pytest.raises(CorpusError, match=r"train.jsonl:1, word 1: the tag 'N N' cannot be written"):
        convert_corpus(corpus, tmp_path / "out", format="column")


@pytest.mark.parametrize("word", ["a  b", " a", "a\tb", ""])
def test_words_that_conllu_cannot_hold_are_named(tmp_path, word):
    corpus = built({"train": [Sentence([word], {"upos": ["X"]}, None, "mine:7")]})
    with pytest.raises(CorpusError, match=r"mine:7, word 1: .* cannot be written in CoNLL-U"):
        convert_corpus(corpus, tmp_path / "out", format="conllu")


def test_a_gap_that_would_be_read_as_a_tag_is_refused(tmp_path):
    # In a column of parts of speech, `-` on a mark is a tag.
    corpus = corpus_of(tmp_path, '{"tokens": ["a", ","], "x": ["N", null]}', "train.jsonl")
    with pytest.raises(CorpusError, match=r"train.jsonl:1, tag in 'x': 'no annotation' becomes '-'.*--format jsonl"):
        convert_corpus(corpus, tmp_path / "out", format="column")
    assert not (tmp_path / "out").exists()


def test_documents_that_do_not_stand_together_are_reported(tmp_path):
    rows = "".join(json.dumps({"tokens": ["a"], "x": ["N"], "document": name}) + "\n" for name in "aba")
    corpus = corpus_of(tmp_path, rows, "train.jsonl")
    messages = convert_corpus(corpus, tmp_path / "out", format="column").messages
    assert any("there were 2 documents, now there are 3 documents" in message for message in messages)
    kept = convert_corpus(corpus, tmp_path / "kept", format="parquet")
    assert content(read(kept.folder)) == content(corpus)


def test_columns_without_tags_are_reported(tmp_path):
    import datasets

    rows = {"tokens": [["a"]], "x": [["N"]], "id": ["7"], "document": ["one"]}
    data = datasets.DatasetDict({"train": datasets.Dataset.from_dict(rows)})
    corpus = Corpus("mine", "test", checked(data, "mine"))
    done = convert_corpus(corpus, tmp_path / "out", format="parquet")
    assert done.messages == ("Columns without words or tags are left out: id, document.",)


def test_splits_of_other_names_go_into_saved_datasets_alone(tmp_path):
    corpus = built({"train": [Sentence(["a"], {"x": ["N"]}, None, "")]})
    corpus = Corpus("mine", "test", {"train": corpus.data["train"], "train_small": corpus.data["train"]})
    for name in FORMATS[:-1]:
        with pytest.raises(CorpusError, match=r"The split 'train_small' .*format dataset"):
            convert_corpus(corpus, tmp_path / "out", format=name)
    done = convert_corpus(corpus, tmp_path / "out", format="dataset")
    assert done.sentences == {"train": 1, "train_small": 1}
    assert read(done.folder).splits == ("train", "train_small")


def test_splits_with_different_columns(tmp_path):
    first = built({"train": [Sentence(["a"], {"x": ["N"], "y": ["A"]}, None, "")]}).data["train"]
    second = built({"test": [Sentence(["a"], {"x": ["N"]}, None, "")]}).data["test"]
    corpus = Corpus("mine", "test", checked({"train": first, "test": second}, "mine"))
    for name in ("column", "parquet"):
        with pytest.raises(CorpusError, match=r"'train' has the tag columns x, y, and 'test' has x"):
            convert_corpus(corpus, tmp_path / "out", format=name)
    for name in ("jsonl", "conllu", "dataset"):
        again = read(convert_corpus(corpus, tmp_path / name, format=name).folder)
        assert again.splits_with("y") == ["train"]


def test_schemes_and_formats_that_do_not_do(tmp_path):
    corpus = corpus_of(tmp_path, TEXT)
    with pytest.raises(PolytagError, match=r"'flat' cannot encode spans. Choose one of: .*iob2"):
        convert_corpus(corpus, tmp_path / "out", scheme="flat")
    with pytest.raises(PolytagError, match=r"'hub' is read-only. .*: column, conllu, jsonl, parquet, dataset"):
        convert_corpus(corpus, tmp_path / "out", format="hub")
    with pytest.raises(CorpusError, match=r"not in the scheme 'iob1'"):
        convert_corpus(corpus, tmp_path / "out", scheme="iobes", corpus_scheme="iob1")
    flat = corpus_of(tmp_path, "a NN\n")
    assert "nothing was converted" in convert_corpus(flat, tmp_path / "out", scheme="iobes").messages[0]


def test_spans_that_break_their_scheme_are_reported(tmp_path):
    corpus = corpus_of(tmp_path, TEXT + "\na O\nb I-PER\n")
    done = convert_corpus(corpus, tmp_path / "out", scheme="iobes")
    assert "tags: 1 words violate the scheme 'iob2', the first in the sentence at train.conll:11" in done.messages[0]
    assert read(done.folder).tags("train", "tags")[-1] == ["O", "S-PER"]


# The folder


def test_a_folder_in_use_is_not_touched_without_overwrite(tmp_path):
    corpus = corpus_of(tmp_path, TEXT)
    folder = tmp_path / "out"
    convert_corpus(corpus, folder)
    with pytest.raises(PolytagError, match=r"exists already. .*--overwrite"):
        convert_corpus(corpus, folder, format="jsonl")
    assert [path.name for path in folder.iterdir()] == ["train.conll"]
    convert_corpus(corpus, folder, format="jsonl", overwrite=True)
    assert [path.name for path in folder.iterdir()] == ["train.jsonl"]
    convert_corpus(read(folder), folder, format="dataset", overwrite=True)
    convert_corpus(read(folder), folder, format="column", overwrite=True)
    assert content(read(folder)) == content(corpus)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "train.conll"]


def test_a_folder_that_holds_something_else_is_never_replaced(tmp_path):
    corpus = corpus_of(tmp_path, TEXT)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(PolytagError, match=r"has 'thesis.tex', which is not a file of a converted corpus"):
        convert_corpus(corpus, tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").exists()
    with pytest.raises(PolytagError, match=r"is a file"):
        convert_corpus(corpus, tmp_path / "thesis.tex", overwrite=True)


def test_what_stands_beside_a_saved_dataset_is_not_replaced(tmp_path):
    corpus, folder = corpus_of(tmp_path, TEXT), tmp_path / "out"
    convert_corpus(corpus, folder, format="dataset")
    convert_corpus(corpus, folder, format="dataset", overwrite=True)
    (folder / "raw").mkdir()
    with pytest.raises(PolytagError, match=r"has 'raw', which is not a file of a converted corpus"):
        convert_corpus(corpus, folder, format="dataset", overwrite=True)
    assert (folder / "raw").is_dir()


def test_a_failure_leaves_the_old_corpus(tmp_path, monkeypatch, registry):
    corpus, folder = corpus_of(tmp_path, TEXT), tmp_path / "out"
    convert_corpus(corpus, folder)

    def full(self, data, folder):
        (folder / "train.jsonl").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(registry.readers["jsonl"]), "write", full)
    with pytest.raises(PolytagError, match=r"cannot be written to .*No space left on device"):
        convert_corpus(corpus, folder, format="jsonl", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "train.conll"]
    assert content(read(folder)) == content(corpus)


def test_an_interrupt_leaves_the_old_corpus(tmp_path, monkeypatch):
    corpus, folder = corpus_of(tmp_path, TEXT), tmp_path / "out"
    convert_corpus(corpus, folder)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("polytag.corpus.convert.compare_written", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert_corpus(corpus, folder, format="jsonl", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "train.conll"]
    assert content(read(folder)) == content(corpus)


@pytest.mark.parametrize("folder", ["locked", "locked/out"])
def test_a_folder_without_rights_is_refused_at_once(tmp_path, like_any_user, folder):
    (tmp_path / "locked").mkdir(mode=0o555 if folder == "locked/out" else 0o333)
    with pytest.raises(PolytagError, match=r"cannot be written: Permission denied\. Choose another"):
        check_folder(tmp_path / folder, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["locked"]


@pytest.mark.parametrize("kind", ["the current one", "a mount point"])
def test_a_folder_that_cannot_be_replaced_is_refused_at_once(tmp_path, monkeypatch, kind):
    folder = tmp_path / "empty"
    folder.mkdir()
    if kind == "the current one":
        monkeypatch.chdir(folder)
    else:
        monkeypatch.setattr(Path, "is_mount", lambda path: path == folder)
    with pytest.raises(PolytagError, match=rf"is {kind}, which"):
        check_folder(Path() if kind == "the current one" else folder, overwrite=False)


def test_a_link_to_a_corpus_stays(tmp_path):
    corpus = corpus_of(tmp_path, TEXT)
    convert_corpus(corpus, tmp_path / "v1")
    (tmp_path / "link").symlink_to("v1")
    convert_corpus(corpus, tmp_path / "link", format="jsonl", overwrite=True)
    assert (tmp_path / "link").readlink() == Path("v1")
    assert [path.name for path in (tmp_path / "v1").iterdir()] == ["train.jsonl"]


def test_a_tilde_is_the_home_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    convert_corpus(corpus_of(tmp_path, TEXT), Path("~/out"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "train.conll"]


def test_a_writer_that_loses_words_is_found_out(tmp_path, monkeypatch, registry):
    corpus = corpus_of(tmp_path, TEXT)
    write = type(registry.readers["jsonl"]).write
    monkeypatch.setattr(
        type(registry.readers["jsonl"]),
        "write",
        lambda self, data, folder: write(
            self, corpus_from_sentences({"train": [next(sentences_of(data["train"]))]}), folder
        ),
    )
    with pytest.raises(CorpusError, match=r"does not preserve this corpus: train has 2 sentences, and then 1"):
        convert_corpus(corpus, tmp_path / "out", format="jsonl")


# The command


def test_column_files_are_in_the_order_in_which_they_are_read(tmp_path):
    result = run("sample", tmp_path / "out", "--format", "column", "--scheme", "iobes")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].endswith("(column), sentences: train 1,608, validation 253, test 253")
    assert "ner_tags: iob2 -> iobes" in result.stdout
    assert "pos_tags: flat\n" in result.stdout
    assert "read it with" not in result.stdout
    again = load_corpus(str(tmp_path / "out"))
    assert again.columns == ("pos_tags", "chunk_tags", "ner_tags")
    assert again.tags("test", "pos_tags") == load_corpus("sample").tags("test", "pos_tags")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "test.conll",
        "train.conll",
        "validation.conll",
    ]


def test_the_command_keeps_the_format_and_reports_on_stderr(tmp_path):
    (tmp_path / "train.conllu").write_text("# a comment\n1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n")
    result = run(tmp_path / "train.conllu", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out/train.conllu").read_text() == "1\ta\ta\tX\t_\t_\t_\troot\t_\t_\n\n"
    assert "heads" in result.stderr
    assert "heads" not in result.stdout
