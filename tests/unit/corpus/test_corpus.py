"""Loading corpora, and what a corpus says about itself."""

import os
import subprocess
import sys

import pytest

from polytag import IGNORE, UNANNOTATED, CorpusError, CorpusWarning, Span, Task, load_corpus
from polytag.corpus.corpus import Corpus
from polytag.corpus.recognition import recognise_scheme, scheme_of
from polytag.corpus.source import locate
from polytag.corpus.splits import read_split
from polytag.corpus.tables import checked
from polytag.encoding.features import label_ids
from polytag.errors import UnknownNameError
from polytag.plugin.scheme import convert_tags
from polytag.training.data import inventory

_WORDS = [["EU", "rejects"], ["Peter", "Blackburn", "sleeps"]]
_NER = [["B-ORG", "O"], ["B-PER", "I-PER", "O"]]


def corpus_of(**columns: list[list[object]]) -> Corpus:
    import datasets

    data = datasets.DatasetDict({"train": datasets.Dataset.from_dict(columns)})
    return Corpus("mine", "test", checked(data, "mine"))


def file_of(folder, text, name="mine.conll"):
    path = folder / name
    path.write_text(text)
    return str(path)


# What a corpus holds


def test_splits_come_in_the_order_of_an_experiment():
    import datasets

    dataset = datasets.Dataset.from_dict({"tokens": _WORDS, "ner_tags": _NER})
    data = datasets.DatasetDict(dict.fromkeys(("extra", "test", "train", "validation"), dataset))
    assert Corpus("mine", "test", checked(data, "mine")).splits == ("train", "validation", "test", "extra")


def test_tag_columns_are_lists_of_strings_or_class_labels():
    corpus = corpus_of(tokens=_WORDS, ner_tags=_NER, id=["1", "2"], numbers=[[1], [2]])
    assert corpus.columns == ("ner_tags",)
    assert corpus.labels("ner_tags") is None
    assert corpus.documents("train") is None
    assert corpus.locate("train", 1) == "train sentence 2"
    assert corpus.n_words("train") == 5


def test_sentences_without_words_are_dropped():
    corpus = corpus_of(tokens=[[], *_WORDS, []], ner_tags=[[], *_NER, []])
    assert corpus.words("train") == _WORDS
    assert corpus.tags("train", "ner_tags") == _NER


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {"text": ["a"]},
            "has no column 'tokens' with a list of strings for each sentence; its columns are text",
        ),
        ({"tokens": [["a"]], "text": ["a"]}, "has no tag column"),
        (
            {"tokens": [["a"], ["b", None]], "x": [["A"], ["B", "C"]]},
            "train sentence 2: a word of this sentence is missing",
        ),
        (
            {"tokens": [["a"], ["b"]], "x": [["A"], ["B", "C"]]},
            "train sentence 2: this sentence of the corpus 'mine' has 1",
        ),
        (
            {"tokens": [["b"], ["a"]], "x": [["B"], None]},
            "train sentence 2: this sentence of the corpus 'mine' has 1 words and 0",
        ),
        ({"tokens": [[]], "x": [["A"][:0]]}, "has no column 'tokens'"),
    ],
)
def test_a_corpus_that_does_not_hold_together_is_refused(columns, expected):
    with pytest.raises(CorpusError) as caught:
        corpus_of(**columns)
    assert expected in str(caught.value)


@pytest.mark.parametrize("missing", [None, -1])
def test_a_word_without_a_class_label_has_no_annotation(missing):
    import datasets

    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "x": datasets.List(datasets.ClassLabel(names=["A", "B"])),
            "y": datasets.List(datasets.Value("string")),
        }
    )
    rows = {"tokens": [["a"], ["b", "c"]], "x": [[0], [1, missing]], "y": [["A"], ["B", "C"]]}
    data = datasets.DatasetDict({"train": datasets.Dataset.from_dict(rows, features=features)})
    corpus = Corpus("mine", "test", checked(data, "mine"))
    assert corpus.tags("train", "y") == [["A"], ["B", "C"]]
    assert corpus.tags("train", "x") == [["A"], ["B", UNANNOTATED]]
    assert corpus.labels("x") == ("A", "B")


# Partial annotation


@pytest.mark.parametrize("gap", [None, "", "-"])
def test_words_without_annotation_in_a_column_of_spans(gap):
    corpus = corpus_of(tokens=[["a", "b", "c"]], ner_tags=[["B-X", gap, "O"]])
    assert corpus.tags("train", "ner_tags") == [["B-X", UNANNOTATED, "O"]]


def test_a_hyphen_is_a_tag_where_it_stands_on_marks_and_a_gap_where_it_stands_on_words():
    tagged = corpus_of(tokens=[["well", "-", "--", "x"]], pos_tags=[["RB", "-", "-", "-"]])
    assert tagged.tags("train", "pos_tags") == [["RB", "-", "-", "-"]]
    partial = corpus_of(tokens=[["well", "known", "men", "-"]], pos_tags=[["RB", "-", "-", "-"]])
    assert partial.tags("train", "pos_tags") == [["RB", UNANNOTATED, UNANNOTATED, UNANNOTATED]]


def test_the_gap_is_judged_by_all_splits():
    import datasets

    columns = {"train": [["B-X", "O"]], "test": [["-", "-"]]}
    data = {
        split: datasets.Dataset.from_dict({"tokens": [["-", "--"]], "ner_tags": tags})
        for split, tags in columns.items()
    }
    corpus = Corpus("mine", "test", checked(datasets.DatasetDict(data), "mine"))
    assert corpus.tags("test", "ner_tags") == [[UNANNOTATED, UNANNOTATED]]


def test_the_name_of_the_gap_is_no_label():
    import datasets

    names = ["O", "-", "B-X"]
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=names)),
        }
    )
    rows = {"tokens": [["a", "b", "c"]], "ner_tags": [[0, 1, 2]]}
    data = datasets.DatasetDict({"train": datasets.Dataset.from_dict(rows, features=features)})
    corpus = Corpus("mine", "test", checked(data, "mine"))
    assert corpus.labels("ner_tags") == ("O", "B-X")
    assert corpus.tags("train", "ner_tags") == [["O", UNANNOTATED, "B-X"]]


def test_words_without_annotation_break_no_scheme_and_do_not_hide_it(registry):
    schemes = registry.schemes.values()
    iob2 = recognise_scheme([["B-X", UNANNOTATED, "I-X", "B-X", "O", "B-Y", "I-Z"]], schemes)
    assert (iob2.scheme.name, iob2.violations, iob2.words) == ("iob2", 1, 6)
    fit = recognise_scheme([["B-X", UNANNOTATED, "E-X"], [UNANNOTATED, "I-X", "E-X", "S-X"]], schemes)
    assert (fit.scheme.name, fit.violations, fit.words) == ("iobes", 0, 5)
    isolated = recognise_scheme([["NN", UNANNOTATED, "VB", UNANNOTATED, "B-X"]], schemes)
    assert isolated.scheme.name == "flat"


def test_stretches_between_words_without_annotation_are_converted_each_on_its_own(registry):
    iob2, iobes = registry.schemes["iob2"], registry.schemes["iobes"]
    tags = ["B-X", "I-X", UNANNOTATED, "I-X", "O", UNANNOTATED, UNANNOTATED, "B-Y"]
    converted = convert_tags(tags, iob2, iobes)
    assert converted == ["B-X", "E-X", UNANNOTATED, "S-X", "O", UNANNOTATED, UNANNOTATED, "S-Y"]
    assert iobes.spans(converted) == iob2.spans(tags) == [Span(0, 2, "X"), Span(3, 4, "X"), Span(7, 8, "Y")]
    assert convert_tags([UNANNOTATED], iob2, iobes) == [UNANNOTATED]


def test_training_ignores_words_without_annotation(tmp_path, registry):
    corpus = load_corpus(file_of(tmp_path, "a B-X\nb -\nc O\n\nd -\n"), columns=["tokens", "ner_tags"])
    task, scheme = registry.tasks["ner"], registry.schemes["iob2"]
    split = read_split(corpus, "train", {"ner": task}, {"ner": scheme}, None)
    labels = inventory(corpus, task, scheme, split)
    assert labels == ["O", "B-X", "I-X"]
    assert label_ids(split.tags["ner"], labels).tolist() == [1, IGNORE, 0, IGNORE]


def test_missing_splits_and_columns_are_answered_with_those_present():
    corpus = corpus_of(tokens=_WORDS, ner_tags=_NER)
    with pytest.raises(CorpusError, match=r"no split 'test'; it has train"):
        corpus.words("test")
    with pytest.raises(CorpusError, match=r"no tag column 'pos_tags'; it has ner_tags"):
        corpus.tags("train", "pos_tags")
    with pytest.raises(CorpusError, match=r"no tag column 'pos_tags'; its tag columns are ner_tags"):
        corpus.labels("pos_tags")


def test_a_task_takes_the_first_of_its_columns_that_is_there():
    corpus = corpus_of(tokens=_WORDS, tags=_NER, ner=_NER)
    task = Task("ner", "", ("ner_tags", "ner", "tags"), "iob2", "first", ("spans",))
    assert corpus.column_for(task) == "ner"
    with pytest.raises(CorpusError) as caught:
        corpus.column_for(Task("pos", "", ("pos_tags", "upos"), "flat", "first", ("tags",)))
    assert "'pos' (that is 'pos_tags' or 'upos'); its tag columns are tags, ner." in str(caught.value)
    assert "--task pos=ner, or give it that name: --columns tokens,tags,pos_tags." in str(caught.value)


# Fingerprints


def test_fingerprints_depend_on_content_alone(tmp_path):
    by_file = load_corpus(file_of(tmp_path, "EU B-ORG\nrejects O\n\nPeter B-PER\nBlackburn I-PER\nsleeps O\n"))
    assert by_file.fingerprint == corpus_of(tokens=_WORDS, tags=_NER).fingerprint
    assert by_file.fingerprint != corpus_of(tokens=_WORDS, tags=[_NER[0], ["B-PER", "B-PER", "O"]]).fingerprint
    joined = corpus_of(tokens=[_WORDS[0] + _WORDS[1]], tags=[_NER[0] + _NER[1]])
    assert by_file.fingerprint != joined.fingerprint


def test_fingerprints_are_the_same_in_every_process(tmp_path):
    path = file_of(tmp_path, "EU B-ORG\n")
    code = "import sys; from polytag import load_corpus; print(load_corpus(sys.argv[1]).fingerprint)"
    other = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == load_corpus(path).fingerprint


# Finding a source and its reader


def test_single_files_are_given_split_by_split(tmp_path):
    first, second = file_of(tmp_path, "a A\n", "1.conll"), file_of(tmp_path, "b B\n", "2.conll")
    assert load_corpus(f"train={first},dev={second}").splits == ("train", "validation")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("", "The corpus has no name"),
        ("./nowhere", "does not exist"),
        ("some/where/else", "does not exist"),
        ("nowhere.conll", "does not exist"),
        ("train=nowhere.conll", "The train file 'nowhere.conll' does not exist"),
        ("half=a.conll", "'half=a.conll' is not of the form SPLIT=FILE"),
        ("acme:thing", "The corpus 'acme:thing' does not exist: no file or folder has that path, and no reader"),
        ("no such thing", "The corpus 'no such thing' does not exist"),
        ("müller", "The corpus 'müller' does not exist"),
        ("nowhere/", "The corpus 'nowhere/' does not exist"),
        ("x " * 200, "x x ' does not exist"),
        (f"./{'x' * 300}", "does not exist"),
        (f"train={'x' * 300}", "xxx' does not exist"),
    ],
)
def test_a_source_that_is_not_there_is_an_error_before_anything_is_read(reference, expected):
    with pytest.raises(CorpusError) as caught:
        load_corpus(reference)
    assert expected in str(caught.value)


def test_names_of_files_may_be_longer_together_than_one_may_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = ("x" * 200 + ending for ending in ("1.conll", "2.conll"))
    file_of(tmp_path, "a A\n", first)
    file_of(tmp_path, "b B\n", second)
    assert load_corpus(f"train={first},test={second}").splits == ("train", "test")


@pytest.mark.parametrize("reference", ["{}", "train={}"])
def test_a_pipe_has_to_be_written_to_a_file_first(tmp_path, reference):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match=r"pipe' is a pipe or a device, .* Write its content to a file"):
        load_corpus(reference.format(tmp_path / "pipe"))


def test_a_folder_that_is_no_corpus_is_not_searched_to_its_bottom(tmp_path, monkeypatch):
    deep = tmp_path / "home" / "documents" / "letters"
    deep.mkdir(parents=True)
    for name in ("a.ann", "a.txt", "train.conll"):
        (deep / name).write_text("a B-X\n")
    listed = []
    for name in ("listdir", "scandir"):
        usual = getattr(os, name)
        monkeypatch.setattr(os, name, lambda path=".", usual=usual: listed.append(str(path)) or usual(path))
    with pytest.raises(CorpusError, match=r"The folder '.*/home' has no corpus: no file name contains train"):
        load_corpus(str(tmp_path / "home"))
    assert set(listed) == {str(tmp_path / "home")}


def test_a_folder_stands_for_the_files_in_it_that_can_be_seen(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    with pytest.raises(CorpusError, match=r"The train folder '.*/parts' has no file"):
        load_corpus(f"train={folder}")
    file_of(folder, "a A\n", "1.conll")
    file_of(folder, "\0", ".DS_Store")
    assert load_corpus(f"train={folder}").words("train") == [["a"]]


def test_a_revision_with_slashes_is_no_path():
    assert locate("eriktks/conll2003@refs/convert/parquet").path is None


def test_a_file_of_two_splits_belongs_to_none(tmp_path):
    for name in ("train.tsv", "train_dev.tsv", "devel.tsv"):
        (tmp_path / name).write_text("Peter\tB-PER\n")
    with pytest.raises(
        CorpusError, match=r"train_dev\.tsv' could belong to train or to validation. Name the files of each split"
    ):
        load_corpus(str(tmp_path))
    named = load_corpus(f"train={tmp_path / 'train.tsv'},validation={tmp_path / 'devel.tsv'}")
    assert named.splits == ("train", "validation")


def test_two_versions_of_a_split_are_not_joined(tmp_path):
    for name in ("train.bio", "train.bioes"):
        (tmp_path / name).write_text("Peter B-PER\n")
    with pytest.raises(CorpusError, match=r"train\.bioes differ only in their extensions.*Name the files"):
        load_corpus(str(tmp_path))
    both = load_corpus(f"train={tmp_path / 'train.bio'},train={tmp_path / 'train.bioes'}")
    assert both.words("train") == [["Peter"], ["Peter"]]  # as whoever trains on training and validation data wants it
    (tmp_path / "train.bioes").rename(tmp_path / "train.bio~")
    (tmp_path / "train.bio.bak").write_text("Peter B-PER\n")
    with pytest.warns(CorpusWarning, match=r"train\.bio\.bak: a backup; train\.bio~: a backup"):
        assert load_corpus(str(tmp_path)).words("train") == [["Peter"]]


def test_borders_of_documents_tell_corpora_apart(tmp_path):
    found = set()
    for number, text in enumerate(("a O\n\nb O\n", "-DOCSTART- O\n\na O\n\nb O\n", "a O\n\n-DOCSTART- O\n\nb O\n")):
        (tmp_path / f"{number}.conll").write_text(text)
        corpus = load_corpus(str(tmp_path / f"{number}.conll"))
        found.add((corpus.fingerprint, corpus.document_boundaries))
    assert len({fingerprint for fingerprint, _ in found}) == 1
    assert len(found) == 3


def test_a_folder_without_splits_says_how_to_name_the_files(tmp_path):
    file_of(tmp_path, "a A\n", "words.conll")
    with pytest.raises(CorpusError, match=r"no file name contains train.* train=FILE"):
        load_corpus(str(tmp_path))


def test_the_reader_can_be_named(tmp_path):
    path = file_of(tmp_path, '{"tokens": ["a"], "x": ["A"]}\n', "rows.txt")
    assert load_corpus(path, reader="jsonl").words("train") == [["a"]]
    with pytest.raises(UnknownNameError, match=r"Did you mean 'jsonl'"):
        load_corpus(path, reader="json")


def test_several_readers_that_accept_a_source_are_named(tmp_path, monkeypatch, registry):
    path = file_of(tmp_path, "a A\n")
    monkeypatch.setattr(type(registry.readers["jsonl"]), "accepts", lambda self, source: True)
    with pytest.raises(CorpusError, match=r"Several readers .*: column, jsonl\..*--reader column"):
        load_corpus(path)


# Recognising label schemes

_SPANS = [
    ["O", "B-PER", "I-PER", "O", "B-LOC"],
    ["B-PER", "B-PER", "I-PER", "I-PER", "O"],
    ["B-ORG", "O", "O"],
]


@pytest.mark.parametrize("name", ["iob1", "iob2", "ioe1", "ioe2", "iobes", "bilou"])
def test_every_scheme_is_recognised_in_its_own_tags(registry, name):
    schemes = registry.schemes
    tags = [convert_tags(sentence, schemes["iob2"], schemes[name]) for sentence in _SPANS]
    fit = recognise_scheme(tags, schemes.values())
    assert (fit.scheme.name, fit.violations, fit.words, fit.example) == (name, 0, 13, "")


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ([["NNP", "VBZ", "."]], "flat"),
        ([["DT", "NN", "O", "S-x"]], "flat"),
        ([["n-s---mn-", "v3spia---", "O"]], "flat"),
        ([["O", "O"]], "iob2"),
        ([["B", "I", "O"]], "iob2"),
        ([["N", "V", "O", "A"]], "flat"),
        ([["B-PER", "I-PER", "O", "PER"]], "iob2"),
    ],
)
def test_tags_with_and_without_prefixes_are_told_apart(registry, tags, name):
    assert recognise_scheme(tags, registry.schemes.values()).scheme.name == name


def test_violations_are_counted_and_the_first_is_shown(tmp_path):
    path = file_of(tmp_path, "a B-X\nb I-X\n\nc O\nd I-X\ne O\n\nf B-X\ng I-Y\n\nh B-X\n")
    fit = scheme_of(load_corpus(path), "tags")
    assert (fit.scheme.name, fit.violations, fit.words) == ("iob2", 2, 8)
    assert fit.example == "the sentence at mine.conll:4, word 2: c/O d/I-X e/O"


def test_a_declared_scheme_is_taken_at_its_word_and_checked(tmp_path):
    corpus = load_corpus(file_of(tmp_path, "a O\nb O\n\nc O\nd I-X\n"))
    assert scheme_of(corpus, "tags", "iob1").scheme.name == "iob1"
    assert scheme_of(corpus, "tags", "flat").scheme.name == "flat"
    with pytest.raises(CorpusError) as caught:
        scheme_of(corpus, "tags", "iob2")
    assert "'tags' of the corpus" in str(caught.value)
    assert "not in the scheme 'iob2': 1 of 4 words" in str(caught.value)
    assert "the sentence at mine.conll:4, word 2: c/O d/I-X" in str(caught.value)
    with pytest.raises(UnknownNameError):
        scheme_of(corpus, "tags", "iob3")


def test_conll2003_is_in_iob1_but_for_two_words(conll2003):
    corpus = load_corpus(str(conll2003))
    assert (scheme_of(corpus, "pos_tags").scheme.name, scheme_of(corpus, "pos_tags").violations) == (
        "flat",
        0,
    )
    assert (scheme_of(corpus, "chunk_tags").scheme.name, scheme_of(corpus, "chunk_tags").violations) == (
        "iob1",
        0,
    )
    # "Atlanta Games" and "Urdu-speaking" of eng.train begin with B although no entity stands before them.
    fit = scheme_of(corpus, "ner_tags")
    assert (fit.scheme.name, fit.violations) == ("iob1", 2)
    assert fit.example.startswith("the sentence at eng.train:152416, word 13:")


def test_a_task_that_no_training_word_is_annotated_for_is_refused(tmp_path, registry):
    corpus = load_corpus(file_of(tmp_path, "a -\nb -\n"), columns=["tokens", "ner_tags"])
    task, scheme = registry.tasks["ner"], registry.schemes["iob2"]
    split = read_split(corpus, "train", {"ner": task}, {"ner": scheme}, None)
    with pytest.raises(CorpusError, match=r"has no annotated word in the column 'ner_tags', so the task 'ner' cannot"):
        inventory(corpus, task, scheme, split)


def test_a_tag_that_the_scheme_cannot_read_is_refused_before_the_training(tmp_path, registry):
    words = "a B-PER\nb I-PER\nc O\ne S-LOC\nf B-LOC\n"  # a tag of another scheme
    corpus = load_corpus(file_of(tmp_path, words), columns=["tokens", "ner_tags"])
    task, scheme = registry.tasks["ner"], registry.schemes["iob2"]
    split = read_split(corpus, "train", {"ner": task}, {"ner": scheme}, None)
    expected = "'iob2' cannot read all tags of the task 'ner' in the column 'ner_tags' of .*: S-LOC. Repair"
    with pytest.raises(CorpusError, match=expected):
        inventory(corpus, task, scheme, split)
