"""The application's routes that tag, and what it says about itself."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Route
from starlette.testclient import TestClient

import polytag.serving
from polytag import Tagger
from polytag.runner import TrainResult
from polytag.serving.app import create_app
from polytag.tagger.results import TaggedText
from support.serving import TEXT, App

PAGE = Path(polytag.serving.__file__).parent / "page"
OPEN = {"/healthz", "/readyz", "/", "/marks.css", *(f"/{path.relative_to(PAGE)}" for path in PAGE.rglob("*.*"))}
"""What a browser needs before anybody has typed the token."""


def plain(tagged: Any) -> Any:
    """As JSON has it."""
    return json.loads(json.dumps([text.to_dict() for text in tagged]))


def close(found: Any, expected: Any) -> None:
    """The same values, probabilities up to rounding."""
    if isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-5)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            close(found[key], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            close(one, other)
    else:
        assert found == expected


def test_texts_are_answered_as_predict_writes_them(served: App, joint_tagger: Tagger) -> None:
    texts = [TEXT, "", "Zwei Zeilen.\nمرحبا 🌍 Rome"]
    found = served.ask("POST", "/v1/tag", json={"texts": texts, "lines": True, "alternatives": 2})
    assert found.status_code == 200
    assert found.json()["model"] == "joint"
    close(found.json()["results"], plain(joint_tagger.tag(texts, lines=True, alternatives=2)))


def test_words_are_answered_as_tag_words_does(served: App, joint_tagger: Tagger) -> None:
    words = [["Peter", "lives", "in", "Rome"], [], ["He", "works", "."]]
    found = served.ask("POST", "/v1/tag", json={"words": words, "documents": [4, 4, 4]}).json()["results"]
    close(found, plain(joint_tagger.tag_words(words, [4, 4, 4])))


def test_a_request_chooses_model_tasks_and_least_score(served: App, joint_tagger: Tagger, ner_run: TrainResult) -> None:
    body = {"texts": TEXT, "tasks": ["pos"], "min_score": 1}
    found = served.ask("POST", "/v1/tag", json=body).json()["results"][0]
    assert list(found["tags"]) == ["pos"]
    sure = served.ask("POST", "/v1/tag", json={"texts": TEXT, "min_score": 1, "tasks": ["ner"]}).json()["results"]
    tagged = replace(joint_tagger, min_score=1).tag(TEXT)
    assert sure[0]["tags"] == {"ner": tagged.tags["ner"]}
    assert len(sure[0]["spans"]) == sum(span.task == "ner" for span in tagged.spans) < len(joint_tagger.tag(TEXT).spans)
    other = served.ask("POST", "/v1/tag", json={"texts": TEXT, "model": "ner"}).json()
    assert other["model"] == "ner"
    close(other["results"], plain([Tagger.load(ner_run.output).tag(TEXT)]))


def test_one_result_a_line(served: App) -> None:
    body = {"texts": [TEXT, "It rained."]}
    lines = served.ask("POST", "/v1/tag", json=body, headers={"accept": "application/x-ndjson"})
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert list(map(json.loads, lines.text.splitlines())) == served.ask("POST", "/v1/tag", json=body).json()["results"]


@pytest.mark.parametrize("strategy", ["simple", "first", "average", "max"])
def test_the_hubs_api_gives_spans(served: App, ner_run: TrainResult, strategy: str) -> None:
    tagged = Tagger.load(ner_run.output).tag(TEXT)
    expected = [
        {"entity_group": span.label, "score": span.score, "word": span.text, "start": span.start, "end": span.end}
        for span in tagged.spans
    ]
    assert expected
    body = {"inputs": TEXT, "parameters": {"aggregation_strategy": strategy, "stride": 3, "ignore_labels": None}}
    del body["parameters"]["ignore_labels"]  # type: ignore[union-attr]
    close(served.ask("POST", "/models/ner", json=body).json(), expected)
    close(served.ask("POST", "/models/ner", json={**body, "inputs": [TEXT, ""]}).json(), [expected, []])


def test_the_hubs_api_gives_words_without_aggregation(served: App, ner_run: TrainResult) -> None:
    tagged = Tagger.load(ner_run.output).tag(TEXT)
    parameters = {"aggregation_strategy": "none", "ignore_labels": ["B-PER"]}
    found = served.ask("POST", "/models/ner", json={"inputs": TEXT, "parameters": parameters}).json()
    expected = [
        (index, word, tag)
        for index, (word, tag) in enumerate(zip(tagged.words, tagged.tags["ner"], strict=True), 1)
        if tag != "B-PER"
    ]
    assert [(entry["index"], entry["word"], entry["entity"]) for entry in found] == expected


def test_entries_of_a_joint_tagger_name_their_task(served: App) -> None:
    found = served.ask("POST", "/", json={"inputs": TEXT}).json()
    assert {entry["task"] for entry in found} == {"ner", "pos", "chunk"}


def test_what_is_unknown_is_named(served: App) -> None:
    model = served.ask("POST", "/v1/tag", json={"texts": TEXT, "model": "nerr"})
    assert (model.status_code, model.json()["title"]) == (404, "Not Found")
    assert "'nerr'" in model.json()["detail"]
    assert "ner" in model.json()["detail"]
    task = served.ask("POST", "/v1/tag", json={"texts": TEXT, "tasks": ["poss"]})
    assert task.status_code == 422
    assert "'poss'" in task.json()["detail"]
    assert task.headers["content-type"] == "application/problem+json"
    assert task.json()["instance"] == task.headers["x-request-id"]
    assert served.ask("POST", "/models/no", json={"inputs": TEXT}).status_code == 404


def test_it_describes_itself(served: App) -> None:
    info = served.ask("GET", "/v1/info").json()
    assert info["polytag"] == polytag.__version__
    assert [(model["name"], model["runtime"]) for model in info["models"]] == [("joint", "numpy"), ("ner", "numpy")]
    tasks = {task["name"]: task for task in info["models"][0]["tasks"]}
    assert (tasks["ner"]["spans"], tasks["pos"]["spans"]) == (True, False)
    assert "PER" in tasks["ner"]["labels"]
    assert tasks["ner"]["examples"]
    assert info["limits"]["texts"] == 1000
    assert not info["token"]
    paths = served.ask("GET", "/openapi.json").json()["paths"]
    assert {"/v1/tag", "/", "/models/{name}", "/healthz", "/readyz", "/metrics", "/v1/info"} <= paths.keys()
    docs = served.ask("GET", "/docs").text
    assert "swagger" in docs
    assert "https://" not in docs


def test_figures_count_requests_words_and_batches(served: App) -> None:
    def figure(line: str) -> float:
        lines = served.ask("GET", "/metrics").text.splitlines()
        return sum(float(found.rpartition(" ")[2]) for found in lines if found.startswith(line))

    words, requests = 'polytag_words_total{model="ner"}', 'polytag_requests_total{method="POST",route="/models/{name}",'
    before = figure(words), figure(requests), figure("polytag_batch_texts_count")
    assert served.ask("POST", "/models/ner", json={"inputs": TEXT}).status_code == 200
    assert (figure(words), figure(requests), figure("polytag_batch_texts_count")) == (
        *(before[0] + 7, before[1] + 1, before[2] + 1),
    )
    assert served.ask("POST", "/models/no", json={"inputs": TEXT}).status_code == 404
    assert figure(requests + 'status="404"') >= 1


def test_every_route_wants_the_token_but_those_of_health_and_the_page(ner_run: TrainResult) -> None:
    app = App(ner_run.output, token="a-secret")
    right, wrong = (
        {"authorization": "Bearer a-secret"},
        ("Bearer a-secre", "Bearer a-secret2", "Basic a-secret", "a-secret"),
    )
    routes = [
        (method, route.path.format(name="ner", **dict.fromkeys(("model", "path", "version"), "x")))
        for route in flat(app.app)
        for method in route.methods or ()
    ]
    assert len(routes) > 10
    for method, path in [*routes, ("GET", "/static-offline-docs/swagger-ui.css"), ("GET", "/nowhere")]:
        found = app.ask(method, path)
        if path in OPEN and method in ("GET", "HEAD"):
            assert found.status_code != 401, path
            continue
        assert found.status_code == 401, (method, path)
        assert found.headers["www-authenticate"] == "Bearer"
        if method != "HEAD":
            assert found.json()["title"] == "Unauthorized"
        assert app.ask(method, path, headers=right).status_code != 401
    for value in wrong:
        assert app.ask("POST", "/v1/tag", json={"texts": TEXT}, headers={"authorization": value}).status_code == 401
    assert app.ask("POST", "/v1/tag?token=a-secret", json={"texts": TEXT}).status_code == 401
    assert app.ask("POST", "/v1/tag", json={"texts": TEXT}, headers=right).status_code == 200
    assert app.ask("GET", "/v1/info", headers=right).json()["token"]
    app.close()


def flat(app: FastAPI) -> list[Route]:
    """All routes with methods."""
    paths = app.openapi()["paths"]
    shown = [
        Route(path, lambda request: None, methods=[name.upper() for name in operations])
        for path, operations in paths.items()
    ]
    return [*shown, *(route for route in app.routes if isinstance(route, Route))]


def test_it_can_be_mounted_into_another_application(ner_run: TrainResult) -> None:
    outer = FastAPI()
    outer.mount("/tagger", create_app(ner_run.output, token="a-secret"))
    with TestClient(outer) as client:
        headers = {"authorization": "Bearer a-secret"}
        assert client.post("/tagger/v1/tag", json={"texts": TEXT}).status_code == 401
        found = client.post("/tagger/v1/tag", json={"texts": TEXT}, headers=headers)
        assert found.status_code == 200
        close(found.json()["results"], plain([Tagger.load(ner_run.output).tag(TEXT)]))
        assert client.get("/tagger/readyz").status_code == 200
        assert client.get("/tagger/healthz").json() == {"status": "ok"}


def test_a_tagger_in_memory_is_served(joint_tagger: Tagger) -> None:
    with TestClient(create_app(joint_tagger)) as client:
        answers: list[httpx.Response] = [client.post("/", json={"inputs": TEXT})]
        assert answers[0].status_code == 200
        assert client.get("/v1/info").json()["models"][0]["name"] == "tagger"


def test_answers_have_headers_of_safety_and_none_of_cors(served: App) -> None:
    answers = [
        served.ask("GET", "/v1/info", headers={"origin": "https://example.org"}),
        served.ask("POST", "/v1/tag", json={"texts": TEXT}, headers={"origin": "https://example.org"}),
        served.ask("OPTIONS", "/v1/tag", headers={"origin": "https://a.org", "access-control-request-method": "POST"}),
    ]
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_an_application_can_be_started_again(joint_tagger: Tagger) -> None:
    app = create_app(joint_tagger)
    for _ in range(2):
        with TestClient(app) as client:
            assert client.post("/v1/tag", json={"texts": TEXT}).status_code == 200
            assert client.get("/readyz").status_code == 200


def test_probes_may_ask_with_head(served: App) -> None:
    for path in ("/healthz", "/", "/v1/info", "/docs"):
        answer = served.ask("HEAD", path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_a_long_answer_is_written_while_others_are_answered(served: App, monkeypatch: pytest.MonkeyPatch) -> None:
    writers: set[str] = set()
    usual = TaggedText.to_dict

    def to_dict(tagged: TaggedText) -> dict[str, Any]:
        writers.add(threading.current_thread().name)
        return usual(tagged)

    monkeypatch.setattr(TaggedText, "to_dict", to_dict)
    short, long = ({"texts": [TEXT] * number} for number in (1, 400))
    (loop,) = (served.ask("POST", "/v1/tag", json=short) and writers) or {""}
    writers.clear()
    assert len(served.ask("POST", "/v1/tag", json=long).json()["results"]) == 400
    assert writers
    assert loop not in writers


def test_an_older_client_gets_lines_with_their_length(ner_run: TrainResult) -> None:
    async def older(scope: Any, receive: Any, send: Any) -> None:
        await create_app(ner_run.output)({**scope, "http_version": "1.0"}, receive, send)

    with TestClient(older) as client:
        answer = client.post("/v1/tag", json={"texts": [TEXT] * 2}, headers={"accept": "application/x-ndjson"})
    assert answer.text.count("\n") == 2
    assert int(answer.headers["content-length"]) == len(answer.content)
