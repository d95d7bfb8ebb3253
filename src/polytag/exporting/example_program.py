"""Make the example.py of an exported tagger: a program that tags a sentence without polytag."""

from __future__ import annotations

from collections.abc import Mapping

from polytag.plugin.encoder import ExampleInputs
from polytag.tagger.token_classifiers import aggregation

_HEAD = '''"""Tag a sentence of words: python example.py "My name is Sylvain ."

Needs {packages}. {runs}
Tags are the most probable label of each word; polytag also ensures that they form valid spans.
"""

import json
import sys
from pathlib import Path

import numpy as np
{imports}
FOLDER = Path(__file__).parent
LABELS = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
DTYPE = np.{dtype}  # of the network's inputs
'''

_RUN = {
    "onnx": '''
session = onnxruntime.InferenceSession(str(FOLDER / "model.onnx"), providers=["CPUExecutionProvider"])


def probabilities(given):
    """The probabilities of each task's labels: float32 (batch, length, labels)."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, given)))
''',
    "savedmodel": '''
# For TensorFlow Serving, use this folder as --model_base_path; the model is version 1.
model = tf.saved_model.load(str(FOLDER / "1"))
signature = model.signatures["serving_default"]


def probabilities(given):
    """The probabilities of each task's labels: float32 (batch, length, labels)."""
    return {task: values.numpy() for task, values in signature(**{k: tf.constant(v) for k, v in given.items()}).items()}
''',
    "litert": '''
interpreter = Interpreter(str(FOLDER / "model.tflite"))


def probabilities(given):
    """The probabilities of each task's labels: float32 (batch, length, labels)."""
    return interpreter.get_signature_runner("serving_default")(**given)
''',
}

_TAIL = '''

def tags(words):
    """The tags of the words, by task."""
    given, positions = inputs(words)
    found = {{}}
    for task, scores in probabilities(given).items():
        rows = [{rows} if at else None for at in positions]
        found[task] = ["O" if row is None else LABELS[task][int(row.argmax())] for row in rows]
    return found


if __name__ == "__main__":
    sentence = " ".join(sys.argv[1:]) or "My name is Sylvain and I work at Hugging Face in Brooklyn ."
    for task, row in tags(sentence.split()).items():
        print(task, *(f"{{word}}/{{tag}}" for word, tag in zip(sentence.split(), row)))
'''

_IMPORTS = {
    "onnx": ("onnxruntime", "import onnxruntime\n"),
    "savedmodel": ("tensorflow", "import tensorflow as tf\n"),
    "litert": ("ai-edge-litert", "from ai_edge_litert.interpreter import Interpreter\n"),
}

_ROWS = {"last": "scores[0, at[-1]]", "mean": "scores[0, at].mean(axis=0)"}
_FIRST = "scores[0, at[0]]"

_TRANSFORMERS = '''"""Tag a text: python example.py "My name is Sylvain."

Needs transformers and torch. The folder is a transformers checkpoint: `AutoModelForTokenClassification` also loads it.
"""

import sys
from pathlib import Path

from transformers import pipeline

tag = pipeline("token-classification", model=str(Path(__file__).parent), aggregation_strategy="{strategy}")

if __name__ == "__main__":
    text = " ".join(sys.argv[1:]) or "My name is Sylvain and I work at Hugging Face in Brooklyn."
    for span in tag(text):
        print(span["entity_group"], f"{{span['score']:.2f}}", text[span["start"] : span["end"]])
'''


def example_program(to: str, encoding: ExampleInputs, alignments: Mapping[str, str]) -> str:
    """The source of a program that runs an export.

    Args:
        to: `onnx`, `savedmodel` or `litert`.
        encoding: The part of the program that encodes words.
        alignments: The alignment strategy of each task.
    """
    package, imported = _IMPORTS[to]
    first, *others = "numpy", package, *encoding.packages
    packages = f"{', '.join([first, *others[:-1]])} and {others[-1]}"
    dtype = "int64" if to == "onnx" else "int32"
    strategies = set(alignments.values())
    rows = _ROWS.get(strategies.pop(), _FIRST) if len(strategies) == 1 else _FIRST
    runs = "Batches of several sentences work as well: pad them with any id, and 0 in attention_mask."
    return (
        _HEAD.format(packages=packages, imports=imported + encoding.imports, runs=runs, dtype=dtype)
        + encoding.code
        + _RUN[to]
        + _TAIL.format(rows=rows)
    )


def transformers_program(alignment: str) -> str:
    """The source of a program that runs a transformers checkpoint.

    Args:
        alignment: The alignment strategy of the task.
    """
    return _TRANSFORMERS.format(strategy=aggregation(alignment))
