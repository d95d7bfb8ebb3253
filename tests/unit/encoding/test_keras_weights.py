"""A `tf_model.h5` is data: whatever else a file of HDF5 can do is refused in a paragraph, before it is done."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from polytag.encoding.tensors import read_shapes, read_tensors
from polytag.errors import TaggerError
from support.old_checkpoints import write_h5

WORDS = "bert/tf_bert_model/bert/embeddings/word_embeddings/weight:0"
KERNEL = "bert/tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0"
GOOD = {
    WORDS: np.arange(12, dtype=np.float32).reshape(6, 2),
    KERNEL: np.arange(6, dtype=np.float32).reshape(2, 3),
    "mlm___cls/tf_bert_model/bert/embeddings/word_embeddings/weight:0": np.zeros((6, 2), np.float32),
    "mlm___cls/tf_bert_model/mlm___cls/predictions/bias:0": np.zeros(6, np.float32),
}


def test_variables_have_the_names_and_layouts_of_pytorch(tmp_path: Path) -> None:
    write_h5(tmp_path / "tf_model.h5", GOOD)
    found = read_tensors(tmp_path)
    words, query = "bert.embeddings.word_embeddings.weight", "bert.encoder.layer.0.attention.self.query.weight"
    assert list(found) == [words, query]  # and not the heads of pretraining
    assert np.array_equal(found[words], GOOD[WORDS])
    assert np.array_equal(found[query], GOOD[KERNEL].T)
    assert read_shapes(tmp_path) == {words: (6, 2), query: (3, 2)}


def instead(**options: Any) -> Callable[[h5py.File], None]:
    """Put another dataset in the place of the word embeddings."""

    def change(file: h5py.File) -> None:
        del file[WORDS]
        file.create_dataset(WORDS, **options)

    return change


def _virtual(file: h5py.File) -> None:
    del file[WORDS]
    layout = h5py.VirtualLayout((6, 2), "f4", maxshape=(None, 2))
    source = h5py.VirtualSource("pipe", "data", (6, 2), maxshape=(None, 2))
    layout[0 : h5py.h5s.UNLIMITED] = source[0 : h5py.h5s.UNLIMITED]
    file.create_virtual_dataset(WORDS, layout)


def _set(name: str, value: object) -> Callable[[h5py.File], None]:
    return lambda file: file.__setitem__(name, value)


def _circle(file: h5py.File) -> None:
    file["bert/again"] = file["bert"]


HOSTILE: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "a symbolic link": (_set("bert/more", h5py.SoftLink("/bert")), "'bert/more' is a link"),
    "a link to a file": (_set("bert/more", h5py.ExternalLink("pipe", "/")), "'bert/more' is a link"),
    "groups in a circle": (_circle, "'bert/again' is one object too many"),
    "groups without end": (_set("/".join("x" * 100), 1.0), "is one object too many"),
    "values in another file": (instead(shape=(6, 2), dtype="f4", external=[("pipe", 0, 48)]), "in other files"),
    "values of other datasets": (_virtual, "in other files"),
    "a compressed dataset": (instead(shape=(6, 2), dtype="f4", compression="gzip"), "in pieces"),
    "a bomb": (instead(shape=(10**7, 10**5), dtype="f4", compression="gzip"), "in pieces"),
    "a shape without values": (instead(shape=(10**7, 10**5), dtype="f4"), "fewer bytes in the file than its shape"),
    "a dataset without a shape": (instead(data=h5py.Empty("f4")), "weights are floating-point numbers"),
    "integers": (instead(data=np.zeros((6, 2), np.int8)), "has the type int8"),
    "texts": (instead(shape=(6, 2), dtype=h5py.string_dtype()), "has the type object"),
    "references": (instead(shape=(6, 2), dtype=h5py.ref_dtype), "has the type object"),
    "one tensor twice": (_set("bert/b/bert/embeddings/word_embeddings/weight:0", 1.0), "twice, at 'bert/b/bert/emb"),
    "a name that is no text": (lambda file: file.create_group(b"bert/\xff"), "is damaged"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_else_hdf5_can_do_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whoever opened the other file would wait for ever: it is a pipe that nobody writes to."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    change, problem = HOSTILE[name]
    write_h5(tmp_path / "tf_model.h5", GOOD)
    with h5py.File(tmp_path / "tf_model.h5", "r+") as file:
        change(file)
    for read in (read_shapes, read_tensors):
        with pytest.raises(TaggerError) as caught:
            read(tmp_path)
        assert problem in str(caught.value)
        assert len(str(caught.value)) < 500


def test_tensors_that_share_their_values_do_not_multiply(tmp_path: Path) -> None:
    """The kernel's values were never written; it claims to be where the word embeddings are."""
    path = tmp_path / "tf_model.h5"
    write_h5(path, {WORDS: np.ones((100, 100), np.float32)})
    with h5py.File(path, "r+") as file:
        file.create_dataset(KERNEL, (100, 100), "f4")
        place = file[WORDS].id.get_offset().to_bytes(8, "little")
    size = (40_000).to_bytes(8, "little")
    content = path.read_bytes()
    assert content.count(b"\xff" * 8 + size) == 1
    path.write_bytes(content.replace(b"\xff" * 8 + size, place + size))
    with pytest.raises(TaggerError, match=r"its tensors need 80,000 bytes, and it has 52,"):
        read_tensors(tmp_path)


@pytest.mark.parametrize("damage", ["empty", "text", "half", "another format"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "tf_model.h5"
    write_h5(path, GOOD)
    whole = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "text": b"weights", "half": whole[: len(whole) // 2]}.get(damage, b"\x80\x04K\x01.")
    )
    with pytest.raises(TaggerError, match=r"tf_model\.h5 is damaged: .*\. Download it again\."):
        read_tensors(tmp_path)
