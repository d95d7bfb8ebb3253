"""`requirements-tagging.txt` and `requirements-serving.txt` agree with pyproject.toml."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_tagging_needs_some_of_the_dependencies_in_the_same_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements-tagging.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line and not line.startswith("#")]
    assert listed == sorted(listed)
    assert set(listed) < set(project["dependencies"])
    assert not any(line.startswith(("tensorflow", "keras", "transformers", "datasets")) for line in listed)


def test_what_transformers_needs_to_convert_tokenizers_is_a_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert any(line.startswith("sentencepiece>") for line in project["dependencies"])


def test_serving_needs_also_the_extra_for_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements-serving.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line and not line.startswith("#")]
    assert listed == ["-r requirements-tagging.txt", *project["optional-dependencies"]["serve"]]
