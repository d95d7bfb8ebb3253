"""optimum tags texts with the ONNX models in the folders of taggers, as its documentation loads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import transformers
from optimum.onnxruntime import ORTModelForTokenClassification
from turns import pause, sentences, settings, versions


def main() -> None:
    texts = [row["text"] for row in sentences(settings["file"])]
    pause(versions=versions("optimum-onnx", "transformers", "onnxruntime"))
    found = {}
    for model in settings["models"]:
        try:
            found[model] = tagged(Path(model), texts)
        except Exception as error:
            found[model] = {"error": f"{type(error).__name__}: {error}"}
    Path(settings["output"]).write_text(json.dumps(found), encoding="utf-8")
    pause()


def tagged(path: Path, texts: list[str]) -> dict[str, Any]:
    """For each text the ids, their logits, the label of each, and the spans."""
    folder, name = path.parents[1], path.name
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = ORTModelForTokenClassification.from_pretrained(folder, file_name=name)
    size = settings["batch_sizes"][name]
    rows: list[dict[str, Any]] = []
    for start in range(0, len(texts), size):
        given = tokenizer(texts[start : start + size], padding=True, return_tensors="np")
        logits = model(**given).logits
        for ids, mask, own in zip(given["input_ids"], given["attention_mask"].astype(bool), logits, strict=True):
            rows.append({"ids": ids[mask].tolist(), "logits": own[mask].tolist()})
    pipe = transformers.pipeline("token-classification", model=model, tokenizer=tokenizer)
    every = pipe(texts, batch_size=size, aggregation_strategy="none", ignore_labels=[])
    spans = pipe(texts, batch_size=size, aggregation_strategy="first")
    for row, text, subwords, own in zip(rows, texts, every, spans, strict=True):
        row["labels"] = {subword["index"]: subword["entity"] for subword in subwords}
        row["spans"] = [[span["entity_group"], text[span["start"] : span["end"]]] for span in own]
    return {"inputs": list(model.input_names), "rows": rows}


main()
