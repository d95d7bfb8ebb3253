"""`polytag serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polytag.cli.options import DecodingName, ForeignLabels, ForeignTask, RuntimeName


def serve_cli(
    taggers: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]TAGGER...",
            help="Taggers or token classifiers of transformers: folder, hub name, or name@revision; each with or "
            "without a name for addresses.",
            show_default=False,
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine's need a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any that is free.")] = 8000,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token that requests must have.", show_default="no token")
    ] = None,
    no_token: Annotated[bool, typer.Option("--no-token", help="Let everybody who reaches the address use it.")] = False,
    replicas: Annotated[int, typer.Option(min=1, max=256, help="Number of processes behind the address.")] = 1,
    queue: Annotated[
        int, typer.Option(min=1, help="Requests that may wait for a tagger; more are told to come later.")
    ] = 256,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds until a request is given up.")] = 60.0,
    grace: Annotated[
        float, typer.Option(min=1, help="Seconds after SIGTERM in which accepted requests are finished.")
    ] = 25.0,
    no_batching: Annotated[
        bool, typer.Option("--no-batching", help="Tag each request alone, to measure what batching brings.")
    ] = False,
    log_texts: Annotated[bool, typer.Option("--log-texts", help="Write the bodies of requests to the log.")] = False,
    decoding: DecodingName = None,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Drop spans with a lower probability.")] = 0.0,
    task: ForeignTask = None,
    labels: ForeignLabels = None,
    runtime: RuntimeName = None,
) -> None:
    """Serve taggers behind an address, with a page to try them.

    The hub's API, polytag's own, the Open Inference Protocol and Label Studio's; all are described under /docs.
    """
    from polytag.tagger.runtimes import require_extra

    require_extra("fastapi", "fastapi_offline", "uvicorn", "httptools", "prometheus_client")
    from polytag.serving.server import serve

    serve(
        taggers,
        host=host,
        port=port,
        token_file=token_file,
        no_token=no_token,
        replicas=replicas,
        grace=grace,
        queue=queue,
        timeout=timeout,
        batching=not no_batching,
        log_texts=log_texts,
        decoding=decoding,
        min_score=min_score,
        task=task,
        labels=labels,
        runtime=runtime,
    )
