"""The model card of a tagger: the README.md in its folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from polytag import hub
from polytag.corpus.corpus import Corpus
from polytag.corpus.splits import Split
from polytag.evaluation.results import TaskEvaluation
from polytag.files import expand_home
from polytag.plugin.scheme import UNANNOTATED
from polytag.plugin.task_choice import task_named
from polytag.publishing.origins import enumerated, kept_labels, public, student_of
from polytag.publishing.record import RunRecord
from polytag.tagger.tagger import Tagger
from polytag.tagger.token_classifiers import aggregation

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

CARD = "README.md"
ADDRESS = "PATH_TO_THIS_FOLDER"
"""Placeholder for the tagger in examples, until it is pushed and has a name."""

FEW = 50
"""A label with fewer training examples is mentioned."""

_EXAMPLES = (
    "My name is Sylvain and I work at Hugging Face in Brooklyn.",
    "Maria Keller flew from Bonn to Chicago to visit the museum.",
)

_RATES = ("precision", "recall", "f1", "accuracy")
_NO_LABEL = "_"
"""The name of spans without a label, whose tags are only `B` and `I`, in metrics."""


def model_card(tagger: Tagger, record: RunRecord) -> str:
    """The model card in Markdown, with front matter for the hub."""
    sections = (
        _introduction(tagger, record),
        _use(tagger),
        _scores(record),
        _labels(tagger, record),
        _limitations(tagger, record),
        _training(tagger, record),
    )
    body = "\n".join(line for section in sections for line in section)
    return f"---\n{_front_matter(tagger, record)}\n---\n\n{body}"


def _front_matter(tagger: Tagger, record: RunRecord) -> str:
    from huggingface_hub import ModelCardData

    config = record.config
    base = _base_model(tagger)
    dataset = _hub_dataset(record.corpus)
    language = _language(record.corpus)
    results = list(_results(record))
    data = ModelCardData(
        language=language,
        license=hub.metadata(config.encoder).get("license") if _over_checkpoint(tagger) else None,
        library_name="transformers" if _is_transformers(tagger) else "polytag",
        tags=["polytag", "token-classification", *tagger.heads],
        datasets=[dataset] if dataset else None,
        base_model=base,
        metrics=list(dict.fromkeys(result.metric_type for result in results)),
        pipeline_tag="token-classification",
        model_name=config.output.name,
        eval_results=results,
        widget=[{"text": text} for text in _EXAMPLES] if language in (None, "en") else None,
    )
    return data.to_yaml()


def _results(record: RunRecord) -> Iterator[EvalResult]:
    from huggingface_hub import EvalResult

    dataset = _hub_dataset(record.corpus)
    for evaluation in record.evaluations:
        for name, task in evaluation.tasks.items():
            metric, scores = next(iter(task.metrics.items()))
            for rate in dict.fromkeys((task.headline, *(rate for rate in _RATES if rate in scores.overall))):
                yield EvalResult(
                    task_type="token-classification",
                    task_name="Token classification",
                    dataset_type=dataset or public(record.corpus.reference),
                    dataset_name=public(record.corpus.reference),
                    dataset_split=evaluation.split,
                    metric_type=rate,
                    metric_name=f"{name} {rate} ({metric})",
                    metric_value=round(float(scores.overall[rate]), 4),
                    metric_args=_interval(task) if rate == task.headline else None,
                )


def _interval(task: TaskEvaluation) -> dict[str, Any] | None:
    return {"confidence_interval_95": [round(bound, 4) for bound in task.interval]} if task.interval else None


def _introduction(tagger: Tagger, record: RunRecord) -> Iterator[str]:
    config = record.config
    tasks = enumerated(list(tagger.heads))
    yield f"# A tagger for {tasks}"
    yield ""
    joint = " The tasks share one encoder and are tagged in one pass." if len(tagger.heads) > 1 else ""
    continues = config.from_ is not None or _over_checkpoint(tagger)
    start = "fine-tuned" if continues else "trained from scratch"
    vectors = f" with vectors of words from `{public(config.vectors)}`" if config.vectors else ""
    yield (
        f"It tags every word of a text for {tasks}. Trained by polytag on `{public(config.corpus)}` with the "
        f"encoder `{public(config.encoder)}`, {start}{vectors}.{joint}"
    )
    yield ""
    if tagger.network.encoder.adapter() is not None:
        yield (
            "It is an adapter (LoRA): it has what training adds to the checkpoint, and needs the checkpoint's weights "
            "to be loaded."
        )
        yield ""
    if record.lessons:
        yield from (student_of(record.config, record.lessons), "")
    for name in tagger.heads:
        yield f"- {name}: {task_named(name).summary}"
    yield ""
    for name, types in record.unannotated.items():
        yield from (kept_labels(name, types), "")
    if record.epochs is None:
        yield (
            f"**The training of this tagger has not ended**: these are the weights of epoch {record.epoch}, the best "
            f"so far of {config.epochs}. Its probabilities are not calibrated yet."
        )
        yield ""


def _use(tagger: Tagger) -> Iterator[str]:
    text = _EXAMPLES[0]
    yield from ("## How to use it", "", "With polytag, on the command line:", "", "```console")
    yield f'echo "{text}" | polytag predict {ADDRESS} -'
    yield from ("```", "", "In Python, with text or with words:", "", "```python", "import polytag", "")
    yield f'tagger = polytag.Tagger.load("{ADDRESS}")'
    spans = any(decoder.scheme.encodes_spans for decoder in tagger.decoders.values())
    yield f'tagger.tag("{text}").{"spans" if spans else "tags"}'
    yield from ('tagger.tag_words([["She", "moved", "to", "Paris", "."]])', "```", "")
    if _is_transformers(tagger):
        (head,) = tagger.heads.values()
        yield from ("The folder is also a transformers checkpoint:", "", "```python")
        yield from ("from transformers import pipeline", "")
        strategy = aggregation(head.alignment)
        yield f'tag = pipeline("token-classification", model="{ADDRESS}", aggregation_strategy="{strategy}")'
        yield from (f'tag("{text}")', "```", "")
        yield (
            "In transformers, probabilities are not calibrated, texts longer than the encoder's limit are truncated, "
            "and tags are chosen independently; polytag covers long texts with windows and decodes with "
            f"`{head.decoding}`."
        )
        yield ""


def _scores(record: RunRecord) -> Iterator[str]:
    headlines = list(record.validation.headlines)
    yield from ("## Scores", "")
    yield "| split | sentences | words | " + " | ".join(headlines) + " |"
    yield "| --- | --- | --- |" + " --- |" * len(headlines)
    for evaluation in record.evaluations:
        figures = " | ".join(map(_figure, evaluation.tasks.values()))
        yield f"| {evaluation.split} | {evaluation.sentences:,} | {evaluation.words:,} | {figures} |"
    yield ""
    intervals = any(task.interval for evaluation in record.evaluations for task in evaluation.tasks.values())
    with_intervals = ", with their 95% confidence interval (bootstrap over sentences)" if intervals else ""
    yield f"Scores are per word and per sentence{with_intervals}; every word counts."
    for evaluation in record.evaluations:
        for name, task in evaluation.tasks.items():
            if task.baseline is not None:
                yield (
                    f"On {evaluation.split}, giving each word its most frequent tag in training has {name} "
                    f"{task.headline} {task.baseline:.4f}."
                )
    yield ""
    calibrated = [
        (evaluation.split, name, task.calibration)
        for evaluation in record.evaluations
        for name, task in evaluation.tasks.items()
        if task.calibration
    ]
    if calibrated and record.epochs is not None:
        yield from ("### Calibration", "")
        yield "Probabilities are calibrated by a temperature for each task, fitted on validation. Expected error:"
        yield from ("", "| split | task | before | after |", "| --- | --- | --- | --- |")
        for split, name, error in calibrated:
            yield f"| {split} | {name} | {error.before:.4f} | {error.after:.4f} |"
        yield ""


def _labels(tagger: Tagger, record: RunRecord) -> Iterator[str]:
    last = record.evaluations[-1]
    yield from ("## Labels", "")
    for name, head in tagger.heads.items():
        task = last.tasks[name]
        scores = next(iter(task.metrics.values())).per_label
        rates = [rate for rate in _RATES if any(rate in values for values in scores.values())]
        counts = _examples(tagger, record.training, name)
        shown = [f"{rate} ({last.split})" for rate in rates]
        yield f"### {name}: {len(counts.keys() | scores.keys())} labels"
        yield ""
        yield "| label | training examples | " + " | ".join(shown) + " |"
        yield "| --- | --- |" + " --- |" * len(shown)
        for label in sorted(counts.keys() | scores.keys()):
            values = scores.get(label, {})
            cells = " | ".join(f"{values[rate]:.4f}" if rate in values else "" for rate in rates)
            yield f"| `{_cell(label)}` | {counts[label]:,} | {cells} |"
        yield from (
            "",
            f"Tags, in the label scheme `{head.scheme}`: " + ", ".join(f"`{tag}`" for tag in head.labels),
            "",
        )


def _limitations(tagger: Tagger, record: RunRecord) -> Iterator[str]:
    config, limits = record.config, record.limits
    yield from ("## Limitations", "")
    yield (
        f"- It was trained on {len(record.training.sentences):,} sentences of one corpus, `{public(config.corpus)}`. "
        "The scores hold for sentences of the same kind; on other text they may be lower."
    )
    for name in tagger.heads:
        counts = _examples(tagger, record.training, name)
        rare = sorted(label for label, count in counts.items() if count < FEW)
        if rare:
            listed = ", ".join(f"`{label}` ({counts[label]})" for label in rare)
            yield f"- {name}: labels that are rare in training (fewer than {FEW} examples): {listed}."
    if limits:
        unseen = "; ".join(
            f"{name} {new:.1%} of the tags are correct, compared with {old:.1%} for known words"
            for name, (old, new) in limits.accuracy.items()
        )
        yield f"- Words that do not occur in training ({limits.unseen:.1%} of validation): {unseen}."
        if limits.sees_case:
            small = "; ".join(
                f"{name} {record.validation.tasks[name].headline} {low:.4f} instead of {usual:.4f}"
                for name, (usual, low) in limits.small.items()
            )
            yield f"- It uses capital letters. In lower case, validation has {small}."
        else:
            yield "- It ignores case: a name and a common word may look the same."
        yield f"  (Measured on the first {limits.sentences:,} sentences of validation.)"
    if config.vectors:
        yield (
            f"- Its vectors of words were made from `{public(config.vectors)}`. polytag does not know the licence of "
            "that source, which may also hold for this tagger."
        )
    if config.context == "sentence":
        yield "- Each sentence is tagged independently: earlier sentences do not help to recognise a name."
    if record.test is None:
        yield (
            "- The corpus has no test split. The scores are on the sentences by which the best epoch was chosen, so "
            "they are somewhat too high."
        )
    if record.held_out:
        yield "- The corpus has no validation split; part of its training split was held out for that."
    yield ""


def _training(tagger: Tagger, record: RunRecord) -> Iterator[str]:
    yield from ("## Data and training", "", "| split | sentences | words |", "| --- | --- | --- |")
    yield f"| train | {len(record.training.sentences):,} | {record.training.n_words:,} |"
    if record.lessons and (texts := record.lessons.texts).sentences:
        yield f"| text without labels | {len(texts.sentences):,} | {texts.n_words:,} |"
    for evaluation in record.evaluations:
        yield f"| {evaluation.split} | {evaluation.sentences:,} | {evaluation.words:,} |"
    yield ""
    if record.epochs is not None:
        yield f"The weights are from epoch {record.epoch} of {record.epochs}, which scored best on validation."
        yield ""
    yield from ("The configuration, for `polytag train --config`:", "", "```toml")
    config = record.config
    sources = ("corpus", "encoder", "vectors", "from_")
    named: dict[str, Any] = {name: public(getattr(config, name)) for name in sources if getattr(config, name)}
    named |= {name: tuple(map(public, getattr(config, name))) for name in ("teacher", "texts")}
    lines = config.model_copy(update=named).to_toml().splitlines()
    yield from (line for line in lines if not line.startswith("output = "))
    versions = ", ".join(f"{name} {version}" for name, version in tagger.details.get("versions", {}).items())
    yield from ("```", "", f"Versions: {versions}. `scores.json` has all scores.")
    yield ""


def _examples(tagger: Tagger, training: Split, task: str) -> Counter[str]:
    """The count of each label in training: spans if the scheme has spans, else words."""
    scheme = tagger.decoders[task].scheme
    if scheme.encodes_spans:
        return Counter(span.label or _NO_LABEL for tags in training.tags[task] for span in scheme.spans(tags))
    return Counter(tag for tags in training.tags[task] for tag in tags if tag != UNANNOTATED)


def _is_transformers(tagger: Tagger) -> bool:
    """Whether transformers alone finds the same tags. It ignores parameters of a head, such as a CRF's transitions."""
    network = tagger.network
    plain = network.encoder.adapter() is None and not any(network.head_parameters.values())
    return len(tagger.heads) == 1 and _over_checkpoint(tagger) and plain


def _over_checkpoint(tagger: Tagger) -> bool:
    return tagger.network.encoder.transformers_layout


def _base_model(tagger: Tagger) -> str | None:
    """The checkpoint's name on the hub, unless it is a folder."""
    reference = tagger.network.encoder.reference
    if not _over_checkpoint(tagger) or expand_home(reference).exists() or not hub.is_model_name(reference):
        return None
    return reference.partition("@")[0]


def _hub_dataset(corpus: Corpus) -> str | None:
    return re.split("[:@]", corpus.reference)[0] if corpus.reader == "hub" else None


def _language(corpus: Corpus) -> Any:
    """The language of the corpus, if its card names one."""
    if corpus.reader == "sample":
        return "en"
    dataset = _hub_dataset(corpus)
    known = hub.metadata(dataset, "dataset").get("language") if dataset else None
    return known[0] if isinstance(known, list) and len(known) == 1 else known


def _figure(task: TaskEvaluation) -> str:
    if task.interval is None:
        return f"{task.score:.4f}"
    low, high = task.interval
    return f"{task.score:.4f} ({low:.4f} to {high:.4f})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
