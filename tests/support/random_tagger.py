"""A tagger over a small checkpoint that was not trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from polytag import Tagger
from polytag.engine.encoders.pretrained import create
from polytag.engine.loop import seed_everything
from polytag.engine.model import TaggerModel
from polytag.tagger.heads import TaskHead
from support.checkpoints import make_checkpoint


def save_random_tagger(folder: Path, tasks: Mapping[str, tuple[Sequence[str], str]], family: str = "bert") -> Path:
    """Save a tagger with random weights.

    Args:
        folder: Where to.
        tasks: For each task its labels, and its label scheme.
        family: The family of the checkpoint, which is made beside the folder.
    """
    seed_everything(0)
    checkpoint = make_checkpoint(folder.parent / family, family)
    model = TaggerModel(create(str(checkpoint)), {task: labels for task, (labels, _) in tasks.items()})
    for head in model.heads.values():
        head.kernel.assign(np.random.default_rng(0).normal(size=head.kernel.shape))
    heads = {task: TaskHead(tuple(labels), scheme, "first", "argmax") for task, (labels, scheme) in tasks.items()}
    Tagger(model, heads).save(folder)
    return folder
