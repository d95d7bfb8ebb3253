"""Side by side with transformers on PyTorch, which polytag does not need: these tests run where it is installed.

What they compare is measured without PyTorch, too, by its hidden states in `references.npz`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytag
from polytag import Tagger
from polytag.corpus.sample.reader import sample_sentences
from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import featurise
from polytag.engine.encoders.pretrained import create
from support.checkpoints import FAMILIES, SENTENCES, make_checkpoint, read_checkpoint, transformers_tokenizer
from support.references import pytorch_vectors

torch = pytest.importorskip("torch")

WORDS = [sentence.split() for sentence in SENTENCES]
SHORT = 4
"""Words of a sentence that fits into a tiny checkpoint: PyTorch has no windows."""
LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-MISC", "I-MISC")

each_family = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture
def pytorch_classifier(tmp_path: Path, family: str) -> Path:
    """A token classifier that PyTorch made: random weights, large enough to make a difference."""
    from transformers import AutoConfig, AutoModelForTokenClassification

    folder = make_checkpoint(tmp_path / "classifier", family)
    config = AutoConfig.from_pretrained(folder)
    config.id2label = dict(enumerate(LABELS))
    config.label2id = {label: index for index, label in enumerate(LABELS)}
    # Not PyTorch's own numbers: what a seed gives there depends on the processor.
    random = np.random.default_rng(11)
    model = AutoModelForTokenClassification.from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(random.normal(0, 0.3, parameter.shape)))
            if "norm" in name.lower() and name.endswith("weight"):
                parameter.add_(1)
            if re.search(r"(word|tok)_embeddings|embed_tokens", name):
                parameter.mul_(10)
        # Without what all words share, they do not all get the same label.
        ids = torch.from_numpy(random.integers(5, config.vocab_size, (50, 8)))
        seen: list[Any] = []
        hook = model.classifier.register_forward_pre_hook(lambda _, given: seen.extend(given))
        model.eval()(input_ids=ids)
        hook.remove()
        shared = seen[0].mean((0, 1))
        model.classifier.bias.copy_(-model.classifier.weight @ shared)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder)
    return folder


def loaded_whole(folder: Path) -> Any:
    """The token classifier of a folder, in PyTorch, of which no weight is missing and none is left over."""
    from transformers import AutoModelForTokenClassification

    model, report = AutoModelForTokenClassification.from_pretrained(folder, output_loading_info=True)
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not report[problem], (problem, report[problem])
    return model.eval()


def pytorch_probabilities(folder: Path, sentences: list[list[str]]) -> Iterator[np.ndarray[Any, Any]]:
    """Probabilities of each sentence's words, float32 (words, labels), read at their first subwords."""
    tokenizer = transformers_tokenizer(folder, json.loads((folder / "config.json").read_text())["model_type"])
    model = loaded_whole(folder)
    for words in sentences:
        inputs = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            found = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
        first = [inputs.word_ids().index(word) for word in range(len(words))]
        yield found[0].softmax(-1).numpy()[first]


@each_family
def test_hidden_states_agree_within_1e_4(pytorch_classifier: Path) -> None:
    encoder = create(str(pytorch_classifier))
    features = featurise(encoder, [WORDS[0], [word for words in WORDS for word in words][:11], ["EU"]])
    batch = BatchBuilder(features, encoder).build(np.arange(3))
    expected = pytorch_vectors(pytorch_classifier, batch.ids[:, :, 0], batch.mask)
    found = np.asarray(encoder.network(batch.ids, batch.mask))[batch.mask]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@each_family
def test_read_written_and_read_again_the_bits_are_the_same(pytorch_classifier: Path, tmp_path: Path) -> None:
    tagger = Tagger.load(pytorch_classifier)
    tagger.save(tmp_path / "once")
    Tagger.load(tmp_path / "once").save(tmp_path / "twice")
    folders = (pytorch_classifier, tmp_path / "once", tmp_path / "twice")
    original, once, twice = map(read_checkpoint, folders)
    assert once.keys() == twice.keys() == original.keys()
    for name, values in once.items():
        assert np.array_equal(values, twice[name]), name
        assert np.array_equal(values, original[name]), name


@each_family
def test_a_classifier_from_pytorch_tags_as_it_does_there(pytorch_classifier: Path) -> None:
    tagger = Tagger.load(pytorch_classifier)
    assert_same_tags(tagger, pytorch_classifier, WORDS * 3)


@each_family
def test_a_tagger_trained_here_tags_the_same_there(pytorch_classifier: Path, tmp_path: Path, tiny_corpus: Path) -> None:
    """Training goes on from the classifier, whose random head gives many different labels."""
    result = polytag.train(
        task="ner",
        corpus=str(tiny_corpus),
        from_=str(pytorch_classifier),
        output=tmp_path / "tagger",
        epochs=1,
        learning_rate=1e-4,
        decoding="argmax",
        quiet=True,
    )
    assert_same_tags(result.tagger, result.output, [list(sentence.words) for sentence in sample_sentences("test")[:60]])


@each_family
def test_an_adapter_trained_here_is_one_of_peft_there(
    pytorch_classifier: Path, tmp_path: Path, tiny_corpus: Path
) -> None:
    peft = pytest.importorskip("peft")
    options = {"task": "ner", "corpus": str(tiny_corpus), "from_": str(pytorch_classifier), "lora": 2, "quiet": True}
    result = polytag.train(**options, output=tmp_path / "tagger", epochs=1, learning_rate=1e-3, decoding="argmax")
    adapted = peft.PeftModel.from_pretrained(loaded_whole(pytorch_classifier), str(result.output))
    adapted.merge_and_unload().save_pretrained(tmp_path / "merged")
    for path in pytorch_classifier.glob("*token*"):
        shutil.copy(path, tmp_path / "merged")
    changed = read_checkpoint(tmp_path / "merged")
    assert not all(
        np.array_equal(tensor, changed[name]) for name, tensor in read_checkpoint(pytorch_classifier).items()
    )
    sentences = [list(sentence.words) for sentence in sample_sentences("test")[:60]]
    assert_same_tags(Tagger.load(result.output), tmp_path / "merged", sentences)


def assert_same_tags(tagger: Tagger, folder: Path, sentences: list[list[str]]) -> None:
    """The same label on every word, and its probability before calibration within 1e-3."""
    (head,) = tagger.heads.values()
    sentences = [words[:SHORT] for words in sentences]
    sentences = [words for words in sentences if len(tagger.encoder.encode(words).ids) <= tagger.encoder.max_units]
    assert len(sentences) > 10
    features, predictions = tagger.predict(sentences)
    (found,) = predictions.values()
    expected = np.concatenate(list(pytorch_probabilities(folder, sentences)))
    assert features.n_words == len(expected)
    names = np.array(head.labels)
    assert len(set(found.labels.tolist())) > 1  # one label on all words would show nothing
    assert names[found.labels].tolist() == names[expected.argmax(-1)].tolist()
    np.testing.assert_allclose(found.uncalibrated, expected.max(-1), atol=1e-3)
