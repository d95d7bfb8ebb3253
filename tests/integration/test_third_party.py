"""From wheels alone, outside the source tree: what the author of a plugin sees."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fresh_environment import ROOT, FreshEnvironment

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "docs/example-plugin"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshEnvironment]:
    """An environment with the wheel of polytag, and nothing else that is ours."""
    environment = FreshEnvironment(tmp_path_factory.mktemp("fresh"))
    environment.install(ROOT)
    yield environment
    environment.close()


@pytest.fixture(scope="module")
def example(environment: FreshEnvironment) -> Path:
    """The example, copied to where nothing of polytag's sources is near, and its wheel installed."""
    copy = environment.work / "example"
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    shutil.copytree(EXAMPLE, copy, ignore=ignored)
    environment.install(copy)
    shutil.move(copy / "src", environment.folder / "src-of-the-example")  # only the wheel is left to import
    return copy


def test_nothing_comes_from_the_source_tree(environment: FreshEnvironment, example: Path):
    code = (
        "import sys, polytag, polytag_standard, polytag_emerging; print(polytag.__file__, polytag_standard.__file__, "
    )
    done = environment.run("python", "-c", code + "polytag_emerging.__file__, *sys.path, sep='\\n')")
    files, path = done.stdout.splitlines()[:3], done.stdout.splitlines()[3:]
    assert all(Path(file).is_relative_to(environment.folder) for file in files)
    assert not any(
        Path(entry or environment.work).is_relative_to(ROOT / part) for entry in path for part in ("src", "plugins")
    )


def test_the_example_is_listed_with_what_it_brings(environment: FreshEnvironment, example: Path):
    rows = json.loads(environment.run("polytag", "plugins", "--json").stdout)
    (row,) = [row for row in rows if row["name"] == "emerging"]
    assert (row["distribution"], row["version"], row["status"]) == ("polytag-emerging", "0.2.0", "loaded")
    assert row["brings"] == {
        "task": ["emerging.entities"],
        "alignment strategy": ["confident"],
        "metric": ["sentences"],
        "reader": ["marked"],
    }
    task = json.loads(environment.run("polytag", "tasks", "emerging.entities", "--json").stdout)
    assert task["provider"] == "polytag-emerging 0.2.0 (emerging)"
    assert task["alignment"]["provider"] == task["provider"]
    assert task["labels"][:3] == ["O", "B-brand", "I-brand"]


def test_the_example_trains_evaluates_and_predicts_its_task(environment: FreshEnvironment, example: Path):
    corpus = example / "tests/corpus"
    trained = environment.run(
        "polytag", "train", "--task", "emerging.entities", "-c", corpus, "--epochs", 15, "-o", "tagger", "--json"
    )
    scores = json.loads(trained.stdout)["test"]["tasks"]["emerging.entities"]
    assert set(scores["metrics"]) == {"spans", "sentences"}
    evaluated = json.loads(environment.run("polytag", "evaluate", "tagger", "--corpus", corpus, "--json").stdout)
    assert evaluated["tasks"]["emerging.entities"]["metrics"] == scores["metrics"]
    text = "Nightbloom is back , and Low Tide will be there .\n"
    predicted = json.loads(environment.run("polytag", "predict", "tagger", stdin=text).stdout)
    found = {(span["text"], span["label"]) for span in predicted["spans"]}
    assert found == {("Nightbloom", "event"), ("Low Tide", "group")}


def test_the_example_passes_its_own_tests(environment: FreshEnvironment, example: Path):
    done = environment.run("pytest", "-q", "-p", "no:cacheprovider", folder=example)
    assert "skipped" not in done.stdout
    assert "passed" in done.stdout


def test_the_types_of_the_example_are_complete(environment: FreshEnvironment, example: Path):
    source = shutil.copytree(environment.folder / "src-of-the-example", environment.folder / "typed/src")
    shutil.copy(example / "pyproject.toml", source.parent)
    shutil.copytree(example / "tests", source.parent / "tests")
    done = environment.run("mypy", "--strict", folder=source.parent)
    assert "Success: no issues found in 5 source files" in done.stdout
    (source / "polytag_emerging/wrong.py").write_text("import polytag\n\npolytag.Task(name=1)\n")
    done = environment.run("mypy", "--strict", source, folder=source.parent, check=False)
    assert 'Argument "name" to "Task" has incompatible type "int"' in done.stdout


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gadgets", ["--task", "gadgets.parts", "--scheme", "bilou", "--columns", "skill_tags,tags"]),
        ("word-classes", ["--scheme", "flat"]),
        ("everything", ["--with", "reader,metric,scheme,splitter,head"]),
    ],
)
def test_a_new_plugin_is_clean_and_passes_its_tests_at_once(
    environment: FreshEnvironment, name: str, options: list[str]
):
    environment.run("polytag", "plugins", "new", name, *options)
    folder = environment.work / f"polytag-{name}"
    environment.run("ruff", "check", "--no-cache", folder=folder)
    environment.run("ruff", "format", "--check", "--no-cache", folder=folder)
    environment.install(folder)
    environment.run("mypy", folder=folder)
    assert " passed" in environment.run("pytest", "-q", "-p", "no:cacheprovider", folder=folder).stdout


GUIDE = (ROOT / "docs/how-to/write-a-plugin.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r'^```(\w+)(?: title="(.*?)")?\n(.*?)^```$', GUIDE, re.DOTALL | re.MULTILINE)
FILES = {title: text for _, title, text in BLOCKS if title}


def test_a_plugin_with_one_task_is_short():
    def count(text: str) -> int:
        return sum(bool(line.strip()) for line in text.splitlines())

    assert count(FILES["polytag_acme.py"]) <= 30
    assert count(FILES["pyproject.toml"]) <= 15


def test_the_guide_does_what_it_says(environment: FreshEnvironment, tmp_path: Path):
    """Every block on the page, in its order: files are written, commands run, and output has to be what is shown."""
    for title, text in FILES.items():
        path = tmp_path / title
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "adverts.txt").write_text("You know Rust well .\n")
    shown = ""
    for language, title, text in BLOCKS:
        if language == "console":
            shown = ""
            for line in text.replace("\\\n", " ").splitlines():
                program, *arguments = shlex.split(line.removeprefix("$ "))
                with pytest.MonkeyPatch.context() as patch:
                    while "=" in program:
                        patch.setenv(*program.split("="))
                        program, *arguments = arguments
                    if program == "pip":
                        environment.install(tmp_path)
                    else:
                        shown += environment.run(program, *arguments, folder=tmp_path).stdout
        elif language == "text":
            assert text in shown
        else:
            assert title, f"a block of {language} that nothing is done with:\n{text}"
    assert (tmp_path / "skills/polytag.json").is_file()
    tests = environment.run("pytest", "-q", "-p", "no:cacheprovider", "-k", "not train", "tests", folder=tmp_path)
    assert re.search(r"^8 passed", tests.stdout, re.MULTILINE), tests.stdout
    code = "import polytag, polytag_biew; (scheme,) = polytag_biew.polytag_label_schemes(); "
    code += "print(scheme.tags([polytag.Span(0, 2, 'X')], 3))"
    assert environment.run("python", "-c", code, folder=tmp_path).stdout == "['B-X', 'E-X', 'O']\n"
