"""Make the example.py of an exported tagger: a program that tags a sentence without polytag."""

from __future__ import annotations

from collections.abc import Mapping

from polytag.plugin.encoder import ExampleInputs
from polytag.plugin.head import CRF, SOFTMAX
from polytag.tagger.heads import TaskHead
from polytag.tagger.token_classifiers import aggregation

_HEAD = '''"""Tag a sentence of words: python example.py "My name is Sylvain ."

Needs {packages}. {runs}
{decoding}
"""

import json
import sys
from pathlib import Path

import numpy as np
{imports}
FOLDER = Path(__file__).parent
LABELS = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
DTYPE = np.{dtype}  # of the network's inputs
{parameters}'''

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
        {choice}
    return found


if __name__ == "__main__":
    sentence = " ".join(sys.argv[1:]) or "My name is Sylvain and I work at Hugging Face in Brooklyn ."
    for task, row in tags(sentence.split()).items():
        print(task, *(f"{{word}}/{{tag}}" for word, tag in zip(sentence.split(), row)))
'''

_ARGMAX = 'found[task] = ["O" if row is None else LABELS[task][int(row.argmax())] for row in rows]'

_MOST_PROBABLE = "Tags are the most probable label of each word; polytag also ensures that they form valid spans."

_CRF_PARAMETERS = """
# Scores of each label (column) after each other (row); the last row is for the first word of a sentence, the last
# column for the last word. A score of -10000 forbids a transition.
TRANSITIONS = {
    task: np.array(own["transitions"])
    for task, own in json.loads((FOLDER / "heads.json").read_text(encoding="utf-8")).items()
}
"""

_CRF = '''

def best_labels(rows, transitions):
    """The best sequence of labels of a CRF, by Viterbi, for the probabilities of each word's labels."""
    between, first, last = transitions[:-1, :-1], transitions[-1, :-1], transitions[:-1, -1]
    scores = [np.zeros(len(first)) if row is None else np.log(np.maximum(row, 1e-30)) for row in rows]
    best, before = scores[0] + first, []
    for score in scores[1:]:
        through = best[:, None] + between
        before.append(through.argmax(axis=0))
        best = through.max(axis=0) + score
    labels = [int((best + last).argmax())]
    for choices in reversed(before):
        labels.append(int(choices[labels[-1]]))
    return labels[::-1]
'''

_CRF_CHOICE = "found[task] = [LABELS[task][label] for label in best_labels(rows, TRANSITIONS[task])] if rows else []"

_BEST_SEQUENCE = "Tags are the most probable sequence of labels, by the transitions in heads.json, as in polytag."

_OTHER = (
    "Tags are the most probable label of each word; polytag chooses them with the head {kind}, whose parameters,\n"
    "if it has any, are in heads.json."
)

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


def example_program(to: str, encoding: ExampleInputs, heads: Mapping[str, TaskHead]) -> str:
    """The source of a program that runs an export.

    Args:
        to: `onnx`, `savedmodel` or `litert`.
        encoding: The part of the program that encodes words.
        heads: The head of each task.
    """
    package, imported = _IMPORTS[to]
    first, *others = "numpy", package, *encoding.packages
    packages = f"{', '.join([first, *others[:-1]])} and {others[-1]}"
    dtype = "int64" if to == "onnx" else "int32"
    strategies = {head.alignment for head in heads.values()}
    kinds = {head.kind for head in heads.values()}
    is_crf = kinds == {CRF}
    other = [kind for kind in kinds if kind not in (SOFTMAX, CRF)]
    decoding = _BEST_SEQUENCE if is_crf else _OTHER.format(kind=other[0]) if other else _MOST_PROBABLE
    rows = _ROWS.get(strategies.pop(), _FIRST) if len(strategies) == 1 else _FIRST
    runs = "Batches of several sentences work as well: pad them with any id, and 0 in attention_mask."
    return (
        _HEAD.format(
            packages=packages,
            imports=imported + encoding.imports,
            runs=runs,
            dtype=dtype,
            decoding=decoding,
            parameters=_CRF_PARAMETERS if is_crf else "",
        )
        + encoding.code
        + _RUN[to]
        + (_CRF if is_crf else "")
        + _TAIL.format(rows=rows, choice=_CRF_CHOICE if is_crf else _ARGMAX)
    )


def transformers_program(alignment: str) -> str:
    """The source of a program that runs a transformers checkpoint.

    Args:
        alignment: The alignment strategy of the task.
    """
    return _TRANSFORMERS.format(strategy=aggregation(alignment))
