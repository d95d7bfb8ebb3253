"""What a lake leaves behind when it fails, and what it does about outputs and inputs that were changed."""

from pathlib import Path

import pytest

from polytag import PolytagError, predict_lake
from polytag.errors import InterruptedRunError

pa, pq = map(pytest.importorskip, ("pyarrow", "pyarrow.parquet"))


@pytest.fixture
def ner(ner_run, tmp_path, monkeypatch) -> Path:
    """A tagger, and inputs in the current folder."""
    monkeypatch.chdir(tmp_path)
    for day in ("monday", "tuesday"):
        Path("in", day).mkdir(parents=True)
        Path("in", day, "a.txt").write_text("Anna left.\nIn Rome.\n", encoding="utf-8")
    return ner_run.output


def tree(folder: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_an_output_that_was_changed_is_done_again(ner):
    predict_lake(ner, "in", "out")
    undisturbed = tree("out")
    changed = Path("out/tuesday/a.jsonl")
    changed.write_bytes(changed.read_bytes().replace(b"Rome", b"Bonn"))
    result = predict_lake(ner, "in", "out")
    assert (result.changed, result.tagged) == (("tuesday/a.jsonl",), 2)
    assert tree("out") == undisturbed
    assert predict_lake(ner, "in", "out").changed == ()


def test_the_command_says_which_output_was_changed(ner, command):
    assert command("predict", ner, "in", "-o", "out").status == 0
    Path("out/monday/a.jsonl").unlink()
    done = command("predict", ner, "in", "-o", "out")
    assert "polytag: Changed or removed since, and done again: monday/a.jsonl\n" in done.err
    assert "All was done before" in command("predict", ner, "in", "-o", "out").err


def test_a_list_of_bad_rows_that_was_removed_is_written_again(ner):
    Path("in/tuesday/a.txt").write_bytes(b"Anna left.\n\xff\n")
    predict_lake(ner, "in", "out")
    undisturbed = tree("out")
    Path("out/_quarantine/tuesday/a.jsonl.jsonl").unlink()
    assert predict_lake(ner, "in", "out").changed == ("tuesday/a.jsonl",)
    assert tree("out") == undisturbed


def damage(path: Path) -> None:
    """Break the pages of a Parquet file, and leave its schema."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": ["Anna left.", "In Rome."]}), path)
    content = path.read_bytes()
    path.write_bytes(content[:8] + b"\xff" * 52 + content[60:])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_without_any_output_leaves_nothing(ner, workers):
    damage(Path("broken/friday/a.parquet"))
    for _ in range(2):
        with pytest.raises(PolytagError, match=r"'broken/friday/a\.parquet' is damaged, or is no Parquet file: "):
            predict_lake(ner, "broken", "new/out", workers=workers)
        assert not Path("new").exists()


def test_a_folder_without_any_output_can_be_begun_with_other_options(ner):
    damage(Path("in/friday/a.parquet"))
    Path("out").mkdir()
    with pytest.raises(PolytagError, match="is damaged"):
        predict_lake(ner, "in/friday", "out")
    assert list(Path("out").iterdir()) == []
    predict_lake(ner, "in/monday", "out", min_score=0.5)


def test_what_is_done_before_a_damaged_file_stays(ner):
    damage(Path("in/wednesday/a.parquet"))
    with pytest.raises(PolytagError, match="is damaged"):
        predict_lake(ner, "in", "out", output_format="jsonl")
    assert sorted(tree("out")) == ["out/_polytag.json", "out/monday/a.jsonl", "out/tuesday/a.jsonl"]


def test_an_interrupt_says_how_far_the_lake_is(ner):
    def interrupt(progress):
        if progress.finished:
            raise KeyboardInterrupt

    why = r"Interrupted: 1 of 2 files are done in 'out'\. Continue with the same command\."
    with pytest.raises(InterruptedRunError, match=why):
        predict_lake(ner, "in", "out", on_progress=interrupt)
    assert sorted(tree("out")) == ["out/_polytag.json", "out/monday/a.jsonl"]
    assert predict_lake(ner, "in", "out").tagged == 2


def test_links_to_files_are_followed_and_links_to_folders_are_not(ner):
    Path("in/monday/b.txt").symlink_to("a.txt")
    Path("in/monday/circle").symlink_to("..")
    Path("in/monday/c.txt").symlink_to("nothing")
    result = predict_lake(ner, "in", "out")
    assert (result.rows, result.shards) == (6, 3)
    assert Path("out/monday/b.jsonl").read_bytes() == Path("out/monday/a.jsonl").read_bytes()
    Path("in/monday/a.txt").write_text("Anna left.\nIn Bonn.\n", encoding="utf-8")
    with pytest.raises(PolytagError, match="has changed since the output folder"):
        predict_lake(ner, "in", "out")


def test_an_output_in_the_input_is_found_through_links(ner):
    Path("other").symlink_to("in")
    with pytest.raises(PolytagError, match="is in the other"):
        predict_lake(ner, "in", "other/out")


def test_a_column_may_have_an_empty_name(ner):
    pq.write_table(pa.table({"": ["Anna left."], "n": [1]}), "a.parquet")
    assert predict_lake(ner, "a.parquet", "out").rows == 1
    assert predict_lake(ner, "a.parquet", "lines", output_format="jsonl", text_column="").rows == 1
