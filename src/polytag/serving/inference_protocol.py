"""The Open Inference Protocol (version 2), which KServe, Triton and Seldon speak.

See https://github.com/kserve/open-inference-protocol. A model has one input of texts and one output of spans. Neither
models have versions, nor is the extension for binary data supported.
"""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from polytag import __version__
from polytag.errors import PolytagError
from polytag.serving.bodies import MOST_TEXTS, Texts
from polytag.serving.problems import DESCRIBED, problem
from polytag.serving.tagging import Models, labelled_spans, written
from polytag.tagger.parts import Wanted

_INPUT, _OUTPUT = "texts", "spans"
_TENSOR: dict[str, Any] = {"datatype": "BYTES", "shape": [-1]}
_ANSWER = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["model_name", "id", "outputs"],
            "description": "`data` has for each text a JSON array of spans; offsets count characters, end exclusive.",
        }
    }
}
_Name = Annotated[str, Path(max_length=200)]


class _Object(BaseModel):
    """Clients of the protocol may add members and parameters of their own."""

    model_config = ConfigDict(extra="ignore", strict=True)


class InferenceParameters(_Object):
    """Options of a request; this protocol allows plain values only."""

    min_score: Annotated[float, Field(ge=0, le=1, strict=False)] | None = Field(
        None, description="Drop spans with a lower probability."
    )
    tasks: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Names of tasks, with commas between them; all by default."
    )
    lines: bool = Field(False, description="Tag each line of a text as a text of its own.")


class InputTensor(_Object):
    """The texts."""

    name: str = Field(max_length=200)
    datatype: Literal["BYTES"]
    shape: Annotated[list[Annotated[int, Field(ge=0, lt=2**63)]], Field(min_length=1, max_length=8)]
    data: Texts | list[Texts] = Field(description="The texts, in one array or nested.")


class RequestedOutput(_Object):
    """An output to answer with."""

    name: Literal["spans"]


class InferenceRequest(_Object):
    """The body of `POST /v2/models/NAME/infer`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "inputs": [
                        {"name": _INPUT, "datatype": "BYTES", "shape": [1], "data": ["Anna Keller met Peter in Rome."]}
                    ],
                    "parameters": {"min_score": 0.5},
                }
            ]
        }
    )

    id: str | None = Field(None, max_length=1000, description="Comes back with the answer.")
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1)]
    parameters: InferenceParameters = InferenceParameters.model_construct(min_score=None, tasks=None, lines=False)
    outputs: Annotated[list[RequestedOutput], Field(max_length=1)] | None = None


def inference_router(models: Models) -> APIRouter:
    """The routes of the protocol."""
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])
    known: dict[int | str, Any] = {status: DESCRIBED[status] for status in (404, 422)}

    @router.get("", summary="The server")
    async def server() -> dict[str, Any]:
        """Its name and version."""
        return {"name": "polytag", "version": __version__, "extensions": []}

    @router.get("/health/live", summary="Whether the process answers")
    async def live() -> dict[str, bool]:
        """As `/healthz`, but with the token."""
        return {"live": True}

    @router.get("/health/ready", summary="Whether all models are ready", responses={503: DESCRIBED[503]})
    async def ready() -> Any:
        """As `/readyz`, but with the token."""
        # The protocol's text has `live` here, its servers have `ready`.
        return {"live": True, "ready": True} if models.are_ready else problem(503, "The server is not ready.")

    @router.get("/models/{name}", summary="A model", responses=known)
    async def model(name: _Name) -> dict[str, Any]:
        """Its platform, input and output."""
        found = await models.find(name)
        return {
            "name": found.name,
            "platform": f"polytag_{found.runtime}",
            "inputs": [{"name": _INPUT, **_TENSOR}],
            "outputs": [{"name": _OUTPUT, **_TENSOR}],
        }

    @router.get(
        "/models/{name}/ready",
        summary="Whether a model is ready",
        responses={**known, 503: DESCRIBED[503]},
    )
    async def model_ready(name: _Name) -> Any:
        """For one model what `/v2/health/ready` is for all."""
        if models.named(name).is_ready and not models.draining:
            return {"name": name, "ready": True}
        return problem(503, f"The model {name} is not ready.")

    @router.post(
        "/models/{name}/infer",
        summary="Tag texts",
        responses={200: {"description": "The spans.", "content": _ANSWER}, **DESCRIBED},
        response_class=Response,
    )
    async def infer(name: _Name, body: InferenceRequest, request: Request) -> Response:
        """One BYTES input of texts; one BYTES output with the spans of each text, as JSON.

        A task without spans has one for each word.
        """
        (tensor,), asked = body.inputs, body.parameters
        texts = _texts(tensor)
        tasks = None if asked.tasks is None else tuple(task.strip() for task in asked.tasks.split(","))
        found = await models.tag_texts(request, texts, Wanted(tasks, asked.min_score), name, asked.lines)
        decoders = request.state.tagger.decoders
        number = body.id if body.id is not None else request.state.request_id

        def write() -> bytes:
            data = [to_json([span.to_dict() for span in labelled_spans(tagged, decoders)]).decode() for tagged in found]
            output = {"name": _OUTPUT, "datatype": "BYTES", "shape": tensor.shape, "data": data}
            return to_json({"model_name": name, "id": number, "outputs": [output]})

        return Response(await written(found, write), media_type="application/json")

    return router


def _texts(tensor: InputTensor) -> list[str]:
    texts = [text for row in tensor.data for text in ([row] if isinstance(row, str) else row)]
    elements = prod(tensor.shape)
    if elements != len(texts):
        raise PolytagError(f"The shape {tensor.shape} has {elements:,} elements, and `data` has {len(texts):,}.")
    if len(texts) > MOST_TEXTS:
        raise PolytagError(f"A request may have up to {MOST_TEXTS:,} texts, and has {len(texts):,}.")
    return texts
