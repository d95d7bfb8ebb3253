"""The Open Inference Protocol: what a client of KServe, Triton or Seldon sends and gets."""

import json

import pytest
from starlette.testclient import TestClient

import polytag
from polytag.serving.app import create_app

TEXTS = ["Anna Keller met Peter Smith in Geneva.", "", "It rained 😀 in Rome."]


@pytest.fixture(scope="module")
def tagger(joint_run):
    return polytag.Tagger.load(joint_run.output)


@pytest.fixture(scope="module")
def client(tagger):
    with TestClient(create_app({"joint": tagger, "other": tagger}), raise_server_exceptions=False) as client:
        for name in ("joint", "other"):
            client.get(f"/v2/models/{name}")  # waits until it is loaded
        yield client


def request(texts, shape=None, **further):
    tensor = {"name": "texts", "datatype": "BYTES", "shape": shape or [len(texts)], "data": texts}
    return {"inputs": [tensor], **further}


def infer(client, body, status=200):
    answer = client.post("/v2/models/joint/infer", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_server_says_what_it_is(client):
    assert client.get("/v2").json() == {"name": "polytag", "version": polytag.__version__, "extensions": []}


def test_the_server_is_live_and_ready(client):
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json()["ready"] is True
    assert client.get("/v2/models/other/ready").json() == {"name": "other", "ready": True}


def test_a_server_that_stops_is_live_and_not_ready(tagger):
    app = create_app(tagger)
    with TestClient(app) as client:
        app.state.models.draining = True
        assert client.get("/v2/health/live").status_code == 200
        for path in ("/v2/health/ready", "/v2/models/tagger/ready"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "not ready" in answer.json()["error"]


def test_a_model_has_one_input_and_one_output(client):
    assert client.get("/v2/models/joint").json() == {
        "name": "joint",
        "platform": "polytag_numpy",
        "inputs": [{"name": "texts", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [{"name": "spans", "datatype": "BYTES", "shape": [-1]}],
    }


def test_spans_are_those_of_tag(client, tagger):
    answer = infer(client, request(TEXTS, id="7", parameters={"tasks": "ner, chunk"}))
    assert answer["model_name"] == "joint"
    assert answer["id"] == "7"
    (output,) = answer["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("spans", "BYTES", [3])
    expected = [
        [span for span in tagger.tag(text).to_dict()["spans"] if span["task"] in ("ner", "chunk")] for text in TEXTS
    ]
    assert list(map(json.loads, output["data"])) == expected
    assert expected[0]


def test_a_task_without_spans_has_one_for_each_word(client, tagger):
    answer = infer(client, request(TEXTS[:1], parameters={"tasks": "pos"}))
    spans = json.loads(answer["outputs"][0]["data"][0])
    tagged = tagger.tag(TEXTS[0])
    assert [(span["text"], span["label"]) for span in spans] == list(zip(tagged.words, tagged.tags["pos"], strict=True))
    assert [(span["start"], span["end"]) for span in spans] == tagged.offsets


def test_improbable_spans_are_dropped(client, tagger):
    scores = [span.score for span in tagger.tag(TEXTS[0]).spans]
    least = sorted(scores)[len(scores) // 2]
    answer = infer(client, request(TEXTS[:1], parameters={"tasks": "ner,chunk", "min_score": least}))
    spans = json.loads(answer["outputs"][0]["data"][0])
    assert 0 < len(spans) < len(scores)
    assert all(span["score"] >= round(least, 6) for span in spans)


def test_lines_are_texts_of_their_own(client, tagger):
    text = "Anna Keller met\nPeter Smith"
    for lines in (False, True):
        answer = infer(client, request([text], parameters={"tasks": "ner", "lines": lines}))
        expected = [span.to_dict() for span in tagger.tag(text, lines=lines).spans if span.task == "ner"]
        assert json.loads(answer["outputs"][0]["data"][0]) == expected


def test_texts_can_be_nested(client):
    flat = infer(client, request(TEXTS[:2]))["outputs"][0]
    for body in (request([[text] for text in TEXTS[:2]], [2, 1]), request(TEXTS[:2], [1, 2])):
        nested = infer(client, body)["outputs"][0]
        assert nested["data"] == flat["data"]
        assert nested["shape"] == body["inputs"][0]["shape"]


def test_an_answer_without_an_id_has_that_of_the_request(client):
    answer = client.post("/v2/models/joint/infer", json=request(TEXTS[:1]), headers={"X-Request-ID": "abc"})
    assert answer.json()["id"] == "abc"


def test_members_of_other_servers_have_no_effect(client):
    body = request(TEXTS[:1], parameters={"content_type": "str"}, outputs=[{"name": "spans"}])
    body["inputs"][0]["parameters"] = {"content_type": "str"}
    assert infer(client, body)["outputs"] == infer(client, request(TEXTS[:1]))["outputs"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"inputs": []}, "inputs: "),
        ({"inputs": request(["a"])["inputs"] * 2}, "inputs: "),
        (request(["a", "b"], [3]), "3 elements, and `data` has 2"),
        (request(["a"], [2**62, 2**62]), "elements"),
        (request(["a"], [-1]), "shape"),
        (request([1]), "data"),
        (request([["a"] * 1000, ["b"]], [1001]), "up to 1,000 texts"),
        (request(["a"], outputs=[{"name": "logits"}]), "outputs"),
        (request(["a"], parameters={"tasks": "nerr"}), "Did you mean 'ner'"),
        (request(["a"], parameters={"min_score": 2}), "min_score"),
        ({"inputs": [{"name": "texts", "datatype": "FP32", "shape": [1], "data": [1.5]}]}, "BYTES"),
    ],
)
def test_a_wrong_request_says_why(client, change, reason):
    answer = infer(client, change, status=422)
    assert reason in answer["error"]
    assert answer["error"] == answer["detail"]


def test_an_unknown_model_is_not_found(client):
    for path in ("/v2/models/joined", "/v2/models/joined/ready"):
        assert client.get(path).status_code == 404
    answer = client.post("/v2/models/joined/infer", json=request(["a"]))
    assert answer.status_code == 404
    assert "no model named 'joined'" in answer.json()["error"]
