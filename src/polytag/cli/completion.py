"""Completion of values in a shell: the names that a plugin or polytag gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Complete = Callable[[str], list[str]]


def one_of(names: Sequence[str]) -> Complete:
    """Complete one of these names."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def registered(kind: str) -> Complete:
    """Complete a name of the registry: of its `tasks`, `schemes`, `readers`, and so on."""

    def complete(incomplete: str) -> list[str]:
        from polytag.plugin.registry import registry

        return one_of(list(getattr(registry(), kind)))(incomplete)

    return complete


def plugin_name(incomplete: str) -> list[str]:
    """Complete the name of a plugin."""
    from polytag.plugin.registry import registry

    return one_of([plugin.name for plugin in registry().manager.plugins])(incomplete)


def _decodings(incomplete: str) -> list[str]:
    """Complete the name of a decoding."""
    from polytag.tagger.viterbi import decodings

    return one_of(decodings())(incomplete)


OF_OPTIONS = {
    "task": registered("tasks"),
    "scheme": registered("schemes"),
    "corpus_scheme": registered("schemes"),
    "alignment": registered("alignments"),
    "encoder": registered("encoders"),
    "reader": registered("readers"),
    "splitter": registered("splitters"),
    "metric": registered("metrics"),
    "decoding": _decodings,
    "runtime": one_of(("tensorflow", "onnx", "onnx-int8", "numpy")),
    "input_format": one_of(("text", "document", "words", "conll", "jsonl")),
    "output_format": one_of(("jsonl", "conll", "doccano", "table", "html")),
    "to": one_of(("savedmodel", "onnx", "litert", "transformers")),
}
"""How the value of an option is completed, by the name of its parameter."""
