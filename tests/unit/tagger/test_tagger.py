"""Tagging from Python: text, words, streams; loading and saving."""

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import polytag
from polytag import PolytagError, Tagger, TaggerError
from polytag.runner import TrainResult

TEXT = "My name is Sylvain and I work at Hugging Face in Brooklyn."


@pytest.fixture(scope="module")
def tagger(joint_run: TrainResult) -> Tagger:
    return Tagger.load(joint_run.output)


def copy(run: TrainResult, target):
    shutil.copytree(run.output, target)
    return target


# Text


def test_a_text_gives_one_result_and_a_list_gives_a_list(tagger):
    tagged = tagger.tag(TEXT)
    assert tagged.text == TEXT
    first, second = tagger.tag([TEXT, "Hello."])
    assert (first.text, first.words, first.tags) == (TEXT, tagged.words, tagged.tags)
    assert second.words == ["Hello", "."]
    assert tagger.tag([]) == []


def test_words_tags_and_scores_go_together(tagger):
    tagged = tagger.tag(TEXT)
    assert tagged.words == TEXT.replace(".", " .").split()
    assert [TEXT[start:end] for start, end in tagged.offsets] == tagged.words
    assert set(tagged.tags) == set(tagged.scores) == {"ner", "pos", "chunk"}
    for task, tags in tagged.tags.items():
        assert len(tags) == len(tagged.scores[task]) == len(tagged.words)
        assert set(tags) <= set(tagger.heads[task].labels)
        assert all(0 < score <= 1 for score in tagged.scores[task])


def test_spans_stand_in_the_text_in_order_with_a_probability(tagger):
    spans = tagger.tag(TEXT).spans
    assert {span.task for span in spans} == {"ner", "chunk"}  # pos has no spans
    assert all(span.text == TEXT[span.start : span.end] for span in spans)
    assert all(0 < span.score <= 1 for span in spans)
    assert [span.start for span in spans] == sorted(span.start for span in spans)


def test_the_score_of_a_span_is_the_product_over_its_words(tagger):
    tagged = tagger.tag(TEXT)
    longest = max(tagged.spans, key=lambda span: span.end - span.start)
    inside = [i for i, (start, end) in enumerate(tagged.offsets) if longest.start <= start and end <= longest.end]
    assert len(inside) > 1
    product = 1.0
    for index in inside:
        product *= tagged.scores[longest.task][index]
    assert longest.score == pytest.approx(product)


def test_a_text_of_several_sentences_has_offsets_in_the_whole_text(tagger):
    text = "Mary Smith visited Paris.\n\nShe met John there! Who won?"
    tagged = tagger.tag(text)
    assert [tagged.words[start] for start in tagged.sentence_starts] == ["Mary", "She", "Who"]
    assert all(text[span.start : span.end] == span.text for span in tagged.spans)
    assert max(span.end for span in tagged.spans) > text.index("John")


@pytest.mark.parametrize("splitter", ["standard", "whitespace", "characters"])
@pytest.mark.parametrize("lines", [False, True])
def test_words_and_sentences_are_those_of_the_splitter(tagger, splitter, lines):
    texts = ["", "\u200b", "He left.\nShe \u202aстaла\u202c! \U0001f1e9\U0001f1ea\n\n字。", "שלום. Hi", " a\x00.\u0301"]
    for text, tagged in zip(texts, replace(tagger, splitter=splitter).tag(texts, lines=lines), strict=True):
        sentences = polytag.split_sentences(text, splitter, lines)
        found = [word for sentence in sentences for word in sentence]
        assert [tuple(word) for word in found] == [
            (word, *offset) for word, offset in zip(tagged.words, tagged.offsets, strict=True)
        ]
        assert [found[start] for start in tagged.sentence_starts] == [sentence[0] for sentence in sentences]


@pytest.mark.parametrize("lines", [False, True])
def test_a_line_can_be_a_text_of_its_own(tagger, lines):
    text = "I work in New\nYork today\r\nand sleep."
    tagged, (listed,) = tagger.tag(text, lines=lines), tagger.tag([text], lines=lines)
    assert tagged.tags == listed.tags
    assert tagged.words == text.replace(".", " .").split()
    assert [tagged.words[start] for start in tagged.sentence_starts] == (["I", "York", "and"] if lines else ["I"])
    assert all(text[span.start : span.end] == span.text for span in tagged.spans)
    assert any(len(span.text.splitlines()) > 1 for span in tagged.spans) is not lines


@pytest.mark.parametrize("context", ["sentence", "document"])
def test_a_line_is_tagged_as_if_it_stood_alone(tagger, context):
    tagger = replace(tagger, context=context)
    lines = ["I work in New", "York is big. She moved", "to Paris."]
    alone = tagger.tag(lines)
    together = tagger.tag("\n".join(lines), lines=True)
    for task in tagger.heads:
        assert together.tags[task] == [tag for tagged in alone for tag in tagged.tags[task]]
        assert together.scores[task] == pytest.approx([score for tagged in alone for score in tagged.scores[task]])


def test_raw_text_is_split_by_the_splitter_of_the_tagger(joint_run, tmp_path):
    replace(joint_run.tagger, splitter="whitespace").save(tmp_path / "spaces")
    saved = Tagger.load(tmp_path / "spaces")
    assert saved.tag("It's Rome.").words == ["It's", "Rome."]
    assert next(saved.stream(["Rome."])).words == ["Rome."]
    given = [["It's", "Rome."]]
    assert saved.predict_tags(given) == joint_run.tagger.predict_tags(given)


@pytest.mark.parametrize("text", ["", " ", "\n\t\n", "\u200b", "\x00\x07", "\ufeff"])
def test_a_text_without_words_to_speak_of_is_tagged(tagger, text):
    tagged = tagger.tag(text)
    assert tagged.text == text
    assert all(len(tags) == len(tagged.words) for tags in tagged.tags.values())


@pytest.mark.parametrize(
    "text", ["👩‍👩‍👧 met José in Zu\u0308rich. 😀", "a\r\nb\r\n\r\nParis", "\ufeffPeter met 北京 她."]
)
def test_offsets_count_characters_in_any_script(tagger, text):
    tagged = tagger.tag(text)
    assert [text[start:end] for start, end in tagged.offsets] == tagged.words
    assert "".join(tagged.words) == "".join(text.split())


# Words


def test_words_come_back_as_they_went_in(tagger):
    sentences = [["Sylvain", "sleeps"], ["New York", "\u00a0", "can't", "…"]]
    tagged = tagger.tag_words(sentences)
    assert [result.words for result in tagged] == sentences
    assert tagged[1].text == "New York \u00a0 can't …"
    assert all(
        result.text[s:e] == w for result in tagged for (s, e), w in zip(result.offsets, result.words, strict=True)
    )


def test_every_word_gets_one_tag_also_one_that_is_nothing(tagger):
    words = ["Peter", "", "\x00", "\u200b", "\ufeff", "", "Paris"]
    (tagged,) = tagger.tag_words([words])
    assert tagged.words == words
    assert all(len(tags) == len(words) for tags in tagged.tags.values())


def test_sentences_without_words_keep_their_place(tagger):
    tagged = tagger.tag_words([[], ["Peter"], []])
    assert [result.words for result in tagged] == [[], ["Peter"], []]
    assert tagged[1].tags == tagger.tag_words([["Peter"]])[0].tags


def test_a_sentence_longer_than_any_window_is_tagged_whole(tagger):
    unit = ["The", "president", "of", "Brazil", "met", "Anna", "Keller", "in", "Geneva", "on", "Monday", "."]
    words = (unit * 300)[:3000]
    (tagged,) = tagger.tag_words([words])
    assert tagged.words == words
    assert tagged.sentence_starts == [0]
    for tags in tagged.tags.values():
        middle = tags[len(unit) * 20 : len(unit) * 230]
        assert middle == tags[len(unit) * 20 : len(unit) * 21] * 210  # no seam where one window ends


def test_a_text_where_words_are_expected_is_refused(tagger):
    with pytest.raises(PolytagError, match=r"Sentence number 1 is the string 'My name', not a list of words"):
        tagger.tag_words(["My name"])


# Streams


def test_a_stream_does_not_read_all_of_its_input_first(tagger):
    taken = 0

    def texts():
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield f"Number {number} sleeps."

    stream = tagger.stream(texts())
    assert taken == 0
    assert next(stream).text == "Number 0 sleeps."
    assert taken < 5_000
    assert [tagged.text for tagged in stream] == [f"Number {number} sleeps." for number in range(1, 10_000)]


def test_results_come_in_the_order_of_the_input_whatever_the_lengths(tagger):
    lengths = random.Random(1).choices(range(40), k=300)
    sentences = [[f"w{number}"] * length for number, length in enumerate(lengths)]
    assert [tagged.words for tagged in tagger.stream_words(iter(sentences))] == sentences


def test_a_result_does_not_depend_on_what_is_tagged_beside_it(tagger):
    alone = tagger.tag(TEXT)
    together = tagger.tag([TEXT, "Go. " * 200, "No.", ""])[0]
    assert together.tags == alone.tags
    for task in alone.scores:
        assert together.scores[task] == pytest.approx(alone.scores[task], abs=1e-4)


# Decoding


def test_viterbi_is_the_default_and_breaks_no_rule(joint_run, registry):
    rng = random.Random(2)
    words = [word for sentence in polytag.load_corpus("sample").words("test") for word in sentence]
    sentences = [rng.sample(words, 12) for _ in range(200)]
    found = {}
    for decoding in ("argmax", None):
        tagger = Tagger.load(joint_run.output, decoding)
        tags = tagger.predict_tags(sentences)
        scheme = registry.schemes["iob2"]
        found[decoding] = sum(len(scheme.violations(row)) for task in ("ner", "chunk") for row in tags[task])
    assert found["argmax"] > 0
    assert found[None] == 0


def test_a_decoding_that_is_not_there_is_refused(joint_run):
    with pytest.raises(PolytagError, match=r"no decoding named 'vitrbi'. Choose viterbi, argmax or crf"):
        Tagger.load(joint_run.output, "vitrbi")  # type: ignore[arg-type]


# Folders


def test_a_tagger_saved_and_loaded_again_is_the_same(tagger, tmp_path):
    tagger.save(tmp_path / "copy")
    again = Tagger.load(tmp_path / "copy")
    assert again.tag(TEXT) == tagger.tag(TEXT)
    assert again.details == tagger.details
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_saving_does_not_replace_a_tagger_unless_told_to(tagger, tmp_path):
    folder = tmp_path / "a" / "b"
    tagger.save(folder)
    with pytest.raises(PolytagError, match="already has a tagger"):
        tagger.save(folder)
    (folder / "stale.txt").write_text("old")
    tagger.save(folder, overwrite=True)
    assert not (folder / "stale.txt").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["b"]


@pytest.mark.parametrize("before", [None, "tagger"])
def test_saving_that_fails_leaves_everything_as_it_was(tagger, tmp_path, monkeypatch, before):
    if before:
        tagger.save(tmp_path / "out", {"note.txt": "old"})

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tagger.network.encoder), "save_files", full)
    with pytest.raises(PolytagError, match="No space left on device"):
        tagger.save(tmp_path / "out", {"note.txt": "new"}, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if before else [])
    if before:
        assert (tmp_path / "out" / "note.txt").read_text() == "old"
        assert Tagger.load(tmp_path / "out").heads == tagger.heads


def test_a_tagger_that_cannot_take_the_place_of_another_leaves_it_there(tagger, tmp_path, monkeypatch):
    tagger.save(tmp_path / "out", {"note.txt": "old"})

    def refused(source, target):
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr("polytag.files._replace", refused)
    with pytest.raises(PolytagError, match="Device or resource busy"):
        tagger.save(tmp_path / "out", {"note.txt": "new"}, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "note.txt").read_text() == "old"


def test_a_tagger_behind_a_link_is_replaced_and_the_link_stays(tagger, tmp_path):
    tagger.save(tmp_path / "v1", {"note.txt": "old"})
    (tmp_path / "mine").symlink_to("v1")
    tagger.save(tmp_path / "mine", {"note.txt": "new"}, overwrite=True)
    assert (tmp_path / "mine").readlink() == Path("v1")
    assert (tmp_path / "v1" / "note.txt").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "v1"]


def test_a_tilde_is_the_home_of_the_user(tagger, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    tagger.save("~/mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_mount_point_is_refused_at_once(tagger, tmp_path, monkeypatch):
    (tmp_path / "volume").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path == tmp_path / "volume")
    with pytest.raises(PolytagError, match=r"is a mount point.*Choose a folder in it: '.*/volume/new'"):
        tagger.save(tmp_path / "volume")
    tagger.save(tmp_path / "volume" / "tagger")


def test_saving_into_the_current_folder_is_refused_at_once(tagger, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PolytagError, match="The output folder is the current one"):
        tagger.save(".")
    assert list(tmp_path.iterdir()) == []


def edit(folder, change):
    path = folder / "polytag.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    change(description)
    path.write_text(json.dumps(description), encoding="utf-8")


def test_a_description_that_does_not_suit_the_weights_is_explained(joint_run, tmp_path):
    folder = copy(joint_run, tmp_path / "bad")
    edit(folder, lambda description: description["tasks"]["ner"]["labels"].pop())
    with pytest.raises(PolytagError, match=r"no tensor 'classifiers.ner.weight' of shape"):
        Tagger.load(folder)


@pytest.mark.parametrize("kept", [0, 100, 100_000])
def test_weights_that_are_cut_off_are_named(joint_run, tmp_path, kept):
    folder = copy(joint_run, tmp_path / "bad")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(TaggerError, match=r"model.safetensors is damaged"):
        Tagger.load(folder)


def test_weights_that_are_missing_are_named(joint_run, tmp_path):
    folder = copy(joint_run, tmp_path / "bad")
    (folder / "model.safetensors").unlink()
    with pytest.raises(PolytagError, match=r"model.safetensors"):
        Tagger.load(folder)


def test_words_of_spans_that_are_too_uncertain_have_the_score_of_being_outside(ner_run):
    text = "Zorblax Quentin visited Frimble."
    everything = ner_run.tagger.tag(text)
    assert everything.spans
    strict = Tagger.load(ner_run.output, min_score=1.0).tag(text)
    assert (strict.spans, set(strict.tags["ner"])) == ([], {"O"})
    _, predictions = ner_run.tagger.predict([everything.words])
    tagged = [tag != "O" for tag in everything.tags["ner"]]
    expected = np.where(tagged, predictions["ner"].outside, predictions["ner"].scores)
    np.testing.assert_allclose(strict.scores["ner"], expected, atol=1e-6)


def test_words_may_come_in_arrays(tagger):
    words = ["Peter", "sleeps"]
    assert tagger.tag_words([np.array(words), np.array([])]) == tagger.tag_words([words, []])


def test_a_tagger_that_was_loaded_still_knows_where_its_encoder_came_from(tagger, tmp_path):
    tagger.save(tmp_path / "first")
    edit(tmp_path / "first", lambda description: description["encoder"].update(reference="acme/base"))
    Tagger.load(tmp_path / "first").save(tmp_path / "second")
    assert json.loads((tmp_path / "second" / "polytag.json").read_text())["encoder"]["reference"] == "acme/base"


def test_documents_are_not_cut_where_sentences_are_tagged_in_turns(tagger):
    packed = replace(tagger, context="document")
    sentences = [["Anna", "Keller", "left", "."], ["Peter", "slept", "."], [], ["Lima", "won", "."]] * 3
    documents = [0, 0, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3]
    whole = list(packed.stream_words(sentences, documents=documents))
    for look_ahead in (5, 6, 11):
        turns = list(packed.stream_words(sentences, look_ahead, documents))
        assert [one.words for one in turns] == sentences
        for one, other in zip(turns, whole, strict=True):
            assert one.scores["ner"] == pytest.approx(other.scores["ner"], abs=1e-5)
    assert [one.words for one in packed.stream_words(sentences, 2, documents)] == sentences
    with pytest.raises(PolytagError, match="Sentence number 4 has no document"):
        packed.tag_words(sentences, documents[:3])
