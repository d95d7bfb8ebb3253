"""The spaCy component: the same tags as the tagger gives, on spaCy's own tokens."""

import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import spacy
from spacy.tokens import Doc

from polytag import TaggerError

TEXTS = ["Peter Blackburn lives in New York. EU rejects German call.", "", " \n ", "Anna\nlives in Paris."]


@pytest.fixture(scope="module")
def nlp(joint_run) -> spacy.Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"tagger": str(joint_run.output)})
    return nlp


def spans(doc: Doc, group: str) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label_) for span in doc.spans[group]]


def test_entities_tags_and_span_groups_are_those_of_the_tagger(nlp, joint_run):
    words = ["Peter", "Blackburn", "lives", "in", "New", "York", "."]
    doc = nlp(Doc(nlp.vocab, words=words))
    tags = joint_run.tagger.predict_tags([words])
    schemes = {task: decoder.scheme for task, decoder in joint_run.tagger.decoders.items()}
    assert [token.tag_ for token in doc] == tags["pos"][0]
    assert [token.pos_ for token in doc] == [""] * len(doc)
    for task in ("ner", "chunk"):
        assert spans(doc, task) == [tuple(span) for span in schemes[task].spans(tags[task][0])]
    assert spans(doc, "chunk"), "or the test shows nothing"
    assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == spans(doc, "ner")
    assert all(token.ent_iob_ for token in doc), "every token is annotated"


def test_spacys_tokens_and_sentences_are_kept(nlp, joint_run):
    words = ["Don't", "go", ".", "Stay", "here", "."]
    whole = nlp(Doc(nlp.vocab, words=words))
    parted = nlp(Doc(nlp.vocab, words=words, sent_starts=[True, False, False, True, False, False]))
    assert [token.text for token in parted] == words
    predict = joint_run.tagger.predict_tags
    assert [token.tag_ for token in whole] == predict([words])["pos"][0]
    first, second = predict([words[:3], words[3:]])["pos"]
    assert [token.tag_ for token in parted] == first + second


def test_many_documents_give_what_each_gives_alone(nlp):
    alone = [nlp(text).to_json() for text in TEXTS]
    assert [doc.to_json() for doc in nlp.pipe(TEXTS, batch_size=3)] == alone
    assert "".join(token.tag_ for token in nlp(TEXTS[2])) == "", "white space has no tag"
    assert [len(doc) for doc in nlp.pipe(iter(TEXTS))][1] == 0


def test_processes_of_spacy_tag_the_same(nlp):
    texts = TEXTS * 3
    alone = [doc.to_json() for doc in nlp.pipe(texts)]
    assert [doc.to_json() for doc in nlp.pipe(texts, n_process=2, batch_size=4)] == alone


def test_processes_of_spacy_say_that_tensorflow_cannot_be_used_there(joint_run):
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"tagger": str(joint_run.output), "runtime": "tensorflow"})
    with pytest.raises(ValueError, match="This process was forked from one that had used TensorFlow"):
        list(nlp.pipe(TEXTS, n_process=2))


def test_the_runtime_is_part_of_the_configuration(joint_run):
    config = {"tagger": str(joint_run.output), "runtime": "tensorflow"}
    nlp = spacy.blank("en")
    assert nlp.add_pipe("polytag", config=config).tagger.runtime == "tensorflow"
    with pytest.raises(TaggerError, match=r"has no onnx/model\.onnx"):
        spacy.blank("en").add_pipe("polytag", config={**config, "runtime": "onnx"})


def test_spans_reach_over_tokens_of_white_space(nlp):
    # Words around a line break are neighbours for the tagger.
    broken, plain = nlp(Doc(nlp.vocab, words=["New", "\n", "York"])), nlp(Doc(nlp.vocab, words=["New", "York"]))
    assert [(start, end) for start, end, _ in spans(plain, "chunk")] == [(0, 2)]
    assert [(start, end) for start, end, _ in spans(broken, "chunk")] == [(0, 3)]


@pytest.mark.parametrize("context", ["sentence", "document"])
def test_a_line_can_be_a_text_of_its_own(joint_run, tmp_path, context):
    replace(joint_run.tagger, context=context).save(tmp_path / "tagger")
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"tagger": str(tmp_path / "tagger"), "lines": True})
    words = ["I", "work", "in", "New", "\n", "York", "today", " \r\n ", "  ", "now"]
    doc = nlp(Doc(nlp.vocab, words=words))
    tags = joint_run.tagger.predict_tags([words[:4], words[5:7], words[9:]])["pos"]
    assert [token.tag_ for token in doc] == [*tags[0], "", *tags[1], "", "", *tags[2]]
    assert not [span for span in doc.spans["chunk"] if "\n" in span.text]
    assert [(doc.text, list(doc.spans["chunk"])) for doc in nlp.pipe(["", "\n"])] == [("", []), ("\n", [])]


def test_another_task_can_set_the_entities(joint_run):
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"tagger": str(joint_run.output), "ents": "chunk"})
    doc = nlp(TEXTS[0])
    assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == spans(doc, "chunk")


def test_a_saved_pipeline_holds_the_tagger(nlp, joint_run, tmp_path):
    moved = tmp_path / "moved"
    nlp.to_disk(tmp_path / "pipeline")
    (tmp_path / "pipeline").rename(moved)
    config = (moved / "config.cfg").read_text()
    assert str(joint_run.output) in config
    (moved / "config.cfg").write_text(config.replace(str(joint_run.output), "/nowhere"))
    again = spacy.load(moved)
    assert [again(text).to_json() for text in TEXTS] == [nlp(text).to_json() for text in TEXTS]
    again.to_disk(moved)
    assert spacy.load(moved)(TEXTS[0]).to_json() == nlp(TEXTS[0]).to_json()


def test_a_saved_pipeline_holds_all_files_of_the_tagger(joint_run, tmp_path):
    folder = shutil.copytree(joint_run.output, tmp_path / "tagger")
    (folder / "onnx").mkdir()
    (folder / "onnx/model.onnx").write_bytes(b"another model")
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"tagger": str(folder)})
    nlp.to_disk(tmp_path / "pipeline")
    saved = tmp_path / "pipeline/polytag"
    assert [path.relative_to(saved) for path in sorted(saved.rglob("*"))] == [
        path.relative_to(folder) for path in sorted(folder.rglob("*"))
    ]


def test_universal_tags_become_pos(tmp_path, command, uncompiled):
    (tmp_path / "train.jsonl").write_text('{"tokens": ["Peter", "sleeps"], "pos_tags": ["PROPN", "VERB"]}\n' * 4)
    (tmp_path / "dev.jsonl").write_text('{"tokens": ["Peter", "sleeps"], "pos_tags": ["PROPN", "VERB"]}\n')
    done = command("train", "--task", "pos", "--corpus", tmp_path, "--epochs", "1", "--output", tmp_path / "tagger")
    assert done.status == 0, done.err
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"tagger": str(tmp_path / "tagger")})
    doc = nlp("Peter sleeps")
    assert [token.pos_ for token in doc] == [token.tag_ for token in doc]
    assert {token.pos_ for token in doc} <= {"PROPN", "VERB"}


def test_a_folder_that_is_no_tagger_is_an_error(tmp_path):
    nlp = spacy.blank("en")
    with pytest.raises(TaggerError, match=r"polytag\.json"):
        nlp.add_pipe("polytag", config={"tagger": str(tmp_path)})
    nlp.add_pipe("polytag", name="missing", config={"tagger": str(tmp_path / "nowhere")})
    with pytest.raises(TaggerError, match="nowhere"):
        nlp("Peter sleeps.")


_WITHOUT_SPACY = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name == "spacy":
            raise ModuleNotFoundError("No module named 'spacy'", name=name)

sys.meta_path.insert(0, Blocker())
import polytag

try:
    import polytag.serving.spacy_component
except ImportError as error:
    print(error)
for work in (lambda: polytag.load_corpus(sys.argv[1]), lambda: polytag.load_corpus("sample").columns):
    try:
        print(work())
    except polytag.PolytagError as error:
        print(error)
"""


def test_without_spacy_all_else_works_and_asking_says_what_to_install(tmp_path):
    (tmp_path / "train.spacy").write_bytes(b"x")
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_SPACY, tmp_path / "train.spacy"], capture_output=True, text=True, check=True
    )
    component, reader, columns = done.stdout.splitlines()
    assert component.endswith("Install it: pip install 'polytag[spacy]'")
    assert reader.endswith("Install it: pip install 'polytag[spacy]'")
    assert columns == "('ner_tags', 'pos_tags', 'chunk_tags')"
