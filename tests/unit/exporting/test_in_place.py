"""ONNX models in the folders of taggers."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import pickle
import shutil
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import datasets  # noqa: TID253
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file  # noqa: TID253

import polytag
from polytag import PolytagError, Reporter, Tagger
from polytag.encoding.batches import UNIT_BUDGET
from polytag.errors import RuntimeHint
from polytag.exporting import export as exporting
from polytag.runner import TrainResult, run
from polytag.tagger import runtimes
from polytag.tagger.onnx_network import OnnxNetwork
from polytag.training.config import RunConfig
from support.checkpoints import make_checkpoint
from support.fuzz import forget_checksum
from support.random_tagger import save_random_tagger

SENTENCES = [["Anna", "met", "Peter", "in", "Rome", "."], ["Hello", "!"]]
TASKS = {"ner": (("O", "B-PER", "I-PER"), "iob2"), "pos": (("NN", "NNP", "."), "flat")}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger for two tasks with random weights, without an ONNX model."""
    return save_random_tagger(tmp_path_factory.mktemp("plain") / "tagger", TASKS)


@pytest.fixture(scope="module")
def exported(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same tagger with both ONNX models."""
    folder = shutil.copytree(plain, tmp_path_factory.mktemp("exported") / "tagger")
    polytag.export(folder, in_place=True)
    polytag.export(folder, in_place=True, quantize="int8")
    return folder


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    return shutil.copytree(exported, tmp_path / "tagger")


@pytest.fixture(autouse=True)
def no_hint_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "_HINTED", type(runtimes._HINTED)())


def test_a_tagger_with_an_onnx_model_runs_in_onnx_runtime(plain: Path, exported: Path) -> None:
    tagger, original = Tagger.load(exported), Tagger.load(plain, runtime="tensorflow")
    assert (tagger.runtime, original.runtime) == ("onnx", "tensorflow")
    _, found = tagger.predict(SENTENCES)
    _, expected = original.predict(SENTENCES)
    for task in TASKS:
        assert (found[task].labels == expected[task].labels).all()
        np.testing.assert_allclose(found[task].scores, expected[task].scores, atol=1e-4)


def test_the_models_are_where_optimum_and_transformers_js_look_and_give_logits(exported: Path, tmp_path: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(exported / "onnx/model.onnx"))
    assert [given.name for given in session.get_inputs()] == ["input_ids", "attention_mask", "token_type_ids"]
    assert {found.name for found in session.get_outputs()} == {"ner", "pos"}

    one = Tagger.load(exported, runtime="tensorflow")
    Tagger(one.network.only("ner"), {"ner": one.heads["ner"]}).save(tmp_path / "one")
    polytag.export(tmp_path / "one", in_place=True)
    session = onnxruntime.InferenceSession(str(tmp_path / "one/onnx/model.onnx"))
    (output,) = session.get_outputs()
    assert output.name == "logits"
    ones = np.ones((1, 3), dtype=np.int64)
    given = {"input_ids": np.array([[2, 7, 3]]), "attention_mask": ones, "token_type_ids": 0 * ones}
    logits = np.asarray(one.network(given["input_ids"][..., None].astype(np.int32), np.ones((1, 3), dtype=bool))["ner"])
    np.testing.assert_allclose(session.run(None, given)[0], logits, atol=1e-4)


def test_eight_bits_are_used_by_choice(exported: Path) -> None:
    assert Tagger.load(exported, runtime="onnx-int8").runtime == "onnx-int8"


def test_a_model_of_other_weights_is_refused_until_it_is_renewed(command, copy: Path) -> None:
    forget_checksum(copy)
    weights = load_file(copy / "model.safetensors")
    weights["classifiers.ner.bias"] = weights["classifiers.ner.bias"] + 5
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    refused = command("predict", copy, "-", stdin=b"Anna\n")
    assert refused.status == 2
    assert "was made from other weights than model.safetensors" in refused.err
    assert f"polytag export {copy} --in-place" in refused.err

    assert command("export", copy, "--in-place").status == 0
    assert command("predict", copy, "-", stdin=b"Anna\n").status == 0
    quantised = command("predict", copy, "-", "--runtime", "onnx-int8", stdin=b"Anna\n")
    assert f"polytag export {copy} --in-place --quantize int8" in quantised.err


def test_a_foreign_model_is_refused(plain: Path, copy: Path, tmp_path: Path) -> None:
    (copy / "onnx/model.onnx").write_bytes((copy / "onnx/model_quantized.onnx").read_bytes())
    with pytest.raises(PolytagError, match="is not the file that polytag wrote for this tagger"):
        Tagger.load(copy)
    unrecorded = shutil.copytree(plain, tmp_path / "unrecorded")
    shutil.copytree(copy / "onnx", unrecorded / "onnx")
    with pytest.raises(PolytagError, match="is not the file that polytag wrote for this tagger"):
        Tagger.load(unrecorded)


def test_without_a_model_a_hint_says_once_how_to_get_one(plain: Path) -> None:
    with pytest.warns(RuntimeHint, match=f"polytag export {plain} --in-place"):
        assert Tagger.load(plain).runtime == "tensorflow"
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeHint)
        Tagger.load(plain)


def test_without_onnx_runtime_tensorflow_is_used(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = runtimes.importlib.util.find_spec
    monkeypatch.setattr(
        runtimes.importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else usual(name)
    )
    with pytest.warns(RuntimeHint, match="pip install onnxruntime"):
        assert Tagger.load(exported).runtime == "tensorflow"


def test_it_can_be_pickled_and_used_in_a_forked_process(exported: Path) -> None:
    tagger = Tagger.load(exported)
    expected = tagger.predict_tags(SENTENCES)
    assert pickle.loads(pickle.dumps(tagger)).predict_tags(SENTENCES) == expected
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(tagger.predict_tags, [SENTENCES] * 4).get(timeout=60) == [expected] * 4
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(tagger.predict_tags, (SENTENCES,)).get(timeout=60) == expected


def test_threads_share_its_session_also_in_processes_that_a_data_set_forks(exported: Path) -> None:
    tagger = Tagger.load(exported)
    expected = tagger.predict_tags(SENTENCES)["ner"]

    def tag(batch: dict[str, list[list[str]]]) -> dict[str, list[list[str]]]:
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda words: tagger.predict_tags([words]), batch["words"]))
        return {"ner": [tags["ner"][0] for tags in found]}

    rows = datasets.Dataset.from_dict({"words": SENTENCES})
    assert tag(rows[:])["ner"] == expected
    assert list(rows.map(tag, batched=True, batch_size=2, num_proc=2)["ner"]) == expected


def test_batches_of_words_are_computed_in_parallel_in_one_session(
    ner_run: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    monkeypatch.setattr(runtimes, "threads", lambda: 3)
    monkeypatch.setitem(UNIT_BUDGET, "word", 8)
    folder = shutil.copytree(ner_run.output, tmp_path / "tagger")
    polytag.export(folder, in_place=True)
    tagger, expected = Tagger.load(folder, runtime="onnx"), Tagger.load(folder).predict_tags(SENTENCES * 20)
    assert tagger.predict_tags(SENTENCES * 20) == expected
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(tagger.predict_tags, (SENTENCES * 20,)).get(timeout=60) == expected

    opened, running = [], set()
    open_session, run = onnxruntime.InferenceSession, OnnxNetwork.__call__
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **k: (opened.append(a), open_session(*a, **k))[1])
    monkeypatch.setattr(OnnxNetwork, "__call__", lambda *a: (running.add(threading.get_ident()), run(*a))[1])
    assert pickle.loads(pickle.dumps(tagger)).predict_tags(SENTENCES * 20) == expected
    assert len(opened) == 1
    assert len(running) == 3


def test_a_folder_that_changes_does_not_change_what_was_loaded(copy: Path, tmp_path: Path) -> None:
    tagger = Tagger.load(copy)
    pickled = pickle.dumps(tagger)
    (copy / "onnx/model.onnx").write_bytes((copy / "onnx/model_quantized.onnx").read_bytes())
    with pytest.raises(PolytagError, match="onnx has changed since the tagger was loaded"):
        pickle.loads(pickled).predict_tags(SENTENCES)
    (copy / "model.safetensors").write_bytes(b"")
    with pytest.raises(PolytagError, match="safetensors has changed since the tagger was loaded"):
        tagger.save(tmp_path / "saved")
    assert tagger.predict_tags(SENTENCES)


def test_a_damaged_record_is_named(copy: Path) -> None:
    described = json.loads((copy / "polytag.json").read_text(encoding="utf-8"))
    for change, message in (
        ({"onnx": {"onnx/model.onnx": None}}, "must be an object with weights and content"),
        ({"onnx": {"onnx/model.onnx": {"weights": "1", "content": "1"}}}, "must be 64 hexadecimal digits"),
        (
            {"onnx": {"onnx/model.onnx": {"weights": "0" * 64, "content": "0" * 64, "preferred": 5}}},
            "preferred.* must be true or false",
        ),
        ({"onnx": []}, "must be an object with an object for each ONNX model"),
    ):
        (copy / "polytag.json").write_text(json.dumps({**described, **change}), encoding="utf-8")
        with pytest.raises(PolytagError, match=message):
            Tagger.load(copy)
    described["tasks"]["pos"]["labels"].append("VB")
    (copy / "polytag.json").write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(PolytagError, match=r"has other tasks or labels than polytag\.json"):
        Tagger.load(copy)
    (copy / "model.safetensors").unlink()
    with pytest.raises(PolytagError, match=r"it has no model\.safetensors"):
        Tagger.load(copy)


def test_it_is_saved_without_the_model_that_is_not_in_the_new_folder(exported: Path, tmp_path: Path) -> None:
    Tagger.load(exported).save(tmp_path / "saved")
    assert "onnx" not in json.loads((tmp_path / "saved/polytag.json").read_text(encoding="utf-8"))
    assert (tmp_path / "saved/model.safetensors").read_bytes() == (exported / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"output": "elsewhere"}, "Leave out the output folder"),
        ({"to": "litert"}, "Leave out the output folder"),
        ({"task": "ner"}, "Leave out the output folder"),
    ],
)
def test_what_does_not_fit_an_export_in_place_is_refused(plain: Path, options: dict[str, str], expected: str) -> None:
    with pytest.raises(PolytagError, match=expected):
        polytag.export(plain, in_place=True, **options)


@pytest.mark.parametrize("to", ["onnx", "transformers"])
def test_an_export_does_not_replace_its_tagger(plain: Path, tmp_path: Path, to: str) -> None:
    folder = shutil.copytree(plain, tmp_path / "tagger")
    (tmp_path / "link").symlink_to(folder)
    for output in (folder, tmp_path / "link"):
        with pytest.raises(PolytagError, match="is the folder of the tagger itself, which the export would replace"):
            polytag.export(folder, output, to=to, task="ner", overwrite=True)
    assert (folder / "model.safetensors").read_bytes() == (plain / "model.safetensors").read_bytes()


def test_only_a_folder_of_a_tagger_can_hold_one(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match="needs the folder of a tagger on this machine"):
        polytag.export("owner/name", in_place=True)
    foreign = shutil.copytree(plain, tmp_path / "foreign")
    (foreign / "polytag.json").unlink()
    config = json.loads((foreign / "config.json").read_text(encoding="utf-8"))
    config["id2label"] = dict(enumerate(TASKS["ner"][0]))
    (foreign / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(PolytagError, match="but an export or a token classifier"):
        polytag.export(foreign, in_place=True)


def test_a_run_over_a_checkpoint_ends_with_one_that_runs_by_choice_or_without_tensorflow(
    command, tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uncompiled: None
) -> None:
    checkpoint = make_checkpoint(tmp_path / "bert", "bert")
    options = ["train", "-t", "ner", "-c", tiny_corpus, "-e", checkpoint, "--epochs", "1", "-o"]
    done = command(*options, tmp_path / "tagger")
    assert done.status == 0, done.err
    assert "ONNX model: ner 100.00% of words have the same tag" in done.err
    assert Tagger.load(tmp_path / "tagger", runtime="onnx").runtime == "onnx"
    with pytest.warns(RuntimeHint, match="choose the runtime onnx"):
        assert Tagger.load(tmp_path / "tagger").runtime == "tensorflow"
    with monkeypatch.context() as patch:
        usual = runtimes.importlib.util.find_spec
        patch.setattr(runtimes.importlib.util, "find_spec", lambda name: None if name == "tensorflow" else usual(name))
        assert Tagger.load(tmp_path / "tagger").runtime == "onnx"

    without = command(*options, tmp_path / "without", "--export", "none")
    assert without.status == 0, without.err
    assert "ONNX" not in without.err
    names = {path.name for path in (tmp_path / "tagger").iterdir()}
    assert {path.name for path in (tmp_path / "without").iterdir()} == names - {"onnx"}
    for name in names - {"onnx", "polytag.json", "run.toml", "README.md", "scores.json"}:
        assert (tmp_path / "tagger" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_a_model_that_a_run_was_asked_for_runs(command, tiny_corpus: Path, tmp_path: Path, uncompiled: None) -> None:
    checkpoint, folder = make_checkpoint(tmp_path / "bert", "bert"), tmp_path / "tagger"
    options = ["train", "-t", "ner", "-c", tiny_corpus, "-e", checkpoint, "--epochs", "1", "-o", folder]
    done = command(*options)
    assert done.status == 0, done.err
    assert command("export", folder, "--in-place", "-c", tiny_corpus).status == 0
    assert Tagger.load(folder).runtime == "onnx"

    done = command(*options, "--overwrite", "--export", "onnx")
    assert done.status == 0, done.err
    assert Tagger.load(folder).runtime == "onnx"
    assert 'export = "onnx"' in (folder / "run.toml").read_text(encoding="utf-8")


def test_a_run_ends_without_one_that_disagrees_unless_it_was_asked_for(
    command, tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uncompiled: None
) -> None:
    monkeypatch.setitem(exporting.LOWEST_AGREEMENT, None, 1.1)
    checkpoint = make_checkpoint(tmp_path / "bert", "bert")
    options = ["train", "-t", "ner", "-c", tiny_corpus, "-e", checkpoint, "--epochs", "1", "-o", tmp_path / "tagger"]
    refused = command(*options, "--export", "onnx")
    assert (refused.status, (tmp_path / "tagger").exists()) == (2, False)
    assert "The export disagrees with the tagger" in refused.err

    done = command(*options, "--resume")
    assert done.status == 0, done.err
    assert "No ONNX model was written. The export disagrees with the tagger" in done.err
    assert not (tmp_path / "tagger/onnx").exists()
    with pytest.warns(RuntimeHint):
        assert Tagger.load(tmp_path / "tagger").runtime == "tensorflow"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device. Make room, and write it with"),
        (MemoryError(), "There is not enough memory. Make room, and write it with polytag export --in-place."),
    ],
)
def test_a_model_that_nobody_asked_for_costs_no_tagger_where_there_is_no_room(
    command, tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uncompiled: None, error, said: str
) -> None:
    def half_written(tagger: Tagger, path: Path, quantize: str | None) -> None:
        path.parent.mkdir()
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(exporting, "write_onnx_in_place", half_written)
    checkpoint = make_checkpoint(tmp_path / "bert", "bert")
    options = ["train", "-t", "ner", "-c", tiny_corpus, "-e", checkpoint, "--epochs", "1", "-o", tmp_path / "tagger"]
    done = command(*options)
    assert (done.status, f"No ONNX model was written. {said}" in done.err) == (0, True), done.err
    assert not (tmp_path / "tagger/onnx").exists()
    assert Tagger.load(tmp_path / "tagger", runtime="tensorflow").tag(["Anna"])


def test_a_file_that_cannot_be_copied_is_named(plain: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(plain, tmp_path / "tagger")
    for name in ("notes", "remarks"):
        (folder / name).symlink_to("nowhere")
    with pytest.raises(
        PolytagError, match=r"tagger/(notes|remarks) cannot be copied: No such file or directory\. Make"
    ):
        polytag.export(folder, in_place=True)
    assert not (folder / "onnx").exists()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_record_that_cannot_be_written_leaves_the_one_of_the_tagger(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(plain, tmp_path / "tagger")
    tagger, record = Tagger.load(folder, runtime="tensorflow"), (folder / "polytag.json").read_bytes()
    monkeypatch.setattr(exporting.TaggerDescription, "to_json", lambda self: "\udc80")  # what UTF-8 has no bytes for
    with pytest.raises(UnicodeEncodeError):
        exporting.add_onnx(tagger, folder)
    assert (folder / "polytag.json").read_bytes() == record


def test_a_run_writes_one_unasked_for_checkpoints_alone(
    plain: Path, ner_run: TrainResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger = Tagger.load(plain, runtime="tensorflow")
    assert exporting.suits_onnx(tagger)
    assert not exporting.suits_onnx(ner_run.tagger)  # compact, which runs in NumPy
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "LARGEST_GRAPH", 1000)
        assert not exporting.suits_onnx(tagger)
    monkeypatch.setattr(exporting.importlib.util, "find_spec", lambda name: None)
    assert not exporting.suits_onnx(tagger)


def test_a_run_of_a_search_writes_none(tiny_corpus: Path, tmp_path: Path, uncompiled: None) -> None:
    checkpoint = make_checkpoint(tmp_path / "bert", "bert")
    options = {"task": ["ner"], "corpus": str(tiny_corpus), "encoder": str(checkpoint), "epochs": 1}
    config = RunConfig.from_sources(None, {**options, "output": tmp_path / "tagger"})
    run(config, Reporter(), tested=False)
    assert not (tmp_path / "tagger/onnx").exists()
