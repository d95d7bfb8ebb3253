"""transformers.pipeline predicts with the weights of a tagger of polytag's."""

from __future__ import annotations

import torch
import transformers
from turns import pause, sentences, settings, versions
from watch import answer


def main() -> None:
    pipe = transformers.pipeline(
        "token-classification", settings["tagger"], aggregation_strategy="simple", device="cpu"
    )
    words = [row["tokens"] for row in sentences(settings["file"])]
    texts = [" ".join(sentence) for sentence in words]
    runs = {}
    for size in settings["batch_sizes"]:
        runs[f"words, {size}"] = lambda size=size: pipe(words, batch_size=size, is_split_into_words=True)
        runs[f"text, {size}"] = lambda size=size: pipe(texts, batch_size=size)
    command = pause(versions=versions("torch", "transformers"), threads=torch.get_num_threads())
    answer(command, runs, lambda index: pipe(texts[index]))


main()
