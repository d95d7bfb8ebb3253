"""Nothing of what is loaded is executed, and no loader asks a question: what is on standard input is text to tag."""

from __future__ import annotations

import ast
import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from polytag.runner import TrainResult
from support.checkpoints import make_checkpoint, make_classifier
from support.pages import ROOT

LABELS = ("O", "B-PER", "I-PER")
YES = b"y\nyes\ny\n"


class Touch:
    """When this is unpickled, a file is made."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self._path,)


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that whatever runs makes; no question may be asked either."""

    def asked(prompt: str = "") -> str:
        pytest.fail(f"a question is asked: {prompt}")

    monkeypatch.setattr("builtins.input", asked)
    monkeypatch.setattr("getpass.getpass", asked)
    path = tmp_path / "trace"
    yield path
    assert not path.exists(), "code of a folder was executed"


def with_code(folder: Path, trace: Path) -> Path:
    """Put all code into a folder that some library would run if it was told to."""
    code = f"open({str(trace)!r}, 'w')\nclass Mine: pass\n"
    for name in ("mine.py", "modeling.py", f"{folder.name}.py", "__init__.py", "handler.py", "conftest.py"):
        (folder / name).write_text(code, encoding="utf-8")
    for name in ("pytorch_model.bin", "training_args.bin", "model.pkl", "optimizer.pt"):
        (folder / name).write_bytes(pickle.dumps(Touch(trace)))
    return folder


def edit(path: Path, **changes: object) -> None:
    values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**values, **changes}), encoding="utf-8")


MAP = dict.fromkeys(("AutoConfig", "AutoModel", "AutoModelForTokenClassification"), "mine.Mine")
TOKENIZER_MAP = {"AutoTokenizer": ["mine.Mine", "mine.Mine"]}


def _config_names_code(folder: Path) -> None:
    edit(folder / "config.json", auto_map=MAP)


def _config_names_other_configs(folder: Path) -> None:
    edit(folder / "config.json", configuration_files=["config.4.0.0.json"])
    shutil.copy(folder / "config.json", folder / "config.4.0.0.json")
    edit(folder / "config.4.0.0.json", auto_map=MAP, model_type="mine")


def _tokenizer_names_code(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("[UNK]\n[PAD]\n[CLS]\n[SEP]\n[MASK]\ny\n")
    edit(folder / "tokenizer_config.json", auto_map=TOKENIZER_MAP, tokenizer_class="Mine")


@pytest.mark.parametrize("spoil", [_config_names_code, _config_names_other_configs, _tokenizer_names_code])
@pytest.mark.parametrize("tokenizer", ["fast", "slow"])
def test_a_checkpoint_that_names_code_is_refused_in_a_paragraph(
    command, tmp_path: Path, trace: Path, spoil: Callable[[Path], None], tokenizer: str
) -> None:
    folder = with_code(make_classifier(tmp_path / "checkpoint", "bert", LABELS), trace)
    spoil(folder)
    if tokenizer == "slow":
        (folder / "tokenizer.json").unlink(missing_ok=True)
    runs = [["predict", folder, "-"], ["evaluate", folder, "--corpus", "sample"]]
    runs.append(["train", "-t", "ner", "-c", "sample", "-e", folder, "-o", tmp_path / "new"])
    runs.append(["train", "-t", "ner", "-c", "sample", "--from", folder, "-o", tmp_path / "new"])
    for arguments in runs:
        done = command(*arguments, stdin=YES)
        assert done.status == 2, done
        paragraph = done.err.splitlines()[-1]
        assert "'auto_map'" in paragraph or "'configuration_files'" in paragraph
        assert "code" in paragraph
        assert len(paragraph) < 1_000


def test_code_beside_a_tagger_is_not_looked_at_and_yes_is_text(
    command, ner_run: TrainResult, tmp_path: Path, trace: Path
) -> None:
    folder = with_code(shutil.copytree(ner_run.output, tmp_path / "tagger"), trace)
    edit(folder / "config.json", auto_map=MAP, configuration_files=["config.4.0.0.json"])
    edit(folder / "tokenizer_config.json", auto_map=TOKENIZER_MAP)
    done = command("predict", folder, "-", stdin=YES)
    assert (done.status, done.err) == (0, "")
    assert [json.loads(line)["text"] for line in done.out.splitlines()] == ["y", "yes", "y"]


def test_weights_in_a_pickle_are_refused(command, tmp_path: Path, trace: Path) -> None:
    folder = with_code(make_classifier(tmp_path / "checkpoint", "bert", LABELS), trace)
    (folder / "model.safetensors").unlink()
    done = command("predict", folder, "-", stdin=YES)
    assert done.status == 2
    assert "pytorch_model.bin is a pickle, which could run code, and is not read" in " ".join(done.err.split())


def test_a_model_for_onnx_runtime_reads_no_file_of_another_folder(command, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from hashlib import sha256

    from support.random_tagger import save_random_tagger

    folder = save_random_tagger(tmp_path / "tagger", {"ner": (LABELS, "iob2")})
    (tmp_path / "secret").write_bytes(bytes(12))
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[3], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../secret")
    ids, mask = (onnx.helper.make_tensor_value_info(name, 7, ["b", "n"]) for name in ("input_ids", "attention_mask"))
    logits = onnx.helper.make_tensor_value_info("logits", 1, ["b", "n", 3])
    graph = onnx.helper.make_graph([], "graph", [ids, mask], [logits], [tensor])
    (folder / "onnx").mkdir()
    (folder / "onnx/model.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    weights, content = (
        sha256((folder / name).read_bytes()).hexdigest() for name in ("model.safetensors", "onnx/model.onnx")
    )
    edit(folder / "polytag.json", onnx={"onnx/model.onnx": {"weights": weights, "content": content}})
    done = command("predict", folder, "-", stdin=YES)
    assert done.status == 2
    assert "onnx/model.onnx cannot be loaded" in done.err
    assert len(done.err) < 1_000


def test_code_and_pickles_in_a_corpus_are_not_run(command, tmp_path: Path, trace: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    folder = tmp_path / "corpus"
    folder.mkdir()
    words = pyarrow.array([["y", "yes"]])
    # Until its version 14, pyarrow unpickled types of this name.
    hidden = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Touch(trace)),
    }
    fields = [pyarrow.field("tokens", words.type), pyarrow.field("ner_tags", words.type, metadata=hidden)]
    table = pyarrow.Table.from_arrays([words, pyarrow.array([["O", "O"]])], schema=pyarrow.schema(fields))
    pyarrow.parquet.write_table(table, folder / "train.parquet")
    with_code(folder, trace)
    command("corpus", "describe", folder, stdin=YES)
    assert command("corpus", "describe", folder / "train.parquet", stdin=YES).status == 0


def test_a_saved_dataset_runs_nothing(command, tmp_path: Path, trace: Path) -> None:
    import datasets

    folder = tmp_path / "saved"
    datasets.Dataset.from_dict({"tokens": [["y"]], "ner_tags": [["O"]]}).save_to_disk(folder)
    assert command("corpus", "describe", with_code(folder, trace), stdin=YES).status == 0
    edit(folder / "state.json", _format_type="custom", _format_kwargs={"transform": "mine.Mine"})
    done = command("corpus", "describe", folder, stdin=YES)
    assert done.status in (0, 2)
    assert "Traceback" not in done.err


def test_a_docbin_runs_nothing(command, tmp_path: Path, trace: Path) -> None:
    spacy = pytest.importorskip("spacy")
    import srsly

    doc = spacy.blank("en")("y yes")
    spacy.tokens.DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "good.spacy")
    import zlib

    values = srsly.msgpack_loads(zlib.decompress((tmp_path / "good.spacy").read_bytes()))
    array = {b"nd": True, b"kind": b"O", b"type": "|O8", b"shape": [1], b"data": pickle.dumps(Touch(trace))}
    values["user_data"] = [srsly.msgpack_dumps({"a": array})]
    values["flags"] = [{"has_unknown_spaces": False}]
    (tmp_path / "bad.spacy").write_bytes(zlib.compress(srsly.msgpack_dumps(values)))
    done = command("corpus", "describe", tmp_path / "bad.spacy", stdin=YES)
    assert done.status in (0, 2)
    assert "Traceback" not in done.err


def test_tokenizers_and_weights_of_an_encoder_run_nothing(command, tmp_path: Path, trace: Path) -> None:
    folder = with_code(make_checkpoint(tmp_path / "checkpoint", "bert"), trace)
    (folder / "tokenizer_config.json").write_text(json.dumps({"auto_map": TOKENIZER_MAP, "tokenizer_class": "Mine"}))
    done = command("corpus", "check", "sample", "--encoder", folder, stdin=YES)
    assert done.status == 0, done


FORBIDDEN = {"eval", "exec", "input", "compile", "__import__"}
MODULES = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}


SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
SOURCES = [path for path in SOURCES if path.parent.name != "testing"]  # which runs a plugin author's own programs


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_sources_call_nothing_that_runs_what_it_loads(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
            assert not MODULES & {name.partition(".")[0] for name in names}, node.lineno
        if isinstance(node, ast.Call):
            keywords = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            if isinstance(node.func, ast.Name):
                assert node.func.id not in FORBIDDEN, node.lineno
            if isinstance(node.func, ast.Attribute):
                called = f"{getattr(node.func.value, 'id', '')}.{node.func.attr}"
                assert node.func.attr not in ("load_model", "read_pickle", "unsafe_load"), node.lineno
                assert called not in ("torch.load", "yaml.load", "np.load"), node.lineno
                if node.func.attr == "from_pretrained":
                    assert keywords.get("trust_remote_code") is False, node.lineno
