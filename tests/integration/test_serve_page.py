"""The commands of docs/how-to/serve.md against a running server, and the files of the page."""

import configparser
import shlex
import shutil
import socket
import subprocess
import threading
from itertools import pairwise

import pytest
import uvicorn
import yaml

from polytag.serving import create_app
from support.pages import DOCS, Block, agrees, parts

BLOCKS = [part for part in parts(DOCS / "how-to/serve.md") if isinstance(part, Block)]
TOKEN = "secret"


@pytest.fixture(scope="module", params=[None, TOKEN], ids=["open", "with a token"])
def server(request, ner_run, tmp_path_factory):
    """The address of a server, and its token."""
    folder = tmp_path_factory.mktemp("served") / "my-tagger"
    shutil.copytree(ner_run.output, folder)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(create_app(folder, token=request.param), log_level="error")
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, args=([listening],))
        thread.start()
        yield f"localhost:{listening.getsockname()[1]}", request.param
        running.should_exit = True
        thread.join()


def commands():
    """Commands with curl, and what the page shows for them."""
    for block in BLOCKS:
        for command in block.commands() if block.language == "console" else ():
            if command.line.startswith("curl "):
                yield command.line, command.output


def file(title):
    (body,) = (block.body for block in BLOCKS if block.title == title)
    return body


@pytest.mark.parametrize(("command", "shown"), commands())
def test_commands_give_what_the_page_shows(server, command, shown):
    address, token = server
    words = shlex.split(command.replace("localhost:8000", address))
    with_token = [*words, "-H", f"Authorization: Bearer {TOKEN}"]
    done = subprocess.run(with_token, capture_output=True, text=True, check=True)
    assert agrees(shown, done.stdout), done.stdout
    if token:
        assert '"status": 401' in subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_the_client_of_the_hub_gives_what_the_page_shows(server, monkeypatch, capsys):
    address, token = server
    ((program, shown),) = [
        (block.body, after.body) for block, after in pairwise(BLOCKS) if "InferenceClient" in block.body
    ]
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    program = program.replace('localhost:8000"', f'{address}", token={token!r}')
    exec(compile(program, "serve.md", "exec"), {})
    assert agrees(shown, capsys.readouterr().out)


def test_files_of_the_page_agree_with_the_command(command):
    described = command("serve", "--help").out
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read_string(file("polytag.service"))
    started = unit["Service"]["ExecStart"]
    objects = list(yaml.safe_load_all(file("polytag.yaml")))
    (container,) = objects[0]["spec"]["template"]["spec"]["containers"]
    container_file = file("Containerfile")
    for words in (started.split(), container["args"], container_file.split('"')):
        for option in words:
            if option.startswith("--") and option not in ("--no-cache-dir", "--no-deps"):
                assert option in described
    probes = {container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert probes == {"/readyz", "/healthz"}
    assert "proxy_pass http://polytag;" in file("polytag.conf")
    assert "reverse_proxy" in file("Caddyfile")


def test_create_app_is_imported_when_it_is_asked_for():
    import polytag.serving

    assert polytag.serving.create_app is create_app
    with pytest.raises(AttributeError, match="create_up"):
        _ = polytag.serving.create_up
