"""Write the report of a tagger: one HTML file, and its figures as JSON."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, Unpack

from polytag.corpus.check.check import check
from polytag.corpus.corpus import Corpus
from polytag.corpus.describe import describe
from polytag.corpus.splits import Split, read_split
from polytag.encoding.json_values import read_json, without_infinities
from polytag.errors import CorpusError, PolytagError, TaggerError
from polytag.evaluation.evaluate import OpenSplit, ScoredSplit, open_split, score_split
from polytag.evaluation.prediction_files import Predictions
from polytag.evaluation.systems import System, check_tags, check_words, open_system, system_tags
from polytag.files import expand_home, new_file
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords
from polytag.publishing.record import RunRecord
from polytag.publishing.report.figures import Background, Other, report_figures
from polytag.tagger.description import open_folder
from polytag.tagger.runtimes import require_extra, runtime_of_device
from polytag.tagger.tagger import Tagger
from polytag.tagger.token_classifiers import LabelNames
from polytag.tagger.viterbi import check_decoding

REPORT = "report.html"

_ADVICE = "Train the tagger again, or restore it from a copy."
_FIGURES_BEGIN = b'{\n "format": '
_HALF_CHARACTERS = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Report:
    """A written report.

    Attributes:
        page: The HTML file.
        data: The JSON file.
        figures: Its content.
    """

    page: Path
    data: Path
    figures: Mapping[str, Any] = field(repr=False)  # a megabyte would fill a notebook


@attributed
def report(
    tagger: Tagger | str | Path,
    corpus: Corpus | str,
    split: str | None = None,
    *,
    output: str | Path = REPORT,
    against: str | Path | None = None,
    reader: str | None = None,
    corpus_scheme: str | None = None,
    tags_as_is: bool = False,
    decoding: Any = None,
    seed: int = 0,
    task: str | None = None,
    labels: LabelNames | None = None,
    runtime: str | None = None,
    device: str | None = None,
    **reading: Unpack[ReadingKeywords],
) -> Report:
    """Score a tagger on a split, and write one HTML page that shows where it is right and wrong.

    The page needs no other file and no network. All its figures are also in a JSON file of the same name. The same
    input gives the same bytes.

    ```python
    polytag.report("my-tagger", "sample", output="report.html").figures["evaluation"]["words"]
    ```

    Args:
        tagger: A tagger; or the folder or hub name of a tagger or of a token classifier of transformers. Only a folder
            has the learning curves and options of its run.
        corpus: A corpus, or its name. Its training split, if it has one, shows which words are new to the tagger.
        split: Name of the split; by default `test`, or the last one if no `test` exists.
        output: The HTML file to write; the JSON file has the same name with the ending `.json`.
        against: Another tagger, or a file of predictions, to compare the tagger with, as in `compare`.
        reader, corpus_scheme, tags_as_is, decoding, task, labels, runtime, device, **reading: As in `evaluate`.
        seed: Seed of the confidence intervals and p values.

    Raises:
        PolytagError: As in `evaluate` and `compare`; the extra `report` is not installed; a file cannot be written; or
            the JSON file would replace one that holds no figures of a report.
    """
    check_extra()
    page, data = report_files(Path(output))
    _check_replaceable(page, data)
    name = ""
    options: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    if not isinstance(tagger, Tagger):
        name = str(tagger)
        options, history = read_run(open_folder(tagger, task, labels)[0])
    system = open_system(str(against), runtime_of_device(device, runtime)) if against is not None else None
    opened = open_split(
        tagger,
        corpus,
        split,
        reader=reader,
        corpus_scheme=corpus_scheme,
        tags_as_is=tags_as_is,
        decoding=decoding,
        task=task,
        labels=labels,
        runtime=runtime,
        device=device,
        **reading,
    )
    with new_file(data) as data_sink, new_file(page) as page_sink:  # a path that cannot be written is found first
        training, remark = _training(opened, corpus_scheme, tags_as_is)
        background = background_of(opened.corpus, name, options, history, training, remark, corpus_scheme)
        scored = score_split(opened, seed)
        other = _other(str(against), system, opened, scored, decoding, tags_as_is) if system else None
        figures = report_figures(scored, background, other, seed)
        write_report(figures, page_sink, data_sink)
    return Report(page, data, figures)


def write_run_report(opened: OpenSplit, record: RunRecord, folder: Path) -> None:
    """Write the report of a finished run into the folder of its tagger.

    Args:
        opened: The tagger and the split to report on.
        record: The record of the run.
        folder: The folder.
    """
    config = record.config
    background = background_of(
        opened.corpus,
        str(config.output),
        tomllib.loads(config.to_toml()),
        [epoch.to_dict() for epoch in record.history],
        record.training,
        "",
        config.corpus_scheme,
    )
    figures = report_figures(score_split(opened), background, None, 0)
    page, data = report_files(folder / REPORT)
    with new_file(page) as page_sink, new_file(data) as data_sink:
        write_report(figures, page_sink, data_sink)


def check_extra() -> None:
    """Check that the packages of the extra `report` are installed.

    Raises:
        PolytagError: One is missing.
    """
    require_extra("matplotlib", "jinja2")


def report_files(output: Path) -> tuple[Path, Path]:
    """The HTML file and the JSON file of a report.

    Raises:
        PolytagError: The two would be one file.
    """
    page = expand_home(output)
    if not page.name or page.suffix == ".json":
        raise PolytagError(f"The report is an HTML file, not {str(output)!r}. Name it, for instance: {REPORT}")
    return page, page.with_suffix(".json")


def _check_replaceable(page: Path, data: Path) -> None:
    """Check that the JSON file, which the user has not named, replaces figures of a report and nothing else.

    Raises:
        PolytagError: It would replace another file, for instance the corpus.
    """
    if not data.is_file():
        return
    try:
        with data.open("rb") as source:
            known = source.read(len(_FIGURES_BEGIN)) == _FIGURES_BEGIN
    except OSError:
        known = False
    if not known:
        raise PolytagError(
            f"The figures of the report {str(page)!r} would replace {str(data)!r}, which holds something else. Name "
            "the report otherwise, or move that file."
        )


def read_run(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The options and the epochs of the run that made a tagger; empty where its folder has none.

    Raises:
        TaggerError: A file is damaged.
    """
    options: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    if (folder / "run.toml").is_file():
        try:
            options = tomllib.loads((folder / "run.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TaggerError(f"{folder / 'run.toml'} is damaged: {error}. {_ADVICE}") from error
    if (folder / "scores.json").is_file():
        found = read_json(folder / "scores.json", _ADVICE, TaggerError).get("history") or []
        if not isinstance(found, list) or not all(map(_is_epoch, found)):
            raise TaggerError(f"{folder / 'scores.json'} is damaged: its history is no list of epochs. {_ADVICE}")
        history = found
    return options, history


def _is_epoch(found: Any) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("scores"), dict):
        return False
    return all(isinstance(value, int | float) for value in (found.get("number"), found.get("loss"))) and all(
        isinstance(value, int | float) for value in found["scores"].values()
    )


def background_of(
    corpus: Corpus,
    name: str,
    options: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    training: Split | None,
    remark: str,
    corpus_scheme: str | None,
) -> Background:
    """The parts of a report about a run and its corpus; the corpus is described and checked."""
    findings = [finding.to_dict() for finding in check(corpus, corpus_scheme=corpus_scheme)]
    return Background(name, options, history, training, remark, describe(corpus).to_dict(), findings)


def _training(opened: OpenSplit, corpus_scheme: str | None, tags_as_is: bool) -> tuple[Split | None, str]:
    """The training split, and a remark about it."""
    corpus = opened.corpus
    if "train" not in corpus.splits:
        return None, f"the corpus {corpus.reference!r} has no training split."
    try:
        training = read_split(corpus, "train", opened.tasks, opened.schemes, corpus_scheme, tags_as_is)
    except CorpusError as error:
        return None, f"the training split cannot be read: {error}"
    trained_on = opened.tagger.details.get("corpus")
    known = trained_on.get("fingerprint") if isinstance(trained_on, dict) else None
    if known == corpus.fingerprint:
        return training, ""
    return training, "The tagger was trained on another corpus: words seen are words of the training split of this one."


def _other(name: str, system: System, opened: OpenSplit, scored: ScoredSplit, decoding: Any, tags_as_is: bool) -> Other:
    """The tags of the system to compare with.

    Raises:
        PolytagError: It has no task of the tagger, or its words differ from the corpus.
    """
    if isinstance(system, Predictions):
        if system.tasks is None:
            system.name_columns(tuple(opened.schemes), name)
        theirs = system.tasks or ()
    else:
        theirs = tuple(system.description.tasks)
    schemes = {task: scheme for task, scheme in opened.schemes.items() if task in theirs}
    if not schemes:
        raise PolytagError(
            f"{name!r} has no task of the tagger: it has {', '.join(theirs) or 'none'}, and the tagger has "
            f"{', '.join(opened.schemes)}."
        )
    if isinstance(system, Predictions):
        where = f"{opened.corpus.reference}, {opened.split}"
        check_words(name, system, opened.data.sentences, where, scored.places)
        if not tags_as_is:
            check_tags(name, system, schemes)
    return Other(name, system_tags(system, opened.data, schemes, check_decoding(decoding)))


def write_report(figures: Mapping[str, Any], page: TextIO, data: TextIO) -> None:
    """Write the page and the JSON file."""
    from polytag.publishing.report.page import report_page

    page.write(report_page(figures))
    data.write(json_text(figures, indent=1))


def json_text(value: Any, indent: int | None = None) -> str:
    """A value as JSON in UTF-8; halves of characters are escaped."""
    text = json.dumps(without_infinities(value), indent=indent, ensure_ascii=False, allow_nan=False)
    return _HALF_CHARACTERS.sub(lambda half: f"\\u{ord(half[0]):04x}", text) + ("\n" if indent else "")
