"""The option that a message proposes is run, and it helps."""

import json

import pytest

from polytag import CorpusError, CorpusWarning
from support.cases import FOLDER, case, file_with, loaded, proposals, refusal, told
from support.readings import FOLDER as READINGS

TAGS = {"Anna": "B-PER", "Lund": "I-PER", "left": "O", "Ulm": "B-LOC"}


@pytest.fixture
def sources(tmp_path):
    """Corpora whose span tags stand in a column that ner does not know."""
    json_lines = json.dumps({"tokens": list(TAGS), "entity_tags": list(TAGS.values())}) + "\n"
    header = "word\tmy_entities\n" + "".join(f"{word}\t{tag}\n" for word, tag in TAGS.items()) + "\nBo\tB-PER\n"
    return {
        "three columns": str(READINGS / "conll2002"),
        "json lines": file_with(tmp_path, json_lines, "a.jsonl"),
        "header": file_with(tmp_path, header, "b.tsv"),
    }


@pytest.mark.parametrize("name", ["three columns", "json lines", "header"])
def test_a_task_that_does_not_find_its_column_names_one_that_has_spans(name, sources, registry):
    corpus = loaded(sources[name])
    ner = registry.tasks["ner"]
    if ner.columns and set(ner.columns) & set(corpus.columns):
        return  # found by what it holds
    if name == "three columns":  # chunk_tags belongs to the task chunk
        with pytest.raises(CorpusError, match="--task ner=chunk_tags") as refused:
            corpus.column_for(ner)
        (options,) = proposals(str(refused.value))
        assert "ner_tags" in loaded(sources[name], **options).columns
        return
    with pytest.warns(CorpusWarning) as caught:
        taken = corpus.column_for(ner)
    assert set(corpus.tags("train", taken)[0]) >= {"O", "B-PER"}
    assert any(f"--task ner={taken}" in str(warning.message) for warning in caught)


@pytest.mark.parametrize(
    ("content", "option"),
    [
        ("Anna|B-PER\nleft|O\n\nBo|B-PER\nslept|O\n\nUlm|B-LOC\nburns|O\n", "separator"),
        ("# a\nAnna B-PER\nleft O\n\n# b\nBo B-PER\nslept O\n", "comments"),
        ("word tag\nAnna PROPN\nleft VERB\n\nBo PROPN\n", "header"),
    ],
    ids=["another separator", "comments of two cells", "a header"],
)
def test_what_is_refused_is_read_with_what_the_message_proposes(content, option, tmp_path):
    """Each of these is read, or it is refused with an option by which it is read."""
    reference = file_with(tmp_path, content)
    said = told(reference)
    try:
        readings = [loaded(reference)]
    except CorpusError:
        chosen = [options for options in proposals(said) if option in options]
        assert chosen, said
        readings = [loaded(reference, **options) for options in chosen]
    expected = {tuple(line.replace("|", " ").split()[0] for line in block.splitlines() if line[0] not in "#w")
                for block in content.split("\n\n")}  # fmt: skip
    assert any({tuple(words) for words in corpus.words("train")} == expected for corpus in readings), said


def test_no_message_proposes_what_does_not_load():
    """Over all cases: an option that is proposed for a corpus gives a reading of it, and no other error."""
    for folder in sorted(FOLDER.iterdir()):
        if folder.name == "gzip":  # two formats of one split: no option decides
            continue
        for options in proposals(told(folder)):
            scheme = options.pop("corpus_scheme", None)
            assert loaded(folder, **options).words("train"), (folder.name, options, scheme)


def test_a_message_of_a_long_line_is_short(tmp_path):
    """A file of one line, as minified JSON or a lost line end makes it, is quoted in part."""
    for name, content in (
        ("a.conll", "x " * 100_000),
        ("b.jsonl", '{"a": "' + "x" * 100_000),
        ("c.conllu", "x\t" * 50_000),
    ):
        message = refusal(file_with(tmp_path, content, name))
        assert len(message) < 800
        assert name in message


def test_the_two_readings_of_an_offset_are_those_of_the_options():
    message = refusal(case("doccano-utf16-offsets"))
    for options in proposals(message):
        corpus = loaded(case("doccano-utf16-offsets"), **options)
        (row,) = corpus.tags("train", "ner_tags")
        (word,) = [word for word, tag in zip(corpus.words("train")[0], row, strict=True) if tag != "O"]
        assert word in message
