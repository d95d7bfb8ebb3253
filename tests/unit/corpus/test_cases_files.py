"""Files are read whole whatever their line ends, encoding, compression and names are, or it is said why not.

Each test begins with a case of `tests/data/cases`, and goes on with two more inputs of its kind.
"""

import gzip

import pytest

from support.cases import case, file_with, loaded, proposals, read, refusal, sentences, told

# Line ends


def test_carriage_returns_end_lines(tmp_path):
    assert read(case("carriage-returns-only")) == ["see/O Anna/B-PER Lund/I-PER ./O"] * 2
    tabs = file_with(tmp_path, "# id 1\rNew York\tB-LOC\rburns\tO\r\r# id 2\rBo\tB-PER\r", "a.conll")
    assert read(tabs) == ["New York/B-LOC burns/O", "Bo/B-PER"]
    both = file_with(tmp_path, "Anna B-PER\r\nleft O\r\n\r\nBo B-PER\r\n", "b.conll")
    assert read(both) == ["Anna/B-PER left/O", "Bo/B-PER"]


# Byte order marks


def test_a_byte_order_mark_at_the_start_of_a_line_is_nothing(tmp_path):
    assert read(case("middle-bom")) == ["Anna/B-person slept/O", "Bo/B-person left/O"]
    of_a_word = file_with(tmp_path, "\ufeffAnna O\nleft O\n\n\ufeffBo B-PER\nslept O\n", "a.conll")
    assert read(of_a_word) == ["Anna/O left/O", "Bo/B-PER slept/O"]
    of_a_comment = file_with(tmp_path, "\ufeff# id 1\nAnna B-PER\n\n\ufeff# id 2\nBo B-PER\nleft O\n", "b.conll")
    assert read(of_a_comment) == ["Anna/B-PER", "Bo/B-PER left/O"]


def test_byte_order_marks_of_joined_files_are_nothing_in_treebanks_too(tmp_path):
    rows = "\ufeff# sent_id = {0}\n1\tRom\tRom\tPROPN\tNE\t_\t0\troot\t_\t_\n\n"
    corpus = file_with(tmp_path, "".join(rows.format(i) for i in "ab"), "train.conllu")
    assert read(corpus, "upos") == ["Rom/PROPN"] * 2


# Encodings


def test_declared_encodings_are_read_and_others_are_one_option_away(tmp_path):
    expected = ["see/O Anna/B-PER Lundström/I-PER ./O"]
    assert set(read(case("utf16"))) == set(read(case("utf16"), encoding="utf-16")) == set(expected)

    text = "see O\nAnna B-PER\nLundström I-PER\n. O\n\n"
    big = file_with(tmp_path, b"\xfe\xff" + text.encode("utf-16-be"), "a.conll")
    assert read(big) == expected
    unmarked = file_with(tmp_path, text.encode("utf-16-le"), "b.conll")
    assert read(unmarked, encoding="utf-16-le") == expected
    latin = file_with(tmp_path, text.encode("latin-1"), "c.conll")
    assert read(latin, encoding="latin-1") == expected
    message = refusal(latin)
    assert "c.conll:3" in message
    assert any(read(latin, **options) == expected for options in proposals(message))


def test_an_encoding_that_does_not_fit_or_exist_is_named(tmp_path):
    latin = file_with(tmp_path, "Lundström B-PER\n".encode("latin-1"))
    assert "utf-8" in refusal(latin, encoding="utf-8").lower()
    assert "klingon" in refusal(latin, encoding="klingon")


# Compression


def test_gzipped_files_are_read_and_two_formats_of_one_split_are_refused(tmp_path):
    message = refusal(case("gzip"))
    assert "train.conll.gz" in message
    assert "train.jsonl.gz" in message
    assert set(read(f"{case('gzip')}/train.conll.gz")) == {"see/O Anna/B-PER Lundström/I-PER ./O"}
    assert read(f"{case('gzip')}/train.jsonl.gz") == ["a/O"]

    treebank = "1\tRom\tRom\tPROPN\tNE\t_\t0\troot\t_\t_\n\n"
    zipped = file_with(tmp_path, gzip.compress(treebank.encode()), "a/train.conllu.gz")
    assert read(zipped, "xpos") == ["Rom/NE"]
    for name in ("train", "test"):
        file_with(tmp_path, gzip.compress(f"{name} O\nleft O\n".encode()), f"b/{name}.conll.gz")
    assert loaded(tmp_path / "b").words("test") == [["test", "left"]]


def test_a_damaged_archive_is_named(tmp_path):
    half = gzip.compress(b"Anna B-PER\nleft O\n\n" * 50)[:-12]
    assert "a.conll.gz" in refusal(file_with(tmp_path, half, "a.conll.gz"))


# Names


def test_splits_are_found_in_names_that_are_run_together(tmp_path):
    corpus = loaded(case("file-whose-name-tells-no-split"))
    assert corpus.splits == ("train", "validation", "test")
    found = {split: set(sentences(corpus, split=split)) for split in corpus.splits}
    assert found == {
        "train": {"Anna/B-person slept/O"},
        "validation": {"Bo/B-person slept/O"},
        "test": {"Rome/B-location slept/O"},
    }

    for name in ("mydev.conll", "mytrain.conll", "latest.conll"):
        file_with(tmp_path, "Anna B-PER\nleft O\n", f"a/{name}")
    mixed = loaded(tmp_path / "a")
    assert {"train", "validation"} <= set(mixed.splits)
    if "test" not in mixed.splits:  # "latest" ends in "test", and is a word of its own
        assert "latest.conll" in told(tmp_path / "a")


def test_files_of_a_folder_that_were_not_taken_are_named(tmp_path):
    for name in ("train.conll", "test.conll", "gazetteer.conll"):
        file_with(tmp_path, "Anna B-PER\nleft O\n", name)
    assert "gazetteer.conll" in told(tmp_path)
    assert loaded(tmp_path).splits == ("train", "test")


@pytest.mark.parametrize("command_", ["describe", "check"])
def test_a_folder_that_is_no_corpus_is_refused_without_walking_it(command_, command):
    done = command("corpus", command_, "/")
    assert done.status == 2
    assert "has no corpus" in done.err
