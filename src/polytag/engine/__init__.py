"""The TensorFlow engine: the only package that imports TensorFlow and Keras."""

from __future__ import annotations

import logging
import os
import sys
import tempfile

from polytag.engine.lean_imports import without_optional_packages
from polytag.errors import MissingEngineError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN multiplies faster than TensorFlow's own kernels, also on processors for which TensorFlow disables it: those
# without instructions for short numbers (AVX-512 VNNI and later).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ["KERAS_BACKEND"] = "tensorflow"
# transformers warns that PyTorch is missing; its tokenizers and configurations need none.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


def _import_quietly() -> None:
    """Import TensorFlow without the lines that its C++ code prints before its log level applies."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # stderr is closed
        import tensorflow

        return
    with tempfile.TemporaryFile() as swallowed:
        os.dup2(swallowed.fileno(), 2)
        try:
            import tensorflow  # noqa: F401  # loaded here, so that later imports find it
        except Exception:
            os.dup2(kept, 2)
            swallowed.seek(0)
            sys.stderr.write(swallowed.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


try:
    with without_optional_packages():
        _import_quietly()
except ModuleNotFoundError as error:
    if error.name != "tensorflow":
        raise
    raise MissingEngineError from error
# Every run has its own step function, which TensorFlow would report as needless retracing of one function.
logging.getLogger("tensorflow").setLevel(logging.ERROR)
