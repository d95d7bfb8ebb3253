"""Requests that wait are tagged together, and each gets the answer that it would get alone."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from polytag import PolytagError, Tagger, load_corpus, sentences_of
from polytag.encoding.batches import UNIT_BUDGET
from polytag.runner import TrainResult
from polytag.serving.batching import Batcher, BusyError, Request, StoppedError
from polytag.tagger.parts import Part, Wanted, sentence_parts, text_parts
from polytag.tagger.results import TaggedText

SHORT = "Anna Keller met Peter in Rome."


@pytest.fixture(scope="module")
def tagger(joint_run: TrainResult) -> Tagger:
    return Tagger.load(joint_run.output)


@pytest.fixture(scope="module")
def sentences() -> list[list[str]]:
    corpus = load_corpus("sample")
    return [list(row.words) for row in sentences_of(corpus.data["test"])][:24]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UNIT_BUDGET, "word", 128)


def request_of(texts: Sequence[str], wanted: Wanted | None = None, lines: bool = False) -> Request:
    size = sum(map(len, texts))
    return Request(lambda tagger: text_parts(tagger, texts, lines), size, wanted or Wanted())


@contextmanager
def busy(batcher: Batcher) -> Iterator[Callable[[], Coroutine[Any, Any, None]]]:
    """Keep the tagging thread busy in the block; what it gives occupies the thread, and ends when that has happened."""
    working, released = threading.Event(), threading.Event()

    def parts(_: Tagger) -> Iterator[Part]:
        working.set()
        released.wait(20)
        return iter(())

    async def occupy() -> None:
        tasks.append(asyncio.ensure_future(batcher.tag(Request(parts, 0, Wanted()))))
        while not working.is_set():
            await asyncio.sleep(0.001)

    tasks: list[asyncio.Future[Any]] = []
    try:
        yield occupy
    finally:
        released.set()


async def queued(batcher: Batcher, *requests: Request) -> list[asyncio.Future[list[TaggedText]]]:
    """Requests that wait while the thread is busy."""
    before = batcher.waiting
    tasks = [asyncio.ensure_future(batcher.tag(request)) for request in requests]
    while batcher.waiting < before + len(requests):
        await asyncio.sleep(0.001)
    return tasks


def agree(found: list[TaggedText], expected: list[TaggedText]) -> None:
    """Tags, spans and order of alternatives are the same; probabilities up to rounding."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one.text, one.words, one.offsets, one.sentence_starts, one.tags) == (
            *(other.text, other.words, other.offsets, other.sentence_starts, other.tags),
        )
        places = [[(span.task, span.label, span.start, span.end) for span in text.spans] for text in (one, other)]
        assert places[0] == places[1]
        assert [span.score for span in one.spans] == pytest.approx([span.score for span in other.spans], abs=1e-5)
        for task, scores in other.scores.items():
            assert one.scores[task] == pytest.approx(scores, abs=1e-5)
        assert (one.alternatives is None) == (other.alternatives is None)
        for task, words in (other.alternatives or {}).items():
            assert one.alternatives is not None
            for mine, theirs in zip(one.alternatives[task], words, strict=True):
                assert [score for _, score in mine] == pytest.approx([score for _, score in theirs], abs=1e-5)


def only(tasks: Sequence[str], tagged: TaggedText) -> TaggedText:
    """A text with some of its tasks."""
    return replace(
        tagged,
        spans=[span for span in tagged.spans if span.task in tasks],
        tags={task: tagged.tags[task] for task in tasks},
        scores={task: tagged.scores[task] for task in tasks},
        alternatives=tagged.alternatives and {task: tagged.alternatives[task] for task in tasks},
    )


def random_request(
    choose: random.Random, tagger: Tagger, sentences: list[list[str]]
) -> tuple[Request, list[TaggedText]]:
    """A request, and what the tagger answers without a server."""
    tasks = choose.choice((None, ("ner",), ("chunk", "pos")))
    least, alternatives = choose.choice((None, 0.5, 0.9)), choose.choice((0, 0, 3))
    wanted = Wanted(tasks, least, alternatives)
    alone = tagger if least is None else replace(tagger, min_score=least)
    some = choose.sample(sentences, choose.randint(0, 4))
    if choose.random() < 0.5:
        documents = choose.choice((None, sorted(choose.choices((3, 4, 9), k=len(some)))))
        some[1:1] = [[]] * (documents is None and choose.random() < 0.3)
        expected = alone.tag_words(some, documents, alternatives=alternatives)
        size = sum(map(len, some))
        request = Request(lambda owner: sentence_parts(owner, some, documents), size, wanted)
    else:
        lines = choose.random() < 0.5
        joined = choose.choice((" ", "\n")).join(" ".join(words) for words in some)
        texts = choose.choice(([joined], ["", *(" ".join(words) for words in some)]))
        expected = alone.tag(texts, lines=lines, alternatives=alternatives)
        request = request_of(texts, wanted, lines)
    return request, expected if tasks is None else [only(tasks, tagged) for tagged in expected]


@pytest.mark.parametrize("context", ["sentence", "document"])
@pytest.mark.parametrize("together", [True, False])
def test_answers_do_not_depend_on_what_else_is_in_the_batch(
    tagger: Tagger, sentences: list[list[str]], context: Any, together: bool
) -> None:
    owner, choose = replace(tagger, context=context, window=24), random.Random(context)
    pairs = [random_request(choose, owner, sentences) for _ in range(40)]
    sizes: list[int] = []
    batcher = Batcher(owner, together=together, observer=lambda requests, *_: sizes.append(requests))

    async def found() -> list[list[TaggedText]]:
        with busy(batcher) as occupy:
            await occupy()
            tasks = await queued(batcher, *(request for request, _ in pairs))
        return await asyncio.gather(*tasks)

    for answer, (_, expected) in zip(asyncio.run(found()), pairs, strict=True):
        agree(answer, expected)
    assert (max(sizes) > 10) == together
    batcher.stop()


def test_a_free_tagger_begins_at_once(tagger: Tagger) -> None:
    batcher = Batcher(tagger)

    async def seconds() -> float:
        await batcher.tag(request_of([SHORT]))
        begun = time.perf_counter()
        for _ in range(50):
            await batcher.tag(request_of([SHORT]))
        return (time.perf_counter() - begun) / 50

    begun = time.perf_counter()
    for _ in range(50):
        tagger.tag(SHORT)
    alone = (time.perf_counter() - begun) / 50
    assert asyncio.run(seconds()) < 3 * alone + 0.005
    batcher.stop()


@pytest.mark.parametrize("context", ["sentence", "document"])
@pytest.mark.parametrize("kind", ["texts", "text", "words"])
def test_a_long_request_does_not_keep_short_ones_waiting(
    tagger: Tagger, sentences: list[list[str]], kind: str, context: Any, small_batches: None
) -> None:
    owner = replace(tagger, context=context, window=24)
    batcher, order = Batcher(owner), list[str]()
    text, many = "\n".join(" ".join(words) for words in sentences), [*sentences, []] * 3
    requests = {
        "texts": (request_of([text] * 3), lambda: owner.tag([text] * 3)),
        "text": (request_of([text * 3], lines=True), lambda: owner.tag([text * 3], lines=True)),
        "words": (
            Request(lambda tagger: sentence_parts(tagger, many, [7] * len(many)), 0, Wanted()),
            lambda: owner.tag_words(many, [7] * len(many)),
        ),
    }
    request, expected = requests[kind]

    async def answered(name: str, request: Request) -> list[TaggedText]:
        found = await batcher.tag(request)
        order.append(name)
        return found

    async def both() -> list[TaggedText]:
        with busy(batcher) as occupy:
            await occupy()
            named = {"long": request, "short": request_of([SHORT])}
            tasks = [asyncio.ensure_future(answered(*pair)) for pair in named.items()]
            while batcher.waiting < 2:
                await asyncio.sleep(0.001)
        return (await asyncio.gather(*tasks))[0]

    found = asyncio.run(both())
    assert order == ["short", "long"]
    agree(found, expected())
    batcher.stop()


def test_nothing_is_computed_for_those_who_are_gone(tagger: Tagger) -> None:
    batcher, split = Batcher(tagger), list[int]()

    def parts(owner: Tagger) -> Iterator[Part]:
        for number in range(1000):
            split.append(number)
            yield next(text_parts(owner, [SHORT * 50]))

    async def leave() -> None:
        with busy(batcher) as occupy:
            await occupy()
            (early,) = await queued(batcher, Request(parts, 0, Wanted()))
            early.cancel()
            await asyncio.wait([early])
        await batcher.tag(request_of([SHORT]))
        assert split == []
        late = asyncio.ensure_future(batcher.tag(Request(parts, 0, Wanted())))
        while not split:
            await asyncio.sleep(0.001)
        late.cancel()
        await asyncio.wait([late])
        await batcher.tag(request_of([SHORT]))
        seen = len(split)
        await batcher.tag(request_of([SHORT]))
        assert len(split) == seen < 1000

    asyncio.run(leave())
    assert batcher.waiting == 0
    batcher.stop()


def test_a_full_queue_refuses_and_says_when_to_come_again(tagger: Tagger) -> None:
    batcher = Batcher(tagger, requests=3, characters=100)

    async def fill() -> None:
        with busy(batcher) as occupy:
            await occupy()
            waiting = await queued(batcher, *[request_of(["a" * 20])] * 3)
            with pytest.raises(BusyError) as full:
                await batcher.tag(request_of(["a"]))
            assert full.value.seconds >= 1
            waiting.pop().cancel()
            await asyncio.sleep(0.01)
            with pytest.raises(BusyError):
                await batcher.tag(request_of(["a" * 61]))
            waiting += await queued_again(batcher, request_of(["a" * 60]))
        await asyncio.gather(*waiting)
        await batcher.tag(request_of(["a" * 1000]))  # whatever its size: it is the only one

    async def queued_again(batcher: Batcher, request: Request) -> list[asyncio.Future[list[TaggedText]]]:
        task = asyncio.ensure_future(batcher.tag(request))
        await asyncio.sleep(0.01)
        assert not task.done()
        return [task]

    asyncio.run(fill())
    batcher.stop()


def test_a_request_that_fails_does_not_harm_others(tagger: Tagger) -> None:
    batcher = Batcher(tagger)

    def quit_all(_: Tagger) -> Iterator[Part]:
        raise SystemExit(5)

    def refuse(_: Tagger) -> Iterator[Part]:
        raise PolytagError("no")

    async def together() -> list[Any]:
        with busy(batcher) as occupy:
            await occupy()
            tasks = await queued(
                batcher,
                request_of([SHORT]),
                Request(quit_all, 0, Wanted()),
                request_of([SHORT], Wanted(("absent",))),
                Request(refuse, 0, Wanted()),
                request_of([SHORT]),
            )
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, ended, absent, refused, last = asyncio.run(together())
    agree(first, [tagger.tag(SHORT)])
    agree(last, first)
    assert isinstance(ended, RuntimeError)
    assert isinstance(absent, Exception)
    assert str(refused) == "no"
    batcher.stop()


def test_a_defect_after_tagging_ends_the_requests_and_not_the_thread(tagger: Tagger) -> None:
    def observer(*_: int) -> None:
        raise RuntimeError("no figures")

    batcher = Batcher(tagger, observer=observer)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no figures"):
            asyncio.run(asyncio.wait_for(batcher.tag(request_of([SHORT])), 10))
    batcher.stop()


def test_who_is_accepted_is_answered_when_the_server_stops(tagger: Tagger) -> None:
    batcher = Batcher(tagger)

    async def stop() -> None:
        with busy(batcher) as occupy:
            await occupy()
            tasks = await queued(batcher, *[request_of([SHORT])] * 5)
            stopping = asyncio.ensure_future(asyncio.to_thread(batcher.stop))
            await asyncio.sleep(0.01)
            with pytest.raises(StoppedError):
                await batcher.tag(request_of([SHORT]))
        assert all(len(found) == 1 for found in await asyncio.gather(*tasks))
        await stopping

    asyncio.run(stop())


def test_a_request_is_answered_by_the_tagger_that_began_it(tagger: Tagger, small_batches: None) -> None:
    letters = tuple("XYZUVWABCDEF"[: len(tagger.heads["ner"].labels)])
    other = Tagger(tagger.model, {"ner": replace(tagger.heads["ner"], labels=letters, scheme="flat")})
    batcher, begun = Batcher(tagger), threading.Event()

    def parts(owner: Tagger) -> Iterator[Part]:
        for number in range(24):
            yield next(text_parts(owner, [SHORT * 20]))
            if number == 3:
                begun.set()

    async def exchange() -> tuple[list[TaggedText], list[TaggedText]]:
        long = asyncio.ensure_future(batcher.tag(Request(parts, 0, Wanted(("ner",)))))
        while not begun.is_set():
            await asyncio.sleep(0)
        batcher.tagger = other
        await batcher.tag(request_of([SHORT], Wanted(("ner",))))  # its batch may have been begun before
        short = await batcher.tag(request_of([SHORT], Wanted(("ner",))))
        assert not long.done()
        return short, await long

    short, long = asyncio.run(exchange())
    assert set(short[0].tags["ner"]) <= set(letters)
    expected = tagger.tag(SHORT * 20).tags["ner"]
    assert [found.tags["ner"] for found in long] == [expected] * 24
    batcher.stop()
