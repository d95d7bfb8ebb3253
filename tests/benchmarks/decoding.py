"""What constrained Viterbi decoding costs and brings, for a trained tagger.

    python tests/benchmarks/decoding.py TAGGER --corpus ../shared/data/conll2003

Predicts the test split with both decodings in turn, and prints the median time of each, their ratio, and their scores.
"""

from __future__ import annotations

import argparse
import statistics
import time

import polytag


def main() -> None:
    """Time both decodings, interleaved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tagger")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()

    corpus = polytag.load_corpus(chosen.corpus)
    sentences, documents = corpus.words(chosen.split), corpus.documents(chosen.split)
    taggers = {name: polytag.Tagger.load(chosen.tagger, name) for name in ("viterbi", "argmax")}
    for tagger in taggers.values():
        tagger.predict(sentences, documents)
    seconds: dict[str, list[float]] = {name: [] for name in taggers}
    for _ in range(chosen.runs):
        for name, tagger in taggers.items():
            began = time.perf_counter()
            tagger.predict(sentences, documents)
            seconds[name].append(time.perf_counter() - began)
    words = corpus.n_words(chosen.split)
    for name, tagger in taggers.items():
        middle = statistics.median(seconds[name])
        evaluation = polytag.evaluate(tagger, corpus, chosen.split)
        errors = {task: result.calibration for task, result in evaluation.tasks.items()}
        print(f"{name}: {middle:.2f} s, {words / middle:,.0f} words/s, {evaluation.headlines}, {errors}")
    ratios = [viterbi / argmax for viterbi, argmax in zip(seconds["viterbi"], seconds["argmax"], strict=True)]
    print(f"time, viterbi / argmax: {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
