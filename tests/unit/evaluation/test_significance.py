"""Intervals and tests on synthetic statistics whose truth is known."""

import time

import numpy as np
import pytest

from polytag.evaluation.significance import approximate_randomisation, bootstrap_interval, paired_bootstrap


def f1(totals):
    return 2 * totals[..., 0] / np.maximum(totals[..., 1] + totals[..., 2], 1)


def accuracy(totals):
    return totals[..., 0] / np.maximum(totals[..., 1], 1)


def spans(generator, sentences, recall=0.8, spurious=0.3):
    """Statistics of `spans`, float64 (sentences, 3), of a tagger that finds spans at a known rate."""
    gold = generator.poisson(1.5, sentences)
    right = generator.binomial(gold, recall)
    return np.stack([right, right + generator.poisson(spurious, sentences), gold], 1).astype(float)


def dependent_words(generator, sentences):
    """Statistics of `tags` in which a sentence is easy or hard as a whole; on average 0.85 of the words are right."""
    words = generator.integers(5, 30, sentences)
    rate = generator.choice([0.7, 1.0], sentences)
    return np.stack([generator.binomial(words, rate), words], 1).astype(float)


def test_an_interval_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(1)
    covered = 0
    for trial in range(400):
        low, high = bootstrap_interval(dependent_words(generator, 200), accuracy, seed=trial, samples=500)
        covered += low <= 0.85 <= high
    assert 0.91 <= covered / 400 <= 0.98  # 0.95, give or take two standard errors of 0.011 and the percentile bias


def test_words_of_a_sentence_are_resampled_together():
    sample = dependent_words(np.random.default_rng(2), 300)
    low, high = bootstrap_interval(sample, accuracy, seed=0)
    n_words = sample[:, 1].sum()
    if_independent = 2 * 1.96 * np.sqrt(0.85 * 0.15 / n_words)
    assert high - low > 1.3 * if_independent


def test_an_interval_is_that_of_drawing_sentence_by_sentence():
    sample = spans(np.random.default_rng(3), 400)
    generator = np.random.default_rng(4)
    drawn = [f1(sample[generator.integers(0, len(sample), len(sample))].sum(0)) for _ in range(4000)]
    assert bootstrap_interval(sample, f1, seed=0, samples=4000) == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.003
    )


def test_a_score_without_doubt_has_an_interval_without_width():
    assert bootstrap_interval(np.tile([2.0, 2.0, 2.0], (50, 1)), f1, seed=0) == (1.0, 1.0)
    assert bootstrap_interval(np.zeros((50, 3)), f1, seed=0) == (0.0, 0.0)


def test_equal_seeds_give_equal_figures_and_others_do_not():
    generator = np.random.default_rng(5)
    first, second = spans(generator, 300), spans(generator, 300)
    assert bootstrap_interval(first, f1, seed=7) == bootstrap_interval(first, f1, seed=7)
    assert bootstrap_interval(first, f1, seed=7) != bootstrap_interval(first, f1, seed=8)
    assert paired_bootstrap(first, second, f1, seed=7) == paired_bootstrap(first, second, f1, seed=7)
    p_values = [approximate_randomisation(first, second, f1, seed=seed, samples=999) for seed in (7, 7, 8)]
    assert p_values[0] == p_values[1] != p_values[2]


def test_the_same_system_twice_does_not_differ():
    sample = spans(np.random.default_rng(6), 200)
    assert paired_bootstrap(sample, sample.copy(), f1, seed=0) == (0.0, 0.0, 0.0)
    assert approximate_randomisation(sample, sample.copy(), f1, seed=0) == 1.0


def test_exchanging_the_systems_changes_the_sign_and_nothing_else():
    generator = np.random.default_rng(7)
    for seed in range(20):
        first, second = spans(generator, 60), spans(generator, 60, recall=0.85)
        one, other = paired_bootstrap(first, second, f1, seed), paired_bootstrap(second, first, f1, seed)
        assert one == (-other.value, -other.high, -other.low)
        assert approximate_randomisation(first, second, f1, seed, 499) == approximate_randomisation(
            second, first, f1, seed, 499
        )


def test_the_second_system_is_the_better_one_when_the_difference_is_positive():
    first = np.tile([1.0, 2.0, 2.0], (100, 1))
    second = np.tile([2.0, 2.0, 2.0], (100, 1))
    assert paired_bootstrap(first, second, f1, seed=0) == (0.5, 0.5, 0.5)


def test_a_pair_is_compared_on_the_same_sentences():
    """Two systems that are right together: their difference is far surer than either score."""
    generator = np.random.default_rng(8)
    first = dependent_words(generator, 300)
    second = first.copy()
    second[::10, 0] = np.maximum(second[::10, 0] - 1, 0)
    difference = paired_bootstrap(first, second, accuracy, seed=0)
    low, high = bootstrap_interval(first, accuracy, seed=0)
    assert difference.high < 0
    assert difference.high - difference.low < (high - low) / 5


def test_a_real_difference_has_a_small_p_value_and_an_interval_without_zero():
    generator = np.random.default_rng(9)
    first, second = spans(generator, 1000, recall=0.75), spans(generator, 1000, recall=0.85)
    difference = paired_bootstrap(first, second, f1, seed=0)
    assert 0 < difference.low < difference.value < difference.high
    assert approximate_randomisation(first, second, f1, seed=0, samples=999) == 1 / 1000


def test_p_values_of_equally_good_systems_are_uniform():
    generator = np.random.default_rng(10)
    p_values = np.array(
        [
            approximate_randomisation(spans(generator, 80), spans(generator, 80), f1, seed=trial, samples=199)
            for trial in range(400)
        ]
    )
    for level in (0.05, 0.25, 0.5):
        assert np.mean(p_values <= level) == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 400))


def test_a_p_value_is_that_of_the_exact_test():
    """Eight sentences: all 256 shuffles can be counted."""
    first = np.array([[1, 3], [2, 3], [0, 3], [3, 3], [1, 3], [2, 3], [1, 3], [0, 3]], float)
    second = np.array([[3, 3], [2, 3], [2, 3], [2, 3], [3, 3], [3, 3], [1, 3], [2, 3]], float)
    gains = (second - first)[:, 0]
    signs = 1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    exact = np.mean(np.abs(signs @ gains) >= abs(gains.sum()))
    assert approximate_randomisation(first, second, accuracy, seed=0, samples=20_000) == pytest.approx(exact, abs=0.01)


def test_there_must_be_sentences_and_as_many_on_both_sides():
    with pytest.raises(ValueError, match="no sentence"):
        bootstrap_interval(np.zeros((0, 3)), f1, seed=0)
    with pytest.raises(ValueError, match="different shapes"):
        paired_bootstrap(np.ones((2, 3)), np.ones((3, 3)), f1, seed=0)
    with pytest.raises(ValueError, match="no sentence"):
        approximate_randomisation(np.zeros((0, 3)), np.zeros((0, 3)), f1, seed=0)


def test_a_test_set_of_usual_size_takes_well_under_a_second():
    generator = np.random.default_rng(11)
    first, second = spans(generator, 3500), spans(generator, 3500)
    began = time.process_time()
    bootstrap_interval(first, f1, seed=0)
    paired_bootstrap(first, second, f1, seed=0)
    approximate_randomisation(first, second, f1, seed=0)
    assert time.process_time() - began < 1.0
