"""`--runtime`: the same results, and the runtime is named."""

import json

import pytest


@pytest.fixture
def ner(ner_run):
    return ner_run.output


def test_results_are_the_same_in_each_runtime_which_is_named(command, ner, uncompiled):
    predicted, scored, calibration = {}, {}, {}
    for runtime in ("numpy", "tensorflow"):
        options = ("--runtime", runtime)
        done = command("predict", ner, "-v", *options, stdin=b"Anna Keller lives in Lima.")
        assert (done.status, f"runtime: {runtime}\n" in done.err) == (0, True)
        predicted[runtime] = json.loads(done.out)["tags"]
        done = command("evaluate", ner, "--corpus", "sample", "--json", *options)
        result = json.loads(done.out)
        assert result["runtime"] == runtime
        scored[runtime] = result["tasks"]["ner"]
        calibration[runtime] = scored[runtime].pop("calibration")
    assert predicted["numpy"] == predicted["tensorflow"]
    assert scored["numpy"] == scored["tensorflow"]
    assert calibration["numpy"] == pytest.approx(calibration["tensorflow"], abs=1e-4)


def test_two_systems_are_compared_in_the_runtime_that_is_asked_for(command, ner, uncompiled):
    arguments = ("compare", ner, ner, "--corpus", "sample", "--json")
    for options, runtime in (((), "numpy"), (("--runtime", "tensorflow"), "tensorflow")):
        result = json.loads(command(*arguments, *options).out)
        assert result["runtimes"] == [runtime, runtime]
        assert result["tasks"]["ner"]["differing"] == 0


@pytest.mark.parametrize(
    "arguments", [("predict",), ("evaluate", "--corpus", "nowhere"), ("compare", "--corpus", "nowhere")]
)
def test_a_runtime_that_cannot_run_the_tagger_is_refused_before_the_corpus_is_read(command, ner, arguments):
    name, *options = arguments
    systems = [ner, ner] if name == "compare" else [ner]
    for runtime, message in (("onnx", "has no onnx/model.onnx"), ("jax", "no runtime named 'jax'")):
        done = command(name, *systems, *options, "--runtime", runtime, stdin=b"a")
        assert (done.status, done.out) == (2, "")
        assert message in done.err
        assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [("predict",), ("evaluate", "--corpus", "nowhere"), ("report", "--corpus", "nowhere")]
)
@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("tpu", "--device 'tpu' is no device"),
        ("", "--device '' is no device"),
        ("gpu:1,1", "names a GPU twice"),
        ("gpu", "is for the runtime tensorflow, and numpy computes on the processor"),
    ],
)
def test_a_device_that_does_not_exist_is_refused_in_each_runtime(command, ner, arguments, device, message):
    name, *options = arguments
    done = command(name, ner, *options, "--device", device, "--runtime", "numpy", stdin=b"a")
    assert (done.status, done.out) == (2, "")
    assert message in done.err
