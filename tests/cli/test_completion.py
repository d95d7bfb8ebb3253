"""What a shell completes, `-h` and `-q`."""

import pytest


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("train --task ch", ["chunk"]),
        ("train --scheme iob", ["iob1", "iob2", "iobes"]),
        ("train --alignment m", ["mean"]),
        ("train --encoder comp", ["compact"]),
        ("train --reader doc", ["doccano"]),
        ("evaluate tagger --runtime onnx", ["onnx", "onnx-int8"]),
        ("predict tagger --format d", ["doccano"]),
        ("tasks po", ["pos"]),
        ("plugins check polyt", ["polytag"]),
        ("predict tagger --form", ["--format"]),
    ],
)
def test_a_shell_completes_names(command, line, expected):
    words = f"polytag {line}"
    environment = {
        "_POLYTAG_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    assert command(environment=environment).out.splitlines() == expected


@pytest.mark.parametrize("name", ["", "train", "predict", "plugins", "plugins check"])
def test_help_has_a_short_option(command, name):
    short, long = command(*name.split(), "-h"), command(*name.split(), "--help")
    assert short == long
    assert (short.status, "Usage: polytag" in short.out) == (0, True)


def test_a_quiet_evaluation_prints_scores_alone(command, ner_run, uncompiled):
    options = ("evaluate", ner_run.output, "--corpus", "sample", "--runtime", "tensorflow")
    usual, quiet = command(*options), command(*options, "-q")
    assert (usual.err, quiet.err) == ("Starting TensorFlow …\n", "")
    assert quiet.out == usual.out
