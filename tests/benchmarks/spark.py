"""The recipes of docs/how-to/tag-a-data-lake.md for Spark and Dask: do they run, and are the results polytag's own?

    apt-get install openjdk-17-jre-headless
    pip install 'pyspark==4.3.*' 'dask[dataframe]'
    python tests/benchmarks/spark.py --tagger FOLDER

Run it in an environment of its own, with polytag. A recipe whose engine is not installed is left out, and said.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Report, parser, table

import polytag
from polytag.corpus.sample.reader import sample_sentences
from support.pages import DOCS, Block, parts

_RECIPES = {
    "with_spark.py": ("pyspark", "tagged-by-spark"),
    "with_spark_and_pandas.py": ("pyspark", "tagged-by-pandas"),
    "with_dask.py": ("dask", "tagged-by-dask"),
}


def main() -> None:
    """Run each recipe over the same lake, and compare."""
    options = parser(__doc__)
    options.add_argument("--tagger", type=Path, required=True, help="folder of a tagger")
    options.add_argument("--rows", type=int, default=2000)
    chosen = options.parse_args()
    report = Report("spark", chosen)
    tagger = chosen.tagger.resolve()
    page = parts(DOCS / "how-to/tag-a-data-lake.md")
    code = {part.title: part.body for part in page if isinstance(part, Block) and part.title in _RECIPES}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("my-tagger").symlink_to(tagger)
        expected = _write(chosen.rows, tagger)
        names: dict[str, Any] = {}
        found = []
        for recipe, (package, output) in _RECIPES.items():
            if importlib.util.find_spec(package) is None:
                found.append([recipe, "not installed", None])
                continue
            began = time.perf_counter()
            exec(code[recipe], names)
            found.append([recipe, "same" if _read(output) == expected else "DIFFERENT", time.perf_counter() - began])
        os.chdir("/")
    report.add(recipes=found)
    report.show(table("Recipes", ["recipe", "results", "seconds"], found))


def _write(rows: int, tagger: Path) -> dict[int, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sentences = [" ".join(sentence.words) for sentence in sample_sentences("train")]
    texts = [sentences[at % len(sentences)] for at in range(rows)]
    Path("lake").mkdir()
    for part, start in enumerate(range(0, rows, 500)):
        own = texts[start : start + 500]
        pq.write_table(pa.table({"id": range(start, start + len(own)), "body": own}), f"lake/{part}.parquet")
    return {at: _spans(found.to_dict()["spans"]) for at, found in enumerate(polytag.Tagger.load(tagger).tag(texts))}


def _read(folder: str) -> dict[int, Any]:
    import pyarrow.parquet as pq

    rows = pq.read_table(folder, columns=["id", "spans"]).to_pylist()
    return {row["id"]: _spans(row["spans"]) for row in rows}


def _spans(spans: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Spans without their probability, whose last digit depends on what else is in a batch."""
    return [(span["task"], span["label"], span["text"], span["start"], span["end"]) for span in spans]


if __name__ == "__main__":
    main()
