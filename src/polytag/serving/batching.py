"""Tag requests that wait at the same time together: a bounded queue, and one thread that owns the tagger."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from polytag.encoding.batches import UNIT_BUDGET
from polytag.tagger.parts import Part, Wanted, tag_parts
from polytag.tagger.results import TaggedText, joined
from polytag.tagger.runtimes import threads
from polytag.tagger.tagger import Tagger

MOST_REQUESTS = 256
"""Requests that may wait for a tagger."""

MOST_CHARACTERS = 4 * 2**20
"""Characters in requests that may wait for a tagger."""

_LONGEST_WAIT = 30


class BusyError(Exception):
    """The queue is full.

    Attributes:
        seconds: When to try again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class StoppedError(Exception):
    """The tagger is being shut down and takes no further requests."""


class Observer(Protocol):
    """Is told about batches."""

    def __call__(self, requests: int, texts: int, words: int, units: int) -> object:
        """Called by the tagging thread after each batch."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request for tags.

    Attributes:
        parts: Makes the parts with a tagger; called in the thread that owns it.
        characters: Number of characters.
        wanted: What is wanted of the tags.
    """

    parts: Callable[[Tagger], Iterator[Part]]
    characters: int
    wanted: Wanted


@dataclass(eq=False, slots=True)
class _Job:
    request: Request
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[list[TaggedText]]
    tagger: Tagger | None = None
    """The tagger that began the job, and ends it even if it has been replaced since."""
    parts: Iterator[Part] = field(default_factory=lambda: iter(()))
    next_part: Part | None = None
    pieces: list[TaggedText] = field(default_factory=list)
    """The tags so far of a text that continues."""
    found: list[TaggedText] = field(default_factory=list)

    def add(self, part: Part, tagged: list[TaggedText]) -> None:
        """Take the answer to a part."""
        if part.goes_on or self.pieces:
            self.pieces += tagged
            tagged = [] if part.goes_on else [joined(self.pieces)]
            self.pieces = self.pieces if part.goes_on else []
        self.found += tagged

    def begin(self, tagger: Tagger) -> None:
        """Split the text with this tagger, as far as the first part."""
        if self.tagger is None:
            self.tagger = tagger
            self.parts = self.request.parts(tagger)
            self.next_part = next(self.parts, None)

    def take(self, most: int) -> Iterator[Part]:
        """The next parts, which have at most that many units; the first one whatever its size."""
        units = 0
        while (part := self.next_part) is not None and (not units or units + part.n_units <= most):
            units += part.n_units
            self.next_part = next(self.parts, None)
            yield part


class Batcher:
    """Tags requests in one thread, those that wait at the same time together.

    A batch is begun as soon as the thread is free. It holds as many units as the network computes at once: more would
    only make the first wait for the last. The answer to a request is that of `Tagger.tag`, whatever else is in its
    batch. A long request takes several batches, between which others have their turn. A request whose client has gone
    is dropped.

    Args:
        tagger: The tagger.
        requests: Number of requests that may wait.
        characters: Number of characters in requests that may wait.
        together: Whether requests are tagged together.
        observer: Is told about each batch.
    """

    def __init__(
        self,
        tagger: Tagger,
        requests: int = MOST_REQUESTS,
        characters: int = MOST_CHARACTERS,
        together: bool = True,
        observer: Observer | None = None,
    ) -> None:
        self._most_requests, self._most_characters = requests, characters
        self._together, self._observer = together, observer
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._characters = 0
        self._seconds = 0.0
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.tagger = tagger

    @property
    def waiting(self) -> int:
        """Number of requests that wait."""
        return len(self._waiting)

    def start(self) -> None:
        """Start the thread, if it does not run."""
        with self._changed:
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="polytag-tagger", daemon=True)
                self._thread.start()

    async def tag(self, request: Request) -> list[TaggedText]:
        """Wait for the tags of a request. Cancelling the wait drops the request.

        Raises:
            BusyError: Too many requests wait.
            StoppedError: `stop` was called.
            PolytagError: The request cannot be tagged.
        """
        loop = asyncio.get_running_loop()
        job = _Job(request, loop, loop.create_future())
        self.start()
        with self._changed:
            if self._stopping:
                raise StoppedError
            if seconds := self._full(request.characters):
                raise BusyError(seconds)
            self._waiting.append(job)
            self._characters += request.characters
            self._changed.notify()
        return await job.answer

    def stop(self, seconds: float | None = None) -> None:
        """Take no more requests, and wait until those that were accepted are answered."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def seconds_to_wait(self) -> int:
        """When to try again; 0 if the queue takes a request now."""
        with self._changed:
            return self._full(0)

    def _full(self, characters: int) -> int:
        def is_full() -> bool:
            # A single request is always taken: the server limits its size.
            too_large = self._characters + characters > self._most_characters
            return bool(self._waiting) and (too_large or len(self._waiting) >= self._most_requests)

        if is_full():
            self._forget_the_gone()
        if is_full():
            return min(_LONGEST_WAIT, max(1, math.ceil(self._seconds * len(self._waiting))))
        return 0

    def _forget_the_gone(self) -> None:
        gone = [job for job in self._waiting if job.answer.done()]
        for job in gone:
            self._waiting.remove(job)
            self._characters -= job.request.characters

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if not self._waiting:
                    return
            self._tag_batch()

    def _next_job(self) -> _Job | None:
        with self._changed:
            while self._waiting:
                job = self._waiting.popleft()
                self._characters -= job.request.characters
                if not job.answer.done():
                    return job
        return None

    def _put_back(self, job: _Job, first: bool) -> None:
        with self._changed:
            (self._waiting.appendleft if first else self._waiting.append)(job)
            self._characters += job.request.characters

    def _tag_batch(self) -> None:
        """Tag one batch of what waits."""
        begun = time.monotonic()
        tagger = self.tagger
        most = UNIT_BUDGET[tagger.encoder.unit] * (threads() if tagger.encoder.unit == "word" else 1)
        jobs: list[tuple[_Job, list[Part]]] = []
        units = 0
        while (units < most and (self._together or not jobs)) and (job := self._next_job()):
            try:
                job.begin(tagger)
                # One that began with another tagger has a batch of its own, and so has a part that does not fit.
                size = job.next_part.n_units if job.next_part else 0
                if jobs and (job.tagger is not jobs[0][0].tagger or units + size > most):
                    self._put_back(job, first=True)
                    break
                parts = list(job.take(most - units))
            except BaseException as error:  # the thread has to live on, also if a plugin ends it
                _deliver([(job, _for_the_loop(error))])
                continue
            units += sum(part.n_units for part in parts)
            jobs.append((job, parts))
        if jobs:
            try:
                self._answer(jobs, units)
            except BaseException as error:
                _deliver([(job, _for_the_loop(error)) for job, _ in jobs])
            seconds = (time.monotonic() - begun) / len(jobs)
            self._seconds += 0.1 * (seconds - self._seconds) if self._seconds else seconds

    def _answer(self, jobs: list[tuple[_Job, list[Part]]], units: int) -> None:
        tagger = jobs[0][0].tagger or self.tagger
        wanted = [(part, job.request.wanted) for job, parts in jobs for part in parts]
        try:
            answers = iter(tag_parts(tagger, wanted) if wanted else [])
        except BaseException as error:
            if len(jobs) == 1:
                _deliver([(jobs[0][0], _for_the_loop(error))])
            else:  # one of them has something that fails: the others need not suffer
                for pair in jobs:
                    self._answer([pair], sum(part.n_units for part in pair[1]))
            return
        done: list[tuple[_Job, Exception | None]] = []
        for job, parts in jobs:
            for part in parts:
                job.add(part, next(answers))
            if job.next_part is None:
                done.append((job, None))
            else:
                self._put_back(job, first=False)
        if self._observer:
            texts = sum(len(part.texts) for part, _ in wanted)
            self._observer(len(jobs), texts, sum(len(part.units.counts) for part, _ in wanted), units)
        _deliver(done)


def _for_the_loop(error: BaseException) -> Exception:
    """An error that a future can hold, and that does not end the event loop."""
    return error if isinstance(error, Exception) and not isinstance(error, StopIteration) else RuntimeError(repr(error))


def _deliver(done: list[tuple[_Job, Exception | None]]) -> None:
    """Hand answers to the event loops of those who wait, with one call per loop."""
    for loop in {job.loop for job, _ in done}:
        own = [(job, error) for job, error in done if job.loop is loop]
        try:
            loop.call_soon_threadsafe(_set, own)
        except RuntimeError:  # the loop is closed: nobody waits
            continue


def _set(done: list[tuple[_Job, Exception | None]]) -> None:
    for job, error in done:
        if not job.answer.done():
            if error is None:
                job.answer.set_result(job.found)
            else:
                job.answer.set_exception(error)
