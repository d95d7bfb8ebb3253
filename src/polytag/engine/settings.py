"""Settings of the training loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polytag.plugin.head import SOFTMAX


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the training loop.

    Attributes:
        epochs: Maximum number of passes over the training split.
        batch_size: Windows per step.
        accumulate: Number of steps whose gradients are accumulated for one update.
        learning_rate: Peak learning rate.
        warmup: Fraction of all updates in which the learning rate rises, 0..1.
        weight_decay: Decoupled decay of weights other than biases and normalisation.
        clip: Largest global norm of the gradients.
        averaging: Decay of the moving average of the weights; 0 for none.
        patience: Epochs without a better score after which training stops; 0 for never.
        seed: Seed of the batch plan, the dropout and the initial weights.
        loss_scaling: Whether to scale the loss, as float16 needs.
        task_weights: Weight of each task in the loss; 1 where not given.
        head: Name of the head, which has the loss.
        label_weights: Weight of each label in the loss, in id order, for tasks whose labels differ in weight.
        teacher_weight: Share of the teachers in the loss of a word that has a gold label too, 0..1.
        teacher_temperature: Divisor of the logits of teacher and student where they are compared.
        open_labels: For tasks that are annotated in part, the labels that an open word can have. Its label id is the
            number of labels.
    """

    epochs: int
    batch_size: int
    accumulate: int
    learning_rate: float
    warmup: float
    weight_decay: float
    clip: float
    averaging: float
    patience: int
    seed: int
    loss_scaling: bool = False
    task_weights: Mapping[str, float] = field(default_factory=dict)
    head: str = SOFTMAX
    label_weights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    teacher_weight: float = 0.0
    teacher_temperature: float = 1.0
    open_labels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
