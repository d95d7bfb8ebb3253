"""Health, figures, and what the server has: `/healthz`, `/readyz`, `/metrics`, `/v1/info`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from polytag import __version__
from polytag.serving.bodies import MOST_ALTERNATIVES, MOST_TEXTS
from polytag.serving.guards import Limits
from polytag.serving.metrics import CONTENT_TYPE, Metrics
from polytag.serving.problems import DESCRIBED, problem
from polytag.serving.tagging import Models


def status_router(models: Models, metrics: Metrics, limits: Limits, wants_token: bool) -> APIRouter:
    """The routes that tell about the server."""
    router = APIRouter()

    @router.get("/healthz", summary="Whether the process answers")
    async def healthz() -> dict[str, str]:
        """Always `ok`; for liveness probes."""
        return {"status": "ok"}

    @router.get("/readyz", summary="Whether requests should come", responses={503: DESCRIBED[503]})
    async def readyz() -> Any:
        """`ok` when all taggers are loaded and warm, and the server is not stopping; for readiness probes."""
        if models.are_ready:
            return {"status": "ok"}
        return problem(503, "The server is stopping." if models.draining else "Taggers are being loaded.")

    @router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    async def figures() -> Response:
        """Requests, seconds, sizes of batches, lengths of queues, words."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    @router.get("/v1/info", summary="The taggers, their tasks and labels, and the limits")
    async def info() -> dict[str, Any]:
        """What a client may want to know."""
        described = [(await models.find(name)).describe() for name in models.served]
        return {
            "polytag": __version__,
            "models": described,
            "limits": {
                "body_bytes": limits.body_bytes,
                "texts": MOST_TEXTS,
                "alternatives": MOST_ALTERNATIVES,
                "seconds": limits.seconds,
            },
            "token": wants_token,
        }

    return router
