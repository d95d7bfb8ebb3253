"""The machine-learning backend of Label Studio: `/health`, `/setup` and `/predict`.

Seen in Label Studio 1.23: it sends the project's labelling configuration with each request, so that nothing has to be
kept between them; and offsets count Unicode characters, as polytag's do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp, log
from typing import Annotated, Any, NamedTuple, NoReturn

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from polytag.errors import PolytagError, shorten
from polytag.prediction.preannotations import region
from polytag.serving.bodies import MOST_TEXTS
from polytag.serving.label_config import Control, read_controls
from polytag.serving.models import ServedModel
from polytag.serving.problems import DESCRIBED, problem
from polytag.serving.tagging import Models, labelled_spans, written
from polytag.tagger.parts import Wanted
from polytag.tagger.results import TaggedSpan, TaggedText
from polytag.tagger.tagger import Tagger

_LEAST = 1e-9
"""The least probability that has a logarithm here."""


class _Sent(BaseModel):
    """Label Studio sends more than is needed here."""

    model_config = ConfigDict(extra="ignore", strict=True)


class Setup(_Sent):
    """Sent when a backend is connected, and before predictions are asked for."""

    config: str = Field("", alias="schema", description="The project's labelling configuration, in XML.")


class LabelStudioTask(_Sent):
    """A task to annotate."""

    data: dict[str, Any] = Field(description="The task's fields; one of them has the text.")


class Predict(_Sent):
    """Sent to get predictions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "tasks": [{"data": {"text": "Anna Keller met Peter in Rome."}}],
                    "label_config": '<View><Labels name="label" toName="text"><Label value="PER"/><Label value="LOC"/>'
                    '</Labels><Text name="text" value="$text"/></View>',
                }
            ]
        }
    )

    tasks: Annotated[list[LabelStudioTask], Field(max_length=MOST_TEXTS)]
    label_config: str = Field(description="The project's labelling configuration, in XML.")


class _Source(NamedTuple):
    """A control, and the task that fills it."""

    control: Control
    model: ServedModel
    task: str


class _Tagged(NamedTuple):
    """Texts that were tagged for these controls, by this tagger."""

    sources: list[_Source]
    texts: list[TaggedText]
    tagger: Tagger


def label_studio_router(models: Models) -> APIRouter:
    """The routes that Label Studio calls."""
    router = APIRouter(tags=["Label Studio"])
    errors: dict[int | str, Any] = {status: DESCRIBED[status] for status in (400, 422, 503)}

    @router.get("/health", summary="Whether the backend answers", responses={503: DESCRIBED[503]})
    async def health() -> Any:
        """As `/readyz`, but with the token."""
        return {"status": "UP"} if models.are_ready else problem(503, "The server is not ready.")

    @router.post("/setup", summary="Whether the taggers fit a project", responses=errors)
    async def setup(body: Setup, request: Request) -> dict[str, str]:
        """The version of the taggers for a project; an error if they have none of its labels."""
        sources = await _sources(models, body.config, request)
        return {"model_version": ", ".join(dict.fromkeys(source.model.version() for source in sources))}

    @router.post("/predict", summary="Annotate tasks", responses=DESCRIBED, response_model=dict[str, Any])
    async def predict(body: Predict, request: Request) -> Response:
        """A prediction for each task, with the spans that the project has labels for."""
        tagged: list[_Tagged] = []
        for (name, text_field), sources in _grouped(await _sources(models, body.label_config, request)).items():
            found = [task.data.get(text_field) for task in body.tasks]
            texts = [text if isinstance(text, str) else "" for text in found]
            wanted = Wanted(tuple(dict.fromkeys(source.task for source in sources)))
            answered = await models.tag_texts(request, texts, wanted, name)
            tagged.append(_Tagged(sources, answered, request.state.tagger))
        everything = [text for group in tagged for text in group.texts]
        return Response(await written(everything, lambda: _predictions(tagged)), media_type="application/json")

    return router


async def _sources(models: Models, config: str, request: Request) -> list[_Source]:
    """For each control, the task that knows most of its labels; of several, the first.

    Raises:
        PolytagError: No control has a label that a tagger knows.
    """
    try:
        controls = read_controls(config)
        known = [
            (model, task, labels)
            for model in [await models.find(name) for name in models.served]
            for task, labels in model.labels().items()
        ]
        found = []
        for control in controls:
            counts = [sum(control.find(label) is not None for label in labels) for _, _, labels in known]
            if most := max(counts, default=0):
                model, task, _ = known[counts.index(most)]
                found.append(_Source(control, model, task))
        if not found:
            _refuse(controls, [label for _, _, labels in known for label in labels])
    except PolytagError as error:
        # Label Studio shows only the status.
        request.state.log = {"problem": str(error)}
        raise
    return found


def _refuse(controls: Sequence[Control], known: Iterable[str]) -> NoReturn:
    if not controls:
        raise PolytagError(
            'The project has no `Labels` for a `Text` whose value is a field, as in <Labels name="label" '
            'toName="text">…</Labels><Text name="text" value="$text"/>.'
        )
    own = shorten(", ".join(dict.fromkeys(label for control in controls for label in control.labels.values())), 200)
    others = shorten(", ".join(dict.fromkeys(known)), 200)
    raise PolytagError(
        f"The taggers know no label of the project ({own}), only {others}. Name them alike, or say which are the "
        'same: <Label value="Person" predicted_values="PER"/>.'
    )


def _grouped(sources: Sequence[_Source]) -> Mapping[tuple[str, str], list[_Source]]:
    """Those that read the same field with the same model."""
    found: dict[tuple[str, str], list[_Source]] = {}
    for source in sources:
        found.setdefault((source.model.name, source.control.text_field), []).append(source)
    return found


def _predictions(tagged: Sequence[_Tagged]) -> bytes:
    """The answer: for each task, what was found in all of its fields."""
    version = ", ".join(dict.fromkeys(group.sources[0].model.version(group.tagger) for group in tagged))
    results = []
    for number in range(len(tagged[0].texts)):
        regions: list[dict[str, Any]] = []
        logarithms: list[float] = []
        for sources, texts, tagger in tagged:
            spans = labelled_spans(texts[number], tagger.decoders)
            regions += [region for source in sources for region in _regions(source, spans)]
            scores = texts[number].scores.values()
            logarithms += [log(max(score, _LEAST)) for of_task in scores for score in of_task]
        score = exp(sum(logarithms) / len(logarithms)) if logarithms else None
        results.append({"model_version": version, "score": score, "result": regions})
    return to_json({"results": results})


def _regions(source: _Source, spans: Iterable[TaggedSpan]) -> Iterator[dict[str, Any]]:
    control = source.control
    for span in spans:
        if span.task == source.task and (label := control.find(span.label)) is not None:
            names = {"control": control.name, "target": control.object_name}
            yield region(span.text, span.start, span.end, label, score=span.score, **names)
