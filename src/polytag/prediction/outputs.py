"""Write tagged texts."""

from __future__ import annotations

import io
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from polytag.errors import PolytagError, shorten
from polytag.files import new_file
from polytag.plugin.reader import DOCUMENT_MARKS
from polytag.plugin.scheme import LabelScheme, convert_tags
from polytag.tagger.marks import colours, marks_html, stylesheet
from polytag.tagger.results import TaggedText
from polytag.tagger.tagger import Tagger
from polytag.terminal import console, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

OUTPUT_FORMATS = ("jsonl", "conll", "doccano", "table", "html")
_BREAKS = re.compile("[\t\n\r]")
_STYLES = [f"black on bright_{name}" for name in ("green", "cyan", "magenta", "yellow", "blue", "red")]
"""Black is legible on the bright colours of every palette; coloured letters are not, on one background or another."""

_DOCUMENT = """<!doctype html>
<html lang="und">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Tagged text</title>
<style>
body {{ max-width: 60em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 system-ui, sans-serif; }}
article {{ padding: 0.8em 0; box-shadow: 0 1px 0 color-mix(in srgb, currentColor 20%, transparent); }}
{css}</style>
<body>
<main>"""


Write = Callable[[TaggedText, Mapping[str, Any]], None]
"""Writes one tagged text, and what else its record had where the format has room for it."""


def writer_for(writing: str, tagger: Tagger, target: LabelScheme | None, sink: TextIO) -> Write:
    """A function that writes one tagged text. Of two fields with one name, the result stays.

    Args:
        writing: One of `OUTPUT_FORMATS`.
        tagger: The tagger that tagged the texts.
        target: Label scheme for spans in column format; by default the scheme of each task in the tagger.
        sink: The stream to write to.

    Raises:
        PolytagError: The tagger finds spans of no task, or of several, and the format has room for one.
    """
    if writing == "jsonl":
        return lambda tagged, others: print(_as_json(tagged.to_dict(), others), file=sink)
    if writing == "doccano":
        with_spans = [task for task, decoder in tagger.decoders.items() if decoder.scheme.encodes_spans]
        check_annotated(with_spans, "Write --format jsonl, or choose sentences of one with `polytag suggest --task`.")
        return lambda tagged, others: print(_as_json(for_doccano(tagged), others), file=sink)
    if writing == "conll":
        return lambda tagged, _: print(_columns(tagger, target, tagged), end="", file=sink)
    if writing == "html":
        return _html_writer(tagger, sink)
    styles: dict[str, str] = {}
    shown = console(sink)
    return lambda tagged, _: _show(tagged, tagger, styles, shown)


def _as_json(result: dict[str, Any], others: Mapping[str, Any]) -> str:
    return json.dumps(result | {key: value for key, value in others.items() if key not in result}, ensure_ascii=False)


def _html_writer(tagger: Tagger, sink: TextIO) -> Write:
    """Begin a document with all its CSS inside. It ends with the last text: HTML needs no end tags for that."""
    numbers = {task: colours(decoder.shown_labels) for task, decoder in tagger.decoders.items()}
    print(_DOCUMENT.format(css=stylesheet()), file=sink)
    return lambda tagged, _: print(f"<article>{marks_html(tagged, numbers)}</article>", file=sink)


def _columns(tagger: Tagger, target: LabelScheme | None, tagged: TaggedText) -> str:
    for word in tagged.words:
        if not word.strip(" ") or _BREAKS.search(word) or word.startswith(DOCUMENT_MARKS):
            raise PolytagError(
                f"The word {word!r} cannot be written in columns: it is empty, has a tab or a line break, or begins "
                "like the mark of a new document. Write JSON Lines: --format jsonl"
            )
    for tag in {tag for tags in tagged.tags.values() for tag in tags}:
        if not tag.strip(" ") or _BREAKS.search(tag):
            raise PolytagError(
                f"The label {shorten(tag)!r} cannot be written in columns: it is empty, or has a tab or a line break. "
                "Write JSON Lines: --format jsonl"
            )
    bounds = [*tagged.sentence_starts, len(tagged.words)]
    parts = []
    for start, end in itertools.pairwise(bounds):
        columns: list[Sequence[str]] = [tagged.words[start:end]]
        for task, tags in tagged.tags.items():
            own = tagger.decoders[task].scheme
            sentence = tags[start:end]
            columns.append(convert_tags(sentence, own, target) if target and own.encodes_spans else sentence)
        parts += ["\t".join(row) + "\n" for row in zip(*columns, strict=True)]
        parts.append("\n")
    return "".join(parts)


def check_annotated(with_spans: Sequence[str], way_out: str) -> None:
    """Check that a file for an annotation tool has room for the spans that are found.

    Args:
        with_spans: The tasks that have spans.
        way_out: What to do where several have, for the message.

    Raises:
        PolytagError: There is none, or several.
    """
    if not with_spans:
        raise PolytagError("A file for doccano or Label Studio holds spans, and no task has any. Write --format jsonl.")
    if len(with_spans) > 1:
        raise PolytagError(
            f"A file for doccano or Label Studio holds the spans of one task, and {', '.join(with_spans)} count. "
            f"{way_out}"
        )


def for_doccano(tagged: TaggedText) -> dict[str, Any]:
    """The record of a tagged text for doccano: `text`, and its spans in `label`."""
    return {"text": tagged.text, "label": [[span.start, span.end, span.label] for span in tagged.spans]}


def _show(tagged: TaggedText, tagger: Tagger, styles: dict[str, str], console: Console) -> None:
    from rich.text import Text

    width = max(8, *map(len, tagger.decoders))
    for task, decoder in tagger.decoders.items():
        line = _highlighted(tagged, task, styles) if decoder.scheme.encodes_spans else _tagged_words(tagged, task)
        console.print(Text.assemble((visible(f"{task:>{width}}  "), "bold"), line))


def _highlighted(tagged: TaggedText, task: str, styles: dict[str, str]) -> Text:
    from rich.text import Text

    line, position = Text(), 0
    for span in tagged.spans:
        if span.task == task:
            style = styles.setdefault(span.label, _STYLES[len(styles) % len(_STYLES)])
            line.append(visible(tagged.text[position : span.start]))
            line.append(f"[{visible(span.text)}]", style)
            line.append(f" {visible(span.label)} {span.score:.2f}")
            position = span.end
    line.append(visible(tagged.text[position:]))
    return line


def _tagged_words(tagged: TaggedText, task: str) -> Text:
    from rich.text import Text

    line = Text()
    for word, tag in zip(tagged.words, tagged.tags[task], strict=True):
        line.append(visible(word))
        line.append(f"/{visible(tag)} ", "bold")
    return line


@contextmanager
def open_output(output: Path | None) -> Iterator[TextIO]:
    """Open a file that appears under its name only when it is complete, or standard output."""
    if output is None:
        if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8")  # any text can be written in any locale
        yield sys.stdout
        return
    with new_file(output) as sink:
        yield sink
