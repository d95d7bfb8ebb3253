"""Heads of plugins that break their contract: the run ends with a paragraph that names the plugin."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from support.bad_plugins import DISTRIBUTION, endured, installed

HEAD = """
import numpy as np
import tensorflow as tf
import polytag


class Head(polytag.Head):
    name = "acme.head"
    summary = "A bad head."

    def parameters(self, labels, scheme):
        return {parameters}

    def loss(self, logits, gold, parameters, sentences):
        return {loss}

    def decode(self, scores, sentence_starts, parameters):
        return polytag.DecodedWords({probabilities})


@polytag.hookimpl
def polytag_heads():
    return [Head()]
"""
SOUND = {
    "parameters": "{}",
    "loss": "tf.nn.sparse_softmax_cross_entropy_with_logits(gold, logits)",
    "probabilities": "scores",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": "{'a/b': np.zeros(3, np.float32)}"}, "not finite float32 arrays by name"),
        ({"parameters": "{'unused': np.zeros(3, np.float32)}"}, "a loss that does not depend on the logits"),
        ({"loss": "tf.cast(gold, tf.float32)"}, "a loss that does not depend on the logits"),
        ({"probabilities": "-scores"}, "DecodedWords with probabilities"),
        ({"probabilities": "5 * scores"}, "DecodedWords with probabilities"),
    ],
)
@pytest.mark.usefixtures("uncompiled")
def test_a_head_that_breaks_its_contract_is_named(tmp_path: Path, change: dict[str, str], message: str) -> None:
    corpus = tmp_path / "corpus.conll"
    corpus.write_text("Anna B-PER\nmet O\nPeter B-PER\n\n", encoding="utf-8")
    options = ["-t", "ner", "-c", f"train={corpus},validation={corpus}", "--decoding", "acme.head", "--epochs", 1]
    with installed(tmp_path / "plugin", HEAD.format(**SOUND | change)):
        done = endured("train", *options, "--output", tmp_path / "tagger", "--quiet")
    assert done.status == 2
    assert message in done.err
    assert DISTRIBUTION in done.err


def test_checking_a_head_prints_nothing_of_tensorflow(tmp_path):
    module = tmp_path / "polytag_smooth.py"
    loss = "    import tensorflow as tf\n        return " + SOUND["loss"]
    source = HEAD.replace("import tensorflow as tf\n", "").replace("    return {loss}", loss)
    module.write_text(source.format(**SOUND))
    done = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "polytag", "plugins", "check", "polytag_smooth"],
        env={**os.environ, "POLYTAG_PLUGINS": str(module)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
