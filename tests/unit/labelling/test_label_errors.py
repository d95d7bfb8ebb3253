"""Label errors that taggers find: by a tagger that is given, and by taggers of folds."""

import json

import pytest

import polytag
from polytag import PolytagError
from polytag.corpus.sample.reader import sample_sentences
from polytag.errors import InterruptedRunError
from polytag.labelling import folds as folds_module
from polytag.labelling.folds import folds_of
from polytag.labelling.occurrences import Occurrences, counted
from polytag.labelling.words import annotated_sentences

IOB2 = polytag.scheme("iob2")
WRONG = ("spurious", "missed", "type", "boundary")


def write(path, sentences):
    """A corpus in JSON Lines; `sentences` are words, tags and the number of a document."""
    rows = ({"tokens": words, "ner_tags": tags, "document": document} for words, tags, document in sentences)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return f"train={path}"


def with_errors(path):
    """The test split of the sample with one error of each kind in its first sentences that have room for it."""
    rows, errors, wanted = [], {}, list(WRONG)
    for index, sentence in enumerate(sample_sentences("test")):
        words, spans = sentence.words, IOB2.spans(sentence.tags["ner_tags"])
        kind = wanted[0] if wanted else None
        span = next((span for span in spans if span.label == "PER" and span.end - span.start == 2), None)
        if kind and span and len(spans) == 1 and words[-1] == ".":
            errors[wanted.pop(0)] = index
            spans = {
                "missed": [],
                "type": [span._replace(label="LOC")],
                "boundary": [span._replace(end=span.end - 1)],
                "spurious": [span, polytag.Span(len(words) - 1, len(words), "ORG")],
            }[kind]
        rows.append((words, IOB2.tags(spans, len(words)), index // 4))
    assert not wanted
    return write(path, rows), errors


@pytest.fixture
def corpus(tmp_path):
    return with_errors(tmp_path / "wrong.jsonl")


def test_errors_of_each_kind_are_ranked_first(corpus, ner_run):
    reference, errors = corpus
    found = polytag.find_label_errors(reference, tagger=ner_run.output, quiet=True)
    first = {suspect.kind: suspect for suspect in reversed(found.suspects[:8])}
    assert {kind: first[kind].row for kind in WRONG} == errors
    missed, spurious, border = first["missed"], first["spurious"], first["boundary"]
    assert (missed.annotated, missed.proposed.label) == (None, "PER")
    assert (spurious.annotated.label, spurious.proposed) == ("ORG", None)
    assert border.proposed.end == border.annotated.end + 1
    scores = [suspect.score for suspect in found.suspects]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= 0.9


def test_the_command_prints_ranked_places_with_file_and_line(corpus, ner_run, command):
    reference, errors = corpus
    done = command("corpus", "check", reference, "--tagger", ner_run.output, "--json")
    findings = [finding for finding in json.loads(done.out)["findings"] if finding["code"] == "label-error"]
    assert {finding["column"] for finding in findings} == {"ner_tags"}
    places = [place for finding in findings for place in finding["places"]]
    assert sorted(place["rank"] for place in places) == list(range(1, len(places) + 1))
    (missed,) = (place for place in places if place["kind"] == "missed" and place["rank"] < 9)
    assert missed["location"].startswith(f"wrong.jsonl:{errors['missed'] + 1}, word ")
    assert (missed["label"], missed["proposed"]) == (None, "PER")
    shown = command("corpus", "check", reference, "--tagger", ner_run.output, "--examples", "1").out
    assert "label-error [ner_tags]" in shown
    assert "is not annotated, rather PER" in shown


def test_repeated_words_are_counted_and_places_alike_are_shown_once(tmp_path, ner_run):
    """A label that a name has elsewhere speaks for it, whatever the model is sure of."""
    sentence = next(
        sentence for sentence in sample_sentences("test") if sentence.tags["ner_tags"][:3] == ["B-PER", "I-PER", "O"]
    )
    right, wrong = sentence.tags["ner_tags"], ["B-ORG", "I-ORG", *sentence.tags["ner_tags"][2:]]
    corpus = write(tmp_path / "c.jsonl", [(sentence.words, tags, 0) for tags in [right] * 5 + [wrong] * 2])
    found = polytag.find_label_errors(corpus, tagger=ner_run.tagger, quiet=True)
    assert [suspect.row for suspect in found.suspects] == [5, 6]
    (finding,) = found.findings(3)
    (place,) = finding.places
    assert (finding.count, place.alike) == (2, 2)
    name = " ".join(sentence.words[:2])
    assert place.example == f"`{name}` is ORG, rather PER; PER 5 times and ORG twice"
    assert len(found.findings()[0].places) == 2


def test_occurrences_count_words_that_are_no_span_of_their_own():
    words, tags = [["Santa", "Fe", "in", "Santa", "Fe"]], [["B-LOC", "I-LOC", "O", "O", "O"]]
    found = Occurrences([("Santa", "Fe")], words, tags, IOB2)
    assert found.labels(("Santa", "Fe")) == {"LOC": 1, "O": 1}
    assert counted({"LOC": 11, "ORG": 2, "O": 1}) == "LOC 11 times, ORG twice and no span once"
    assert found.share(("Santa", "Fe"), "LOC", but_one=True) == pytest.approx(0.25)


def test_words_of_a_task_without_spans_have_tags_to_judge(tmp_path, joint_run):
    sentences = list(sample_sentences("test"))[:40]
    tags = [list(sentence.tags["pos_tags"]) for sentence in sentences]
    wrong = tags[7].index("DT")
    tags[7][wrong] = "VB"
    rows = ({"tokens": one.words, "pos_tags": of_one} for one, of_one in zip(sentences, tags, strict=True))
    path = tmp_path / "pos.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    first = polytag.find_label_errors(f"train={path}", tagger=joint_run.tagger, quiet=True).suspects[0]
    assert (first.kind, first.row, first.words) == ("tag", 7, range(wrong, wrong + 1))
    assert (first.annotated.label, first.proposed.label) == ("VB", "DT")


def test_whole_documents_are_in_one_fold_and_folds_are_of_one_size(corpus):
    annotated = annotated_sentences(polytag.load_corpus(corpus[0]), {"ner": polytag.task("ner")}, {"ner": IOB2})
    folds = folds_of(annotated, 5, 0)
    of_document = {}
    for document, fold in zip(annotated.documents, folds.tolist(), strict=True):
        assert of_document.setdefault(document, fold) == fold
    sizes = [sum(len(annotated.sentences[row]) for row in range(len(folds)) if folds[row] == fold) for fold in range(5)]
    assert max(sizes) < 1.2 * min(sizes)
    assert (folds != folds_of(annotated, 5, 1)).any()


def test_folds_are_kept_and_an_interrupted_check_continues(tmp_path, tiny_corpus, capsys, uncompiled, monkeypatch):
    cache, reference = tmp_path / "cache", f"train={tiny_corpus / 'train.conll'}"

    def check():
        found = polytag.find_label_errors(reference, task="ner", folds=2, cache=cache)
        return found.suspects, capsys.readouterr().err

    runs, usual = [], folds_module.run

    def killed_after_one(*arguments, **options):
        runs.append(arguments)
        if len(runs) == 2:
            raise InterruptedRunError("Continue with --resume.")
        return usual(*arguments, **options)

    monkeypatch.setattr(folds_module, "run", killed_after_one)
    with pytest.raises(InterruptedRunError, match="The same command continues it"):
        check()
    suspects, said = check()
    assert len(runs) == 3
    assert "Fold 1 of 2: known from an earlier call" in said
    assert "Fold 2 of 2: trains on " in said
    assert str(cache) in said
    assert check()[0] == suspects
    assert len(runs) == 3
    assert all(not list(folder.glob("work-*")) for folder in cache.iterdir())  # no tagger is left


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "Choose 2 or more"),
        ({"folds": 1000}, "too few for 1000 folds"),
        ({"corrections": "out.txt"}, "unknown extension"),
        ({"task": "pos"}, "no column for the task"),
    ],
)
def test_what_cannot_be_checked_is_refused_before_training(corpus, options, message):
    with pytest.raises(PolytagError, match=message):
        polytag.find_label_errors(corpus[0], quiet=True, **options)


def test_options_of_models_need_a_model(command, corpus, tmp_path):
    done = command("corpus", "check", corpus[0], "--corrections", tmp_path / "c.json")
    assert done.status == 2
    assert "Add --with-model" in done.err


def test_the_tasks_of_the_columns_are_judged_unless_tasks_are_named(monkeypatch):
    asked = []
    monkeypatch.setattr("polytag.labelling.label_errors.out_of_fold", lambda _, tasks, *__: asked.append(tasks) or {})
    assert polytag.find_label_errors("sample", quiet=True).suspects == ()
    assert sorted(asked[0]) == ["chunk", "ner", "pos"]
