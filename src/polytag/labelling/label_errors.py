"""Find label errors with taggers that were not trained on the labels that they judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from polytag.corpus.check.findings import Finding, LabelPlace
from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.corpus.splits import training_scheme
from polytag.errors import PolytagError
from polytag.files import expand_home
from polytag.labelling.corrections import format_of, write_corrections
from polytag.labelling.folds import FoldOptions, default_cache, out_of_fold
from polytag.labelling.occurrences import counted
from polytag.labelling.suspects import ErrorKind, Suspect, find_suspects
from polytag.labelling.words import AnnotatedSentences, Opinion, annotated_sentences, opinions
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.registry import registry
from polytag.plugin.reporter import Reporter
from polytag.plugin.splitter import STANDARD
from polytag.plugin.task import Task
from polytag.plugin.task_choice import choose_tasks, task_named
from polytag.tagger.tagger import Tagger
from polytag.training.config import DEFAULT_ENCODER
from polytag.training.progress import default_reporter

SURE = 0.9
"""The lowest score of a place that is reported: on CoNLL-2003 with errors in 3% of its spans, half of these places are
errors that were put in, and nine of ten errors are among them."""
FOLDS = 5

_MESSAGES: dict[ErrorKind, str] = {
    "missed": "a model finds spans that the annotation lacks",
    "spurious": "a model finds no span where the annotation has one",
    "type": "a model gives spans another label",
    "boundary": "a model gives spans other boundaries",
    "tag": "a model gives words another tag",
}


@dataclass(frozen=True)
class LabelErrors:
    """The places of a corpus that are probably annotated wrongly.

    Attributes:
        annotated: The sentences that were judged.
        suspects: These places, the surest first; only those with a score of at least 0.9.
    """

    annotated: AnnotatedSentences
    suspects: tuple[Suspect, ...]

    def __repr__(self) -> str:
        return f"LabelErrors({self.annotated.corpus.reference}: {len(self.suspects):,} places)"

    def findings(self, examples: int | None = None) -> list[Finding]:
        """A finding of the code `label-error` for each tag column and kind of error, with its places by rank.

        Args:
            examples: Number of places per finding: of those with the same words and labels, only the first counts.
                None for all places.
        """
        kinds: dict[tuple[str, ErrorKind], list[tuple[int, Suspect]]] = defaultdict(list)
        for rank, suspect in enumerate(self.suspects, 1):
            kinds[suspect.task, suspect.kind].append((rank, suspect))
        found = []
        for (task, kind), ranked in kinds.items():
            alike: dict[object, list[tuple[int, Suspect]]] = defaultdict(list)
            for rank, suspect in ranked:
                alike[self._group(suspect)].append((rank, suspect))
            shown = ranked if examples is None else [group[0] for group in list(alike.values())[:examples]]
            places = [self._place(rank, one, len(alike[self._group(one)])) for rank, one in shown]
            message = f"{len(ranked):,}: {_MESSAGES[kind]}, the surest first. Compare them with the guidelines."
            column = self.annotated.column_of[task]
            found.append(Finding("warning", "label-error", message, len(ranked), column, tuple(places)))
        return found

    def write_corrections(self, path: str | Path) -> int:
        """Write the sentences with suspicious spans for correction, and return their number.

        Args:
            path: The file: `.jsonl` for doccano, `.json` for Label Studio.

        Raises:
            PolytagError: The extension is another one, the file cannot be written, a word holds a blank, or several
                tasks, or one without spans, were judged.
        """
        check_corrections(expand_home(path), self.annotated)
        lines = [self._line(suspect) for suspect in self.suspects]
        return write_corrections(self.annotated, self.suspects, lines, expand_home(path))

    def _group(self, suspect: Suspect) -> object:
        """The common part of places that are alike: their words, labels and kind."""
        sides = (suspect.annotated, suspect.proposed)
        return suspect.task, suspect.kind, *((self._text(suspect.row, it), it.label) if it else None for it in sides)

    def _text(self, row: int, span: Any) -> str:
        return " ".join(self.annotated.sentences[row][span.start : span.end])

    def _line(self, suspect: Suspect) -> str:
        """`Santa Fe` is ORG, rather LOC; LOC 11 times and ORG once."""
        now, proposed = suspect.annotated, suspect.proposed
        text = f"`{self._text(suspect.row, suspect.marked)}` is {now.label if now else 'not annotated'}, rather "
        if proposed is None:
            text += "no span"
        elif suspect.kind == "boundary" or (now and now[:2] != proposed[:2]):
            text += f"`{self._text(suspect.row, proposed)}` is {proposed.label}"
        else:
            text += proposed.label
        return text + (f"; {counted(dict(suspect.counts))}" if sum(suspect.counts.values()) > 1 else "")

    def _place(self, rank: int, suspect: Suspect, alike: int) -> LabelPlace:
        split, index = self.annotated.rows[suspect.row]
        now, proposed = suspect.annotated, suspect.proposed
        return LabelPlace(
            location=self.annotated.corpus.locate_word(split, index, suspect.marked.start),
            example=self._line(suspect),
            rank=rank,
            score=round(suspect.score, 4),
            kind=suspect.kind,
            words=self._text(suspect.row, suspect.marked),
            label=now.label if now else None,
            proposed=proposed.label if proposed else None,
            proposed_words=self._text(suspect.row, proposed) if proposed else None,
            alike=alike,
            counts=dict(suspect.counts),
        )


@attributed
def find_label_errors(
    corpus: Corpus | str,
    *,
    task: str | Sequence[str] = (),
    tagger: Tagger | str | Path | None = None,
    folds: int = FOLDS,
    encoder: str = DEFAULT_ENCODER,
    seed: int = 0,
    cache: str | Path | None = None,
    corrections: str | Path | None = None,
    quiet: bool = False,
    reader: str | None = None,
    corpus_scheme: str | None = None,
    tags_as_is: bool = False,
    splitter: str = STANDARD,
    **reading: Unpack[ReadingKeywords],
) -> LabelErrors:
    """Find words and spans of all splits whose labels a tagger contradicts.

    A tagger per fold is trained on the sentences of the other folds, for half of the encoder's epochs; whole documents
    are in one fold. An interrupted call continues where it was. The words of a fold choose the best epoch of its tagger
    and calibrate it, which is all that this tagger learns from their labels.

    Args:
        corpus: A corpus, or its name.
        task: Tasks as in `train`; by default all whose columns the corpus has, or all of the tagger.
        tagger: A tagger that was not trained on this corpus, or its folder, to judge the labels without folds.
        folds: Number of folds.
        encoder: `compact`, or a pretrained checkpoint.
        seed: Seed of the folds and of the training.
        cache: Folder that keeps what the taggers of the folds say; by default in the user's folder of caches.
        corrections: A file to write suspicious sentences to, as `LabelErrors.write_corrections` does.
        quiet: Print no progress.
        reader, splitter, **reading: How to read the corpus, as in `load_corpus`.
        corpus_scheme: Name of the scheme of the spans; recognised if None.
        tags_as_is: Whether to accept tags that no label scheme writes, as parts of spans.

    Raises:
        CorpusError: The corpus cannot be read, or has no column of a task.
        TaggerError: The tagger cannot be loaded.
        PolytagError: There are fewer than 2 folds or fewer sentences than folds, the corrections cannot be written, or
            training fails.
    """
    if folds < 2:
        raise PolytagError(f"--folds is {folds}: a tagger needs other folds to learn from. Choose 2 or more.")
    corpus = as_corpus(corpus, reader=reader, splitter=splitter, **reading)
    names = [task] if isinstance(task, str) else list(task)
    read = partial(annotated_sentences, corpus, declared=corpus_scheme, tags_as_is=tags_as_is)
    new_reporter: Callable[[], Reporter] = Reporter if quiet else default_reporter
    if tagger is not None:
        tagger = tagger if isinstance(tagger, Tagger) else Tagger.load(tagger)
        tasks = _of_tagger(tagger, corpus, names)
        annotated = read(tasks=tasks, schemes={name: tagger.decoders[name].scheme for name in tasks})
    else:
        names = names or _of_corpus(corpus)
        tasks = {name: choice.task for name, choice in choose_tasks(names).items()}
        annotated = read(tasks=tasks, schemes={name: training_scheme(task, None) for name, task in tasks.items()})
    if corrections is not None:
        check_corrections(expand_home(corrections), annotated)  # before slow work
    if tagger is not None:
        found = opinions(tagger, annotated.sentences, annotated.documents, list(tasks))
    else:
        options = FoldOptions(folds, encoder, seed)
        place = default_cache() if cache is None else expand_home(cache)
        found = out_of_fold(annotated, names, options, place, new_reporter)
    suspects = [
        suspect
        for name, opinion in found.items()
        for suspect in _judged(name, annotated, opinion, new_reporter)
        if suspect.score >= SURE
    ]
    errors = LabelErrors(annotated, tuple(sorted(suspects, key=lambda suspect: -suspect.score)))
    if corrections is not None:
        count = errors.write_corrections(corrections)
        new_reporter().message(f"{str(corrections)!r} has the sentences of these places, to be corrected: {count:,}")
    return errors


def check_corrections(path: Path, annotated: AnnotatedSentences) -> None:
    """Check that a correction file can be written.

    Raises:
        PolytagError: Its extension is that of no format, or several tasks, or none with spans, were judged.
    """
    format_of(path)
    if len(annotated.schemes) != 1 or not next(iter(annotated.schemes.values())).encodes_spans:
        raise PolytagError(
            "A correction file holds the spans of one task, and the tasks that are judged are "
            f"{', '.join(annotated.schemes)}. Choose one task with spans, for instance --task ner."
        )


def _judged(
    task: str, annotated: AnnotatedSentences, opinion: Opinion, new_reporter: Callable[[], Reporter]
) -> list[Suspect]:
    known = set(opinion.labels)
    unknown = {tag for tags in annotated.tags[task] for tag in tags if tag and tag not in known}
    if unknown:
        new_reporter().message(
            f"{task}: words with tags that the tagger does not know are not judged: {', '.join(sorted(unknown)[:5])}"
        )
    return find_suspects(task, annotated, opinion)


def _of_corpus(corpus: Corpus) -> list[str]:
    """The tasks whose columns a corpus has; of several on one column, the one that names it first."""
    claims = [
        (task.columns.index(column), task.name, column)
        for task in registry().tasks.undisputed()
        if (column := next((name for name in task.columns if name in corpus.columns), None))
    ]
    found: dict[str, str] = {}
    for _, name, column in sorted(claims):
        found.setdefault(column, name)
    if not found:
        raise PolytagError(
            f"No tag column of the corpus {corpus.reference!r} has the name of a task's: {', '.join(corpus.columns)}. "
            "Say which task a column holds, for instance --task ner=label."
        )
    return list(found.values())


def _of_tagger(tagger: Tagger, corpus: Corpus, names: Sequence[str]) -> dict[str, Task]:
    """The tasks of a tagger that the corpus is annotated for, or those that the user names."""
    chosen = choose_tasks(names)
    for name in chosen:
        if name not in tagger.heads:
            raise PolytagError(f"The tagger has no task {name!r}; it has {', '.join(tagger.heads)}.")
    if chosen:
        return {name: choice.task for name, choice in chosen.items()}
    tasks = {name: task_named(name, head.column, "the tagger") for name, head in tagger.heads.items()}
    held = {name: task for name, task in tasks.items() if any(column in corpus.columns for column in task.columns)}
    return held or tasks
