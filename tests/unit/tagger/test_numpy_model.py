"""A tagger in NumPy: copies and other processes, its TensorFlow model, the threads of BLAS."""

import copy
import multiprocessing
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import polytag
from polytag import Tagger, TaggerError
from polytag.tagger import numpy_model
from polytag.tagger.description import TaggerDescription

SENTENCES = polytag.load_corpus("sample").words("test")[:20]


@pytest.fixture(scope="module")
def tagger(ner_run) -> Tagger:
    return Tagger.load(ner_run.output)


def test_copies_tag_as_the_original(tagger):
    expected = tagger.tag_words(SENTENCES)
    assert tagger.network.runtime == "tensorflow"  # what TensorFlow made is in no copy
    for made in (
        copy.deepcopy(tagger),
        pickle.loads(pickle.dumps(tagger)),
        replace(tagger, window=100),
        tagger.decoded_by(tagger.heads["ner"].decoding),
    ):
        assert made.runtime == "numpy"
        assert made.tag_words(SENTENCES) == expected


def test_it_tags_in_a_forked_process_after_it_tagged_in_this_one(tagger):
    expected = tagger.predict_tags(SENTENCES)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(tagger.predict_tags, (SENTENCES,)).get(timeout=60) == expected


def test_its_tensorflow_model_has_its_weights_even_if_the_folder_has_others_now(ner_run, tmp_path):
    shutil.copytree(ner_run.output, tmp_path / "tagger")
    tagger = Tagger.load(tmp_path / "tagger")
    (tmp_path / "tagger/model.safetensors").unlink()
    tagger.save(tmp_path / "copy")
    weights = "model.safetensors"
    assert (tmp_path / "copy" / weights).read_bytes() == (ner_run.output / weights).read_bytes()
    assert tagger.runtime == "numpy"


def test_its_description_needs_no_tensorflow_model(tagger, ner_run):
    loaded = Tagger.load(ner_run.output)
    saved = TaggerDescription.read(ner_run.output)
    assert loaded.description() == saved.model_copy(update={"weights": None})
    assert "network" not in vars(loaded.model)


def test_batches_are_computed_in_parallel_and_blas_in_one_thread_until_all_are_done(tagger, monkeypatch):
    def blas() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    monkeypatch.setattr(numpy_model, "threads", lambda: 3)
    before, expected = blas(), tagger.predict_tags(SENTENCES * 50)
    seen = []
    heads = numpy_model.NumpyModel._rows

    def watched(model, batch):
        seen.append(blas())
        if len(seen) == 2:
            raise TaggerError("stopped")
        return heads(model, batch)

    assert blas() == before
    monkeypatch.setattr(numpy_model.NumpyModel, "_rows", watched)
    with pytest.raises(TaggerError, match="stopped"):
        tagger.predict_tags(SENTENCES * 50)
    assert set(seen[0]) == {1}
    assert blas() == before
    monkeypatch.undo()
    assert tagger.predict_tags(SENTENCES * 50) == expected


def test_a_text_without_words_needs_no_network(tagger):
    assert tagger.tag([" ", ""])[1].words == []
    assert tagger.predict_tags([]) == {"ner": []}
    assert np.shape(tagger.predict([])[1]["ner"].scores) == (0,)


def test_blas_keeps_to_one_thread_in_whichever_thread_a_text_is_tagged(tagger, monkeypatch):
    seen = []
    heads = numpy_model.NumpyModel._rows

    def watched(model, batch):
        seen.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")
        return heads(model, batch)

    monkeypatch.setattr(numpy_model.NumpyModel, "_rows", watched)
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:  # both live until the end
        for pool in (first, second, first):
            pool.submit(tagger.predict_tags, SENTENCES).result()
    assert set(seen) == {1}
