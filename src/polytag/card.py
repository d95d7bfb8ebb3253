"""The model card of a tagger: the README.md in its folder."""

from __future__ import annotations

from polytag.config import RunConfig
from polytag.evaluation import Evaluation, TaskEvaluation
from polytag.tagger import Tagger


def model_card(tagger: Tagger, config: RunConfig, validation: Evaluation, test: Evaluation | None) -> str:
    """Markdown with the front matter the hub reads: what the tagger does, how well, and how to use it."""
    tasks = ", ".join(tagger.heads)
    lines = [
        "---",
        "library_name: polytag",
        "pipeline_tag: token-classification",
        "tags:",
        *(f"- {task}" for task in tagger.heads),
        "---",
        "",
        f"# A tagger for {tasks}",
        "",
        f"Trained by polytag on `{config.corpus}` with the encoder `{config.encoder}`.",
        "",
        "```python",
        "import polytag",
        "",
        'tagger = polytag.Tagger.load("PATH_TO_THIS_FOLDER")',
        'print(tagger.tag("My name is Sylvain and I work at Hugging Face in Brooklyn.").spans)',
        "```",
        "",
        "## Scores",
        "",
        "| split | words | " + " | ".join(validation.headlines) + " |",
        "| --- | --- |" + " --- |" * len(validation.headlines),
    ]
    for evaluation in (validation, test):
        if evaluation:
            figures = " | ".join(map(_figure, evaluation.tasks.values()))
            lines.append(f"| {evaluation.split} | {evaluation.words:,} | {figures} |")
    lines += [
        "",
        "Scores are per word and per sentence, with their 95% confidence interval (bootstrap over sentences).",
        "`scores.json` has them all, `run.toml` the configuration.",
        "",
    ]
    for name, head in tagger.heads.items():
        lines += [f"## Labels of {name} ({head.scheme})", "", ", ".join(f"`{label}`" for label in head.labels), ""]
    return "\n".join(lines)


def _figure(task: TaskEvaluation) -> str:
    if task.interval is None:
        return f"{task.score:.4f}"
    low, high = task.interval
    return f"{task.score:.4f} ({low:.4f} to {high:.4f})"
