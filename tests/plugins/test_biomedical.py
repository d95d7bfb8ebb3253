"""The biomedical task, from column files to spans in text."""

from pathlib import Path

import pytest

import polytag
from polytag.runner import TrainResult
from support.corpora import write_abstracts


@pytest.fixture(scope="module")
def abstracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_abstracts(tmp_path_factory.mktemp("abstracts"), document="###MEDLINE:")


@pytest.fixture(scope="module")
def bio_run(abstracts: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    output = tmp_path_factory.mktemp("taggers") / "bio"
    return polytag.train(task="bioner", corpus=str(abstracts), output=output, epochs=5, batch_size=8, quiet=True)


def test_column_files_train_a_tagger_for_biomedical_names(bio_run):
    assert set(bio_run.tagger.heads["bioner"].labels) == {"O", "B-Chemical", "I-Chemical", "B-Disease", "I-Disease"}
    scored = bio_run.test.tasks["bioner"]
    assert scored.headline == "f1"
    assert scored.score > 0.8
    assert scored.metrics.keys() == {"spans", "partial"}


def test_names_are_found_in_text(bio_run):
    spans = bio_run.tagger.tag("Heparin was stopped, and lithium carbonate caused renal failure.").spans
    assert {"lithium carbonate": "Chemical", "renal failure": "Disease"}.items() <= {
        s.text: s.label for s in spans
    }.items()


def test_the_documents_of_medline_are_known(abstracts, command):
    corpus = polytag.load_corpus(str(abstracts))
    assert corpus.reader == "column"
    assert corpus.documents("test") == [0] * 8 + [1] * 8 + [2] * 8 + [3] * 6
    assert command("evaluate", "nowhere", "--corpus", abstracts).status == 2


def test_a_word_that_reads_like_a_beginning_of_a_document_is_not_written(tmp_path):
    source = tmp_path / "train.jsonl"
    source.write_text('{"tokens": ["###MEDLINE:1", "x"], "tags": ["O", "O"]}\n', encoding="utf-8")
    from polytag.corpus.convert import convert_corpus

    with pytest.raises(polytag.CorpusError, match="word 1"):
        convert_corpus(polytag.load_corpus(str(source)), tmp_path / "out", format="column")
