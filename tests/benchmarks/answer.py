"""How fast a tagger answers: a whole process for one sentence, one sentence in a warm process, and many sentences.

    python tests/benchmarks/answer.py --corpus ../shared/data/conll2003 --encoder CHECKPOINT
    python tests/benchmarks/answer.py --corpus SOURCE --compact FOLDER --checkpoint FOLDER --spacy FOLDER

Taggers that are not given are trained briefly: how fast a tagger is hardly depends on how good it is. `compact` runs in
NumPy, in ONNX Runtime and in TensorFlow; the tagger over a checkpoint in ONNX Runtime. Peers are spaCy with a pipeline
that finds names, trained on the same data, and transformers.pipeline with the same weights. Everything takes turns, and
the first round, which reads files from the disk, does not count.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from harness import (
    Data,
    Report,
    Side,
    add_peers,
    closing,
    console,
    median_ratio,
    parser,
    peer_python,
    polytag_command,
    table,
    timed,
    train_briefly,
)
from spacy_runs import train_spacy

import polytag

TEXT = "My name is Sylvain and I work at Hugging Face in Brooklyn.\n"
SPACY = "import sys, spacy; print([(e.text, e.label_) for e in spacy.load(sys.argv[1])(sys.stdin.read()).ents])"
BRIEFLY = {"train": 1000, "validation": 100}


def main() -> None:
    """Measure, and print tables."""
    options = parser(__doc__)
    add_peers(options)
    options.add_argument("--corpus", required=True)
    options.add_argument("--compact", type=Path, help="a trained ner tagger over `compact`")
    options.add_argument("--checkpoint", type=Path, help="a trained ner tagger over a checkpoint")
    options.add_argument("--encoder", help="checkpoint to train a tagger on where there is none")
    options.add_argument("--spacy", type=Path, help="a trained spaCy pipeline with ner")
    options.add_argument("--limit", type=int, help="sentences to tag")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--single", type=int, default=300, help="sentences to tag one by one")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _run(chosen, Path(folder))


def _run(chosen: argparse.Namespace, work: Path) -> None:
    data = Data(work / "data", chosen.corpus, "ner", BRIEFLY | {"test": chosen.limit})
    report = Report("answer", chosen, data.about)
    taggers = {
        "compact": _with_onnx(
            chosen.compact or train_briefly(data, "compact", work / "compact-trained"), work / "compact"
        )
    }
    if chosen.checkpoint or chosen.encoder:
        own = chosen.checkpoint or train_briefly(data, chosen.encoder, work / "checkpoint-trained")
        taggers["checkpoint"] = _with_onnx(own, work / "checkpoint")
    peer: tuple[Path, Path] | None = None
    if not chosen.without_peers:
        python = peer_python(chosen.peers, "spacy")
        pipeline = chosen.spacy or train_spacy(python, data, "ner", work / "spacy", seed=0, steps=50)[1]
        peer = (python, pipeline)
    _whole_processes(chosen, report, taggers, peer, work)
    _warm(chosen, report, data, taggers, peer)


def _whole_processes(
    chosen: argparse.Namespace,
    report: Report,
    taggers: dict[str, Path],
    peer: tuple[Path, Path] | None,
    work: Path,
) -> None:
    commands = {f"polytag, {name}": [polytag_command(), "predict", folder, "-"] for name, folder in taggers.items()}
    if peer:
        commands["spaCy, ner"] = [peer[0], "-c", SPACY, peer[1]]
    text = work / "text"
    text.write_text(TEXT, encoding="utf-8")
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(chosen.rounds + 1):
        for name, command in commands.items():
            measured = timed(command, text)
            if number:
                runs[name].append(measured)
        console.print(f"round {number}/{chosen.rounds}  whole processes")
    seconds = {name: [took for took, _ in measured] for name, measured in runs.items()}
    ratios = {name: median_ratio(took, seconds["spaCy, ner"]) if peer else None for name, took in seconds.items()}
    peaks = {name: max(memory for _, memory in measured) for name, measured in runs.items()}
    report.add(process_seconds=seconds, process_over_spacy=ratios, process_peak_mb=peaks)
    rows = [[name, statistics.median(took), ratios[name], peaks[name]] for name, took in seconds.items()]
    report.show(table("One sentence, a whole process", ["side", "seconds", "÷ spaCy", "peak MB"], rows))


def _warm(
    chosen: argparse.Namespace, report: Report, data: Data, taggers: dict[str, Path], peer: tuple[Path, Path] | None
) -> None:
    file, sides = str(data.folder / "test.jsonl"), []

    def ours(name: str, runtime: str) -> Side:
        settings = {"task": "ner", "tagger": str(taggers[name]), "file": file, "runtime": runtime}
        return Side(f"{name}, {runtime}", sys.executable, "polytag_predict.py", **settings)

    with closing(sides):
        sides += [ours("compact", runtime) for runtime in ("numpy", "onnx", "tensorflow")]
        pairs = [(f"compact, {runtime}", "compact, tensorflow") for runtime in ("numpy", "onnx")]
        if "checkpoint" in taggers:
            sides.append(ours("checkpoint", "onnx"))
        if peer:
            settings = {"model": str(peer[1]), "file": file, "component": "ner"}
            sides.append(Side("spaCy, ner", peer[0], "spacy_predict.py", **settings))
            pairs.append(("compact, numpy", "spaCy, ner"))
            if "checkpoint" in taggers:
                settings = {"tagger": str(taggers["checkpoint"]), "file": file, "batch_sizes": [8]}
                python = peer_python(chosen.peers, "torch")
                sides.append(Side("transformers.pipeline", python, "pipeline_predict.py", **settings))
                pairs.append(("checkpoint, onnx", "transformers.pipeline"))
        report.versions(sides)
        words = data.about["test"]["words"]
        single = min(chosen.single, data.about["test"]["sentences"])
        latencies: dict[str, list[float]] = {side.name: [] for side in sides}
        speeds: dict[str, list[float]] = {side.name: [] for side in sides}
        for number in range(chosen.rounds + 1):
            for side in sides:
                middle = 1000 * statistics.median(side.go(single=single)["times"])
                latencies[side.name] += [middle] if number else []
            console.print(f"round {number}/{chosen.rounds}  one sentence")
        for number in range(chosen.rounds + 1):
            for side in sides:
                start = "words, 8" if side.name == "transformers.pipeline" else "words"
                speed = words / side.go(**{"from": start})["seconds"]
                speeds[side.name] += [speed] if number else []
            console.print(f"round {number}/{chosen.rounds}  many sentences")
    report.add(p50_ms=latencies, words_a_second=speeds)
    rows = [[n, statistics.median(latencies[n]), statistics.median(speeds[n])] for n in latencies]
    ratios = [
        [
            f"{over} ÷ {under}",
            median_ratio(latencies[over], latencies[under]),
            median_ratio(speeds[over], speeds[under]),
        ]
        for over, under in pairs
    ]
    report.show(
        table("In a warm process", ["side", "p50 of a sentence, ms", "words/s"], rows),
        table("Medians of ratios", ["", "p50", "words/s"], ratios),
    )


def _with_onnx(tagger: Path, copy: Path) -> Path:
    """A copy of a tagger, with an ONNX model of its weights."""
    folder = shutil.copytree(tagger, copy / "with-onnx")
    polytag.export(folder, in_place=True)
    return folder


if __name__ == "__main__":
    main()
