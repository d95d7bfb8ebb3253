"""The course page is also a notebook, which runs.

POLYTAG_UPDATE_DOCS=1 writes the notebook.
"""

import json
import os
import re

import nbformat
import pytest
from nbclient import NotebookClient

from support.course import make_course_checkpoint, write_course_corpus
from support.notebooks import notebook_of
from support.pages import DOCS, ROOT, agrees

PAGE = DOCS / "tutorial/from-the-course.md"
NOTEBOOK = PAGE.with_suffix(".ipynb")

BEFORE = "import tensorflow as tf\ntf.config.run_functions_eagerly(True)"
"""For a few batches, compiling takes longer than running."""


def test_the_notebook_has_the_cells_of_the_page():
    made = json.dumps(notebook_of(PAGE), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("POLYTAG_UPDATE_DOCS") == "1":
        NOTEBOOK.write_text(made, encoding="utf-8")
    assert NOTEBOOK.read_text(encoding="utf-8") == made
    assert nbformat.validate(nbformat.reads(made, as_version=4)) is None


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The cells of the notebook, run by Jupyter's kernel."""
    folder = tmp_path_factory.mktemp("notebook")
    write_course_corpus(folder / "lhoestq/conll2003")
    make_course_checkpoint(folder / "bert-base-cased")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(BEFORE))
    training = [cell for cell in notebook.cells if "quiet=True" in cell.source and cell.cell_type == "code"]
    for cell in training:  # so that it shows its progress
        cell.source = cell.source.replace("    quiet=True,\n", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT / "src", ROOT / "plugins"))))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
        client.execute()
    return [cell for cell in notebook.cells[1:] if cell.cell_type == "code"]


def shown(cell, kind):
    """The outputs of a cell as `text/html`, or whatever `kind` is."""
    return [output.data[kind] for output in cell.outputs if "data" in output and kind in output.data]


def printed(cell):
    """What a cell prints: plain text, or, by rich, text that is also HTML."""
    streams = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"]
    return re.sub(r"\x1b\[\d*m", "", "".join(streams or shown(cell, "text/plain")))


def cell_with(cells, source):
    (found,) = [cell for cell in cells if cell.source.strip().endswith(source)]
    return found


def test_each_cell_prints_what_the_page_shows(executed):
    expected = [cell for cell in notebook_of(PAGE)["cells"] if cell["cell_type"] == "code"]
    assert len(executed) == len(expected) > 10
    for cell, page in zip(executed, expected, strict=True):
        assert not [output for output in cell.outputs if output.output_type == "error"]
        for output in page["outputs"]:
            assert agrees("".join(output["text"]), printed(cell))


def test_results_are_shown_as_html(executed):
    (history,) = shown(cell_with(executed, "result.history"), "text/html")
    assert "data:image/svg+xml" in history
    assert "ner f1" in history
    (evaluation,) = shown(cell_with(executed, "evaluation"), "text/html")
    assert "<th>precision</th>" in evaluation
    (tagged,) = shown(cell_with(executed, "tagged"), "text/html")
    assert "Sylvain" in tagged


def test_cells_print_no_warnings(executed):
    for cell in executed:
        said = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stderr"]
        # tqdm, which datasets imports, misses ipywidgets, which polytag does not need; the hint is meant to be read.
        assert [text for text in said if not re.search("TqdmWarning|RuntimeHint", text)] == [], cell.source


def test_training_shows_one_output_that_is_updated(executed):
    training = cell_with(executed, "print(result.tagger)")
    (progress,) = shown(training, "text/html")
    assert "sentences" in progress.partition("<table>")[0]
    assert progress.count("<tr>") == 3  # the headings and two epochs
    assert "<progress" not in progress  # which is removed at the end
    assert "Tagger(ner: 9 labels, bert-base-cased, " in printed(training)
