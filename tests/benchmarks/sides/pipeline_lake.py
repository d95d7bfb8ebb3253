"""transformers.pipeline in Ray Data, as its users write it: pipeline_lake.py MODEL INPUT OUTPUT BATCH_SIZE ACTORS."""

from __future__ import annotations

import sys

import ray
import torch
from transformers import pipeline

MODEL, SOURCE, OUTPUT, BATCH_SIZE, ACTORS = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])


class Tag:
    """Tags the column `text` of batches."""

    def __init__(self) -> None:
        torch.set_num_threads(max(1, int(ray.cluster_resources()["CPU"]) // ACTORS))
        self._pipe = pipeline("token-classification", MODEL, aggregation_strategy="simple", device="cpu")

    def __call__(self, batch: dict) -> dict:
        found = self._pipe(list(batch["text"]), batch_size=BATCH_SIZE)
        spans = [[{**span, "score": float(span["score"])} for span in one] for one in found]
        return {**batch, "spans": spans}


ray.init(include_dashboard=False, log_to_driver=False, logging_level="error")
ray.data.DataContext.get_current().enable_progress_bars = False
lake = ray.data.read_parquet(SOURCE)
# With a processor each, actors on as many processors would leave none to read and write with.
lake.map_batches(Tag, batch_size=256, concurrency=ACTORS, num_cpus=0.5).write_parquet(OUTPUT)
