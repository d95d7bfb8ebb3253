"""Figures of a server in Prometheus' format."""

from __future__ import annotations

import os
from collections.abc import Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from polytag.serving.batching import Observer
from polytag.serving.models import ServedModel

CONTENT_TYPE = CONTENT_TYPE_LATEST
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable with the folder in which replicas add up their figures; prometheus_client reads it, too."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_UNITS = (16, 64, 256, 1024, 4096, 16384)


class Metrics:
    """The figures of one server, or of one replica of it."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "polytag_requests", "Requests answered.", ("route", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "polytag_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._batch_requests = Histogram(
            "polytag_batch_requests", "Requests tagged together.", ("model",), buckets=_SIZES, registry=registry
        )
        self._batch_texts = Histogram(
            "polytag_batch_texts", "Texts tagged together.", ("model",), buckets=_SIZES, registry=registry
        )
        self._batch_units = Histogram(
            "polytag_batch_units", "Units tagged together.", ("model",), buckets=_UNITS, registry=registry
        )
        self._words = Counter("polytag_words", "Words tagged.", ("model",), registry=registry)
        self._waiting = Gauge(
            "polytag_waiting_requests",
            "Requests that wait for the tagger.",
            ("model",),
            registry=registry,
            multiprocess_mode="livesum",
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer.

        Args:
            route: The route as it is declared, without the values in it.
            method: The method of HTTP.
            status: The status of HTTP.
            seconds: How long it took.
        """
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def observer(self, model: str) -> Observer:
        """Who counts the batches of a model."""
        batch_requests, batch_texts = self._batch_requests.labels(model), self._batch_texts.labels(model)
        batch_units, all_words = self._batch_units.labels(model), self._words.labels(model)

        def observe(requests: int, texts: int, words: int, units: int) -> None:
            batch_requests.observe(requests)
            batch_texts.observe(texts)
            batch_units.observe(units)
            all_words.inc(words)
            if _are_shared():  # another replica may be asked for this one's figures
                self._note_waiting(model)

        return observe

    def watch(self, models: Mapping[str, ServedModel]) -> None:
        """Read the length of the models' queues whenever figures are asked for."""
        self._models = models

    def text(self) -> bytes:
        """All figures, added up over replicas."""
        for name in self._models:
            self._note_waiting(name)
        if not _are_shared():
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)

    def _note_waiting(self, model: str) -> None:
        self._waiting.labels(model).set(self._models[model].waiting)


def _are_shared() -> bool:
    return bool(os.environ.get(SHARED))
