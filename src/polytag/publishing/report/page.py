"""The page of a report, from its figures."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytag.encoding.json_values import without_infinities
from polytag.evaluation.buckets import FEWEST_SENTENCES
from polytag.evaluation.calibration import BINS
from polytag.plugin.scheme import OUTSIDE
from polytag.publishing.report import plots
from polytag.tagger.marks import colours, stylesheet
from polytag.terminal import visible

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_SENTENCES = 5000
"""Maximum number of sentences with a mistake on the page; the JSON file has all."""
MOST_LABELS = 30
"""Maximum number of labels in a confusion matrix: those with most mistakes; the JSON file has all."""

_HERE = Path(__file__).parent
_UNSAFE = re.compile("[<>&\u2028\u2029]")


def report_page(figures: Mapping[str, Any]) -> str:
    """The page as HTML. Nothing in the figures becomes markup or a program."""
    from markupsafe import Markup

    script = _file("report.js")
    tasks = {name: _task(name, index, figures) for index, name in enumerate(figures["tasks"])}
    history = figures["training"]["history"]
    return (
        page_environment()
        .get_template("page.html")
        .render(
            figures=figures,
            tasks=tasks,
            curves=[Markup(plots.loss_curve(history)), Markup(plots.score_curves(history))] if history else [],
            options=option_texts(figures["training"]["options"]),
            columns=_columns(figures["corpus"]["description"]),
            style=Markup(page_style()),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            data=Markup(_inert(_explored(figures))),
            n_bins=BINS,
            fewest_sentences=FEWEST_SENTENCES,
            most_sentences=MOST_SENTENCES,
            n_sentences=sum(len(task["mistakes"]) for task in figures["tasks"].values()),
        )
    )


def page_environment() -> Environment:
    """The environment of the templates of pages: it escapes all text, and shows control characters."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        if isinstance(value, Markup):
            return value
        if isinstance(value, float):
            return f"{value:.4f}"
        return visible(value) if isinstance(value, str) else value

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["count"] = lambda value: f"{value:,}"
    environment.filters["signed"] = lambda value: f"{value:+.4f}" if abs(value) >= 0.00005 else "0.0000"
    return environment


def page_style() -> str:
    """The style of pages."""
    return stylesheet() + _file("report.css")


def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _inert(value: Any) -> str:
    """JSON that no parser of HTML takes for markup."""
    text = json.dumps(without_infinities(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def option_texts(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The options as text: lists without brackets, other values as in JSON."""

    def shown(value: Any) -> str:
        if isinstance(value, list):
            return ", ".join(map(shown, value))
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)

    return [(name, shown(value)) for name, value in options.items()]


def _columns(description: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tag columns of the corpus, with the counts of their labels."""
    found = []
    for name, column in description["columns"].items():
        spans = any(column["spans"].values())
        counts = column["spans"] if spans else column["tags"]
        labels = dict.fromkeys(label for of_split in counts.values() for label in of_split)
        found.append(
            {
                **{key: column[key] for key in ("scheme", "labels", "violations")},
                "name": name,
                "unit": "label" if spans else "tag",
                "splits": list(counts),
                "rows": [(label, [of_split.get(label, 0) for of_split in counts.values()]) for label in labels],
            }
        )
    return found


def _task(name: str, index: int, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a task, as the template shows them."""
    task, scores = figures["tasks"][name], figures["evaluation"]["tasks"][name]
    metrics, labels = scores["metrics"], task["labels"]
    has_f1 = all("f1" in row for row in labels)
    shown = {"label", "interval", *(["f1"] if has_f1 else [])}
    columns = [key for key in dict.fromkeys(chain(*labels)) if key not in shown]
    against = figures["against"]
    compared = against["tasks"].get(name) if against else None
    differences = {(one["dimension"], one["name"]): one for one in compared["buckets"]} if compared else {}
    groups: dict[str, list[dict[str, Any]]] = {}
    for bucket in task["buckets"]:
        key = bucket["dimension"], bucket["name"]
        groups.setdefault(bucket["dimension"], []).append({**bucket, "difference": differences.get(key)})
    return {
        "index": index,
        "spans": task["spans"],
        "unit": "spans" if task["spans"] else "words",
        "measure": "F1" if task["spans"] else "accuracy",
        "scores": scores,
        "score": next(iter(metrics.values()))["overall"][scores["headline"]],
        "overall": [
            (metric, label, value) for metric, found in metrics.items() for label, value in found["overall"].items()
        ],
        "labels": [
            {**dict.fromkeys(columns), **row, "difference": differences.get(("label", row["label"]))} for row in labels
        ],
        "columns": columns,
        "has_f1": has_f1,
        "matrix": _matrix(task["confusion"], task["spans"]),
        **_confidence(name, index, task),
        "groups": groups,
        "remarks": task["remarks"],
        "compared": compared,
        "n_mistakes": sum(len(one["mistakes"]) for one in task["mistakes"]),
    }


def _confidence(name: str, index: int, task: Mapping[str, Any]) -> dict[str, Any]:
    """The diagrams of confidence, and their tables."""
    from markupsafe import Markup

    before, after, curve = (task["confidence"][key] for key in ("before", "after", "curve"))
    reliability = ""
    if any(after["words"]):
        title = f"Reliability diagram and histogram of confidence: {visible(name)}"
        reliability = Markup(plots.reliability(f"t{index}", title, before, after))
    option = "--min-score" if task["spans"] else "minimum probability"
    title = f"Precision and recall by minimum probability: {visible(name)}"
    return {
        "reliability": reliability,
        "bins": [
            (at, words, right / words, sure / words)
            for at, (words, right, sure) in enumerate(zip(*after.values(), strict=True))
            if words
        ],
        "thresholds": Markup(plots.thresholds(f"t{index}", title, curve, option)),
        "curve": curve,
    }


def _matrix(confusion: Mapping[str, Any], spans: bool) -> dict[str, Any]:
    """The confusion matrix: rows of gold labels and spurious spans, columns of predicted labels and missed spans."""
    labels, cells = list(confusion["labels"]), confusion["cells"]
    wrong: Counter[str] = Counter()
    for cell in cells:
        if cell["kind"] != "correct":
            wrong[cell["gold"]] += cell["count"]
            wrong[cell["predicted"]] += cell["count"]
    kept = sorted(sorted(labels, key=lambda label: (-wrong[label], label))[:MOST_LABELS])
    # None for all other labels.
    names: list[str | None] = [*kept, *([None] if len(kept) < len(labels) else []), *([OUTSIDE] if spans else [])]
    table = {(row, column): Counter[str]() for row in names for column in names}
    for cell in cells:
        row, column = (one if one in names else None for one in (cell["gold"], cell["predicted"]))
        table[row, column][cell["kind"]] += cell["count"]
    sums = {row: sum(table[row, column].total() for column in names) for row in names}
    rows = []
    for row in names:
        # A cell is as dark as its share of the gold spans: of its row, or of its column if they are spurious.
        spurious = spans and row == OUTSIDE
        cells_of_row = [
            (column, kinds, kinds.total(), kinds.total() / max(sums[column if spurious else row], 1))
            for column, kinds in ((column, table[row, column]) for column in names)
        ]
        rows.append((row, sums[row], cells_of_row))
    return {"names": names, "rest": len(labels) - len(kept), "rows": rows}


def _explored(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The data of the page's program, which shows every mistake, and the wins and losses."""
    words: dict[int, dict[str, Any]] = {}
    tasks: list[dict[str, Any]] = []
    mistakes: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    for number, (name, task) in enumerate(figures["tasks"].items()):
        against = figures["against"]
        compared = against["tasks"].get(name) if against else None
        view = _View(name, task)
        for one in task["mistakes"][: max(0, MOST_SENTENCES - len(mistakes))]:
            words[one["sentence"]] = one
            mistakes.append({"s": one["sentence"], "t": number, **view.mistake(one)})
        for one in (compared["sentences"] if compared else [])[: max(0, MOST_SENTENCES - len(outcomes))]:
            words[one["sentence"]] = one
            sides = {key: view.marks(one[key]) for key in ("gold", "a", "b")}
            outcomes.append({"s": one["sentence"], "t": number, "w": one["wrong"], **sides})
        tasks.append(view.to_dict())
    numbers = {index: number for number, index in enumerate(sorted(words))}
    for one in (*mistakes, *outcomes):
        one["s"] = numbers[one["s"]]
    shown = [
        {"w": list(map(visible, one["words"])), "at": visible(one["location"])} for _, one in sorted(words.items())
    ]
    return {"tasks": tasks, "sentences": shown, "mistakes": mistakes, "outcomes": outcomes}


class _View:
    """Numbers in place of the labels, kinds and buckets of one task."""

    def __init__(self, name: str, task: Mapping[str, Any]) -> None:
        self._name, self._spans = name, task["spans"]
        self._colours = colours([*task["inventory"], *task["confusion"]["labels"]])
        self._labels = {OUTSIDE: 0} if self._spans else {}
        self._kinds: dict[str, int] = {}
        self._buckets: dict[tuple[str, str], int] = {
            (bucket["dimension"], bucket["name"]): index for index, bucket in enumerate(task["buckets"])
        }

    def marks(self, found: Sequence[Any]) -> list[Any]:
        if not self._spans:
            return [self._label(tag) for tag in found]
        return [[start, end, self._label(label)] for start, end, label in found]

    def mistake(self, one: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "gold": self.marks(one["gold"]),
            "predicted": self.marks(one["predicted"]),
            "m": [
                [
                    self._kinds.setdefault(found["kind"], len(self._kinds)),
                    self._label(found["gold"]),
                    self._label(found["predicted"]),
                    found["gold_span"] and list(found["gold_span"][:2]),
                    found["predicted_span"] and list(found["predicted_span"][:2]),
                    [self._buckets[key] for key in found["buckets"].items()],
                ]
                for found in one["mistakes"]
            ],
        }

    def _label(self, label: str) -> int:
        return self._labels.setdefault(label, len(self._labels))

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": visible(self._name),
            "spans": self._spans,
            "labels": [visible(label) for label in self._labels],
            "colours": [self._colours.get(label, 0) for label in self._labels],
            "kinds": list(self._kinds),
            "buckets": [list(key) for key in self._buckets],
        }
