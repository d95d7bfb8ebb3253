"""transformers.Trainer trains as its token-classification example does, stretch by stretch."""

from __future__ import annotations

import tempfile
from typing import Any

import torch
import transformers
from pace import Pace
from turns import pause, sentences, settings, versions

IGNORE = -100


def encoded(tokenizer: Any, row: dict[str, Any], label_ids: dict[str, int]) -> dict[str, Any]:
    """What the example's `tokenize_and_align_labels` makes: a word's first subword has its label."""
    features = tokenizer(row["tokens"], truncation=True, padding=False, is_split_into_words=True)
    word_ids = features.word_ids()
    labels = [
        IGNORE if word is None or word == before else label_ids[row["tags"][word]]
        for word, before in zip(word_ids, [None, *word_ids], strict=False)
    ]
    return {**features, "labels": labels}


def predicted(model: Any, tokenizer: Any, rows: list[dict[str, Any]], labels: list[str]) -> list[list[str]]:
    """One tag a word; a word that was cut off has the outside tag."""
    model.eval()
    tags = []
    with torch.inference_mode():
        for start in range(0, len(rows), 32):
            words = [row["tokens"] for row in rows[start : start + 32]]
            batch = tokenizer(words, truncation=True, padding=True, is_split_into_words=True, return_tensors="pt")
            best = model(**batch).logits.argmax(-1).tolist()
            for index, sentence in enumerate(words):
                found = ["O"] * len(sentence)
                word_ids = batch.word_ids(index)
                for position in reversed(range(len(word_ids))):
                    if word_ids[position] is not None:
                        found[word_ids[position]] = labels[best[index][position]]
                tags.append(found)
    model.train()
    return tags


def main() -> None:
    labels = settings["labels"]
    label_ids = {label: index for index, label in enumerate(labels)}
    transformers.set_seed(settings["seed"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(settings["encoder"])
    model = transformers.AutoModelForTokenClassification.from_pretrained(settings["encoder"], num_labels=len(labels))
    rows = [{**row, "tags": row[settings["column"]]} for row in sentences(f"{settings['folder']}/train.jsonl")]
    validation = sentences(f"{settings['folder']}/validation.jsonl")
    features = [encoded(tokenizer, row, label_ids) for row in rows]
    padded = transformers.DataCollatorForTokenClassification(tokenizer)
    special = tokenizer.num_special_tokens_to_add()
    units: list[int] = []  # of batches, in the order in which they are made and trained on

    def collate(chosen: list[dict[str, Any]]) -> Any:
        units.append(sum(len(row["input_ids"]) - special for row in chosen))
        return padded(chosen)

    command = pause(
        versions=versions("torch", "transformers", "accelerate"),
        threads=torch.get_num_threads(),
        subwords=sum(len(row["input_ids"]) - special for row in features),
    )
    pace = Pace(command.get("steps"))

    class Callback(transformers.TrainerCallback):
        def on_epoch_begin(self, *_: Any, **__: Any) -> None:
            pace.begin()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            pace.step(units.pop(0))

        def on_epoch_end(self, *_: Any, **__: Any) -> None:
            pace.epoch(lambda: {"tags": predicted(model, tokenizer, validation, labels)})

    with tempfile.TemporaryDirectory() as folder:
        transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=settings["batch_size"],
                learning_rate=settings["learning_rate"],
                weight_decay=settings["weight_decay"],
                num_train_epochs=settings["epochs"],
                seed=settings["seed"],
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                use_cpu=True,
            ),
            train_dataset=features,
            data_collator=collate,
            processing_class=tokenizer,
            callbacks=[Callback()],
        ).train()


main()
