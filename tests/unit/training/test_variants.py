"""Variants of sentences have other names in the same places, and are the same for the same seed."""

from __future__ import annotations

import numpy as np

from polytag.corpus.splits import Split
from polytag.training.variants import variants

SENTENCES = [
    ["Peter", "met", "Angela", "in", "ROME", "."],
    ["Nothing", "here"],
    ["Anna", "lives", "in", "BONN", "1990"],
]
LABELS = np.array([1, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 2, 3])
NAMES = ["Marian", "Brian", "Adriana", "Ariane", "Marietta", "Henrietta", "Loretta", "Peterson", "Anderson", "Andersen"]


def made(copies: int = 1, seed: int = 0) -> list[list[str]]:
    split = Split([*SENTENCES, NAMES], None, {})
    labels = np.concatenate([LABELS, np.ones(len(NAMES), np.int64)])
    return variants(split, labels, 0, copies, seed).sentences


def test_words_outside_names_stay_and_sentences_without_names_are_left_out():
    first, second, _ = made()
    assert (first[1], first[3], first[5]) == ("met", "in", ".")
    assert second[1:3] == ["lives", "in"]


def test_other_names_stand_in_the_same_places_and_are_written_alike():
    found = made(copies=100)
    assert len(found) == 300
    people = {sentence[0] for sentence in found[::3]}
    known = {"Peter", "Angela", "Anna", *NAMES}
    assert known < people  # some are made up
    assert all(name[0].isupper() and name[1:].islower() for name in people)
    assert all(sentence[4].isupper() for sentence in found[::3])


def test_what_begins_with_no_letter_stays():
    assert {sentence[4] for sentence in made(copies=20)[1::3]} == {"1990"}


def test_the_same_seed_makes_the_same_variants():
    assert made(copies=3) == made(copies=3)
    assert made(copies=3) != made(copies=3, seed=1)


def test_a_name_without_letters_stays():
    split = Split([["", "Peter"]], None, {})
    assert variants(split, np.array([1, 0]), 0, 5, 0).sentences == [["", "Peter"]] * 5
