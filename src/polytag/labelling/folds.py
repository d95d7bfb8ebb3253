"""Taggers that judge sentences that they were not trained on: out-of-fold training, kept on disk and resumable."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.corpus.convert import convert_corpus
from polytag.corpus.corpus import Corpus
from polytag.encoding.tensors import save_tensors
from polytag.errors import InterruptedRunError, PolytagError
from polytag.files import new_folder, remove_folder
from polytag.labelling.words import AnnotatedSentences, Opinion, joined, opinions
from polytag.plugin.encoder_choice import choose_encoder
from polytag.plugin.reader import SentenceTable
from polytag.plugin.reporter import Reporter
from polytag.runner import run
from polytag.tagger.tagger import Tagger
from polytag.training.config import RunConfig

_IDENTITY = "folds.json"
_WORDS = "words.safetensors"


class FoldOptions(NamedTuple):
    """Options of the training of out-of-fold taggers.

    Attributes:
        folds: Number of folds.
        encoder: `compact`, or a checkpoint.
        seed: Seed of the folds and of the training.
    """

    folds: int
    encoder: str
    seed: int


def folds_of(annotated: AnnotatedSentences, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each sentence, int64 (sentences,), of about equally many words each.

    Whole documents are in one fold, if there are at least as many documents as folds.

    Raises:
        PolytagError: There are fewer sentences than folds.
    """
    groups = annotated.documents
    if groups is None or len(set(groups)) < folds:
        groups = range(len(annotated.sentences))
    numbers = np.array(groups)
    if len(numbers) < folds:
        raise PolytagError(
            f"The corpus {annotated.corpus.reference!r} has {len(numbers)} annotated sentences: too few for {folds} "
            "folds. Choose fewer with --folds, or name a tagger with --tagger."
        )
    sizes = np.bincount(numbers, weights=list(map(len, annotated.sentences)))
    order = np.random.default_rng(seed).permutation(len(sizes))
    filled = np.zeros(folds)
    fold_of = np.empty(len(sizes), dtype=np.int64)
    for group in order:
        fold_of[group] = smallest = int(filled.argmin())
        filled[smallest] += sizes[group]
    found: NDArray[np.int64] = fold_of[numbers]
    return found


def out_of_fold(
    annotated: AnnotatedSentences,
    tasks: Sequence[str],
    options: FoldOptions,
    cache: Path,
    new_reporter: Callable[[], Reporter],
) -> dict[str, Opinion]:
    """Train a tagger per fold on the sentences of the other folds, and let it judge the words of its fold.

    What each tagger says is kept in the cache, so that an interrupted call continues where it was.

    Args:
        annotated: The sentences.
        tasks: The tasks, as named for a run: `ner`, `ner=label`.
        options: How the taggers are trained.
        cache: Folder of the results.
        new_reporter: Makes the reporter of a run.

    Returns:
        For each task, what the taggers say about all words.

    Raises:
        PolytagError: There are fewer sentences than folds, or a run fails.
    """
    folds = folds_of(annotated, options.folds, options.seed)
    place = cache / _identity(annotated, tasks, options)
    starts = annotated.starts
    parts: dict[str, list[tuple[NDArray[np.int64], Opinion]]] = {task: [] for task in annotated.tags}
    new_reporter().message(f"The results of the folds are kept in {str(place)!r}")
    for number in range(options.folds):
        held = np.flatnonzero(folds == number).tolist()
        words = np.concatenate([np.arange(starts[index], starts[index + 1]) for index in held])
        for task, opinion in _of_fold(annotated, tasks, options, folds, number, place, new_reporter).items():
            parts[task].append((words, opinion))
    return {task: joined(of_task) for task, of_task in parts.items()}


def _identity(annotated: AnnotatedSentences, tasks: Sequence[str], options: FoldOptions) -> str:
    """The name of the folder of these folds."""
    content = annotated.corpus
    schemes = {task: scheme.name for task, scheme in annotated.schemes.items()}
    identity = [content.fingerprint, content.document_boundaries, list(tasks), schemes, options._asdict()]
    return "folds-" + hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]


def _of_fold(
    annotated: AnnotatedSentences,
    tasks: Sequence[str],
    options: FoldOptions,
    folds: NDArray[np.int64],
    number: int,
    place: Path,
    new_reporter: Callable[[], Reporter],
) -> dict[str, Opinion]:
    """The opinion of the tagger of a fold about its words; read from the cache if it is known."""
    reporter = new_reporter()
    fold = place / f"fold-{number + 1}"
    name = f"Fold {number + 1} of {options.folds}"
    if (known := _read(fold, list(annotated.tags))) is not None:
        reporter.message(f"{name}: known from an earlier call")
        return known
    held, rest = np.flatnonzero(folds == number).tolist(), np.flatnonzero(folds != number).tolist()
    reporter.message(f"{name}: trains on {len(rest):,} sentences, and judges the other {len(held):,}")
    work = place / f"work-{number + 1}"
    output, corpus = work / "tagger", work / "corpus"
    if (output / "polytag.json").is_file():  # trained, and killed before its opinion was written
        tagger = Tagger.load(output)
    else:
        tables = {"train": _table(annotated, rest), "validation": _table(annotated, held)}
        convert_corpus(Corpus("fold", "jsonl", tables), corpus, format="jsonl", overwrite=True)
        with_spans = [scheme.name for scheme in annotated.schemes.values() if scheme.encodes_spans]
        chosen = {
            **{"task": tasks, "corpus": str(corpus), "reader": "jsonl", "output": output, "resume": True},
            **{"encoder": options.encoder, "seed": options.seed},
            "corpus_scheme": with_spans[0] if with_spans else None,
            "epochs": max(1, choose_encoder(options.encoder).defaults.epochs // 2),
        }
        config = RunConfig.from_sources(None, chosen)
        try:
            tagger = run(config, reporter, tested=False).tagger
        except InterruptedRunError:
            raise InterruptedRunError(
                f"Interrupted; the work so far is in {str(place)!r}. The same command continues it."
            ) from None
    sentences = [annotated.sentences[index] for index in held]
    documents = None if annotated.documents is None else [annotated.documents[index] for index in held]
    found = opinions(tagger, sentences, documents, list(annotated.tags))
    with new_folder(fold, "fold") as temporary:
        arrays: dict[str, NDArray[Any]] = {}
        for index, opinion in enumerate(found.values()):
            arrays[f"probabilities-{index}"], arrays[f"predicted-{index}"] = opinion.probabilities, opinion.predicted
        save_tensors(arrays, temporary / _WORDS)
        labels = {task: opinion.labels for task, opinion in found.items()}
        (temporary / _IDENTITY).write_text(json.dumps(labels), encoding="utf-8")
    remove_folder(work)
    return found


def _table(annotated: AnnotatedSentences, chosen: Sequence[int]) -> SentenceTable:
    """Some sentences, with the columns of the tasks."""
    documents = annotated.documents
    return SentenceTable(
        tuple(tuple(annotated.sentences[index]) for index in chosen),
        {
            annotated.column_of[task]: tuple(tuple(tags[index]) for index in chosen)
            for task, tags in annotated.tags.items()
        },
        None if documents is None else tuple(documents[index] for index in chosen),
        ("",) * len(chosen),
    )


def _read(fold: Path, tasks: Sequence[str]) -> dict[str, Opinion] | None:
    """The opinion that is kept of a fold; None if it does not exist, or is damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        labels = json.loads((fold / _IDENTITY).read_text(encoding="utf-8"))
        arrays = load_file(fold / _WORDS)
        return {
            task: Opinion(tuple(labels[task]), arrays[f"probabilities-{index}"], arrays[f"predicted-{index}"])
            for index, task in enumerate(tasks)
        }
    except (OSError, ValueError, KeyError, SafetensorError):
        return None


def default_cache() -> Path:
    """The folder of the user's caches that is polytag's: `~/.cache/polytag`, or the one that `XDG_CACHE_HOME` says."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "polytag"
