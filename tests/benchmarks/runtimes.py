"""What each runtime costs: start-up, one sentence, and many.

    polytag train -t ner -c sample -e ENCODER --epochs 1 -o tagger
    polytag export tagger tagger-onnx --to onnx
    polytag export tagger tagger-int8 --to onnx --quantize int8
    python tests/benchmarks/runtimes.py tagger tagger-onnx tagger-int8 --corpus SOURCE

A folder runs in its own runtime, or in the one after `=`: `tagger=tensorflow`. `--agreement` also compares the
tags, the probabilities and the scores of all with the first.

Each folder runs in processes of its own, in turn. Start-up is from the start of Python to the first tagged sentence.
Throughput counts everything from words to tags. `--pipeline FOLDER --python PYTHON` adds transformers.pipeline with a
checkpoint, in a Python that has PyTorch, one sentence a call as it works by default.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

_MEASURE = """
import json, sys, time
began = float(sys.argv[1])
if sys.argv[3] == "polytag":
    import polytag
    folder, _, runtime = sys.argv[2].partition("=")
    tagger = polytag.Tagger.load(folder, runtime=runtime or None)
    one = lambda words: tagger.predict_tags([words])
    many = tagger.predict_tags
else:
    from transformers import pipeline
    tag = pipeline("token-classification", model=sys.argv[2], aggregation_strategy="first")
    one = lambda words: tag(" ".join(words))
    many = lambda sentences: tag([" ".join(words) for words in sentences])
one("Peter Blackburn lives in Berlin .".split())
start = time.time() - began
sentences = json.load(sys.stdin)
latencies = []
for words in sentences[:int(sys.argv[4])]:
    before = time.perf_counter()
    one(words)
    latencies.append(time.perf_counter() - before)
before = time.perf_counter()
many(sentences)
seconds = time.perf_counter() - before
print(json.dumps([start, latencies, seconds]))
"""


def main() -> None:
    """Measure each in turn, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--corpus", default="sample")
    parser.add_argument("--split", default="test")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sentences", type=int, default=100, help="sentences tagged one by one, each run")
    parser.add_argument("--agreement", action="store_true", help="compare what all give with what the first gives")
    parser.add_argument("--pipeline", help="folder of a transformers checkpoint")
    parser.add_argument("--python", default=sys.executable, help="Python with PyTorch")
    chosen = parser.parse_args()

    import polytag

    sentences = polytag.load_corpus(chosen.corpus).words(chosen.split)
    n_words = sum(map(len, sentences))
    contenders = [(folder, "polytag", sys.executable) for folder in chosen.folders]
    if chosen.pipeline:
        contenders.append((chosen.pipeline, "pipeline", chosen.python))
    results: dict[tuple[str, str], list[tuple[float, list[float], float]]] = {}
    for _ in range(chosen.runs):
        for folder, kind, python in contenders:
            command = [python, "-c", _MEASURE, str(time.time()), folder, kind, str(chosen.sentences)]
            done = subprocess.run(command, input=json.dumps(sentences), capture_output=True, text=True, check=True)
            results.setdefault((folder, kind), []).append(json.loads(done.stdout.splitlines()[-1]))
    print(f"{len(sentences):,} sentences, {n_words:,} words, medians of {chosen.runs} runs")
    print("| | start-up | p50 | p99 | words/s |\n| --- | --- | --- | --- | --- |")
    for (folder, kind), runs in results.items():
        latencies = statistics.quantiles([1000 * one for _, run, _ in runs for one in run], n=100)
        start = statistics.median(run[0] for run in runs)
        speed = statistics.median(n_words / run[2] for run in runs)
        name = Path(folder).name if kind == "polytag" else "transformers.pipeline"
        print(f"| {name} | {start:.2f} s | {latencies[49]:.1f} ms | {latencies[98]:.1f} ms | {speed:,.0f} |")
    if chosen.agreement:
        _agreement(chosen.folders, chosen.corpus, chosen.split)


def _agreement(contenders: list[str], name: str, split: str) -> None:
    """Print how much each contender differs from the first one."""
    import polytag

    corpus = polytag.load_corpus(name)
    words, documents = corpus.words(split), corpus.documents(split)
    found = []
    for contender in contenders:
        folder, _, runtime = contender.partition("=")
        tagger = polytag.Tagger.load(folder, runtime=runtime or None)
        tagged = tagger.tag_words(words, documents)
        scores = polytag.evaluate(tagger, corpus, split).tasks
        metrics = {task: (result.metrics, result.interval) for task, result in scores.items()}
        found.append((tagger.runtime, tagged, metrics))
    _, first, expected = found[0]
    print(
        "| | runtime | words with another tag | largest difference of a score | evaluate |\n"
        "| --- | --- | --- | --- | --- |"
    )
    for contender, (runtime, tagged, metrics) in zip(contenders, found, strict=True):
        pairs = [(one, other, task) for one, other in zip(first, tagged, strict=True) for task in one.tags]
        differ = sum(
            a != b for one, other, task in pairs for a, b in zip(one.tags[task], other.tags[task], strict=True)
        )
        largest = max(
            abs(a - b) for one, other, task in pairs for a, b in zip(one.scores[task], other.scores[task], strict=True)
        )
        same = "equal" if metrics == expected else "differs"
        print(f"| {Path(contender).name} | {runtime} | {differ} | {largest:.1e} | {same} |")


if __name__ == "__main__":
    main()
