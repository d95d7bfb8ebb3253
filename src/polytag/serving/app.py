"""The application: all routes over taggers, for `polytag serve` and for other people's applications."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from polytag import __version__
from polytag.plugin.attribution import attributed
from polytag.serving.batching import MOST_CHARACTERS, MOST_REQUESTS
from polytag.serving.guards import Guards, Limits
from polytag.serving.inference_protocol import inference_router
from polytag.serving.label_studio import label_studio_router
from polytag.serving.log import LOG
from polytag.serving.metrics import Metrics
from polytag.serving.models import Loading, Queueing, served_models
from polytag.serving.page_routes import page_router
from polytag.serving.problems import add_handlers
from polytag.serving.status_routes import status_router
from polytag.serving.tag_routes import tag_router
from polytag.serving.tagging import Models
from polytag.tagger.tagger import Tagger
from polytag.tagger.token_classifiers import LabelNames

try:
    from fastapi_offline import FastAPIOffline
except ImportError as error:
    raise ImportError("Serving needs further packages. Install them: pip install 'polytag[serve]'") from error

_SUMMARY = "Words in, tags and spans with their probabilities out."
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_FOR_A_BATCH = 5.0
"""For how long the end of a batch is waited for whose clients are gone."""


@attributed
def create_app(
    taggers: Tagger | str | Path | Mapping[str, Tagger | str | Path] | Sequence[str | Path],
    *,
    decoding: str | None = None,
    min_score: float = 0.0,
    task: str | None = None,
    labels: LabelNames | None = None,
    runtime: str | None = None,
    token: str | None = None,
    queue: int = MOST_REQUESTS,
    timeout: float = 60.0,
    batching: bool = True,
    log_texts: bool = False,
) -> FastAPI:
    """Make an application that serves taggers.

    Run it with an ASGI server, or mount it into your own application: `app.mount("/tagger", create_app("my-tagger"))`.
    Mounted, it loads its taggers with the first request, because their start is not told to mounted applications.

    Args:
        taggers: A tagger, its folder or its name on the hub; several by name; or a list of folders, each by itself
            or as `NAME=FOLDER`.
        decoding, min_score, task, labels, runtime: As in `Tagger.load`, for folders.
        token: The token that requests must have; None for no token.
        queue: Number of requests that may wait for a tagger; more get status 503.
        timeout: Seconds after which a request gets status 504.
        batching: Whether requests that wait are tagged together.
        log_texts: Whether the log has the bodies of requests.

    Raises:
        PolytagError: There is no tagger, or one cannot run here.
    """
    from polytag.tagger.viterbi import check_decoding

    metrics = Metrics()
    limits = Limits(seconds=timeout)
    served = served_models(
        taggers,
        Loading(check_decoding(decoding), min_score, task, labels, runtime),
        Queueing(queue, MOST_CHARACTERS, batching),
        metrics.observer,
    )
    for model in served.values():
        model.check()
    metrics.watch(served)
    models = Models(served)
    app = FastAPIOffline(
        title="polytag",
        summary=_SUMMARY,
        version=__version__,
        lifespan=_lifespan,
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # looking for it costs 5% of a request
    )
    app.state.models = models
    add_handlers(app)
    routers = (
        tag_router(models),
        status_router(models, metrics, limits, token is not None),
        inference_router(models),
        label_studio_router(models),
        page_router(),
    )
    # As routes of the application, the first ones first: `include_router` would search each router twice per request.
    app.router.routes[:0] = [route for router in routers for route in router.routes]
    app.add_middleware(
        Guards,
        metrics=metrics,
        limits=limits,
        token=token,
        log_texts=log_texts,
        draining=lambda: models.draining,
        seconds_to_wait=models.seconds_to_wait,
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the taggers while the server answers `/healthz`, watch their folders, and finish what was accepted."""
    models: Models = app.state.models
    if models.draining:  # started for a second time
        models.draining = False
        for model in models.served.values():
            model.resume()
    watching = asyncio.create_task(_load_and_watch(app, models))
    try:
        yield
    finally:
        models.draining = True
        watching.cancel()
        seconds = 0.0 if models.hurried else _SECONDS_FOR_A_BATCH
        await asyncio.gather(*(asyncio.to_thread(model.stop, seconds) for model in models.served.values()))


async def _load_and_watch(app: FastAPI, models: Models) -> None:
    for model in models.served.values():
        try:
            await asyncio.to_thread(model.load)
        except Exception as error:  # whoever runs the application raises it
            app.state.failure = error
            if stop := getattr(app.state, "on_failure", None):
                stop()
            return
    if tell := getattr(app.state, "on_ready", None):
        tell()
    models.on_loaded()
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        await reload_models(models)


async def reload_models(models: Models, even_if_unchanged: bool = False) -> None:
    """Load taggers again whose folders have changed, or all of them; the old ones work until the new ones do."""
    for model in models.served.values():
        before = model.problem
        try:
            reloaded = await asyncio.to_thread(model.reload, even_if_unchanged)
        except Exception:  # a defect; the old tagger goes on
            LOG.exception("%s is not reloaded", model.name)
            continue
        if reloaded:
            LOG.info("reloaded %s", model.name)
            models.on_loaded()
        elif model.problem is not None and model.problem is not before:
            LOG.error("%s is not reloaded: %s", model.name, model.problem)
