"""`POST /v1/tag`, and the hub's token classification: `POST /` and `POST /models/NAME`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from polytag.serving.bodies import HubParameters, HubRequest, TagRequest
from polytag.serving.body_route import BodyRoute
from polytag.serving.problems import DESCRIBED
from polytag.serving.tagging import Models, written
from polytag.tagger.parts import Wanted
from polytag.tagger.results import TaggedText

_LINES = "application/x-ndjson"
_JSON = "application/json"
_RESULT = {
    "type": "object",
    "description": "As `polytag predict --format jsonl` writes it; offsets count Unicode characters, end exclusive.",
}
_TAGGED = {
    _JSON: {
        "schema": {
            "type": "object",
            "required": ["model", "results"],
            "properties": {"model": {"type": "string"}, "results": {"type": "array", "items": _RESULT}},
        }
    },
    _LINES: {"schema": {"type": "string", "description": "One result per line."}},
}
_ENTRIES = {
    "type": "array",
    "items": {
        "type": "object",
        "description": "A span with `entity_group`, or a word with `entity` and `index`; offsets count characters.",
    },
}
_DEFAULTS = HubParameters()  # type: ignore[call-arg]  # mypy does not see defaults within `Field`
_OF_THE_HUB = {_JSON: {"schema": {"type": "array", "description": "Entries, or a list of them per text."}}}


def tag_router(models: Models) -> APIRouter:
    """The routes that tag."""
    router = APIRouter(route_class=BodyRoute)

    @router.post(
        "/v1/tag",
        summary="Tag texts, or sentences of words",
        responses={200: {"description": "The tagged texts.", "content": _TAGGED}, **DESCRIBED},
        response_class=Response,
    )
    async def tag(body: TagRequest, request: Request) -> Response:
        """All tasks of a tagger in one pass. With `Accept: application/x-ndjson`, one result per line."""
        wanted = Wanted(None if body.tasks is None else tuple(body.tasks), body.min_score, body.alternatives)
        if body.words is not None:
            found = await models.tag_words(request, body.words, body.documents, wanted, body.model)
        else:
            texts = [body.texts] if isinstance(body.texts, str) else body.texts or []
            found = await models.tag_texts(request, texts, wanted, body.model, body.lines)
        if _LINES in request.headers.get("accept", ""):
            if request.scope["http_version"] != "1.0":
                return StreamingResponse(_lines(found), media_type=_LINES)
            # It has no chunks: the length has to be known.
            return Response(await written(found, lambda: b"".join(_lines(found))), media_type=_LINES)
        name = body.model or next(iter(models.served))

        def write() -> bytes:
            return to_json({"model": name, "results": [tagged.to_dict() for tagged in found]})

        return Response(await written(found, write), media_type=_JSON)

    described = {200: {"description": "The spans or words.", "content": _OF_THE_HUB}, **DESCRIBED}

    @router.post(
        "/", summary="As on the Hugging Face hub, with the first tagger", responses=described, response_class=Response
    )
    async def first(body: HubRequest, request: Request) -> Response:
        """Token classification as the Hugging Face hub's API has it; `InferenceClient(model=URL)` speaks it."""
        return await _as_on_the_hub(models, body, request, None)

    @router.post(
        "/models/{name}",
        summary="As on the Hugging Face hub, with this tagger",
        responses=described,
        response_class=Response,
    )
    async def named(name: Annotated[str, Path(max_length=200)], body: HubRequest, request: Request) -> Response:
        """As `POST /`, with the tagger of this name."""
        return await _as_on_the_hub(models, body, request, name)

    return router


def _lines(found: list[TaggedText]) -> Iterator[bytes]:
    for tagged in found:
        yield to_json(tagged.to_dict()) + b"\n"


async def _as_on_the_hub(models: Models, body: HubRequest, request: Request, name: str | None) -> Response:
    parameters = body.parameters or _DEFAULTS
    texts = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    found = await models.tag_texts(request, texts, Wanted(), name)
    decoders = request.state.tagger.decoders
    ignored = set(parameters.ignore_labels)
    by_word = parameters.aggregation_strategy == "none"
    spanless = {task for task, decoder in decoders.items() if by_word or not decoder.scheme.encodes_spans}

    def write() -> bytes:
        entries = [_entries(tagged, spanless, by_word, ignored) for tagged in found]
        return to_json(entries[0] if isinstance(body.inputs, str) else entries)

    return Response(await written(found, write), media_type=_JSON)


def _entries(tagged: TaggedText, by_word: set[str], tokens: bool, ignored: set[str]) -> list[dict[str, Any]]:
    """The entries of one text; with several tasks, each entry names its own.

    Args:
        tagged: The text.
        by_word: Tasks with an entry for each word; the others have one for each span.
        tokens: Whether entries of words have `entity` and `index`, as without aggregation.
        ignored: Labels that are left out.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    for span in tagged.spans:
        if span.task not in by_word and span.label not in ignored:
            entry = {"entity_group": span.label, "score": span.score, "word": span.text}
            found.append((span.task, {**entry, "start": span.start, "end": span.end}))
    for task in tagged.tags:
        if task in by_word:
            rows = zip(tagged.words, tagged.offsets, tagged.tags[task], tagged.scores[task], strict=True)
            for index, (word, (start, end), tag, score) in enumerate(rows, 1):
                if tag not in ignored:
                    kind: dict[str, Any] = {"entity": tag, "index": index} if tokens else {"entity_group": tag}
                    found.append((task, {**kind, "score": score, "word": word, "start": start, "end": end}))
    return [entry if len(tagged.tags) == 1 else {**entry, "task": task} for task, entry in found]
