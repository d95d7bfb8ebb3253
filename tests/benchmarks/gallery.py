"""The taggers and figures of docs/tutorial/gallery/real-text.md, made again.

    python tests/benchmarks/gallery.py --corpus CONLL2003 --encoder MINILM
    python tests/benchmarks/gallery.py --corpus CONLL2003 --compact TAGGER --checkpoint TAGGER

Trains `compact` on ner, pos and chunk, and a checkpoint on ner (`--cased`), unless they are given. Tags the passages of
the page with both, and reports on the test split with the first. Then writes `real-text.json`, and makes the page's
pieces of HTML and its pictures from it, as `tests/docs/test_gallery.py` does.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Report, parser

import polytag
from support.gallery import FOLDER, PAGE, RECORD, matrix_of, parts, passages, pictures, with_parts

_TASKS = ["ner", "pos", "chunk"]


def main() -> None:
    """Make everything."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True)
    options.add_argument("--encoder", help="checkpoint to train the second tagger on")
    options.add_argument("--compact", type=Path, help="a tagger for ner, pos and chunk over `compact`")
    options.add_argument("--checkpoint", type=Path, help="a tagger for ner over a checkpoint")
    chosen = options.parse_args()
    if not (chosen.encoder or chosen.checkpoint):
        options.error("give --encoder or --checkpoint")
    report = Report("gallery", chosen)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compact, checkpoint = chosen.compact, chosen.checkpoint
        if compact is None:
            compact = polytag.train(
                task=_TASKS, corpus=chosen.corpus, encoder="compact", output=str(folder / "compact")
            ).output
        if checkpoint is None:
            checkpoint = polytag.train(
                task="ner",
                corpus=chosen.corpus,
                encoder=chosen.encoder,
                cased=True,
                output=str(folder / "checkpoint"),
            ).output
        record = _figures(compact, chosen.corpus, folder)
        taggers = {"compact": polytag.Tagger.load(compact), "MiniLM": polytag.Tagger.load(checkpoint)}
        record["texts"] = {passage["name"]: passage["text"] for passage in passages()}
        record["rows"] = {passage["name"]: _rows(passage, taggers) for passage in passages()}
    RECORD.write_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    PAGE.write_text(with_parts(PAGE.read_text(encoding="utf-8"), parts(record)), encoding="utf-8")
    for file, picture in pictures(record).items():
        (FOLDER / file).write_text(picture, encoding="utf-8")
    report.add(intervals=record["intervals"])
    report.show()


def _figures(tagger: Path, corpus: str, folder: Path) -> dict[str, Any]:
    """The figures of a report that the page shows."""
    made = polytag.report(str(tagger), corpus, output=folder / "report.html")
    figures = made.figures
    ner = figures["tasks"]["ner"]
    return {
        "history": [
            {key: epoch[key] for key in ("number", "scores", "best")} for epoch in figures["training"]["history"]
        ],
        "confidence": {
            side: {key: [round(value, 3) for value in values] for key, values in ner["confidence"][side].items()}
            for side in ("before", "after")
        },
        "intervals": {task: found["interval"] for task, found in figures["evaluation"]["tasks"].items()},
        "matrix": matrix_of(made.page, list(figures["tasks"]).index("ner")),
    }


def _rows(passage: dict[str, Any], taggers: dict[str, polytag.Tagger]) -> dict[str, Any]:
    """The tags of a passage: a row for each tagger and task that the passage names."""
    chosen = [row.split() for row in passage["rows"]]
    several = len({tagger for tagger, _ in chosen}) > 1
    rows = {}
    for name, task in chosen:
        tagged = taggers[name].tag(passage["text"])
        spans = taggers[name].decoders[task].scheme.encodes_spans
        if spans:
            items = [[one.start, one.end, one.label, round(one.score, 4)] for one in tagged.spans if one.task == task]
        else:
            words = zip(tagged.offsets, tagged.tags[task], tagged.scores[task], strict=True)
            items = [[start, end, tag, round(score, 4)] for (start, end), tag, score in words]
        rows[name if several else task] = {"spans": spans, "items": items}
    return rows


if __name__ == "__main__":
    main()
