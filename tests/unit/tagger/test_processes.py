"""Taggers in forked and spawned processes, in pools, and in threads: the tags of one process, or a clear error."""

import copy
import gc
import multiprocessing
import pickle
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import datasets  # noqa: TID253
import pytest

import polytag
from polytag import Tagger, TaggerError
from polytag.encoding import coders
from polytag.errors import MissingEngineError, UnknownNameError
from support.random_tagger import save_random_tagger

SENTENCES = polytag.load_corpus("sample").words("test")[:20]
TEXTS = [" ".join(words) for words in SENTENCES]
FORKED = "This process was forked from one that had used TensorFlow"
SECONDS = 60


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """What waits for ever fails instead."""

    def too_late(*_: object) -> None:
        raise TimeoutError

    usual = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, usual)


@pytest.fixture(scope="module", params=["numpy", "tensorflow"])
def tagger(request: pytest.FixtureRequest, ner_run) -> Tagger:
    """A tagger that has tagged."""
    found = Tagger.load(ner_run.output, runtime=request.param)
    found.tag(TEXTS)
    return found


@pytest.fixture(scope="module")
def in_tensorflow(ner_run) -> Tagger:
    return Tagger.load(ner_run.output, runtime="tensorflow")


def in_a_fork(call: Callable[..., object], *arguments: object, **options: object) -> object:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.apply_async(call, arguments, options).get(SECONDS)


@pytest.mark.parametrize("used_before", [False, True], ids=["no TensorFlow", "TensorFlow used"])
def test_numpy_tags_in_a_pool_of_forked_processes(ner_run, used_before, request):
    if used_before:
        request.getfixturevalue("in_tensorflow")
    tagger = Tagger.load(ner_run.output)
    expected = tagger.tag(TEXTS)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(tagger.tag, [TEXTS, TEXTS, TEXTS]).get(SECONDS) == [expected] * 3


def test_garbage_of_the_parent_is_harmless_in_a_forked_process(in_tensorflow):
    """Freeing this iterator waits for its threads, or aborts, where they do not exist."""
    import tensorflow

    rows = iter(tensorflow.data.Dataset.range(10**9).map(lambda row: row + 1, num_parallel_calls=2).prefetch(4))
    next(rows)
    cycle = [rows]
    cycle.append(cycle)
    gc.disable()
    try:
        del rows, cycle
        child = multiprocessing.get_context("fork").Process(target=gc.collect)
        child.start()
    finally:
        gc.enable()
    child.join(SECONDS / 2)
    ended = child.exitcode
    child.kill()  # the program waits for it at its end
    assert ended == 0


def test_tensorflow_says_what_to_do_in_a_forked_process(in_tensorflow, ner_run, tmp_path):
    load = partial(Tagger.load, ner_run.output, runtime="tensorflow")
    train = partial(polytag.train, task="ner", corpus="sample", output=tmp_path / "new", quiet=True)
    export = partial(polytag.export, ner_run.output, tmp_path / "exported", "savedmodel")
    for call in (
        partial(in_tensorflow.tag, TEXTS),
        partial(in_tensorflow.predict_tags, SENTENCES),
        load,
        train,
        export,
    ):
        with pytest.raises(TaggerError, match=FORKED) as raised:
            in_a_fork(call)
    for way_out in ("'spawn'", "only in the child", "--runtime onnx", "--in-place", "compact uses NumPy"):
        assert way_out in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_forked_process_may_drop_and_save_a_tagger_in_tensorflow(in_tensorflow, tmp_path):
    held = [in_tensorflow]

    def save_and_drop() -> None:
        held[0].save(tmp_path / "saved")
        held.clear()
        gc.collect()

    child = multiprocessing.get_context("fork").Process(target=save_and_drop)
    child.start()
    child.join(SECONDS / 2)
    ended = child.exitcode
    child.kill()  # the program waits for it at its end
    assert ended == 0
    assert Tagger.load(tmp_path / "saved").predict_tags(SENTENCES) == in_tensorflow.predict_tags(SENTENCES)


def test_a_process_that_is_forked_before_tensorflow_is_used_can_use_it(ner_run, fork_server):
    code = "import polytag, sys; print(polytag.Tagger.load(sys.argv[1], runtime='tensorflow').tag('Hi .').tags)"
    done = fork_server.run(code, "-c", ner_run.output)
    assert "'ner': ['O', 'O']" in done.stdout, done.stderr


def test_a_spawned_process_tags_the_same(ner_run):
    tagger = Tagger.load(ner_run.output)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(tagger.tag, (TEXTS,)).get(SECONDS) == tagger.tag(TEXTS)


def test_a_tagger_in_tensorflow_reaches_a_process_that_shares_nothing_with_this_one(
    in_tensorflow, tmp_path, fork_server
):
    (tmp_path / "tagger").write_bytes(pickle.dumps(in_tensorflow))  # as spawn sends it
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).predict_tags([sys.argv[2:]]))"
    done = fork_server.run(code, "-c", tmp_path / "tagger", *SENTENCES[0])
    assert done.stdout == f"{in_tensorflow.predict_tags(SENTENCES[:1])}\n", done.stderr


def test_copies_tag_as_the_original_does(tagger):
    expected = tagger.tag(TEXTS)
    for made in (pickle.loads(pickle.dumps(tagger)), copy.deepcopy(tagger)):
        assert made.runtime == tagger.runtime
        assert made.tag(TEXTS) == expected
        assert made.description() == tagger.description()


def test_copies_have_the_tokenizer_of_a_checkpoint(tmp_path: Path):
    folder = save_random_tagger(tmp_path / "tagger", {"ner": (("O", "B-PER", "I-PER"), "iob2")})
    tagger = Tagger.load(folder, runtime="tensorflow")
    copied = pickle.loads(pickle.dumps(tagger))
    assert copied.predict_tags(SENTENCES) == tagger.predict_tags(SENTENCES)
    copied.save(tmp_path / "copy")
    for path in folder.iterdir():
        assert (tmp_path / "copy" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_data_set_is_mapped_in_two_processes(tagger):  # as in docs/how-to/use-in-processes.md
    rows = datasets.Dataset.from_dict({"text": TEXTS})

    def tag(batch: dict[str, list[str]]) -> dict[str, list[list[str]]]:
        return {"ner": [tagged.tags["ner"] for tagged in tagger.tag(batch["text"])]}

    def mapped() -> list[list[str]]:
        return list(rows.map(tag, batched=True, batch_size=5, num_proc=2)["ner"])

    if tagger.runtime == "tensorflow":
        with pytest.raises(TaggerError, match=FORKED):
            mapped()
    else:
        assert mapped() == [tagged.tags["ner"] for tagged in tagger.tag(TEXTS)]


def test_threads_share_a_tagger(tagger, monkeypatch):
    parts = [TEXTS[start::4] for start in range(4)] * 2
    expected = [tagger.tag(part) for part in parts]
    monkeypatch.setattr(coders, "_CACHED_WORDS", 3)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(tagger.tag, parts)) == expected


def test_a_thread_may_renew_the_cache_of_words_while_another_reads_it(monkeypatch):
    coder, usual = coders.HashCoder(), coders.hash_word
    expected = coder.encode(["in", "Rome"]).ids.tolist()

    def hash_word(word: str) -> tuple[int, ...]:
        if word == "Rome":  # as if another thread had its turn now
            coder.encode(["one", "two"])
            coder.encode(["three"])
        return usual(word)

    monkeypatch.setattr(coders, "_CACHED_WORDS", 2)
    monkeypatch.setattr(coders, "hash_word", hash_word)
    coder = coders.HashCoder()
    coder.encode(["in", "at"])
    assert coder.encode(["in", "Rome"]).ids.tolist() == expected


@pytest.mark.parametrize(
    "error", [UnknownNameError("task", "nerr", ["ner"]), MissingEngineError(), TaggerError("Why.")]
)
def test_errors_come_back_from_a_pool(error):
    with pytest.raises(type(error)) as raised:
        in_a_fork(fail, error)
    assert str(raised.value) == str(error)


def fail(error: Exception) -> None:
    raise error
