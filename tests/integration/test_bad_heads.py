"""Heads of plugins that break their contract: the run ends with a paragraph that names the plugin."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from support.bad_plugins import DISTRIBUTION, endured, installed
from support.command import Done

HEAD = """
import numpy as np
import tensorflow as tf
import polytag


class Head(polytag.Head):
    name = "{name}"
    summary = "A bad head."
    by_sentence = {by_sentence}

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
    "name": "acme.head",
    "by_sentence": "False",
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
        ({"loss": "tf.reduce_mean(logits)[None]"}, "it has not one number for each unit or sentence"),
        ({"loss": "tf.reduce_mean(logits) * tf.ones(2)"}, "it has not one number for each unit or sentence"),
        ({"by_sentence": "True", "loss": "tf.reduce_mean(logits, 1)"}, "it has not one number for each unit or"),
        ({"probabilities": "np.multiply(scores, 0.5, out=scores)"}, "it raised ValueError: output array is read-only"),
        ({"probabilities": "-scores"}, "DecodedWords with probabilities"),
        ({"probabilities": "5 * scores"}, "DecodedWords with probabilities"),
    ],
)
@pytest.mark.usefixtures("uncompiled")
def test_a_head_that_breaks_its_contract_is_named(tmp_path: Path, change: dict[str, str], message: str) -> None:
    done = trained(tmp_path, change)
    assert done.status == 2
    assert message in done.err
    assert DISTRIBUTION in done.err


def test_a_loss_that_fails_in_the_compiled_step_is_named(tmp_path: Path) -> None:
    loss = f"tf.debugging.check_numerics({SOUND['loss']} / 0.0, 'divided by nothing')"
    done = trained(tmp_path, {"loss": loss})
    assert done.status == 2
    assert DISTRIBUTION in done.err
    assert "a loss that cannot be computed: divided by nothing" in done.err


@pytest.mark.usefixtures("uncompiled")
def test_a_parameter_may_be_a_single_number(tmp_path: Path) -> None:
    change = {"parameters": "{'scale': np.array(1, np.float32)}", "loss": f"parameters['scale'] * {SOUND['loss']}"}
    assert trained(tmp_path, change).status == 0
    with installed(tmp_path / "plugin", HEAD.format(**SOUND | change)):
        assert endured("predict", tmp_path / "tagger", "-", stdin=b"Anna met Peter.").status == 0


@pytest.mark.usefixtures("uncompiled")
def test_a_head_of_another_version_is_told_from_a_damaged_folder(tmp_path: Path) -> None:
    change = {
        "parameters": "{'a': np.zeros(2, np.float32)}",
        "loss": f"{SOUND['loss']} + tf.reduce_sum(parameters['a'])",
    }
    assert trained(tmp_path, change).status == 0
    with installed(tmp_path / "plugin", HEAD.format(**SOUND | {"parameters": "{'a': np.zeros(3, np.float32)}"})):
        done = endured("predict", tmp_path / "tagger", "-", stdin=b"Anna met Peter.")
    assert done.status == 2
    assert "or its head 'acme.head' has other parameters than when it was trained" in done.err


@pytest.mark.parametrize("name", ["viterbi", "argmax"])
def test_a_head_cannot_have_the_name_of_a_decoding_of_all_heads(tmp_path: Path, name: str) -> None:
    with installed(tmp_path / "plugin", HEAD.format(**SOUND | {"name": name})):
        done = endured("plugins", "--json")
    assert f"the Head '{name}' whose name is '{name}', not a name of its own" in done.out + done.err


def trained(folder: Path, change: dict[str, str]) -> Done:
    """Train with a head that differs from a sound one."""
    corpus = folder / "corpus.conll"
    corpus.write_text("Anna B-PER\nmet O\nPeter B-PER\n\n", encoding="utf-8")
    options = ["-t", "ner", "-c", f"train={corpus},validation={corpus}", "--decoding", "acme.head", "--epochs", 1]
    with installed(folder / "plugin", HEAD.format(**SOUND | change)):
        return endured("train", *options, "--output", folder / "tagger", "--quiet")


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
