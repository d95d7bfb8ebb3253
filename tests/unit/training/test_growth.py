"""Label sets that grow: old labels that the new corpus does not annotate are kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import polytag
from polytag import PolytagError, Tagger
from polytag.corpus.sample.reader import sample_sentences
from polytag.corpus.splits import Split
from polytag.plugin.registry import registry
from polytag.plugin.reporter import Reporter
from polytag.plugin.scheme import UNANNOTATED
from polytag.runner import TrainResult
from polytag.tagger.heads import TaskHead
from polytag.training.growth import Splits, complete, open_labels, unannotated_types
from support.checkpoints import read_checkpoint

IOB2 = registry().schemes["iob2"]
HEAD = TaskHead(("O", "B-LOC", "B-PER", "I-LOC", "I-PER"), "iob2", "first")


class Listener(Reporter):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)


def test_what_does_not_occur_is_not_annotated_unless_it_is_said_to_be() -> None:
    assert unannotated_types(HEAD, ["O", "B-ITEM", "I-ITEM"], IOB2) == ("LOC", "PER")
    assert unannotated_types(HEAD, ["O", "B-ITEM", "I-ITEM"], IOB2, ["LOC"]) == ("PER",)
    assert unannotated_types(HEAD, ["O", "B-ITEM", "B-LOC"], IOB2) == ("PER",)


def test_an_open_word_is_outside_or_has_a_label_of_these_types() -> None:
    assert open_labels((*HEAD.labels, "B-ITEM"), IOB2, ["PER"]) == (0, 2, 4)


WORDS = ["Anna", "Maria", "sold", "her", "Kodak", "to", "Rome", "and", "Bob", "today"]
GOLD = [*["O", "O", "O", "O", "B-ITEM", "O", "O", "O", "O"], UNANNOTATED]
OLD = ["B-PER", "I-PER", "O", "O", "B-PER", "O", "B-LOC", "O", "B-PER", "O"]
SCORES = [0.95, 0.92, 0.99, 0.6, 0.99, 0.99, 0.99, 0.99, 0.7, 0.5]


class OldTagger:
    """Says `OLD` of any sentence of these words, with `SCORES`."""

    decoders = {"ner": SimpleNamespace(scheme=IOB2, sentences=lambda labels, features: [OLD])}  # noqa: RUF012

    def predict(self, sentences: object, documents: object) -> object:
        features = SimpleNamespace(sentence_starts=np.array([0, len(WORDS)]))
        return features, {"ner": SimpleNamespace(labels=None, scores=np.array(SCORES, np.float32))}


def test_a_word_outside_is_what_the_old_tagger_is_sure_of_or_open() -> None:
    """It is sure of Anna Maria, and not of `her` and Bob. The corpus annotates ITEM and LOC: Rome is none."""
    split = Split([WORDS], None, {"ner": [GOLD]})
    listener = Listener()
    found = complete(Splits(split, split, None), {"ner": ["PER"]}, OldTagger(), "old", listener)
    assert found.training.tags["ner"] == [["B-PER", "I-PER", "O", "", "B-ITEM", "O", "O", "O", "", ""]]
    assert np.flatnonzero(found.open["ner"]).tolist() == [3, 8]  # and not the word without annotation
    assert found.validation.tags["ner"] == [["", "", "O", "O", "B-ITEM", "O", "O", "O", "", ""]]
    (said,) = listener.said
    assert said.startswith(
        "The corpus does not annotate PER of ner. Of the words outside its spans, 2 are trained with"
    )
    assert "at least 0.9, and 2 as O or any of these" in said


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample corpus, in which only MISC is annotated, by another name."""
    folder = tmp_path_factory.mktemp("items")
    for split, size in (("train", 120), ("validation", 30)):
        lines = []
        for sentence in sample_sentences(split)[:size]:
            for word, tag in zip(sentence.words, sentence.tags["ner_tags"], strict=True):
                lines.append(f"{word}\t{tag.replace('MISC', 'ITEM') if 'MISC' in tag else 'O'}")
            lines.append("")
        (folder / f"{split}.conll").write_text("\n".join(lines), encoding="utf-8")
    return folder


def grown(old: TrainResult, corpus: Path, output: Path, **options: object) -> tuple[Tagger, str]:
    listener = Listener()
    result = polytag.train(
        task="ner", corpus=str(corpus), from_=str(old.output), output=output, reporter=listener, **options
    )
    return result.tagger, "\n".join(listener.said)


def test_rows_of_old_labels_keep_their_weights(ner_run: TrainResult, items: Path, tmp_path: Path) -> None:
    tagger, said = grown(ner_run, items, tmp_path / "new", epochs=1, learning_rate=1e-12, averaging=0)
    labels = ner_run.tagger.heads["ner"].labels
    assert tagger.heads["ner"].labels == (*labels, "B-ITEM", "I-ITEM")
    assert f"is kept from '{ner_run.output}', like its encoder, and gets the new labels B-ITEM, I-ITEM." in said
    assert "The corpus does not annotate LOC, MISC, ORG, PER of ner." in said
    card = (tmp_path / "new" / "README.md").read_text(encoding="utf-8")
    assert "The corpus does not annotate LOC, MISC, ORG and PER of ner: they are kept from the tagger" in card
    before, after = (read_checkpoint(folder) for folder in (ner_run.output, tmp_path / "new"))
    np.testing.assert_allclose(after["classifier.weight"][: len(labels)], before["classifier.weight"], atol=1e-6)
    assert np.abs(after["classifier.weight"][len(labels) :]).min() > 0


def test_the_old_types_are_still_found_after_training(ner_run: TrainResult, items: Path, tmp_path: Path) -> None:
    tagger, _ = grown(ner_run, items, tmp_path / "new", epochs=3)
    words = [list(sentence.words) for sentence in sample_sentences("test")]

    def types(of: Tagger) -> set[tuple[int, int, int, str]]:
        tags = of.predict_tags(words)["ner"]
        spans = {(number, *span) for number, row in enumerate(tags) for span in IOB2.spans(row)}
        return {span for span in spans if span[-1] in ("PER", "LOC", "ORG")}

    old, new = types(ner_run.tagger), types(tagger)
    assert len(old) > 20
    assert len(old & new) > 0.8 * len(old)


@pytest.mark.parametrize(
    ("annotated", "problem"),
    [("PRODUKT", r"--annotated names 'PRODUKT', which is neither"), (None, "")],
)
def test_types_that_are_said_to_be_annotated_exist(
    ner_run: TrainResult, items: Path, tmp_path: Path, annotated: str | None, problem: str
) -> None:
    if annotated is None:
        with pytest.raises(PolytagError, match="Name it with --from"):
            polytag.RunConfig(task="ner", corpus="sample", output="out", annotated=["PER"])
        return
    with pytest.raises(PolytagError, match=problem):
        grown(ner_run, items, tmp_path / "new", annotated=annotated)
