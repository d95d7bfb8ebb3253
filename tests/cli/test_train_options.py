"""The options of `polytag train` are the fields of `RunConfig`, and its help shows them as one would write them."""

import re

import pytest

from polytag import PolytagError, RunConfig, TrainingDefaults
from polytag.builtin import CompactProvider

_NEEDED = ("-t", "ner", "-c", "sample", "-o", "out")


@pytest.fixture
def help_of(command, monkeypatch):
    """Rows of the help of a command: long flag -> flags, type, text and default in one line."""
    monkeypatch.setenv("COLUMNS", "400")

    def rows(*name):
        done = command(*name, "--help")
        assert (done.status, done.err) == (0, "")
        lines = [" ".join(line.strip("│ ").split()) for line in done.out.splitlines()]
        return {line.split()[0]: line for line in lines if line.startswith("--")}

    return rows


@pytest.fixture
def config_of(command, monkeypatch):
    """The configuration that `polytag train` would run with."""
    seen = []

    def train(config, quiet):
        seen.append(config)
        raise PolytagError("enough")

    monkeypatch.setattr("polytag.runner.train", train)

    def run(*arguments):
        assert command("train", *_NEEDED, *arguments).err == "polytag: enough\n"
        return seen[-1]

    return run


def test_every_field_is_an_option_with_its_text(help_of):
    shown = help_of("train")
    for name, field in RunConfig.model_fields.items():
        special = {"task_weights": "--task-weight", "teacher_labels": "--teacher-label", "from_": "--from"}
        flag = special.get(name, f"--{name.replace('_', '-')}")
        assert field.description, name
        assert field.description in shown[flag], name
    assert len(shown) == len(RunConfig.model_fields) + len(["--config", "--json", "--quiet", "--help"])


def test_a_flag_takes_no_value(help_of):
    assert help_of("train")["--overwrite"] == "--overwrite Replace a tagger in the output folder."


@pytest.mark.parametrize("name", ["train", "evaluate", "compare", "predict", "export", "push", "tasks", "corpus"])
def test_no_command_shows_a_flag_with_a_type(help_of, name):
    shown = help_of(name)
    assert "--help" in shown
    shown.pop("--header", None)  # recognised if neither it nor --no-header is given
    assert not [line for line in shown.values() if "<bool>" in line or "--no-" in line]


@pytest.mark.parametrize("name", ["train", "evaluate", "compare", "predict"])
def test_the_choice_of_a_decoding_is_shown_alike_everywhere(help_of, name):
    assert help_of(name)["--decoding"].startswith("--decoding <str> How scores become tags: `viterbi`")


@pytest.mark.parametrize(
    ("flag", "start", "end"),
    [
        ("--task", "--task -t <NAME[:VARIANT][=COLUMN]> ", "list."),
        ("--output", "--output -o <path> ", "to."),
        ("--precision", "--precision [float32|bfloat16|float16] ", ")]"),
        ("--epochs", "--epochs <int> [x>=1] ", "[default: (compact 8, pretrained 3)]"),
        ("--learning-rate", "--learning-rate <float> [x>0] ", "[default: (compact 0.002, pretrained 0.0002)]"),
        ("--warmup", "--warmup <float> [0<=x<1] ", "[default: 0.1]"),
        ("--seed", "--seed <int> [0<=x<4294967296] ", "[default: 0]"),
        ("--task-weight", "--task-weight <TASK=NUMBER> ", "[default: (1 each)]"),
        ("--encoder", "--encoder -e <str> ", "[default: compact]"),
    ],
)
def test_type_range_and_default_are_shown(help_of, flag, start, end):
    shown = help_of("train")[flag]
    assert shown.startswith(start)
    assert shown.endswith(end)


def test_defaults_per_encoder_are_those_of_its_provider(help_of, monkeypatch):
    monkeypatch.setattr(CompactProvider, "defaults", TrainingDefaults(99, 32, 1e-3, 0.0, 0.0))
    assert help_of("train")["--epochs"].endswith("[default: (compact 99, pretrained 3)]")


def test_the_help_ends_with_a_command_to_copy(command, config_of):
    shown = " ".join(command("train", "--help").out.split())
    arguments = re.search("Example: `polytag train (.*)`$", shown)[1].split()
    assert config_of(*arguments).corpus == "sample"


def test_a_flag_overrides_the_file_also_with_a_default(config_of, tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('seed = 3\ndecoding = "argmax"\nfrom = "a"\noverwrite = true\n')
    config = config_of("--config", str(file), "--seed", "0", "--decoding", "viterbi", "--from", "b")
    assert (config.seed, config.decoding, config.from_, config.overwrite) == (0, "viterbi", "b", True)


def test_several_tasks_and_weights_are_given_one_by_one(config_of):
    config = config_of("--task", "pos", "--task-weight", "ner=2", "--task-weight", "pos=0.5")
    assert (config.task, config.task_weights) == (("ner", "pos"), {"ner": 2.0, "pos": 0.5})


def test_the_shell_completes_choices_and_options(command, monkeypatch):
    def completed(line):
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        return command().out.split()

    monkeypatch.setenv("_POLYTAG_COMPLETE", "complete_bash")
    assert completed("polytag train --decoding ") == ["viterbi", "argmax", "crf"]
    assert completed("polytag train --push-") == ["--push-every", "--push-private"]
