"""The configuration of a run: a TOML file, flags over it, and what is said when they are wrong."""

from pathlib import Path

import pytest

from polytag import PolytagError, RunConfig
from polytag.plugin.encoder import TrainingDefaults

_FLAGS = {"task": ["ner"], "corpus": "sample", "output": "out"}


def toml(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_flags_override_the_file_and_leave_the_rest_of_it(tmp_path):
    file = toml(tmp_path, 'task = "pos"\ncorpus = "mine"\noutput = "a"\nepochs = 7\nseed = 3\n')
    config = RunConfig.from_sources(file, {"task": ["ner", "chunk"], "epochs": 2, "seed": None})
    assert (config.task, config.corpus, config.epochs, config.seed) == (("ner", "chunk"), "mine", 2, 3)


def test_a_task_named_twice_is_trained_once():
    assert RunConfig.from_sources(None, _FLAGS | {"task": ["pos", "ner", "pos"]}).task == ("pos", "ner")


def test_what_was_not_said_comes_from_the_encoder():
    defaults = TrainingDefaults(epochs=5, batch_size=8, learning_rate=0.1, weight_decay=0.2, averaging=0.3)
    config = RunConfig.from_sources(None, _FLAGS | {"epochs": 2, "weight_decay": 0.0}).resolved(defaults)
    assert (config.epochs, config.batch_size, config.learning_rate) == (2, 8, 0.1)
    assert (config.weight_decay, config.averaging) == (0.0, 0.3)


def test_a_saved_configuration_reads_back_as_the_same_run(tmp_path):
    said = _FLAGS | {
        "task": ["ner", "pos"],
        "columns": ["tokens", "pos_tags", "_", "ner_tags"],
        "task_weights": {"ner": 2.5},
        "learning_rate": 3e-5,
        "window": 64,
        "seed": 11,
        "patience": 2,
        "corpus": 'a "quoted" name\\with = signs',
    }
    config = RunConfig.from_sources(None, said)
    assert RunConfig.from_sources(toml(tmp_path, config.to_toml()), {}) == config


def test_the_permission_to_overwrite_is_not_saved():
    assert "overwrite" not in RunConfig.from_sources(None, _FLAGS | {"overwrite": True}).to_toml()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "epoch = 3",
            ["'epoch' is not an option of a run. Did you mean 'epochs' or 'report' or 'export'? See `polytag train"],
        ),
        ("form = 'x'", ["'form' is not an option of a run. Did you mean 'from' or 'lora'? See"]),
        ('epochs = "many"', ["'epochs' is 'many'", "valid integer"]),
        ("teacher_temperature = 0.01", ["'teacher_temperature' is 0.01", "greater than or equal to 0.1"]),
        ("teacher_temperature = 1e6", ["'teacher_temperature' is 1000000.0", "less than or equal to 100"]),
        ("epochs = 0", ["'epochs' is 0", "greater than or equal to 1"]),
        ("warmup = 1.5", ["'warmup' is 1.5", "less than 1"]),
        ("clip = inf", ["'clip' is inf", "finite number"]),
        ("[task_weights]\nner = inf", ["'task_weights.ner' is inf", "finite number"]),
        ('decoding = "vitrbi"', ["'decoding' is 'vitrbi'", "must be viterbi, argmax or crf"]),
        ("[task_weights]\nner = 0", ["'task_weights.ner' is 0", "greater than 0"]),
        ("task = []", ["'task' is []"]),
        ("epochs = \nseed = 1", ["is not TOML", "line 1"]),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, expected):
    file = toml(tmp_path, text)
    flags = {name: value for name, value in _FLAGS.items() if not text.startswith(name)}
    with pytest.raises(PolytagError) as caught:
        RunConfig.from_sources(file, flags)
    message = str(caught.value)
    assert all(part in message for part in [*expected, str(file)]), message
    assert "\n" not in message


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    file = toml(tmp_path, "\ufeffepochs = 7\n")
    assert RunConfig.from_sources(file, _FLAGS).epochs == 7


def test_columns_may_be_written_as_on_the_command_line(tmp_path):
    file = toml(tmp_path, 'columns = "tokens,ner_tags"')
    assert RunConfig.from_sources(file, _FLAGS).columns == ("tokens", "ner_tags")
    assert RunConfig.from_sources(file, _FLAGS | {"columns": "tokens, _ ,x"}).columns == ("tokens", "_", "x")


@pytest.mark.parametrize(
    "text", ['task_weight = "ner=2"', 'task_weight = ["ner=2"]', "[task_weight]\nner = 2", "[task_weights]\nner = 2"]
)
def test_weights_of_tasks_may_have_the_name_of_the_option(tmp_path, text):
    file = toml(tmp_path, text)
    assert RunConfig.from_sources(file, _FLAGS).task_weights == {"ner": 2.0}
    assert RunConfig.from_sources(file, _FLAGS | {"task_weights": ["ner=3"]}).task_weights == {"ner": 3.0}


def test_the_command_line_takes_columns_with_blanks_between(command, monkeypatch):
    def train(config, quiet):
        raise PolytagError(f"{config.columns} {config.task_weights}")

    monkeypatch.setattr("polytag.runner.train", train)
    done = command(
        "train", *("-t", "ner", "-c", "x", "-o", "y"), "--columns", "tokens, ner_tags", "--task-weight", "ner=2"
    )
    assert done.err == "polytag: ('tokens', 'ner_tags') {'ner': 2.0}\n"


def test_a_tilde_is_the_home_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    paths = {"output": "~/mine", "tensorboard": "~/curves", "profile": "~/trace", "loss_weights": "~/weights.toml"}
    config = RunConfig.from_sources(None, _FLAGS | paths)
    assert (config.output, config.tensorboard) == (tmp_path / "mine", tmp_path / "curves")
    assert (config.profile, config.loss_weights) == (tmp_path / "trace", str(tmp_path / "weights.toml"))
    assert RunConfig(**_FLAGS | {"output": "~nobody-of-this-name/x"}).output == Path("~nobody-of-this-name/x")
    assert RunConfig(**_FLAGS, loss_weights="balanced").loss_weights == "balanced"


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path):
    with pytest.raises(PolytagError, match=r"nowhere.toml' cannot be read: No such file"):
        RunConfig.from_sources(tmp_path / "nowhere.toml", {})
    (tmp_path / "run.toml").write_bytes(b"corpus = '\xff'")
    with pytest.raises(PolytagError, match=r"run.toml' is not TOML"):
        RunConfig.from_sources(tmp_path / "run.toml", {})


def test_all_that_is_missing_is_listed_with_an_example():
    with pytest.raises(PolytagError, match=r"--task and --output are missing; say, `--task ner --corpus sample"):
        RunConfig.from_sources(None, {"corpus": "sample"})


def test_several_mistakes_are_told_at_once():
    with pytest.raises(PolytagError, match=r"'epochs' is 0.*; 'seed' is -1"):
        RunConfig.from_sources(None, _FLAGS | {"epochs": 0, "seed": -1})


def test_true_is_no_number(tmp_path):
    (tmp_path / "run.toml").write_text("lora = true\nepochs = true\ncased = true\n")
    with pytest.raises(PolytagError, match="'lora' is True: it must be a number or a text") as refused:
        RunConfig.from_sources(tmp_path / "run.toml", {"task": ["ner"], "corpus": "sample", "output": "x"})
    assert "'epochs' is True" in str(refused.value)
    assert "'cased'" not in str(refused.value)


def test_a_seed_has_to_fit_in_32_bits():
    assert RunConfig(**_FLAGS, seed=2**32 - 1).seed == 2**32 - 1
    with pytest.raises(PolytagError, match=r"'seed' is 1764123456789"):
        RunConfig.from_sources(None, _FLAGS | {"seed": 1764123456789})


@pytest.mark.parametrize(
    ("flags", "time", "expected"),
    [
        ("fpu avx2", 0.5, "float32"),
        ("fpu avx2 avx512_bf16", 0.57, "bfloat16"),
        ("fpu avx2 avx512_bf16", 1.9, "float32"),
        ("fpu avx2 amx_bf16", 0.2, "bfloat16"),
    ],
)
def test_short_numbers_are_the_default_only_where_they_are_faster(flags, time, expected, tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr("polytag.engine.devices._PROCESSOR", tmp_path / "cpuinfo")
    monkeypatch.setattr("polytag.engine.devices.time_of_bfloat16", lambda: time)
    assert RunConfig(**_FLAGS).resolved(TrainingDefaults(1, 1, 1.0, 0.0, 0.0, "native")).precision == expected


def test_a_precision_that_was_asked_for_is_kept(monkeypatch):
    monkeypatch.setattr("polytag.engine.devices.time_of_bfloat16", lambda: 0.1)
    config = RunConfig(**_FLAGS, precision="float32")
    assert config.resolved(TrainingDefaults(1, 1, 1.0, 0.0, 0.0, "native")).precision == "float32"


@pytest.mark.parametrize("name", ["corpus", "output", "encoder"])
def test_what_could_not_be_recorded_is_refused_before_the_run(name):
    values = {"task": "ner", "corpus": "sample", "output": "new"} | {name: "caf\udce9"}  # Latin-1 on the command line
    with pytest.raises(PolytagError, match=rf"'{name}' is 'caf.udce9', which is not UTF-8 and cannot be recorded"):
        RunConfig.from_sources(None, values)
