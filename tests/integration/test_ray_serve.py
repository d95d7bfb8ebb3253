"""The deployment of docs/how-to/serve.md in Ray Serve."""

import json
import shutil
import socket
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

import polytag
from support.pages import DOCS, Block, parts

TEXT = "Anna Keller met Peter Smith in Geneva."


@pytest.mark.slow
def test_the_deployment_of_the_page_answers_as_the_tagger(ner_run, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray = pytest.importorskip("ray", reason="comes with the extra ray")
    serve = pytest.importorskip("ray.serve", reason="comes with the extra ray")
    shutil.copytree(ner_run.output, tmp_path / "my-tagger")
    monkeypatch.chdir(tmp_path)
    blocks = [part for part in parts(DOCS / "how-to/serve.md") if isinstance(part, Block)]
    (code,) = (block.body for block in blocks if block.title == "deployment.py")
    names = {"__name__": "__page__"}
    exec(code, names)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as folder:  # paths of sockets have to be short
        ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False, _temp_dir=folder)
        try:
            serve.start(http_options={"host": "127.0.0.1", "port": port})
            serve.run(names["deployment"])
            body = json.dumps({"texts": TEXT}).encode()
            request = Request(f"http://127.0.0.1:{port}/v1/tag", body, {"Content-Type": "application/json"})
            with urlopen(request, timeout=60) as answer:
                found = json.load(answer)
        finally:
            serve.shutdown()
            ray.shutdown()
    assert found["model"] == "my-tagger"
    (result,) = found["results"]
    assert result["spans"] == polytag.Tagger.load(Path("my-tagger")).tag(TEXT).to_dict()["spans"]
