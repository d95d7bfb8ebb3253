"""From requests of any protocol to tagged texts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

from fastapi import HTTPException, Request

from polytag.errors import PolytagError, suggest
from polytag.serving import batching
from polytag.serving.models import ServedModel, find_model
from polytag.tagger.decoder import Decoder
from polytag.tagger.parts import Part, Wanted, sentence_parts, text_parts
from polytag.tagger.results import TaggedSpan, TaggedText
from polytag.tagger.tagger import Tagger

_WORDS_AT_ONCE = 1000
"""Words of an answer that are written in about the time of a switch of threads."""


async def written(found: Sequence[TaggedText], write: Callable[[], bytes]) -> bytes:
    """Write an answer; a long one in another thread, so that others are answered meanwhile.

    Args:
        found: What is written.
        write: Writes it.
    """
    if sum(len(tagged.words) for tagged in found) <= _WORDS_AT_ONCE:
        return write()
    return await asyncio.to_thread(write)


class Models:
    """The models of a server, as its routes use them.

    Args:
        served: The models by name, the default one first.
    """

    def __init__(self, served: Mapping[str, ServedModel]) -> None:
        self.served = served
        self.draining = False
        self.hurried = False
        """Whether the end of a batch is not waited for when the server stops."""
        self.on_loaded: Callable[[], object] = lambda: None
        """Called when taggers have been loaded, or loaded again."""

    @property
    def are_ready(self) -> bool:
        """Whether all models are loaded and the server is not stopping."""
        return not self.draining and all(model.is_ready for model in self.served.values())

    def seconds_to_wait(self) -> int:
        """When to try again if all queues are full; else 0."""
        return min(model.seconds_to_wait() for model in self.served.values())

    def named(self, name: str | None = None) -> ServedModel:
        """The model of this name, loaded or not; the first one if no name is given.

        Raises:
            HTTPException: 404, no model has the name.
        """
        try:
            return find_model(self.served, name)
        except LookupError as error:
            raise HTTPException(404, str(error)) from None

    async def find(self, name: str | None = None) -> ServedModel:
        """The model of this name, loaded; the first one if no name is given.

        Raises:
            HTTPException: 404, no model has the name.
            PolytagError: It cannot be loaded.
        """
        model = self.named(name)
        if not model.is_ready:
            # In an app of somebody else, nothing loads taggers before the first request.
            await asyncio.to_thread(model.load)
        return model

    async def tag_texts(
        self, request: Request, texts: Sequence[str], wanted: Wanted, model: str | None = None, lines: bool = False
    ) -> list[TaggedText]:
        """Tag texts.

        Args:
            request: The request. Its state gets `log`, fields for the log, and `tagger`, the one that answers it.
            texts: The texts.
            wanted: What is wanted of their tags.
            model: Name of the model; None for the first one.
            lines: Whether each line is a text of its own, as in `Tagger.tag`.

        Raises:
            HTTPException: 404, no model has the name.
            PolytagError: A task does not exist.
            BusyError, StoppedError: As `Batcher.tag`.
        """
        found = await self.find(model)
        size = sum(map(len, texts))
        request.state.log = {"model": found.name, "texts": len(texts), "characters": size}

        def parts(tagger: Tagger) -> Iterator[Part]:
            _begin(request, found.name, tagger, wanted)
            return text_parts(tagger, texts, lines)

        return await found.batcher.tag(batching.Request(parts, size, wanted))

    async def tag_words(
        self,
        request: Request,
        sentences: Sequence[Sequence[str]],
        documents: Sequence[int] | None,
        wanted: Wanted,
        model: str | None = None,
    ) -> list[TaggedText]:
        """Tag sentences of words, as `tag_texts`; `documents` as in `Tagger.tag_words`."""
        found = await self.find(model)
        size = sum(len(word) + 1 for words in sentences for word in words)
        request.state.log = {"model": found.name, "sentences": len(sentences), "characters": size}

        def parts(tagger: Tagger) -> Iterator[Part]:
            _begin(request, found.name, tagger, wanted)
            return sentence_parts(tagger, sentences, documents)

        return await found.batcher.tag(batching.Request(parts, size, wanted))


def _begin(request: Request, model: str, tagger: Tagger, wanted: Wanted) -> None:
    """Note which tagger answers a request, and check that it has the tasks.

    Raises:
        PolytagError: It has not.
    """
    request.state.tagger = tagger
    for task in wanted.tasks or ():
        if task not in tagger.decoders:
            advice = suggest(task, tagger.decoders, "task")
            raise PolytagError(f"{model} has no task named {task[:80]!r}.{advice}")


def labelled_spans(tagged: TaggedText, decoders: Mapping[str, Decoder]) -> list[TaggedSpan]:
    """The spans of a text in order of their start; of tasks without spans, one for each word."""
    found = list(tagged.spans)
    for task, tags in tagged.tags.items():
        if not decoders[task].scheme.encodes_spans:
            rows = zip(tags, tagged.scores[task], tagged.words, tagged.offsets, strict=True)
            found += [TaggedSpan(task, tag, score, word, *offsets) for tag, score, word, offsets in rows]
    return sorted(found, key=lambda span: (span.start, span.end))
