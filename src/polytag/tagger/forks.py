"""TensorFlow in forked processes: its threads do not exist there, so it would wait for them without end."""

from __future__ import annotations

import gc
import os
import sys

from polytag.errors import TaggerError

_lost = False


def check_tensorflow() -> None:
    """Check that TensorFlow can compute in this process. It is not imported.

    Raises:
        TaggerError: The process was forked from one that had used TensorFlow.
    """
    if _lost:
        raise TaggerError(
            "This process was forked from one that had used TensorFlow, which would wait here without end. Start "
            "processes with multiprocessing.get_context('spawn'), or load taggers only in the child, before anything "
            "else uses TensorFlow. Or use a tagger that runs without it: Tagger.load of one with the encoder compact "
            "uses NumPy; any other runs in ONNX Runtime (--runtime onnx) after `polytag export TAGGER --in-place`."
        )


def _in_use() -> bool:
    """Whether TensorFlow has started its threads; importing it starts none."""
    module = sys.modules.get("tensorflow.python.eager.context")
    context = module.context_safe() if module else None
    return context is not None and bool(context._initialized)


def keep_garbage() -> None:
    """Keep what exists now from garbage collections.

    In a forked process, destructors of TensorFlow and ONNX Runtime wait for threads that do not exist there, or abort.
    """
    gc.freeze()


def _after_fork() -> None:
    global _lost
    if _in_use():
        _lost = True
        keep_garbage()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
