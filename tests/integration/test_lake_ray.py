"""A lake on a Ray cluster, and Ray Data with `BatchTagger`."""

import json
import tempfile
from pathlib import Path

import pytest

import polytag
from polytag import predict_lake
from support.pages import DOCS, Block, parts

TEXTS = ["Peter Smith lives in Rome.", "Anna Keller met him in Geneva.", "It rained.", "Zoë left for New York."] * 200


@pytest.fixture(scope="module")
def ray():
    """Ray on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray = pytest.importorskip("ray", reason="comes with the extra ray")
        with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as folder:  # paths of sockets have to be short
            ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False, _temp_dir=folder)
            yield ray
            ray.shutdown()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_lake_on_ray_has_the_same_files_although_an_actor_is_killed(ray, ner_run, tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(6):
        rows = [*({"text": text, "id": at} for at, text in enumerate(TEXTS)), {"no": "text"}]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "in" / f"{number}.jsonl").write_text(text, encoding="utf-8")
    predict_lake(ner_run.output, tmp_path / "in", tmp_path / "undisturbed")
    psutil, killed = pytest.importorskip("psutil"), []

    def kill(progress):
        if progress.finished and not killed:
            children = psutil.Process().children(recursive=True)
            killed.append(next(child for child in children if child.cmdline()[:1] == ["ray::_Actor.tag"]))
            killed[0].kill()

    # The cluster has room for two of the actors.
    result = predict_lake(ner_run.output, tmp_path / "in", tmp_path / "out", workers=3, runner="ray", on_progress=kill)
    assert killed
    assert (result.rows, result.quarantined) == (4800, 6)
    assert tree(tmp_path / "out") == tree(tmp_path / "undisturbed")


@pytest.mark.slow
def test_what_is_wrong_with_a_shard_is_said_as_elsewhere(ray, ner_run, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "Anna", "n": 1}\n{"text": "Rome", "n": "two"}\n', encoding="utf-8")
    with pytest.raises(polytag.PolytagError, match=r"^The other fields of .* columns of one type each"):
        predict_lake(ner_run.output, tmp_path / "in.jsonl", tmp_path / "out", output_format="parquet", runner="ray")


@pytest.mark.slow
def test_the_recipe_of_the_page_runs(ray, ner_run, tmp_path, monkeypatch):
    pa, pq = map(pytest.importorskip, ("pyarrow", "pyarrow.parquet"))
    monkeypatch.chdir(tmp_path)
    Path("lake").mkdir()
    pq.write_table(pa.table({"id": range(8), "body": TEXTS[:8]}), "lake/a.parquet")
    (block,) = (
        part.body
        for part in parts(DOCS / "how-to/tag-a-data-lake.md")
        if isinstance(part, Block) and part.title == "with_ray.py"
    )
    code = block.replace('"lake"', repr(str(tmp_path / "lake"))).replace('"my-tagger"', repr(str(ner_run.output)))
    exec(code.replace('"tagged-by-ray"', repr(str(tmp_path / "tagged"))), {})
    tagged = pq.read_table("tagged").to_pylist()
    expected = [found.to_dict() for found in polytag.Tagger.load(ner_run.output).tag(TEXTS[:8])]
    by_id = {row["id"]: row for row in tagged}
    assert [by_id[at]["spans"] for at in range(8)] == [row["spans"] for row in expected]
