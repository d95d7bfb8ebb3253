"""Agreement: the tags of a tagger here, and of transformers.pipeline in PyTorch on the tagger's own folder.

    python tests/benchmarks/agreement.py --corpus ../shared/data/conll2003 --tagger FOLDER

The folder has one task, over a checkpoint, aligned with `first`. Every word of the split is compared, decoded by argmax
on both sides: the pipeline knows no constraints. Words that differ are printed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from harness import Data, Report, Side, add_peers, closing, parser, peer_python, table

import polytag

SHOWN = 10


def main() -> None:
    """Tag on both sides, compare, and print."""
    options = parser(__doc__)
    add_peers(options)
    options.add_argument("--corpus", required=True)
    options.add_argument("--tagger", type=Path, required=True)
    options.add_argument("--split", default="validation")
    options.add_argument("--limit", type=int, help="sentences to tag")
    options.add_argument("--batch-size", type=int, default=16)
    chosen = options.parse_args()
    tagger = polytag.Tagger.load(chosen.tagger, decoding="argmax")
    ((task, head),) = tagger.heads.items()
    if head.alignment != "first":
        raise SystemExit(
            f"{chosen.tagger} is aligned with {head.alignment!r}; the pipeline is compared by first subwords."
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = Data(folder / "data", chosen.corpus, task, {chosen.split: chosen.limit})
        report = Report("agreement", chosen, data.about)
        sentences = data.words[chosen.split]
        own = tagger.predict_tags(sentences)[task]
        shares = {"polytag": 1.0}
        if not chosen.without_peers:
            file, output = folder / "data" / f"{chosen.split}.jsonl", folder / "tags.json"
            side = Side(
                "pipeline",
                peer_python(chosen.peers, "torch"),
                "pipeline_tags.py",
                tagger=str(chosen.tagger.resolve()),
                file=str(file),
                output=str(output),
                batch_size=chosen.batch_size,
            )
            with closing([side]):
                report.versions([side])
                side.go()
            theirs = json.loads(output.read_text(encoding="utf-8"))
            shares["transformers.pipeline"] = _compared(sentences, own, theirs)
        report.add(agreement=shares)
        rows = [[side, data.about[chosen.split]["words"], f"{share:.3%}"] for side, share in shares.items()]
        report.show(table(f"{task}, {chosen.split}", ["side", "words", "same tag as polytag"], rows))


def _compared(sentences: list[list[str]], own: list[list[str]], theirs: list[list[str | None]]) -> float:
    """The share of words with the same tag; prints some of the others."""
    words = [word for sentence in sentences for word in sentence]
    here = [tag for tags in own for tag in tags]
    there = [tag for tags in theirs for tag in tags]
    different = [place for place in zip(words, here, there, strict=True) if place[1] != place[2]]
    for word, ours, peer in different[:SHOWN]:
        print(f"{word}: {ours} here, {peer} in the pipeline")
    return 1 - len(different) / len(words)


if __name__ == "__main__":
    main()
