"""The file of a search: what it may say, and what is wrong with others."""

from pathlib import Path

import pytest

import polytag
from polytag import PolytagError
from polytag.searching.space import read_space

FIXED = {"task": "ner", "corpus": "sample"}


def test_a_file_has_fixed_options_and_ranges(tmp_path: Path):
    file = tmp_path / "search.toml"
    file.write_text(
        """
        task = "ner"
        corpus = "sample"
        output = "found"

        [search]
        learning_rate = { low = 1e-4, high = 1e-2, log = true }
        epochs = { low = 2, high = 6 }
        batch_size = [8, 16]
        from = ["a", "b"]
        """
    )
    space, output = read_space(file)
    assert output == Path("found")
    assert space.fixed == FIXED
    assert {name: repr(found).partition("Distribution")[0] for name, found in space.distributions().items()} == {
        "learning_rate": "Float",
        "epochs": "Int",
        "batch_size": "Categorical",
        "from": "Categorical",
    }
    config = space.config({"learning_rate": 1e-3, "from": "a"}, Path("here"), seed=3)
    assert (config.learning_rate, config.from_, config.output, config.seed) == (1e-3, "a", Path("here"), 3)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, r"has no ranges: add a table \[search\]"),
        ({"search": {}}, "has no ranges"),
        ({"search": {"learnin_rate": [1, 2]}}, "is not an option of a run. Did you mean 'learning_rate'"),
        ({"search": {"seed": [1, 2]}}, "'seed' cannot be searched: .* Several seeds per configuration are --repeats"),
        ({"search": {"corpus": ["a", "b"]}}, "'corpus' cannot be searched: give it one value"),
        ({"epochs": 2, "search": {"epochs": [1, 2]}}, "'epochs' has both a value and a range"),
        ({"search": {"epochs": []}}, "'epochs' in .* is an empty list"),
        ({"search": {"epochs": 3}}, "is 3, and not a range"),
        ({"search": {"epochs": [[1]]}}, r"has the value \[1\], which is no number, text or boolean"),
        ({"search": {"epochs": {"low": 3, "high": 2}}}, r"an empty range: low \(3\) is above high \(2\)"),
        ({"search": {"epochs": {"low": 3, "high": 3}}}, r"an empty range: low \(3\) is equal to high \(3\)"),
        ({"search": {"epochs": {"low": 1.5, "high": 3}}}, "whole numbers only, and its range is 1.5 to 3"),
        ({"search": {"clip": {"low": 0, "high": 1, "log": True}}}, "logarithmic scale, which begins above 0"),
        ({"search": {"clip": {"low": 1}}}, "'high' is missing"),
        ({"search": {"clip": {"low": 1, "high": "x"}}}, "'high' is 'x': it must be a valid number"),
        ({"search": {"clip": {"low": "1", "high": 2}}}, "'low' is '1': it must be a valid number"),
        ({"search": {"clip": {"low": 1, "high": 2, "log": "yes"}}}, "'log' is 'yes': it must be a valid boolean"),
        ({"search": {"clip": {"low": 1, "hihg": 2}}}, "'high' is missing; 'hihg' is none of low, high, log"),
        ({"search": {"encoder": {"low": 1, "high": 2}}}, "is a range of numbers, and its values are none"),
        ({"search": {"warmup": {"low": 0, "high": 2}}}, "'warmup' is 2.0: it must be less than 1"),
        ({"search": {"batch_size": [8, 0]}}, "'batch_size' is 0: it must be greater than or equal to 1"),
        ({"search": {"decoding": ["argmax", "greedy"]}}, "'decoding' is 'greedy'"),
        ({"epoch": 2, "search": {"clip": [1, 2]}}, "'epoch' is not an option of a run. Did you mean 'epochs'"),
        ({"push": "me/ner", "search": {"clip": [1, 2]}}, "'push' concerns one run"),
    ],
)
def test_what_is_wrong_with_a_search_is_said(values, problem):
    with pytest.raises(PolytagError, match=problem):
        read_space({**FIXED, **values})


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path):
    with pytest.raises(PolytagError, match=r"'none\.toml' cannot be read: No such file"):
        read_space("none.toml")
    (tmp_path / "bad.toml").write_text("task =")
    with pytest.raises(PolytagError, match=r"bad\.toml' is not TOML: "):
        read_space(tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"trials": 0}, "--trials is 0, and must be at least 1"),
        ({"workers": 0}, "--workers is 0"),
        ({"repeats": 0}, "--repeats is 0"),
        ({"budget": 0.0}, "--budget is 0 seconds"),
        ({"output": None}, "has no output folder"),
    ],
)
def test_options_are_checked_before_anything_is_written(tmp_path, options, problem):
    with pytest.raises(PolytagError, match=problem):
        polytag.search({**FIXED, "search": {"clip": [1, 2]}}, **{"output": tmp_path / "found", **options})
    assert list(tmp_path.iterdir()) == []


def test_the_extra_is_named_where_it_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(PolytagError, match=r"optuna is not installed. Install it: pip install 'polytag\[search\]'"):
        polytag.search({**FIXED, "search": {"clip": [1, 2]}}, tmp_path / "found")
