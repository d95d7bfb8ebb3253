"""Comparing two systems on the same sentences, from files of predictions and from taggers."""

import json
import random
from types import SimpleNamespace

import pytest

import polytag
from polytag import PolytagError
from polytag.corpus.sample.reader import sample_sentences
from polytag.plugin.registry import Registry
from polytag.tagger.description import TaggerDescription
from polytag.tagger.heads import TaskHead
from polytag.tagger.tagger import Tagger

COLUMNS = ["tokens", "pos_tags", "ner_tags"]


@pytest.fixture(scope="module")
def data():
    """A hundred sentences with gold tags, and two sets of predictions, the second of which is better."""
    sentences = sample_sentences("train")[:100]
    generator = random.Random(0)
    words = [sentence.words for sentence in sentences]
    gold = {task: [sentence.tags[f"{task}_tags"] for sentence in sentences] for task in ("pos", "ner")}

    def worse(rate):
        return {
            task: [
                [generator.choice(gold[task])[0] if generator.random() < rate else tag for tag in tags]
                for tags in gold[task]
            ]
            for task in gold
        }

    return SimpleNamespace(words=words, gold=gold, a=worse(0.3), b=worse(0.05))


def as_columns(words, tags, tasks=("pos", "ner")):
    rows = zip(words, *(tags[task] for task in tasks), strict=True)
    return "\n".join("".join("\t".join(row) + "\n" for row in zip(*sentence, strict=True)) for sentence in rows)


def as_objects(words, tags):
    lines = []
    for index in range(0, len(words), 2):  # two sentences an object
        pair = range(index, min(index + 2, len(words)))
        record = {
            "words": [word for i in pair for word in words[i]],
            "sentence_starts": [sum(len(words[j]) for j in range(index, i)) for i in pair],
            "tags": {task: [tag for i in pair for tag in of_task[i]] for task, of_task in tags.items()},
        }
        lines.append(json.dumps(record, ensure_ascii=False))
    return "\n".join(lines) + "\n"


@pytest.fixture
def files(tmp_path, data):
    (tmp_path / "test.conll").write_text(as_columns(data.words, data.gold), encoding="utf-8")
    for name in ("a", "b"):
        (tmp_path / f"{name}.conll").write_text(as_columns(data.words, getattr(data, name)), encoding="utf-8")
        (tmp_path / f"{name}.jsonl").write_text(as_objects(data.words, getattr(data, name)), encoding="utf-8")
    return tmp_path


def compared(files, a, b, **options):
    return polytag.compare(files / a, files / b, str(files / "test.conll"), columns=COLUMNS, **options)


def test_scores_and_their_difference_with_its_interval(files, data, registry: Registry):
    result = compared(files, "a.jsonl", "b.jsonl")
    assert list(result.tasks) == ["pos", "ner"]
    assert (result.split, result.sentences, result.words) == ("test", 100, sum(map(len, data.words)))
    for name, task in result.tasks.items():
        metric, scheme = registry.metrics[task.metric], registry.schemes[registry.tasks[name].scheme]
        for score, tags in ((task.a, data.a), (task.b, data.b)):
            assert score == metric.compute(data.gold[name], tags[name], scheme).overall[task.headline]
        assert task.difference == task.b - task.a > 0
        assert 0 < task.interval[0] < task.difference < task.interval[1]
        assert task.p == 1 / 10_000


def test_lines_that_begin_documents_are_no_predictions(files):
    columns = (files / "a.conll").read_text(encoding="utf-8")
    (files / "marked.conll").write_text(f"###MEDLINE:95369245\n\n{columns}", encoding="utf-8")
    assert compared(files, "a.jsonl", "marked.conll").sentences == 100


def test_a_system_does_not_differ_from_itself(files):
    for task in compared(files, "a.jsonl", "a.conll").tasks.values():
        assert (task.difference, task.interval, task.p) == (0.0, (0.0, 0.0), 1.0)
        assert (task.differing, list(task.sentences)) == (0, [])


def test_exchanging_the_systems_changes_signs_only(files):
    one, other = compared(files, "a.jsonl", "b.jsonl"), compared(files, "b.jsonl", "a.jsonl")
    for name, task in one.tasks.items():
        back = other.tasks[name]
        assert (back.a, back.b, back.difference, back.p) == (task.b, task.a, -task.difference, task.p)
        assert back.interval == (-task.interval[1], -task.interval[0])
        assert [s.location for s in back.sentences] == [s.location for s in task.sentences]


def test_the_same_seed_gives_the_same_figures(files):
    one = compared(files, "a.jsonl", "b.jsonl", seed=3)
    assert compared(files, "a.jsonl", "b.jsonl", seed=3) == one
    assert compared(files, "a.jsonl", "b.jsonl", seed=4).tasks["ner"].interval != one.tasks["ner"].interval


def test_the_sentences_that_differ_most_come_first(files, data):
    task = compared(files, "a.jsonl", "b.jsonl", sentences=1000).tasks["ner"]

    def wrong(tags, index):
        return sum(one != other for one, other in zip(tags["ner"][index], data.gold["ner"][index], strict=True))

    gaps = [abs(wrong(data.a, i) - wrong(data.b, i)) for i in range(100) if data.a["ner"][i] != data.b["ner"][i]]
    assert task.differing == len(task.sentences) == len(gaps)
    assert [abs(a - b) for a, b in (s.wrong for s in task.sentences)] == sorted(gaps, reverse=True)
    first = task.sentences[0]
    index = data.words.index(first.words)
    assert (first.gold, first.a, first.b) == tuple(side["ner"][index] for side in (data.gold, data.a, data.b))
    assert first.location.startswith("test.conll:")


def test_column_files_take_their_tasks_from_the_other_system_or_the_option(files):
    from_objects = compared(files, "a.jsonl", "b.jsonl").tasks
    assert compared(files, "a.jsonl", "b.conll").tasks == from_objects
    assert compared(files, "a.conll", "b.conll", task=["pos", "ner"]).tasks == from_objects
    assert compared(files, "a.conll", "b.conll", task=["_", "ner"]).tasks == {"ner": from_objects["ner"]}
    assert list(compared(files, "a.jsonl", "b.jsonl", task=["ner"]).tasks) == ["ner"]
    with pytest.raises(PolytagError, match="do not name the tasks"):
        compared(files, "a.conll", "b.conll")
    with pytest.raises(PolytagError, match="has 2 columns of tags, not 1 as in ner"):
        compared(files, "a.conll", "b.conll", task=["ner"])
    with pytest.raises(PolytagError, match="has no task 'chunk'; it has pos, ner"):
        compared(files, "a.jsonl", "b.jsonl", task=["chunk"])


def test_spans_may_be_in_any_scheme(files, data, registry: Registry):
    plain = compared(files, "a.jsonl", "b.jsonl").tasks["ner"]
    iob2, iobes = registry.schemes["iob2"], registry.schemes["iobes"]
    converted = {"ner": [polytag.convert_tags(tags, iob2, iobes) for tags in data.b["ner"]]}
    (files / "b.jsonl").write_text(as_objects(data.words, converted))
    other = compared(files, "a.jsonl", "b.jsonl").tasks["ner"]
    assert (other.a, other.b, other.interval, other.p) == (plain.a, plain.b, plain.interval, plain.p)


def test_predicted_tags_that_no_scheme_writes_are_named(files, data):
    plain = compared(files, "a.jsonl", "b.jsonl").tasks["ner"]
    odd = [["0" if tag == "O" and not index else tag for tag in tags] for index, tags in enumerate(data.b["ner"])]
    (files / "b.jsonl").write_text(as_objects(data.words, {"ner": odd}))
    with pytest.raises(
        PolytagError, match=r"b\.jsonl', in the task 'ner', has tags .* `0` .* looks like `O`"
    ) as refused:
        compared(files, "a.jsonl", "b.jsonl")
    assert "--tag-style" not in str(refused.value)  # it is for corpora
    assert compared(files, "a.jsonl", "b.jsonl", tags_as_is=True).tasks["ner"].b <= plain.b


def test_predictions_for_other_words_are_refused(files, data, command):
    options = ("--corpus", files / "test.conll", "--columns", ",".join(COLUMNS))
    words = [list(sentence) for sentence in data.words]
    words[7][1] = "else"
    (files / "b.jsonl").write_text(as_objects(words, data.b), encoding="utf-8")
    done = command("compare", files / "a.jsonl", files / "b.jsonl", *options)
    assert (done.status, done.out) == (2, "")
    assert f"the word 'else' where the corpus has {data.words[7][1]!r} (word 2)" in done.err
    assert "sentence 8, at test.conll:" in done.err

    shorter = {task: tags[:-1] for task, tags in data.b.items()}
    (files / "b.jsonl").write_text(as_objects(data.words[:-1], shorter), encoding="utf-8")
    with pytest.raises(PolytagError, match=r"has 99 sentences, and .* has 100"):
        compared(files, "a.jsonl", "b.jsonl")

    cut = {task: [tags[0][:-1], *tags[1:]] for task, tags in data.b.items()}
    (files / "b.jsonl").write_text(as_objects([data.words[0][:-1], *data.words[1:]], cut), encoding="utf-8")
    with pytest.raises(PolytagError, match=r"sentence 1, .* words, and the corpus has"):
        compared(files, "a.jsonl", "b.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.jsonl", None, "does not exist"),
        ("empty.conll", "\n\n", "has no predictions"),
        ("words.conll", "Paris\nis\n", "words.conll, line 1: a word without tags"),
        ("ragged.conll", "Paris B-LOC\nis\n", "ragged.conll, line 2: 1 columns, most have 2"),
        ("text.jsonl", '{"words": ["a"], "tags": {"pos": ["DT", "DT"]}}\n', "pos has 2 tags for 1 words"),
        ("other.jsonl", '{"text": "a"}\n', "it has no 'words'"),
        ("latin.conll", "Z\u00fcrich\tB-LOC\n".encode("latin-1"), "not valid UTF-8"),
        ("tasks.jsonl", '{"words": ["a"], "tags": {"x": ["y"]}}\n', "have no task in common"),
    ],
)
def test_files_that_are_no_predictions_are_refused(files, name, content, message):
    if content is not None:
        (files / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PolytagError, match=message):
        compared(files, name, "a.jsonl")


def test_a_tagger_is_compared_with_a_file(files, data, registry: Registry, monkeypatch):
    """With a tagger that knows its tags already: what counts is that it is asked about the words of the corpus."""
    folder = files / "tagger"
    folder.mkdir()
    heads = {"pos": TaskHead(("NN",), "flat", "first"), "ner": TaskHead(("O",), "iobes", "first")}
    (folder / "polytag.json").write_text(TaggerDescription.of(heads, "compact", "compact").to_json())
    iobes = registry.schemes["iobes"]
    own = {
        "pos": data.b["pos"],
        "ner": [polytag.convert_tags(tags, registry.schemes["iob2"], iobes) for tags in data.b["ner"]],
    }

    def predict_tags(sentences, documents):
        assert sentences == data.words
        return own

    decoders = {"pos": SimpleNamespace(scheme=registry.schemes["flat"]), "ner": SimpleNamespace(scheme=iobes)}
    loaded = SimpleNamespace(decoders=decoders, predict_tags=predict_tags)
    monkeypatch.setattr(Tagger, "load", lambda path, decoding, runtime: loaded)
    from_files, with_tagger = compared(files, "a.jsonl", "b.jsonl"), compared(files, "a.conll", "tagger")
    assert (from_files.runtimes, with_tagger.runtimes) == ((None, None), (None, "numpy"))
    for name, task in from_files.tasks.items():
        found = with_tagger.tasks[name]
        assert (found.a, found.b, found.p, found.interval) == (task.a, task.b, task.p, task.interval)


def test_the_command_prints_a_table_or_json(files, command):
    arguments = ("compare", files / "a.jsonl", files / "b.jsonl", "--corpus", files / "test.conll", "--task", "ner")
    options = ("--columns", ",".join(COLUMNS), "--sentences", 2)
    plain = json.loads(command(*arguments, *options, "--json").out)
    result = compared(files, "a.jsonl", "b.jsonl", task=["ner"], sentences=2)
    assert plain == json.loads(json.dumps(result.to_dict()))
    shown = command(*arguments, *options)
    assert shown.status == 0
    task = result.tasks["ner"]
    for text in (f"{task.a:.4f}", f"{task.b:.4f}", f"{task.difference:+.4f}", "0.0001", task.sentences[1].location):
        assert text in shown.out
    assert shown.out.count("tags wrong") == 2
