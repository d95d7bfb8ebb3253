"""Column files whose layout one file, or one line, does not tell: small splits, missing empty lines, odd columns."""

import gzip
import re

import pytest

from polytag import CorpusError, PolytagError, ReadingOptions, describe, load_corpus
from polytag.prediction.column_files import words_of_columns
from support.cases import loaded


def corpus_with(tmp_path, **files):
    """The folder with these files, `train` and so on, in each of which `|` ends a line and spaces are tabs."""
    for split, text in files.items():
        (tmp_path / f"{split}.tsv").write_text(tabbed(text))
    return str(tmp_path)


def tabbed(text):
    return text.replace("|", "\n").replace(" ", "\t") + "\n"


def words_and_tags(corpus, split="train", column="tags"):
    pairs = zip(corpus.words(split), corpus.tags(split, column), strict=True)
    return [" ".join(f"{word}/{tag}" for word, tag in zip(words, tags, strict=True)) for words, tags in pairs]


@pytest.mark.parametrize("text", [". SENT", "IN APPR", ". $.||: $.", "TO UP"])
def test_a_word_that_may_be_a_part_of_speech_does_not_tell_the_columns(tmp_path, text):
    with pytest.raises(CorpusError, match="cannot be decided which column holds the words") as refused:
        load_corpus(corpus_with(tmp_path, train=text))
    first = text.split()[0]
    proposed = [found.split(",") for found in re.findall(r"--columns (\S+?)[;.]", str(refused.value))]
    assert proposed == [["tokens", "tags"], ["tags", "tokens"]]
    assert load_corpus(str(tmp_path), columns=proposed[0]).words("train")[0] == [first]


def test_parts_of_speech_before_the_words_are_recognised(tmp_path):
    assert words_and_tags(loaded(corpus_with(tmp_path, train="DT the|NN dog|VBZ barks"))) == ["the/DT dog/NN barks/VBZ"]


@pytest.mark.parametrize(
    ("train", "dev", "expected"),
    [
        ("Anna NE|lief VVFIN|. $.||Bo NE|. $.", ". $.", ["./$."]),
        ("1 Anna B-PER|2 lief O||1 EU B-ORG", "1 Hi O||1 Ulm B-LOC", ["Hi/O", "Ulm/B-LOC"]),
        ("Anna B-PER|lief O", "O O|B O", ["O/O B/O"]),
        ("O es|B-PER Anna|O lief", "O O|O B", ["O/O B/O"]),
    ],
    ids=["a mark", "one word per sentence", "words like tags", "words like tags, tags first"],
)
def test_a_small_file_is_read_like_the_others_of_the_corpus(tmp_path, train, dev, expected):
    assert words_and_tags(loaded(corpus_with(tmp_path, train=train, dev=dev)), "validation") == expected


def test_files_that_spell_tags_in_two_ways_keep_their_words(tmp_path):
    folder = corpus_with(
        tmp_path, train="Anna B-PER|lief O||EU B-ORG|lief O", dev="Bo B_PER|lief O||Ulm B_LOC|AG I_LOC"
    )
    assert loaded(folder).words("validation") == [["Bo", "lief"], ["Ulm", "AG"]]


@pytest.mark.parametrize("start", [0, 1])
def test_a_missing_empty_line_between_counted_sentences_is_the_culprit(tmp_path, start):
    sentences = [[f"{start + at} w{number}{at} O" for at in range(4)] for number in range(6)]
    blocks = ["|".join(rows) for rows in sentences]
    with pytest.raises(
        CorpusError, match=rf"train\.tsv:10: column 1 numbers .* has '{start}' where .* insert an empty"
    ):
        load_corpus(corpus_with(tmp_path, train="||".join(blocks[:2]) + "|" + "||".join(blocks[2:])))


def test_flags_are_no_index(tmp_path):
    corpus = loaded(corpus_with(tmp_path, train="Anna 0 B-PER|lief 0 O|weg 1 O||Bo 0 B-PER|kam 1 O|an 0 O"))
    assert corpus.columns == ("column_2", "ner_tags")


def test_numbers_are_no_parts_of_speech(tmp_path):
    scores = loaded(corpus_with(tmp_path, train="Anna B-PER 0.9|lief O 0.8||Bo B-PER 0.9|kam O 0.7"))
    assert scores.columns == ("ner_tags", "column_3")


@pytest.mark.parametrize("text", [" Anna B-PER| lief O", "Anna  B-PER|lief  O", "Anna _ B-PER|lief _ O"])
def test_a_column_of_nothing_is_left_out(tmp_path, text):
    corpus = loaded(corpus_with(tmp_path, train=text))
    assert words_and_tags(corpus, column=corpus.columns[0]) == ["Anna/B-PER lief/O"]
    assert len(corpus.columns) == 1


def test_an_empty_cell_beside_full_ones_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match=r"train\.tsv:2: column 2 of 'lief\\t\\tO' is empty"):
        load_corpus(corpus_with(tmp_path, train="Anna NE B-PER|lief  O"))


@pytest.mark.parametrize(
    "text", ["#id: 5|Anna NE|lief VV||#id: 6|Bo NE", "#doc sent1|Anna NE|lief VV||#doc sent2|Bo NE"]
)
def test_a_comment_without_a_blank_is_not_taken_for_a_word_in_silence(tmp_path, text):
    folder = corpus_with(tmp_path, train=text)
    with pytest.raises(CorpusError, match=r"could be a comment, or a word .* --comments '#' or --comments none"):
        load_corpus(folder)
    assert words_and_tags(load_corpus(folder, comments="#")) == ["Anna/NE lief/VV", "Bo/NE"]


@pytest.mark.parametrize(
    "text",
    [
        "sentence_id word tag|0 Anna B-PER|0 lief O|1 Bo B-PER|1 kam O",
        "sent_id word tag|1 Anna B-PER| lief O|2 Bo B-PER| kam O",
    ],
)
def test_sentences_that_only_a_column_separates_are_refused_and_the_table_is_read(tmp_path, text):
    folder = corpus_with(tmp_path, train=text)
    with pytest.raises(CorpusError, match=r"train\.tsv:4: column 1 numbers the sentences, .* --reader csv"):
        load_corpus(folder)
    assert words_and_tags(load_corpus(folder, reader="csv"), column="tag") == ["Anna/B-PER lief/O", "Bo/B-PER kam/O"]


def test_a_column_that_the_header_calls_a_number_is_no_tag(tmp_path):
    corpus = loaded(corpus_with(tmp_path, train="word tag sent_id|Anna B-PER 1|lief O 1||Bo B-PER 2|kam O 2"))
    assert corpus.columns == ("tag",)
    assert "skipped" in describe(corpus).dialect


@pytest.mark.parametrize(
    ("text", "message", "columns"),
    [
        (
            ". SENT",
            r"^in\.conll, line 1: it cannot be decided which column .* --columns tokens,tags;",
            ("tokens", "tags"),
        ),
        ("1 a|2 b|3 c|1 d|2 e|3 f||1 g|2 h", r"^in\.conll, line 4: column 1 .* --columns _,tokens$", ("_", "tokens")),
    ],
)
def test_words_to_tag_are_refused_with_file_line_and_the_option_that_helps(text, message, columns):
    def words(options):
        lines = enumerate(tabbed(text).splitlines(), 1)
        return [row[0] for row in words_of_columns(lines, "in.conll", options)]

    with pytest.raises(PolytagError, match=message):
        words(ReadingOptions())
    assert words(ReadingOptions(columns=columns))[0][0] in {".", "a"}


def test_a_compressed_copy_of_a_file_is_not_read_as_well(tmp_path):
    folder = corpus_with(tmp_path, train="Anna B-PER|lief O")
    (tmp_path / "train.tsv.gz").write_bytes(gzip.compress((tmp_path / "train.tsv").read_bytes()))
    with pytest.raises(CorpusError, match="look like two versions of the same sentences"):
        load_corpus(folder)
