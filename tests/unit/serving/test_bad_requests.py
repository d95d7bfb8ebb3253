"""Whatever a client sends, the answer is no error of the server."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from pydantic import ValidationError
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance

from polytag import Tagger
from polytag.serving.bodies import MOST_TEXTS, TagRequest
from support.serving import App

DEEP = 100_000
JSON = "application/json"
LONE = "\\ud800"

BODIES: dict[str, tuple[str, bytes]] = {
    "empty": ("", b""),
    "not JSON": ("", b"texts=a"),
    "half a JSON": ("", b'{"texts": ["a"'),
    "deep lists": ("", b'{"texts": ' + b"[" * DEEP + b"]" * DEEP + b"}"),
    "deep objects": ("", b'{"texts":' * 20_000 + b"1" + b"}" * 20_000),
    "open lists": ("", b"[" * DEEP),
    "no object": ("", b'["a"]'),
    "null": ("", b"null"),
    "a number": ("", b"7"),
    "huge number": ("", b'{"texts": "a", "alternatives": ' + b"9" * 10_000 + b"}"),
    "large number": ("", b'{"texts": "a", "alternatives": 1e400}'),
    "document numbers": ("", b'{"words": [["a"]], "documents": [99999999999999999999]}'),
    "NaN": ("", b'{"texts": "a", "min_score": NaN}'),
    "infinity": ("", b'{"texts": "a", "min_score": Infinity}'),
    "not UTF-8": ("", b'{"texts": "\xff\xfe"}'),
    "UTF-16": ("", '{"texts": "a"}'.encode("utf-16")),
    "lone surrogate": ("", b'{"texts": "a ' + LONE.encode() + b' b"}'),
    "lone surrogate in a list": ("", b'{"texts": ["a", "' + LONE.encode() + b'"]}'),
    "lone surrogate in a key": ("", b'{"texts": "a", "' + LONE.encode() + b'": 1}'),
    "lone surrogate in a task": ("", b'{"texts": "a", "tasks": ["' + LONE.encode() + b'"]}'),
    "lone surrogate in a model": ("", b'{"texts": "a", "model": "' + LONE.encode() + b'"}'),
    "raw surrogate": ("", b'{"texts": "\xed\xa0\x80"}'),
    "long model": ("", json.dumps({"texts": "a", "model": "n" * 900_000}).encode()),
    "long task": ("", json.dumps({"texts": "a", "tasks": ["n" * 900_000]}).encode()),
    "long key": ("", json.dumps({"texts": "a", "n" * 900_000: 1}).encode()),
    "many keys": ("", json.dumps({"texts": "a", **dict.fromkeys(map(str, range(50_000)), 0)}).encode()),
    "many wrong texts": ("", json.dumps({"texts": [0] * 900}).encode()),
    "too many texts": ("", json.dumps({"texts": [""] * (MOST_TEXTS + 1)}).encode()),
    "texts and words": ("", b'{"texts": "a", "words": [["a"]]}'),
    "too few documents": ("", b'{"words": [["a"], ["b"]], "documents": [1]}'),
    "words of numbers": ("", b'{"words": [[1]]}'),
    "form": ("application/x-www-form-urlencoded", b"texts=a"),
    "multipart": ("multipart/form-data; boundary=x", b"--x\r\n\r\na\r\n--x--"),
    "text": ("text/plain", b'{"texts": "a"}'),
    "XML": ("application/xml", b"<texts/>"),
    "odd type": ("application/json; charset=nonsense", b"{"),
    "half a million wrong words": ("", b'{"words": [[' + b"0," * 500_000 + b"0]]}"),
    "no type": ("nonsense", b"{}"),
}
"""Bodies that are refused, with their content types (JSON by default)."""

ANSWERED: dict[str, dict[str, Any]] = {
    "no text": {"texts": []},
    "empty text": {"texts": ""},
    "1,000 empty texts": {"texts": [""] * MOST_TEXTS},
    "spaces": {"texts": " \t\r\n\u2028\u00a0"},
    "null bytes": {"texts": "a\0b \0 \0"},
    "control characters": {"texts": "".join(map(chr, range(32))) + "\x7f\u200b\ufeff\ufffe\uffff"},
    "a long word": {"texts": "a" * 200_000},
    "a long word of letters that are marks": {"texts": "\u0301" * 50_000},
    "emoji": {"texts": "👩‍👩‍👧‍👦" * 100},
    "right to left": {"texts": "\u202e שלום Rome مرحبا"},
    "beyond the plane": {"texts": "\U0010ffff \U000e0001"},
    "no words": {"words": []},
    "no sentences' words": {"words": [[], []], "documents": [5, 5]},
    "empty words": {"words": [["", " ", "\0", "a b"]]},
    "a long sentence": {"words": [["a"] * 5_000]},
    "documents apart": {"words": [["a"], ["b"], ["a"]], "documents": [1, -5, 1]},
    "twice the same task": {"texts": "a b", "tasks": ["ner", "ner"]},
}


BOUNDED = settings(
    max_examples=10,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", BODIES)
def test_bad_bodies_are_refused(served: App, name: str) -> None:
    kind, body = BODIES[name]
    for path in ("/v1/tag", "/", "/models/ner"):
        content = body.replace(b'"texts"', b'"inputs"') if path != "/v1/tag" else body
        found = served.ask("POST", path, content=content, headers={"content-type": kind or JSON})
        assert found.status_code in (400, 404, 422) or (path != "/v1/tag" and found.status_code == 200), found.text[
            :300
        ]
        if found.status_code != 200:
            assert found.headers["content-type"] == "application/problem+json"
            assert 0 < len(found.json()["detail"]) < 1500
    assert served.ask("POST", "/v1/tag", content=body, headers={"content-type": kind or JSON}).status_code != 200


def test_the_first_wrong_item_of_a_body_is_enough() -> None:
    for body in ({"words": [[0] * 1000]}, {"words": [0] * 900}, {"texts": [0] * 900}, dict.fromkeys("abc", 1)):
        with pytest.raises(ValidationError) as found:
            TagRequest.model_validate(body)
        assert found.value.error_count() <= 3  # for `texts`, one as a text, one as a list, and one as nothing


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body", "detail"),
    [
        (FORM, b'{"texts": "a"}', f"Send JSON as `Content-Type: application/json`, and not {FORM}."),
        ("", b'{"texts": "a"}', "Send JSON as `Content-Type: application/json`."),
        (JSON, b'["a"]', "The body is not a JSON object."),
        (JSON, b"{}", "Give either `texts` or `words`."),
        (JSON, b'{"texts": 3}', "texts: Input should be a valid string."),
        (JSON, b'{"texts": ["a", 3]}', "texts.1: Input should be a valid string."),
        (JSON, b'{"words": ["a"]}', "words.0: Input should be a valid list."),
        (JSON, b'{"texts": "a", "alternatives": 11}', "alternatives: Input should be less than or equal to 10."),
    ],
)
def test_a_refusal_says_what_to_change_and_where(served: App, kind: str, body: bytes, detail: str) -> None:
    found = served.ask("POST", "/v1/tag", content=body, headers={"content-type": kind} if kind else {})
    assert (found.status_code, found.json()["detail"]) == (422, detail)


def test_too_many_texts_are_told_as_such(served: App) -> None:
    found = served.ask("POST", "/v1/tag", json={"texts": [""] * (MOST_TEXTS + 1)})
    assert found.json()["detail"].startswith("texts: List should have at most 1000 items")


def test_of_two_equal_keys_the_last_counts(served: App) -> None:
    found = served.ask("POST", "/v1/tag", content=b'{"texts": "a", "texts": "b"}', headers={"content-type": JSON})
    assert found.json()["results"][0]["text"] == "b"


@pytest.mark.parametrize("name", ANSWERED)
def test_odd_texts_are_answered(served: App, name: str) -> None:
    body = ANSWERED[name]
    found = served.ask("POST", "/v1/tag", json=body)
    assert found.status_code == 200, found.text[:300]
    given = body.get("texts", body.get("words"))
    assert len(found.json()["results"]) == (1 if isinstance(given, str) else len(given))


def test_addresses_of_any_kind_are_answered(served: App) -> None:
    for path in (
        "/models/%00",
        "/models/%ED%A0%80",
        "/models/" + "a" * 5000,
        "/models/..%2f..",
        "/%2e%2e/",
        "/v1/tag?a=%ff",
    ):
        for method in ("GET", "POST", "PUT"):
            assert served.ask(method, path, json={"inputs": "a"}).status_code < 500


@pytest.mark.parametrize("mode", GenerationMode)
def test_generated_requests_find_no_error_of_the_server(joint_tagger: Tagger, mode: GenerationMode) -> None:
    own = App({"joint": joint_tagger})  # schemathesis ends it
    own.ask("GET", "/v1/info")  # loads the tagger: `/readyz` must not answer 503
    schema = schemathesis.openapi.from_asgi("/openapi.json", own.app)
    answered: set[tuple[str, int]] = set()
    for operation in (result.ok() for result in schema.get_all_operations()):

        @BOUNDED
        @given(operation.as_strategy(generation_mode=mode))
        def is_answered(case: Any) -> None:
            found = case.call()
            case.validate_response(found, checks=[not_a_server_error, content_type_conformance])
            answered.add((case.path, found.status_code))

        try:
            is_answered()
        except Unsatisfiable:  # a route without parameters has no wrong ones
            assert mode is GenerationMode.NEGATIVE
    paths = {path for path, status in answered if (status == 200) == (mode is GenerationMode.POSITIVE)}
    assert {"/v1/tag", "/"} <= paths
    own.close()
