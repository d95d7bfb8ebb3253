"""What a run trains on, and what it holds out where the corpus has no validation split."""

from collections import Counter

import pytest

import polytag
from polytag.corpus.splits import Split, read_splits
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


def test_each_column_of_each_split_is_read_once(registry, monkeypatch):
    corpus = polytag.load_corpus("sample")
    visits = Counter()

    def counted(method):
        usual = getattr(polytag.Corpus, method)

        def read(self, *place):
            visits[method, *place] += 1
            return usual(self, *place)

        return read

    for method in ("words", "documents", "tags"):
        monkeypatch.setattr(polytag.Corpus, method, counted(method))
    tasks = {name: registry.tasks[name] for name in ("ner", "pos")}
    schemes = {name: registry.schemes[task.scheme] for name, task in tasks.items()}
    splits = read_splits(corpus, ["train", "validation", "test"], tasks, schemes, None)
    assert set(splits["test"].tags) == {"ner", "pos"}
    assert set(visits.values()) == {1}
    assert len(visits) == 3 * len(("words", "documents", "ner_tags", "pos_tags"))


def test_a_split_without_the_column_of_a_task_is_named(tmp_path, registry):
    (tmp_path / "train.jsonl").write_text('{"tokens": ["a"], "ner_tags": ["O"], "pos_tags": ["X"]}\n')
    (tmp_path / "test.jsonl").write_text('{"tokens": ["a"], "pos_tags": ["X"]}\n')
    corpus, task = polytag.load_corpus(str(tmp_path)), registry.tasks["ner"]
    with pytest.raises(polytag.CorpusError, match=r"The split 'test' .* has no tag column 'ner_tags'; it has pos_tags"):
        read_splits(corpus, ["train", "test"], {"ner": task}, {"ner": registry.schemes["iob2"]}, None)
