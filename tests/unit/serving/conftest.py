"""An application over a small tagger that many tests ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from polytag import Tagger
from polytag.runner import TrainResult
from support.serving import App


@pytest.fixture(scope="package")
def joint_tagger(joint_run: TrainResult) -> Tagger:
    """A tagger for ner, pos and chunk."""
    return Tagger.load(joint_run.output)


@pytest.fixture(scope="package")
def served(joint_run: TrainResult, ner_run: TrainResult) -> Iterator[App]:
    """An application with a tagger for three tasks, `joint`, and one for ner, `ner`."""
    app = App({"joint": joint_run.output, "ner": ner_run.output})
    yield app
    app.close()
