"""Annotate tasks of a real Label Studio with a running `polytag serve`.

    polytag train -t ner -c sample -e compact -o tagger
    python tests/benchmarks/label_studio.py tagger --corpus sample

Builds an environment with Label Studio 1.23, starts it with an empty database of its own on 127.0.0.1, makes a project
with tasks, connects the server as its machine-learning backend with a token, and gets predictions in both ways that
Label Studio has: for chosen tasks, and for the task that is open. The spans have to be those of `Tagger.tag`. Then
predictions become annotations, and the exported project has to be read as a corpus with these spans.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from harness import Report, console, parser, peer_python, polytag_command, table

import polytag
from polytag.plugin.registry import registry

_USER, _PASSWORD, _TOKEN = "annotator@example.org", "correct horse", "0123456789abcdef0123456789abcdef01234567"
_HARD = (
    "😀 Peter Blackburn visited Brussels with José.",
    "Peter\tBlackburn  visited\nBrussels.",
    "פיטר בלקבורן ביקר בבריסל.",
    "<b>Peter</b> & 'Anna' \"Keller\" <script>alert(1)</script> in Rome",
    "Cafe\u0301 in Paris, 𝐀nna in 東京.",
)
_PATIENCE = 180


def main() -> None:
    """Run everything."""
    options = parser(__doc__)
    options.add_argument("tagger", type=Path)
    options.add_argument("--corpus", default="sample")
    options.add_argument("--split", default="test")
    options.add_argument("--tasks", type=int, default=200)
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "polytag-benchmarks"
    options.add_argument("--peers", type=Path, default=cache, help=f"folder of the peers' environments ({cache})")
    chosen = options.parse_args()

    python = peer_python(chosen.peers, "label-studio")
    corpus = polytag.load_corpus(chosen.corpus)
    texts = [" ".join(words) for words in corpus.words(chosen.split)[: chosen.tasks]] + list(_HARD)
    tagger = polytag.Tagger.load(chosen.tagger)
    task = next(name for name, decoder in tagger.decoders.items() if decoder.scheme.encodes_spans)
    expected = [[span for span in tagged.spans if span.task == task] for tagged in tagger.stream(texts)]
    labels = sorted({span.label for spans in expected for span in spans})
    report = Report("label_studio", chosen, {"texts": len(texts), "spans": sum(map(len, expected))})
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        work = Path(name)
        backend = stack.enter_context(serving(chosen.tagger, work))
        studio = stack.enter_context(label_studio(python, work))
        version = studio.get("/api/version")["release"]
        project = studio.post("/api/projects", {"title": "polytag", "label_config": configuration(labels)})["id"]
        studio.post(f"/api/projects/{project}/import", [{"text": text} for text in texts])
        connection: dict[str, Any] = {"url": backend, "project": project, "title": "polytag", "is_interactive": True}
        refused = studio.post("/api/ml", {**connection, **password("wrong")}, status=400)
        assert "authentication parameters" in json.dumps(refused), refused
        connected = studio.post("/api/ml", {**connection, **password("secret")}, status=201)
        assert connected["readable_state"] == "Connected", connected
        before = time.perf_counter()
        answered = studio.post(
            f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}",
            {"selectedItems": {"all": True, "excluded": []}},
        )
        seconds = time.perf_counter() - before
        console.print(str(answered), markup=False)
        found = tasks_of(studio, project, len(texts))
        predicted = [row["predictions"][0] for row in found]
        same = [spans_of(one["result"]) == triples(spans) for one, spans in zip(predicted, expected, strict=True)]
        assert [row["data"]["text"] for row in found] == texts
        interactive = studio.post(f"/api/ml/{connected['id']}/interactive-annotating", {"task": found[-1]["id"]})
        same_interactive = spans_of(interactive["data"]["result"]) == triples(expected[-1])
        for row, prediction in zip(found, predicted, strict=True):
            studio.post(f"/api/tasks/{row['id']}/annotations/", {"result": prediction["result"]}, status=201)
        (work / "test.json").write_text(json.dumps(studio.get(f"/api/projects/{project}/export?exportType=JSON")))
        reread = spans_in(work / "test.json")
        report.add(
            label_studio=version,
            model_version=predicted[0]["model_version"],
            tasks=len(texts),
            seconds=seconds,
            tasks_with_the_same_spans=sum(same),
            interactive_task_has_the_same_spans=same_interactive,
            spans=sum(map(len, expected)),
            spans_of_the_exported_corpus=reread,
        )
    rows = [
        ("tasks", len(texts), sum(same)),
        ("the open task", 1, int(same_interactive)),
        ("spans of the exported project, read as a corpus", sum(map(len, expected)), reread),
    ]
    report.show(table(f"Label Studio {version}, predictions in {seconds:.1f} s", ("", "expected", "equal"), rows))
    for text, spans, one, equal in zip(texts, expected, predicted, same, strict=True):
        if not equal:
            print(repr(text), triples(spans), spans_of(one["result"]), sep="\n  ")
    sys.exit(0 if all(same) and same_interactive else 1)


def configuration(labels: Sequence[str]) -> str:
    """The labelling configuration of a project."""
    listed = "".join(f'<Label value="{label}"/>' for label in labels)
    return (
        f'<View><Labels name="label" toName="text">{listed}</Labels>'
        '<Text name="text" value="$text" granularity="word"/></View>'
    )


def password(token: str) -> dict[str, str]:
    """How Label Studio says the token."""
    return {"auth_method": "BASIC_AUTH", "basic_auth_user": "label-studio", "basic_auth_pass": token}


def triples(spans: Sequence[polytag.TaggedSpan]) -> list[tuple[int, int, str, str]]:
    """Start, end, text and label of each span."""
    return sorted((span.start, span.end, span.text, span.label) for span in spans)


def spans_of(results: Sequence[dict[str, Any]]) -> list[tuple[int, int, str, str]]:
    """The same, of results of Label Studio."""
    values = [result["value"] for result in results]
    return sorted((value["start"], value["end"], value["text"], *value["labels"]) for value in values)


def tasks_of(studio: Studio, project: int, number: int) -> list[dict[str, Any]]:
    """All tasks of a project with their predictions, in order."""
    found = studio.get(f"/api/tasks?project={project}&fields=all&page_size={number}")["tasks"]
    assert len(found) == number, len(found)
    return sorted(found, key=lambda row: int(row["id"]))


def spans_in(file: Path) -> int:
    """The number of spans in an exported project."""
    corpus = polytag.load_corpus(str(file))
    split = next(iter(corpus.splits))
    scheme = registry().schemes["iob2"]
    return sum(len(scheme.spans(tags)) for tags in corpus.tags(split, "ner_tags"))


class Studio:
    """A running Label Studio."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get(self, path: str) -> Any:
        """Ask for something."""
        return self._call("GET", path, None, 200)

    def post(self, path: str, body: Any, status: int | None = None) -> Any:
        """Send something."""
        return self._call("POST", path, body, status)

    def _call(self, method: str, path: str, body: Any, status: int | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {_TOKEN}", "Content-Type": "application/json"}
        request = Request(self._address + path, data, headers, method=method)
        try:
            with urlopen(request, timeout=_PATIENCE) as answer:
                found, content = answer.status, answer.read()
        except HTTPError as error:
            found, content = error.code, error.read()
        if found != status if status else found >= 300:
            raise SystemExit(f"{method} {path}: {found}\n{content[:2000].decode(errors='replace')}")
        return json.loads(content)


@contextmanager
def serving(tagger: Path, work: Path) -> Iterator[str]:
    """`polytag serve` with a token; its address."""
    (work / "token").write_text("secret\n")
    command = [polytag_command(), "serve", tagger, "--port", "0", "--token-file", work / "token"]
    with running(command, work / "serve.log", stdout=subprocess.PIPE) as process:
        assert process.stdout
        address = process.stdout.readline().split()
        if not address:
            raise SystemExit((work / "serve.log").read_text())
        wait_for(address[0] + "readyz", process)
        yield address[0]


@contextmanager
def label_studio(python: Path, work: Path) -> Iterator[Studio]:
    """Label Studio with an empty database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(work / "studio"),
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        # Without it, Label Studio refuses backends in private networks and on this machine.
        "USE_DEFAULT_BANNED_SUBNETS": "false",
    }
    command = [python.parent / "label-studio", "start", "--no-browser", "--internal-host", "127.0.0.1"]
    command += ["--port", str(port), "--username", _USER, "--password", _PASSWORD, "--user-token", _TOKEN]
    command += ["--enable-legacy-api-token"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | settings
    with running(command, work / "studio.log", stdout=subprocess.DEVNULL, env=environment) as process:
        address = f"http://127.0.0.1:{port}"
        wait_for(address + "/health", process)
        yield Studio(address)


@contextmanager
def running(command: Sequence[object], log: Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that is ended with the block."""
    with log.open("w") as errors:
        process = subprocess.Popen(list(map(str, command)), stderr=errors, text=True, **options)
        try:
            yield process
        except BaseException:
            console.print(log.read_text()[-4000:], markup=False)
            raise
        finally:
            process.terminate()
            process.wait()


def wait_for(address: str, process: subprocess.Popen[str]) -> None:
    """Wait until an address answers with success."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise SystemExit(f"{address} does not answer")


if __name__ == "__main__":
    main()
