"""What a run trains on, and what it holds out where the corpus has no validation split."""

import pytest

import polytag
from polytag.corpus.splits import Split
from polytag.training.data import HELD_OUT, training_splits


class Notes:
    def __init__(self):
        self.messages = []

    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.mark.parametrize(
    ("sizes", "kind"),
    [([190, 10], "sentences"), ([20] * (HELD_OUT - 1), "sentences"), ([10] * HELD_OUT, "documents")],
)
def test_a_tenth_is_held_out_in_documents_where_there_are_enough(sizes, kind, registry):
    documents = [number for number, size in enumerate(sizes) for _ in range(size)]
    words = [[f"word{index}"] for index in range(len(documents))]
    split = Split(words, documents, {"ner": [["O"]] * len(words)})
    for seed in range(5):
        notes = Notes()
        inside, outside = training_splits(polytag.load_corpus("sample"), {"train": split}, seed, notes)
        assert len(outside.sentences) == len(words) // HELD_OUT
        assert sorted(inside.sentences + outside.sentences) == sorted(words)
        assert kind in notes.messages[0]
        if kind == "documents":
            assert not set(inside.documents) & set(outside.documents)
