"""Systems to compare: taggers, and files of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import ne
from pathlib import Path
from typing import Any, NamedTuple

from polytag.corpus.odd_tags import odd_tags, refuse_odd_tags
from polytag.corpus.recognition import recognise_scheme
from polytag.corpus.splits import Split
from polytag.errors import PolytagError
from polytag.evaluation.prediction_files import SKIP, Predictions, is_predictions, read_predictions
from polytag.evaluation.results import Tags
from polytag.evaluation.scoring import where_annotated
from polytag.files import expand_home
from polytag.hub import tagger_folder
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme, convert_tags
from polytag.plugin.surroundings import for_plugin
from polytag.plugin.task_choice import split_choice
from polytag.tagger.description import TaggerDescription, open_folder
from polytag.tagger.runtimes import choose_runtime
from polytag.tagger.tagger import Tagger


class TaggerFolder(NamedTuple):
    """A tagger, loaded after all checks, and the runtime to load it in."""

    path: Path
    description: TaggerDescription
    runtime: str


System = Predictions | TaggerFolder


def open_system(name: str, runtime: str | None) -> System:
    """Open the folder of a tagger, or a file of predictions.

    Raises:
        PolytagError: It does not exist, is damaged, or cannot run in the runtime.
    """
    if is_predictions(name):
        return read_predictions(expand_home(name))
    path = tagger_folder(name)
    if not path.exists():
        raise PolytagError(
            f"{name!r} does not exist. Name the folder of a tagger, or a file written by `polytag predict`."
        )
    folder, description = open_folder(path)
    return TaggerFolder(folder, description, choose_runtime(folder, description, runtime))


def named_tasks(texts: Sequence[str]) -> list[tuple[str, str | None]]:
    """Name and column of each task to score, given as `NAME[=COLUMN]`, or as `_` for a column of a file to skip.

    Raises:
        PolytagError: A text is not of this form, a task is named twice, or none is.
    """
    choices: list[tuple[str, str | None]] = [(SKIP, None) if text == SKIP else split_choice(text) for text in texts]
    names = [name for name, _ in choices if name != SKIP]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise PolytagError(f"The task {twice!r} is named twice. Name each task once, _ for a column to skip.")
    if choices and not names:
        raise PolytagError("--task _ skips a column, and all are skipped. Name a task to score: --task ner")
    return choices


def check_words(name: str, found: Predictions, words: Tags, corpus: str, places: Sequence[str]) -> None:
    """Check that a file of predictions has exactly the sentences of a split.

    Raises:
        PolytagError: It has others; the message shows the first difference.
    """
    for index, (own, sentence) in enumerate(zip(found.words, words, strict=False)):
        if list(own) != list(sentence):
            at = next((i for i, pair in enumerate(zip(own, sentence, strict=False)) if ne(*pair)), None)
            problem = (
                f"has {len(own)} words, and the corpus has {len(sentence)}"
                if at is None
                else f"has the word {own[at]!r} where the corpus has {sentence[at]!r} (word {at + 1})"
            )
            raise PolytagError(
                f"{name!r} does not have the sentences of {corpus}: sentence {index + 1}, at {places[index]}, "
                f"{problem}. Tag exactly the words of this split, for instance with `polytag predict TAGGER FILE "
                "--input conll`."
            )
    if len(found.words) != len(words):
        raise PolytagError(
            f"{name!r} has {len(found.words):,} sentences, and {corpus} has {len(words):,}; the first ones agree. Tag "
            "exactly this split, or name another one with --split."
        )


def check_tags(name: str, found: Predictions, schemes: Mapping[str, LabelScheme]) -> None:
    """Check that a label scheme writes the tags of a file of predictions, in tasks with spans.

    Raises:
        PolytagError: It has others.
    """

    def place(_: str, index: int, position: int) -> str:
        return f"sentence {index + 1}, word {position + 1}"

    for task, scheme in schemes.items():
        if scheme.encodes_spans:
            refuse_odd_tags(
                odd_tags({"": found.tags[task]}, place), f"{name!r}, in the task {task!r},", respelled=False
            )


def system_tags(
    system: System,
    data: Split,
    schemes: Mapping[str, LabelScheme],
    decoding: Any,
) -> dict[str, Tags]:
    """Tags of each task in its scheme; `UNANNOTATED` for unannotated words."""
    if isinstance(system, Predictions):
        found: Mapping[str, Tags] = system.tags
        every = list(registry().schemes.working())
        own = {task: recognise_scheme(found[task], every).scheme for task in schemes}
    else:
        tagger = Tagger.load(system.path, decoding, runtime=system.runtime)
        with for_plugin():
            found = tagger.predict_tags(data.sentences, data.documents)
        own = {task: tagger.decoders[task].scheme for task in schemes}
    return {
        task: where_annotated(
            data.tags[task],
            [convert_tags(tags, own[task], scheme) for tags in found[task]]
            if own[task].encodes_spans and scheme.encodes_spans
            else found[task],
        )
        for task, scheme in schemes.items()
    }
