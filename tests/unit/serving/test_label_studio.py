"""The backend for Label Studio, called as Label Studio 1.23 calls it."""

import math
import shutil
import time

import pytest
from starlette.testclient import TestClient

import polytag
from polytag.serving.app import create_app

LABELS = '<Label value="PER"/><Label value="LOC"/>'
TEXT = '<Text name="text" value="$text"/>'
TEXTS = ["Anna Keller met Peter Smith in Geneva.", "😀 Peter Smith left Rome.", ""]


def config(labels=LABELS, text=TEXT, control="Labels"):
    return f'<View><{control} name="label" toName="text">{labels}</{control}>{text}</View>'


@pytest.fixture(scope="module")
def tagger(joint_run):
    return polytag.Tagger.load(joint_run.output)


@pytest.fixture(scope="module")
def client(tagger):
    with TestClient(create_app({"joint": tagger}), raise_server_exceptions=False) as client:
        client.get("/v1/info")  # waits until it is loaded
        yield client


def predict(client, label_config, texts=TEXTS, status=200):
    tasks = [
        {"id": number, "project": 1, "data": {"text": text}, "annotations": []} for number, text in enumerate(texts)
    ]
    body = {"tasks": tasks, "project": "1.1700000000", "label_config": label_config, "params": {"login": None}}
    answer = client.post("/predict", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()["results"] if status == 200 else answer.json()["detail"]


def setup(client, schema, status=200):
    body = {
        "project": "1.1700000000",
        "schema": schema,
        "hostname": "http://localhost:8080",
        "access_token": "x",
        "extra_params": None,
    }
    answer = client.post("/setup", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def labels_of(results):
    return [[region["value"]["labels"] for region in one["result"]] for one in results]


def spans(tagger, task, *labels):
    return [[span for span in tagger.tag(text).spans if span.task == task and span.label in labels] for text in TEXTS]


def test_the_backend_is_up(client):
    assert client.get("/health").json() == {"status": "UP"}


def test_spans_of_the_projects_labels_are_predicted(client, tagger):
    results = predict(client, config())
    expected = spans(tagger, "ner", "PER", "LOC")
    assert len(expected[0]) >= 3
    assert [one["result"] for one in results] == [
        [
            {
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "score": round(span.score, 6),
                "value": {"start": span.start, "end": span.end, "text": span.text, "labels": [span.label]},
            }
            for span in own
        ]
        for own in expected
    ]


def test_offsets_count_characters_also_after_an_emoji(client):
    regions = predict(client, config())[1]["result"]
    assert regions
    for region in regions:
        value = region["value"]
        assert TEXTS[1][value["start"] : value["end"]] == value["text"]


def test_the_score_is_the_geometric_mean_of_the_words_probabilities(client, tagger):
    results = predict(client, config())
    scores = tagger.tag(TEXTS[0]).scores["ner"]
    assert results[0]["score"] == pytest.approx(math.prod(scores) ** (1 / len(scores)), rel=1e-4)
    assert results[2]["score"] is None


def test_labels_are_found_by_alias_other_capitals_and_predicted_values(client, tagger):
    labels = '<Label value="Person" predicted_values="human, PER"/><Label value="Place" alias="loc"/>'
    expected = spans(tagger, "ner", "PER", "LOC")
    names = {"PER": "Person", "LOC": "loc"}
    assert labels_of(predict(client, config(labels))) == [[[names[span.label]] for span in own] for own in expected]


def test_the_task_is_the_one_that_knows_most_labels(client, tagger):
    assert labels_of(predict(client, config('<Label value="NP"/><Label value="VP"/>'))) == [
        [[span.label] for span in own] for own in spans(tagger, "chunk", "NP", "VP")
    ]
    tags = [[[tag] for tag in tagger.tag(text).tags["pos"] if tag in ("NNP", "IN")] for text in TEXTS]
    assert labels_of(predict(client, config('<Label value="NNP"/><Label value="IN"/>'))) == tags


def test_several_controls_and_fields_have_their_own_spans(client):
    both = config(text="").replace("</View>", "") + (
        '<View><Labels name="chunks" toName="other"><View><Label value="NP"/></View></Labels></View>'
        '<Text name="text" value="$text"/><text name="other" value="$more"/></View>'
    )
    tasks = [{"data": {"text": "Peter left Rome.", "more": "The train stopped."}}, {"data": {"text": 5}}]
    answer = client.post("/predict", json={"tasks": tasks, "label_config": both}).json()
    first, second = (one["result"] for one in answer["results"])
    assert {(region["from_name"], region["to_name"]) for region in first} == {("label", "text"), ("chunks", "other")}
    assert any("The train" in region["value"]["text"] for region in first if region["from_name"] == "chunks")
    assert second == []


def test_a_project_with_other_labels_is_refused(client):
    answer = setup(client, config('<Label value="Gene"/>'), status=422)
    assert "The taggers know no label of the project (Gene), only LOC" in answer["detail"]
    assert 'predicted_values="PER"' in answer["detail"]


@pytest.mark.parametrize(
    "schema",
    [
        "<View></View>",
        config(text='<Text name="other" value="$text"/>'),
        config(text='<Text name="text" value="Read this."/>'),
        config(text='<Text name="text" value="$url" valueType="url"/>'),
        config(text='<Text name="text" value="$text" encoding="base64"/>'),
        config(text='<HyperText name="text" value="$text"/>'),
        config(control="RectangleLabels"),
    ],
)
def test_a_project_without_labels_for_texts_is_refused(client, schema):
    assert "has no `Labels` for a `Text`" in setup(client, schema, status=422)["detail"]


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        ('<!DOCTYPE View SYSTEM "file:///etc/passwd">' + config(), "document type"),
        ('<!DOCTYPE View [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + config("&x;"), "document type"),
        (f'<!DOCTYPE View [<!ENTITY l0 "ha">{_LAUGHS}]>' + config("&l9;"), "document type"),
        ('<!DOCTYPE View [<!ENTITY % x SYSTEM "http://127.0.0.1:1/">%x;]>' + config(), "document type"),
        (config("&unknown;"), "not XML"),
        (config()[:-3], "not XML"),
        ("", "not XML"),
        ("{}", "not XML"),
        (config() * 2, "not XML"),
        ('<?xml version="1.0" encoding="utf-7"?>' + config(), ""),
        ("\0" + config(), "not XML"),
        ("<a>" * 100_000, "not XML"),
        ("<a>" * 50_000 + "</a>" * 50_000, "has no `Labels`"),
        ("<View " + " ".join(f'a{n}=""' for n in range(50_000)) + "/>", "has no `Labels`"),
    ],
)
def test_hostile_xml_is_refused(client, hostile, reason):
    answer = client.post("/predict", json={"tasks": [{"data": {"text": "Peter"}}], "label_config": hostile})
    assert answer.status_code in (200, 422) if not reason else answer.status_code == 422, answer.text
    assert reason in answer.text


def test_names_of_a_project_stay_data(client):
    labels = '<Label value="&lt;script&gt;" alias="&quot;;--" predicted_values="PER"/>'
    assert {'";--'} == {name for own in labels_of(predict(client, config(labels))) for (name,) in own}


def test_the_version_changes_with_the_tagger(joint_run, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(joint_run.output, folder)
    app = create_app(folder)
    with TestClient(app) as client:
        first = setup(client, config())["model_version"]
        assert first.startswith("mine@")
        assert predict(client, config())[0]["model_version"] == first
        (model,) = app.state.models.served.values()
        assert model.reload(even_if_unchanged=True)
        assert setup(client, config())["model_version"] == first
        description = folder / "polytag.json"
        description.write_text(description.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        assert model.reload(even_if_unchanged=True)
        assert setup(client, config())["model_version"] != first


def test_the_token_is_the_password(tagger):
    with TestClient(create_app(tagger, token="secret"), raise_server_exceptions=False) as client:
        client.get("/v1/info", auth=("anybody", "secret"))
        assert client.get("/health", auth=("anybody", "secret")).status_code == 200
        for wrong in (("secret", "other"), ("", ""), ("secret", "")):
            assert client.get("/health", auth=wrong).status_code == 401
        for header in ("Basic", "Basic secret", "Basic c2VjcmV0", "Digest secret", "Basic ééé"):
            assert client.get("/health", headers={"Authorization": header.encode()}).status_code == 401


def test_hostile_configurations_cost_little(client):
    begun = time.monotonic()
    deep = "<a>" * 100_000 + '<Label value="PER"/>' * 25_000
    assert client.post("/setup", json={"schema": deep}).status_code == 422
    many = "".join(f'<Labels name="{number}" toName="text">{LABELS}</Labels>' for number in range(101))
    assert "more than 100 `Labels`" in predict(client, f"<View>{many}{TEXT}</View>", status=422)
    assert time.monotonic() - begun < 5


def test_labels_belong_to_the_innermost_element_that_is_open(client):
    inner = '<Labels name="inner" toName="text"><View><Label value="LOC"/></View></Labels><Label value="PER"/>'
    results = predict(client, f'<View><Labels name="outer" toName="text">{inner}</Labels>{TEXT}</View>')
    found = {(region["from_name"], *region["value"]["labels"]) for one in results for region in one["result"]}
    assert found == {("outer", "PER"), ("inner", "LOC")}


def test_spans_are_those_of_the_tagger_that_answered_though_it_is_replaced(joint_run, ner_run, tmp_path, monkeypatch):
    folder = shutil.copytree(joint_run.output, tmp_path / "mine")
    app = create_app(folder)
    with TestClient(app) as client:
        version = setup(client, config())["model_version"]
        (model,) = app.state.models.served.values()
        usual = app.state.models.tag_texts

        async def replaced_meanwhile(*arguments):
            found = await usual(*arguments)
            model.batcher.tagger = polytag.Tagger.load(ner_run.output)
            return found

        monkeypatch.setattr(app.state.models, "tag_texts", replaced_meanwhile)
        pos = '<Label value="NNP"/>'
        (first, *_) = predict(
            client, config(LABELS).replace("</View>", f'<Labels name="p" toName="text">{pos}</Labels></View>')
        )
        assert first["model_version"] == version
        assert {region["from_name"] for region in first["result"]} == {"label", "p"}
