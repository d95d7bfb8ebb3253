"""Which sentences of raw text to label next."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest

import polytag
from polytag import PolytagError, Tagger
from polytag.prediction.selection import most_diverse
from polytag.runner import TrainResult
from polytag.tagger.runtimes import ExportedModel

SURE = ["Anna Keller lives in Rome .", "Peter met Anna Keller in Rome ."]
UNSURE = ["Xyq Zorblax visited Qwrt of Plmk ."]
TEXT = [*SURE, *UNSURE, "", "The train left at 10.15 .", "The train left at 23.59 .", "Anna Keller lives in Rome ."]


@pytest.fixture
def raw(tmp_path):
    file = tmp_path / "raw.txt"
    file.write_text("\n".join(TEXT) + "\n", encoding="utf-8")
    return file


def texts(found: polytag.Suggestions) -> list[str]:
    return [sentence.tagged.text for sentence in found.sentences]


@pytest.mark.parametrize("strategy", ["margin", "entropy"])
def test_the_least_sure_sentences_come_first_and_no_near_duplicates(ner_run: TrainResult, raw, strategy):
    found = polytag.suggest(ner_run.output, raw, 10, strategy=strategy)
    uncertainties = [sentence.uncertainty for sentence in found.sentences]
    assert uncertainties == sorted(uncertainties, reverse=True)
    assert texts(found)[0] == UNSURE[0]
    assert len(texts(found)) == 4, "one of the two trains, and each other sentence once"
    assert (found.read, found.empty, found.repeated) == (6, 1, 2)
    assert repr(found) == (f"4 of 6 sentences chosen by {strategy}; left out: 1 without words, 2 near-duplicates")


def test_the_margin_is_that_of_the_two_most_probable_labels_of_the_least_sure_word(ner_run: TrainResult, raw):
    (found,) = polytag.suggest(ner_run.output, raw, 1).sentences
    tagged = Tagger.load(ner_run.output).tag(UNSURE[0], alternatives=2)
    margins = [1 - (first[1] - second[1]) for first, second in tagged.alternatives["ner"]]
    assert found.uncertainty == pytest.approx(max(margins))
    assert found.tagged.tags == tagged.tags


def test_taggers_that_agree_do_not_disagree(ner_run: TrainResult, joint_run: TrainResult, raw):
    same = polytag.suggest(ner_run.output, raw, 9, strategy="disagreement", also=[ner_run.output])
    assert [sentence.uncertainty for sentence in same.sentences] == pytest.approx([0] * 4, abs=1e-6)
    other = polytag.suggest(ner_run.output, raw, 1, strategy="disagreement", also=[joint_run.output])
    assert texts(other) == UNSURE
    assert 0 < other.sentences[0].uncertainty <= np.log(2)


def test_a_random_choice_follows_its_seed(ner_run: TrainResult, raw):
    first, again, other = (
        texts(polytag.suggest(ner_run.output, raw, 4, strategy="random", seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert sorted(first)[0] == sorted(other)[0] == SURE[0]


def test_diversity_prefers_sentences_that_are_unlike_the_chosen_ones():
    angles = np.radians([0, 5, 45, 80])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert most_diverse(vectors, np.array([0.9, 0.8, 0.8, 0.5]), 2) == [0, 3]
    assert most_diverse(vectors, np.array([0.9, 0.8, 0.8, 0.0]), 2) == [0, 2]
    assert most_diverse(vectors, np.ones(4), 9) == [0, 3, 2, 1]


def test_a_diverse_choice_has_the_least_sure_sentence_and_any_number(ner_run: TrainResult, raw):
    found = texts(polytag.suggest(ner_run.output, raw, 3, diverse=True))
    assert found[0] == UNSURE[0]
    assert len(set(found)) == 3
    assert len(polytag.suggest(ner_run.output, raw, 99, strategy="random", diverse=True).sentences) == 4


def test_vectors_of_an_export_come_from_the_tagger_that_it_was_made_from(ner_run: TrainResult):
    from polytag.tagger.sentence_vectors import sentence_vectors

    tagger = Tagger.load(ner_run.output, runtime="numpy")
    export = ExportedModel(tagger.encoder, {"ner": 9}, lambda ids, mask: {}, {}, origin=lambda: tagger.network)
    sentences = [text.split() for text in (*SURE, *UNSURE)]
    numpy, tensorflow = (sentence_vectors(one, sentences) for one in (tagger, replace(tagger, model=export)))
    assert numpy.shape == (3, tagger.network.encoder.width)
    np.testing.assert_allclose(numpy, tensorflow, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(numpy, axis=1), 1, rtol=1e-5)


def test_what_has_labels_already_is_not_suggested_again(ner_run: TrainResult, raw, tmp_path):
    (tmp_path / "train.jsonl").write_text(json.dumps({"text": UNSURE[0], "label": []}) + "\n", encoding="utf-8")
    found = polytag.suggest(ner_run.output, raw, 9, labelled=f"train={tmp_path / 'train.jsonl'}")
    assert UNSURE[0] not in texts(found)
    assert found.known == 1
    assert "1 almost as a labelled one" in repr(found)


@pytest.mark.parametrize("form", ["doccano", "labelstudio"])
def test_what_is_written_is_read_again_as_the_same_words_and_spans(ner_run: TrainResult, tmp_path, form):
    words = [["Anna", "Keller", "'s", "dog", "(", "Rex", ")"], ["Rome", "."]]
    rows = [{"tokens": sentence, "page": number} for number, sentence in enumerate(words, 7)]
    (tmp_path / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = polytag.suggest(ner_run.output, tmp_path / "raw.jsonl", 2)
    sink = io.StringIO()
    found.write(sink, form)
    if form == "labelstudio":  # the user accepts each prediction, and exports the project
        tasks = json.loads(sink.getvalue())
        assert tasks[0]["data"]["page"] in (7, 8)
        tasks = [{"data": task["data"], "annotations": [task["predictions"][0]]} for task in tasks]
        (tmp_path / "train.json").write_text(json.dumps(tasks), encoding="utf-8")
    else:
        assert json.loads(sink.getvalue().splitlines()[0])["page"] in (7, 8)
        (tmp_path / "train.jsonl").write_text(sink.getvalue(), encoding="utf-8")
    corpus = polytag.load_corpus(str(tmp_path / f"train.json{'' if form == 'labelstudio' else 'l'}"), reader=form)
    assert sorted(corpus.words(corpus.splits[0])) == sorted(words)
    tags = {sentence.tagged.text: sentence.tagged.tags["ner"] for sentence in found.sentences}
    for sentence, own in zip(corpus.words(corpus.splits[0]), corpus.tags(corpus.splits[0], "ner_tags"), strict=True):
        assert own == tags[" ".join(sentence)]


def test_the_command_writes_for_doccano_and_says_what_it_left_out(ner_run: TrainResult, raw, tmp_path, command):
    done = command("suggest", ner_run.output, raw, "--number", 2, "--output", tmp_path / "out.jsonl")
    assert done.status == 0, done.err
    assert done.err == ("polytag: 2 of 6 sentences chosen by margin; left out: 1 without words.\n")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[0]["text"] == UNSURE[0]
    assert rows[0].keys() == {"text", "label", "uncertainty"}
    piped = command("suggest", ner_run.output, "-", "-n", 1, "--format", "jsonl", stdin=raw.read_bytes())
    assert json.loads(piped.out)["words"] == UNSURE[0].split()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "best"}, "no strategy 'best'. Choose one of: margin, entropy, disagreement, random"),
        ({"strategy": "disagreement"}, "compares several taggers. Name others with --also"),
        ({"number": 0}, "--number is 0, and must be at least 1"),
        ({"task": ["pos"]}, "has no task 'pos'; it has ner"),
        ({"input_format": "xml"}, "no input format named 'xml'"),
    ],
)
def test_what_cannot_be_done_is_refused(ner_run: TrainResult, raw, options, message):
    with pytest.raises(PolytagError, match=message):
        polytag.suggest(ner_run.output, raw, **options)


def test_only_the_tasks_that_count_are_suggested_and_a_tool_gets_one_with_spans(joint_run: TrainResult, raw, command):
    """doccano and Label Studio would show names and chunks as spans of one kind that overlap."""
    found = polytag.suggest(joint_run.output, raw, 2, task=["ner", "pos"])
    assert all(set(sentence.tagged.tags) == {"ner", "pos"} for sentence in found.sentences)
    found.write(io.StringIO())
    refused = command("suggest", joint_run.output, raw)
    assert refused.status == 2
    assert "holds the spans of one task, and ner, chunk count. Choose one with --task" in " ".join(refused.err.split())
    assert command("suggest", joint_run.output, raw, "--format", "jsonl").status == 0


def test_the_output_does_not_replace_an_input(ner_run: TrainResult, raw, command):
    before = raw.read_text(encoding="utf-8")
    link = raw.with_name("link.txt")
    link.symlink_to(raw)
    for arguments in (["suggest", ner_run.output, raw, "-o", raw], ["predict", ner_run.output, raw, "-o", link]):
        done = command(*arguments)
        assert done.status == 2
        assert "is the input, and would replace it" in " ".join(done.err.split())
        assert raw.read_text(encoding="utf-8") == before
