"""`polytag train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_DATA, _MODEL, _TRAINING, _HUB = "Corpus", "Model", "Training", "Hub"


def train_cli(
    task: Annotated[
        list[str] | None,
        typer.Option("--task", "-t", help="Task to train; give it again to train several on one encoder."),
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option("--corpus", "-c", help="A file, a folder, train=FILE,test=FILE, a hub dataset, or `sample`."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write the tagger to.")] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            "-e",
            help="`compact`, or a Hugging Face checkpoint: folder or hub name.",
            show_default="compact",
        ),
    ] = None,
    cased: Annotated[
        bool,
        typer.Option(
            "--cased",
            help="Give an uncased checkpoint a vocabulary with capital letters: better for part-of-speech tags and "
            "names, for a larger tagger.",
        ),
    ] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Go on from a tagger or a token classifier of transformers: folder or hub name. Its encoder and the "
            "heads that fit keep their weights.",
            show_default="none",
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Labels of the token classifier to go on from, in id order, O,B-PER,I-PER, or a file of them.",
            show_default="its own",
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with options of the run; flags override it.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a tagger in the output folder.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON on stdout.")] = False,
    reader: Annotated[
        str | None, typer.Option(help="Reader of the corpus.", show_default="recognised", rich_help_panel=_DATA)
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Columns of a column file: tokens,pos_tags,_,ner_tags (_ skips one).",
            show_default="by their number",
            rich_help_panel=_DATA,
        ),
    ] = None,
    corpus_scheme: Annotated[
        str | None,
        typer.Option(help="Label scheme the corpus is in.", show_default="recognised", rich_help_panel=_DATA),
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(help="Label scheme to train span tasks in.", show_default="the task's", rich_help_panel=_MODEL),
    ] = None,
    alignment: Annotated[
        str | None,
        typer.Option(
            help="Alignment strategy: first, last, all, mean.", show_default="the task's", rich_help_panel=_MODEL
        ),
    ] = None,
    decoding: Annotated[
        str | None,
        typer.Option(help="viterbi (valid sequences only) or argmax.", show_default="viterbi", rich_help_panel=_MODEL),
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(
            help="What a window holds: a sentence, or consecutive sentences of a document.",
            show_default="sentence",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            help="Units (subwords or words) a window holds at most.",
            show_default="what the encoder takes",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes over the training split.", show_default="compact 8, checkpoint 3", rich_help_panel=_TRAINING
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Windows a step.", show_default="compact 32, checkpoint 16", rich_help_panel=_TRAINING),
    ] = None,
    accumulate: Annotated[
        int | None,
        typer.Option(help="Steps whose gradients make one update.", show_default="1", rich_help_panel=_TRAINING),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Peak learning rate.", show_default="compact 2e-3, checkpoint 2e-4", rich_help_panel=_TRAINING
        ),
    ] = None,
    warmup: Annotated[
        float | None,
        typer.Option(
            help="Share of the updates in which the learning rate rises.", show_default="0.1", rich_help_panel=_TRAINING
        ),
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(
            help="Decoupled weight decay.", show_default="compact 0.3, checkpoint 0.01", rich_help_panel=_TRAINING
        ),
    ] = None,
    clip: Annotated[
        float | None,
        typer.Option(help="Largest global norm of the gradients.", show_default="1.0", rich_help_panel=_TRAINING),
    ] = None,
    averaging: Annotated[
        float | None,
        typer.Option(
            help="Decay of the moving average of the weights; 0 for none.",
            show_default="compact 0.999, checkpoint 0",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Stop after so many epochs without a better validation score.",
            show_default="0, never",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Arithmetic in training: float32, bfloat16 or float16; weights stay float32.",
            show_default="compact float32; checkpoint bfloat16 where the processor is faster at it",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    task_weight: Annotated[
        list[str] | None,
        typer.Option(help="Weight of a task in the loss: ner=2.", show_default="1 each", rich_help_panel=_TRAINING),
    ] = None,
    loss_weights: Annotated[
        str | None,
        typer.Option(
            help="`balanced` to make rare labels count as much as frequent ones, or a TOML file with weights.",
            show_default="1 each",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    checkpoint_every: Annotated[
        int | None,
        typer.Option(
            help="Updates between checkpoints; there is one after each epoch, too.",
            show_default="1000",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write curves to, for TensorBoard: loss, learning rate, speed, validation scores.",
            show_default="none",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write a trace of 20 steps to, for TensorBoard's profile page.",
            show_default="none",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            help="Repository on the hub to push the tagger to, owner/name; made when it is missing.",
            show_default="none",
            rich_help_panel=_HUB,
        ),
    ] = None,
    push_every: Annotated[
        str | None,
        typer.Option(
            help="end, or epoch: in the background, the best tagger so far after each epoch that is better.",
            show_default="end",
            rich_help_panel=_HUB,
        ),
    ] = None,
    push_private: Annotated[
        bool, typer.Option("--push-private", help="Push to a private repository only.", rich_help_panel=_HUB)
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(help="Same seed, same machine, same result.", show_default="0", rich_help_panel=_TRAINING),
    ] = None,
) -> None:
    """Train a tagger for one task or several.

    Every option of a run can stand in the TOML file under its own name, with _ for -.
    """
    from polytag.cli.tables import print_evaluation, print_json
    from polytag.runner import train
    from polytag.training.config import RunConfig

    flags: dict[str, Any] = {
        "task": task,
        "corpus": corpus,
        "output": output,
        "encoder": encoder,
        "cased": cased or None,
        "from": source,
        "labels": labels,
        "overwrite": overwrite or None,
        "resume": resume or None,
        "checkpoint_every": checkpoint_every,
        "loss_weights": loss_weights,
        "reader": reader,
        "columns": columns or None,
        "corpus_scheme": corpus_scheme,
        "scheme": scheme,
        "alignment": alignment,
        "decoding": decoding,
        "context": context,
        "window": window,
        "epochs": epochs,
        "batch_size": batch_size,
        "accumulate": accumulate,
        "learning_rate": learning_rate,
        "warmup": warmup,
        "weight_decay": weight_decay,
        "clip": clip,
        "averaging": averaging,
        "patience": patience,
        "precision": precision,
        "task_weights": task_weight or None,
        "tensorboard": tensorboard,
        "profile": profile,
        "push": push,
        "push_every": push_every,
        "push_private": push_private or None,
        "seed": seed,
    }
    result = train(RunConfig.from_sources(config, flags))
    if as_json:
        print_json(result.to_dict())
        return
    for evaluation in (result.validation, result.test):
        if evaluation:
            print_evaluation(evaluation)
    typer.echo(
        f"\nEpoch {result.best_epoch} of {result.epochs} was best. The tagger is in {result.output} "
        f"({result.seconds:.0f} s).\nTag text with: polytag predict {result.output} FILE"
    )
    if result.push and result.push.commit:
        typer.echo(f"It is on the hub, too: {result.push.commit}")
