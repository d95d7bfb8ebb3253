"""The training loop: same seed, same weights; nothing but labelled words counts; it stops when it should."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import featurise
from polytag.encoding.teaching import Teaching
from polytag.encoding.tensors import fingerprint
from polytag.engine import checkpoints
from polytag.engine.checkpoints import CheckpointStore
from polytag.engine.encoders.compact import CompactEncoder
from polytag.engine.loop import Settings, layers_in, seed_everything, train_epochs
from polytag.engine.model import TaggerModel
from polytag.engine.step import TrainStep
from polytag.errors import TrainingError
from polytag.plugin.alignment import IGNORE
from polytag.plugin.reporter import Epoch, Progress
from support.tiny_model import TinyNetwork, settings, tiny_model

Weights = dict[str, NDArray[np.float32]]


class Scored(NamedTuple):
    """What an evaluation says to the loop."""

    score: float
    headlines: Mapping[str, float] = {}


def sentences(n: int, seed: int = 0) -> list[list[str]]:
    """Sentences of 1 to 12 words of one capital letter each."""
    random = np.random.default_rng(seed)
    return [[chr(letter) for letter in random.integers(65, 91, random.integers(1, 13))] for _ in range(n)]


def letter_labels(words: Sequence[Sequence[str]]) -> NDArray[np.int32]:
    """A tag that a model can learn: which third of the alphabet a letter is from."""
    return np.array([(ord(word) - 65) // 9 for sentence in words for word in sentence], np.int32)


def train(
    model: TaggerModel,
    words: Sequence[Sequence[str]],
    how: Settings,
    labels: Mapping[str, NDArray[np.int32]] | None = None,
    scores: Sequence[float] = (),
    on_step: Any = None,
    checkpoints: CheckpointStore | None = None,
) -> list[Epoch]:
    features = featurise(model.encoder, words)
    given = labels or dict.fromkeys(model.heads, letter_labels(words))
    remaining = iter(scores)
    builder = BatchBuilder(features, model.encoder, given)
    evaluate = lambda: Scored(next(remaining, 0.0))  # noqa: E731
    epochs = train_epochs(model, builder, features.lengths, how, evaluate, on_step, checkpoints)
    return [epoch for epoch, _ in epochs]


def assert_close(one: Weights, other: Weights, atol: float = 1e-6) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=0, atol=atol, err_msg=name)


def weights_of(model: TaggerModel) -> Weights:
    return {name: values.copy() for name, values in model.tensors().items()}


# Reproducibility


def test_the_same_seed_gives_the_same_bits() -> None:
    results = []
    for _ in range(2):
        seed_everything(3)
        model = TaggerModel(CompactEncoder(), {"task": ["A", "B", "C"]})
        epochs = train(model, sentences(40), settings(epochs=2, seed=3, averaging=0.99))
        results.append((weights_of(model), [epoch.loss for epoch in epochs]))
    (first, first_losses), (second, second_losses) = results
    assert first_losses == second_losses
    assert all(np.array_equal(values, second[name]) for name, values in first.items())


def test_losses_that_are_not_waited_for_change_nothing(uncompiled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for lag in (0, 1):  # as on a processor, and as on a GPU
        monkeypatch.setattr(TrainStep, "lag", lag)
        model = tiny_model()
        epochs = train(model, sentences(40), settings(epochs=2, accumulate=2))
        results.append((weights_of(model), [epoch.loss for epoch in epochs]))
    (weights, losses), (late_weights, late_losses) = results
    assert losses == late_losses
    assert all(np.array_equal(values, late_weights[name]) for name, values in weights.items())


def test_another_seed_gives_other_batches(uncompiled: None) -> None:
    one, other = tiny_model(), tiny_model()
    for seed, model in enumerate((one, other)):
        train(model, sentences(16), settings(seed=seed, batch_size=2))
    assert not np.array_equal(one.tensors()["classifier.bias"], other.tensors()["classifier.bias"])


# The loss and what it depends on


def test_the_loss_of_the_first_step_is_the_cross_entropy_of_the_untrained_model(uncompiled: None) -> None:
    model = tiny_model("one", "two")
    words = sentences(6)
    labels = {"one": letter_labels(words), "two": letter_labels(words)[::-1].copy()}
    labels["one"][::3] = IGNORE
    expected = 0.0
    for task, weight in (("one", 1.0), ("two", 0.25)):
        features = featurise(model.encoder, words)
        logits = np.asarray(model(features.ids[None], np.ones((1, len(features.ids)), bool))[task])[0]
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        labelled = labels[task] != IGNORE
        expected -= weight * logs[labelled, labels[task][labelled]].mean()
    (epoch,) = train(model, words, settings(task_weights={"two": 0.25}), labels)
    assert epoch.loss == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_an_open_word_is_that_of_the_sum_of_its_labels(uncompiled: None) -> None:
    model = tiny_model()
    words = sentences(6)
    labels = letter_labels(words)
    labels[::2] = 3  # open: the first or the third label
    features = featurise(model.encoder, words)
    logits = np.asarray(model(features.ids[None], np.ones((1, len(features.ids)), bool))["task"])[0]
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    right = np.where(labels == 3, found[:, [0, 2]].sum(axis=1), found[np.arange(len(labels)), labels % 3])
    (epoch,) = train(model, words, settings(open_labels={"task": (0, 2)}), {"task": labels})
    assert epoch.loss == pytest.approx(-np.log(right).mean(), rel=1e-5)


def test_unlabelled_words_and_padding_do_not_matter(uncompiled: None) -> None:
    words = [["A", "B"], ["J", "K", "L"]]
    longer = [*words, ["X"] * 11]
    plain, padded = tiny_model(), tiny_model()
    train(plain, words, settings(epochs=3))
    unlabelled = np.concatenate([letter_labels(words), np.full(11, IGNORE, np.int32)])
    train(padded, longer, settings(epochs=3), {"task": unlabelled})
    assert_close(plain.tensors(), padded.tensors())


def test_a_task_without_any_label_in_a_batch_is_left_alone(uncompiled: None) -> None:
    model = tiny_model("one", "two")
    words = sentences(4)
    before = model.tensors()["classifiers.two.bias"].copy()
    labels = {"one": letter_labels(words), "two": np.full(sum(map(len, words)), IGNORE, np.int32)}
    (epoch,) = train(model, words, settings(weight_decay=0.0), labels)
    assert math.isfinite(epoch.loss)
    assert np.array_equal(model.tensors()["classifiers.two.bias"], before)
    assert not np.array_equal(model.tensors()["classifiers.one.bias"], before)


def test_training_learns() -> None:
    model = tiny_model()
    epochs = train(model, sentences(64), settings(epochs=30, learning_rate=0.05))
    assert epochs[-1].loss < epochs[0].loss / 5


def test_two_accumulated_batches_of_four_are_one_batch_of_eight(uncompiled: None) -> None:
    """The mean is over all labelled words of both, not the mean of two means."""
    words = [["A"], ["B"], ["C"], ["D"], ["K"] * 12, ["L"] * 11, ["Z"] * 12, ["Y"] * 10]
    whole, halves = tiny_model(), tiny_model()
    whole_epochs = train(whole, words, settings(epochs=4, batch_size=8))
    half_epochs = train(halves, words, settings(epochs=4, batch_size=4, accumulate=2))
    assert_close(whole.tensors(), halves.tensors())
    assert [epoch.loss for epoch in half_epochs] == pytest.approx([epoch.loss for epoch in whole_epochs], rel=1e-5)


def test_the_last_update_of_an_epoch_takes_the_batches_that_are_left() -> None:
    words = [[letter] for letter in "ABCDEFGHIJKL"]
    steps: list[Progress] = []
    model = tiny_model()
    epochs = train(model, words, settings(epochs=2, batch_size=4, accumulate=2), on_step=steps.append)
    assert [(step.epoch, step.step, step.steps) for step in steps] == [(1, 2, 3), (1, 3, 3), (2, 2, 3), (2, 3, 3)]
    assert [step.learning_rate for step in steps] == pytest.approx([0.01, 0.0075, 0.005, 0.0025])
    assert [epoch.learning_rate for epoch in epochs] == pytest.approx([0.0075, 0.0025])


# What it says on the way


def test_progress_counts_real_units_and_tells_the_time_left() -> None:
    words = [["A"], ["B", "C"], ["D", "E", "F"], ["G"] * 4]
    model = tiny_model()
    features = featurise(model.encoder, words)
    builder = BatchBuilder(features, model.encoder, {task: letter_labels(words) for task in model.heads})
    steps: list[Progress] = []

    def evaluate() -> Scored:
        time.sleep(0.2)
        return Scored(0.0)

    how = settings(epochs=2, batch_size=2)
    epochs = [epoch for epoch, _ in train_epochs(model, builder, features.lengths, how, evaluate, steps.append)]
    assert [step.units for step in steps if step.step == step.steps] == [10, 10]
    assert {step.unit for step in steps} == {epoch.unit for epoch in epochs} == {"word"}
    assert steps[-1].seconds_left == pytest.approx(0.2, abs=0.1)  # one more evaluation
    last = epochs[-1].seconds
    assert steps[-2].seconds_left > steps[-1].seconds_left
    assert steps[-1].units_per_second == pytest.approx(10 / last, rel=1e-6)


def test_the_step_that_compiles_counts_for_no_rate() -> None:
    words = sentences(8)
    model = tiny_model()
    steps: list[Progress] = []
    (epoch,) = train(model, words, settings(epochs=1, batch_size=2), on_step=steps.append)
    n_units = sum(map(len, words))
    assert epoch.units_per_second > 3 * n_units / epoch.seconds
    assert steps[0].units_per_second < 0.3 * steps[1].units_per_second
    assert steps[1].seconds_left < steps[0].seconds_left / 3
    (again,) = train(model, words[:1], settings(epochs=1, batch_size=2))  # there is no other step
    assert again.units_per_second == pytest.approx(len(words[0]) / again.seconds)


# When something goes wrong


def test_weights_that_are_not_numbers_stop_training() -> None:
    model = tiny_model()
    model.network.table.assign(np.full(model.network.table.shape, np.nan))
    with pytest.raises(TrainingError, match=r"The loss is nan in step 1 of epoch 1: .*Lower --learning-rate"):
        train(model, sentences(8), settings())


def test_an_absurd_learning_rate_stops_training() -> None:
    with pytest.raises(TrainingError, match="training has diverged"):
        train(tiny_model(), sentences(40), settings(epochs=10, learning_rate=1e38, weight_decay=1.0))


def test_with_a_scaled_loss_training_stops_after_an_epoch_without_one_good_step() -> None:
    model = tiny_model()
    model.network.table.assign(np.full(model.network.table.shape, np.nan))
    with pytest.raises(TrainingError, match="No step of epoch 1 had a finite loss"):
        train(model, sentences(8), settings(loss_scaling=True))


# Speed


def test_new_lengths_do_not_trace_the_step_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def traces(words: list[list[str]]) -> int:
        model = tiny_model()
        train(model, words, settings(batch_size=1, epochs=2))
        return int(model.network.traces)

    assert isinstance(tiny_model().network, TinyNetwork)
    assert traces([["A"] * length for length in range(1, 30)]) == traces([["A", "B"]])


# Which weights are kept


def test_training_stops_when_patience_ends_and_keeps_the_best_epoch() -> None:
    model = tiny_model()
    features = featurise(model.encoder, sentences(16))
    builder = BatchBuilder(features, model.encoder, {"task": letter_labels(sentences(16))})
    scores = iter([0.1, 0.5, 0.4, 0.5, 0.9])
    seen: list[Weights] = []

    def evaluate() -> Scored:
        seen.append(weights_of(model))
        score = next(scores)
        return Scored(score, {"task f1": score})

    how = settings(epochs=5, patience=2, averaging=0.9)
    epochs, found = zip(*train_epochs(model, builder, features.lengths, how, evaluate), strict=True)
    assert [(epoch.number, epoch.score, epoch.best) for epoch in epochs] == [
        (1, 0.1, True),
        (2, 0.5, True),
        (3, 0.4, False),
        (4, 0.5, False),
    ]
    assert epochs[1].scores == {"task f1": 0.5}
    assert [evaluation.score for evaluation in found] == [0.1, 0.5, 0.4, 0.5]
    assert_close(model.tensors(), seen[1], atol=0)
    assert not np.array_equal(seen[1]["classifier.bias"], seen[3]["classifier.bias"])


def test_without_patience_all_epochs_are_trained() -> None:
    epochs = train(tiny_model(), sentences(4), settings(epochs=5), scores=[0.5, 0.4, 0.3, 0.2, 0.1])
    assert [epoch.best for epoch in epochs] == [True, False, False, False, False]


def test_averaged_weights_are_evaluated_and_the_raw_ones_trained_on(uncompiled: None) -> None:
    plain, averaged = tiny_model(), tiny_model()
    how = {"epochs": 3, "batch_size": 2, "learning_rate": 0.05}
    one = train(plain, sentences(16), settings(**how), scores=[1, 2, 3])
    other = train(averaged, sentences(16), settings(averaging=0.9, **how), scores=[1, 2, 3])
    assert [epoch.loss for epoch in one] == pytest.approx([epoch.loss for epoch in other], rel=1e-5)
    assert not np.allclose(plain.tensors()["classifier.bias"], averaged.tensors()["classifier.bias"], atol=1e-4)


def test_whoever_is_given_an_epoch_finds_the_weights_that_were_evaluated() -> None:
    model = tiny_model()
    features = featurise(model.encoder, sentences(16))
    builder = BatchBuilder(features, model.encoder, {"task": letter_labels(sentences(16))})
    evaluated: list[Weights] = []

    def evaluate() -> Scored:
        evaluated.append(weights_of(model))
        return Scored(0.0)

    how = settings(epochs=2, batch_size=2, learning_rate=0.05, averaging=0.9)
    for epoch, _ in train_epochs(model, builder, features.lengths, how, evaluate):
        assert_close(model.tensors(), evaluated[epoch.number - 1], atol=0)


def test_a_run_too_short_for_an_average_keeps_what_it_learnt(uncompiled: None) -> None:
    plain, averaged = tiny_model(), tiny_model()
    train(plain, sentences(16), settings(epochs=2))
    train(averaged, sentences(16), settings(epochs=2, averaging=0.999))
    assert_close(plain.tensors(), averaged.tensors(), atol=0)


# Precision


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_short_numbers_train_too(precision: str) -> None:
    seed_everything(1)
    with layers_in(precision):
        model = TaggerModel(CompactEncoder(), {"task": ["A", "B", "C"]})
    assert tiny_model().network.compute_dtype == "float32", "later models are not concerned"
    assert model.network.compute_dtype == precision
    before = weights_of(model)
    epochs = train(model, sentences(16), settings(epochs=3, batch_size=4, loss_scaling=precision == "float16"))
    assert all(math.isfinite(epoch.loss) for epoch in epochs)
    assert epochs[-1].loss < epochs[0].loss
    for name, values in model.tensors().items():
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        assert not np.array_equal(values, before[name]), name


def test_the_loss_scale_changes_nothing_but_the_range(uncompiled: None) -> None:
    plain, scaled = tiny_model(), tiny_model()
    for model, loss_scaling in ((plain, False), (scaled, True)):
        train(model, sentences(16), settings(epochs=2, batch_size=2, accumulate=2, loss_scaling=loss_scaling))
    assert_close(plain.tensors(), scaled.tensors(), atol=1e-5)


@pytest.mark.parametrize("wrong", ["tensors", "shapes", "state"])
def test_a_checkpoint_of_another_network_or_version_is_refused(tmp_path, wrong):
    store = CheckpointStore(tmp_path, every=1)
    train(tiny_model(), sentences(4), settings(), checkpoints=store)
    tensors, state = store.latest()
    if wrong == "tensors":
        del tensors["state.1"]
    elif wrong == "shapes":
        tensors["state.1"] = np.zeros((2, 3, 4), np.float32)
    else:
        del state["losses"]
    store.save(100, tensors, state)
    with pytest.raises(TrainingError, match="does not fit this run"):
        train(tiny_model(), sentences(4), settings(epochs=2), checkpoints=store)


def test_the_files_of_a_checkpoint_are_hashed_once_when_a_run_resumes(tmp_path, monkeypatch):
    CheckpointStore(tmp_path, every=1).save(1, {"weights": np.ones(3, np.float32)}, {"epoch": 1})
    hashed = []
    monkeypatch.setattr(checkpoints, "fingerprint", lambda path: hashed.append(path.name) or fingerprint(path))
    store = CheckpointStore(tmp_path, every=1)
    store.check()
    _, state = store.latest()
    assert state == {"epoch": 1}
    assert sorted(hashed) == ["state.json", "state.safetensors"]


# Teachers


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    powers = np.exp(np.asarray(logits, np.float64))
    return powers / powers.sum(axis=-1, keepdims=True)


def taught(model: TaggerModel, words: Sequence[Sequence[str]], said: NDArray[Any]) -> BatchBuilder:
    """Batches in which the first half of the words has labels, and all have a teacher."""
    features = featurise(model.encoder, words)
    labels = letter_labels(words)
    labels[len(labels) // 2 :] = IGNORE
    teaching = Teaching(said.astype(np.float16), np.zeros(len(labels), np.int8), np.arange(3, dtype=np.int32))
    return BatchBuilder(features, model.encoder, {"task": labels}, teaching={"task": teaching})


@pytest.mark.parametrize(("share", "temperature"), [(0.75, 2.0), (1.0, 1.0)])
def test_the_loss_of_a_taught_word_is_that_of_its_label_and_of_its_teacher(uncompiled: None, share, temperature):
    model, words = tiny_model(), sentences(6)
    n_words = sum(map(len, words))
    said = np.random.default_rng(0).dirichlet([1, 1, 1], n_words).astype(np.float16)
    builder = taught(model, words, said)
    features = featurise(model.encoder, words)
    logits = np.asarray(model(features.ids[None], np.ones((1, n_words), bool))["task"])[0]
    expected = 0.0
    for word, (label, teacher) in enumerate(zip(letter_labels(words), said.astype(float), strict=True)):
        flat = softmax(np.log(teacher) / temperature)
        student = softmax(logits[word] / temperature)
        expected += share * temperature**2 * (flat * np.log(flat / student)).sum()
        if word < n_words // 2:
            expected -= (1 - share) * np.log(softmax(logits[word])[label])
    how = settings(teacher_weight=share, teacher_temperature=temperature)
    ((epoch, _),) = train_epochs(model, builder, features.lengths, how, lambda: Scored(0.0))
    assert epoch.loss == pytest.approx(expected / n_words, rel=1e-3)  # the teacher's numbers are short


def test_a_student_learns_from_its_teacher_where_there_is_no_label() -> None:
    words = sentences(40)
    wanted = letter_labels(words)
    model = tiny_model()
    builder = taught(model, words, 0.02 + 0.94 * np.eye(3)[wanted])
    features = featurise(model.encoder, words)
    how = settings(epochs=20, learning_rate=0.05, teacher_weight=0.5, teacher_temperature=2.0)
    list(train_epochs(model, builder, features.lengths, how, lambda: Scored(0.0)))
    found = np.asarray(model(features.ids[None], np.ones((1, len(wanted)), bool))["task"])[0].argmax(axis=1)
    half = len(wanted) // 2
    assert (found == wanted)[half:].mean() > 0.95


def test_accumulated_batches_with_a_teacher_are_one_batch(uncompiled: None) -> None:
    words = sentences(8)
    said = np.random.default_rng(0).dirichlet([1, 1, 1], sum(map(len, words)))
    one, two = tiny_model(), tiny_model()
    for model, how in ((one, settings(batch_size=8)), (two, settings(batch_size=4, accumulate=2))):
        builder = taught(model, words, said)
        lengths = featurise(model.encoder, words).lengths
        how = replace(how, teacher_weight=0.5, teacher_temperature=2.0, learning_rate=0.1)
        list(train_epochs(model, builder, lengths, how, lambda: Scored(0.0)))
    assert_close(one.tensors(), two.tensors(), atol=1e-5)
