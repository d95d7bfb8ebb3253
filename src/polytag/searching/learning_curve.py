"""Learning curves: the scores of taggers that are trained on parts of a corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Unpack

from polytag.encoding.json_values import read_json
from polytag.errors import InterruptedRunError, PolytagError
from polytag.evaluation.results import Evaluation
from polytag.files import new_file, remove_folder
from polytag.plugin.attribution import attributed
from polytag.plugin.reporter import Reporter
from polytag.runner import TrainResult, run
from polytag.searching.power_law import LEAST_POINTS, Forecast, forecast
from polytag.tagger.forks import check_tensorflow
from polytag.training.cluster import cluster_of_environment
from polytag.training.config import RunConfig
from polytag.training.keywords import RunOptions, with_run_options
from polytag.training.progress import default_reporter

SHARES = (0.25, 0.5, 0.75, 1.0)
_FILE = "learning-curve.json"
_ADVICE = "Begin the learning curve again with --overwrite."
_OF_THIS_CALL = {"output", "resume", "overwrite", "checkpoint_every", "device", "teacher_cache"}
"""Options that can differ when a curve is continued."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A tagger that was trained on a part of a corpus.

    Attributes:
        share: The share of the training split.
        sentences, words: Number of sentences and words that it was trained on.
        scores: For each task and headline score, such as `ner f1`, its value.
        intervals: The 95% interval of each of these scores, where the metric has one.
        seconds: Duration of the run.
        output: The folder of the tagger.
    """

    share: float
    sentences: int
    words: int
    scores: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    seconds: float
    output: Path


@dataclass(frozen=True, slots=True, repr=False)
class LearningCurve:
    """The scores of taggers over the number of labelled sentences.

    Attributes:
        corpus: The name of the corpus as the user gave it.
        split: The split that the taggers are scored on.
        points: The taggers, by rising share.
        fingerprint: The fingerprint of the corpus.
    """

    corpus: str
    split: str
    points: tuple[CurvePoint, ...]
    fingerprint: str

    def forecasts(self) -> dict[str, Forecast]:
        """A forecast of twice as many sentences, for each score whose points have intervals; needs three sizes."""
        found = {}
        sizes = [point.sentences for point in self.points]
        for name in self.points[-1].scores if len(set(sizes)) >= LEAST_POINTS else ():
            if all(name in point.intervals for point in self.points):
                scores = [point.scores[name] for point in self.points]
                intervals = [point.intervals[name] for point in self.points]
                found[name] = forecast(sizes, scores, intervals, 2 * sizes[-1])
        return found

    def outlook(self) -> Iterator[str]:
        """A sentence for each score: what more labels would bring, and how sure that is."""
        for name, found in self.forecasts().items():
            low, high = found.gain_interval
            says = (
                f"{name}: twice as many labels ({found.sentences:,} sentences) would give about {found.score:.4f} (95% "
                f"interval {found.interval[0]:.4f} to {found.interval[1]:.4f}), a change of {found.gain:+.4f} "
                f"({low:+.4f} to {high:+.4f}), by a power law fitted to {len(self.points)} points"
            )
            yield f"{says}; more labels may bring nothing." if low <= 0 else f"{says}."

    def table(self) -> tuple[list[str], list[list[str]]]:
        """The headings and rows of a table."""
        names = list(self.points[-1].scores)
        rows = []
        for point in self.points:
            scores = [_shown(point.scores[name], point.intervals.get(name)) for name in names]
            rows.append([f"{point.share:.0%}", f"{point.sentences:,}", f"{point.words:,}", *scores])
        return ["share", "sentences", "words", *names], rows

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON."""
        points = [{**asdict(point), "output": str(point.output)} for point in self.points]
        return {
            "corpus": self.corpus,
            "split": self.split,
            "fingerprint": self.fingerprint,
            "points": points,
            "forecasts": {name: asdict(found) for name, found in self.forecasts().items()},
        }

    def __repr__(self) -> str:
        return f"LearningCurve({self.corpus}, {self.split}: {'; '.join(self.outlook()) or len(self.points)})"

    def _repr_html_(self) -> str:
        """The table and what more labels would bring, for notebooks."""
        from polytag.terminal import html_table, html_text

        return html_table(*self.table()) + "".join(map(html_text, self.outlook()))


@with_run_options
@attributed
def learning_curve(
    config: RunConfig | None = None,
    *,
    shares: Sequence[float] = SHARES,
    reporter: Reporter | None = None,
    quiet: bool = False,
    **options: Unpack[RunOptions],
) -> LearningCurve:
    """Train taggers on parts of a corpus, and say what more labels would bring.

    Each part is whole documents of the training split, chosen by the seed, and within every larger part. All taggers
    are scored on the same test split, or on validation where no test exists. They are written to `output`, in folders
    such as `025`. The same call again continues an interrupted curve, and trains only what is missing.

    ```python
    if __name__ == "__main__":
        curve = polytag.learning_curve(task="ner", corpus="sample", output="curve")
        print(*curve.outlook())
    ```

    Args:
        config: The options of all runs; alternatively, give its fields as keyword arguments. `output` is the folder of
            the curve.
        shares: The shares of the training split, above 0 and at most 1.
        reporter: Receives messages and progress; a progress bar on stderr by default.
        quiet: Print nothing.
        **options: Fields of `RunConfig`: the options of `polytag train`.

    Raises:
        PolytagError: The input is invalid, the folder has another learning curve, or the call was interrupted from
            the keyboard; the same call continues it.
    """
    check_tensorflow()
    config = config or RunConfig.from_sources(None, options)
    shares = sorted(set(shares))
    _check(config, shares)
    said = {"options": config.model_dump(mode="json", exclude=_OF_THIS_CALL)}
    if config.overwrite and (config.output / _FILE).is_file():
        remove_folder(config.output)
    curve = _begun(config.output, said)
    config.output.mkdir(parents=True, exist_ok=True)
    for share in shares:
        if share not in [point.share for point in curve.points]:
            reporting = reporter or (Reporter() if quiet else default_reporter())
            reporting.message(f"{share:.0%} of the training split")
            point, found, fingerprint = _trained(config, share, reporting)
            if curve.fingerprint not in ("", fingerprint):
                raise PolytagError(
                    f"The corpus {config.corpus!r} has changed since the learning curve in {str(config.output)!r} was "
                    "begun. Choose another --output, or begin again with --overwrite."
                )
            points = sorted([*curve.points, point], key=lambda point: point.share)
            curve = LearningCurve(config.corpus, found.split, tuple(points), fingerprint)
            with new_file(config.output / _FILE) as file:
                json.dump(said | curve.to_dict(), file, indent=2)
    wanted = tuple(point for point in curve.points if point.share in shares)
    return LearningCurve(curve.corpus, curve.split, wanted, curve.fingerprint)


def _check(config: RunConfig, shares: Sequence[float]) -> None:
    if not shares or not all(0 < share <= 1 for share in shares):
        raise PolytagError("The shares of a learning curve are percentages above 0 and at most 100: --shares 25,50,100")
    if any(_folder(one) == _folder(two) for one, two in pairwise(shares)):
        raise PolytagError("Two shares of the learning curve differ by less than 1%. Leave one of them out.")
    if config.workers > 1 or config.runner != "processes" or cluster_of_environment() is not None:
        raise PolytagError("A learning curve is trained in one process. Leave out --workers, --runner and TF_CONFIG.")
    if config.push:
        raise PolytagError("A learning curve has several taggers. Push one of them afterwards with `polytag push`.")


def _folder(share: float) -> str:
    return f"{100 * share:03.0f}"


def _begun(folder: Path, said: Mapping[str, Any]) -> LearningCurve:
    """The points that are finished.

    Raises:
        PolytagError: They were trained with other options, or their file is damaged.
    """
    file = folder / _FILE
    if not file.is_file():
        return LearningCurve("", "", (), "")
    try:
        kept = read_json(file, _ADVICE)
        points = tuple(
            CurvePoint(
                **{
                    **point,
                    "output": Path(point["output"]),
                    "intervals": {name: tuple(interval) for name, interval in point["intervals"].items()},
                }
            )
            for point in kept["points"]
        )
        found = LearningCurve(kept["corpus"], kept["split"], points, kept["fingerprint"])
        before = dict(kept["options"])
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        raise PolytagError(f"The file {str(file)!r} is damaged. {_ADVICE}") from error
    now = said["options"]
    if different := sorted(name for name in {*before, *now} if before.get(name) != now.get(name)):
        raise PolytagError(
            f"The folder {str(folder)!r} has a learning curve with other options: {', '.join(different)}. Give the "
            "same ones to continue it, choose another --output, or begin again with --overwrite."
        )
    return found


def _trained(config: RunConfig, share: float, reporter: Reporter) -> tuple[CurvePoint, Evaluation, str]:
    """Train on a part, or continue with it; the point, its scores, and the fingerprint of the corpus."""
    output = config.output / _folder(share)
    try:
        result: TrainResult = run(
            config.model_copy(update={"output": output, "resume": True, "overwrite": True}), reporter, share=share
        )
    except InterruptedRunError:
        raise InterruptedRunError("Interrupted. The same command continues the learning curve.") from None
    found = result.test or result.validation
    names = zip(found.headlines, found.tasks.values(), strict=True)
    intervals = {name: task.interval for name, task in names if task.interval is not None}
    return (
        CurvePoint(
            share,
            result.sentences,
            result.words,
            found.headlines,
            intervals,
            round(result.seconds, 1),
            output,
        ),
        found,
        result.tagger.details["corpus"]["fingerprint"],
    )


def _shown(score: float, interval: tuple[float, float] | None) -> str:
    return f"{score:.4f}" + ("" if interval is None else f" ({interval[0]:.4f} to {interval[1]:.4f})")
