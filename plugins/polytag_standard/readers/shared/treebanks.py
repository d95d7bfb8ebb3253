"""Functions of the reader of CoNLL-U: its fields, the tags in MISC, and recognition of the format."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import islice
from pathlib import Path

from polytag import OUTSIDE, UNANNOTATED, CorpusError, Remark, Source, shorten, text_lines
from polytag_standard.readers.shared.lines import first_lines

FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
PLUS = "# global.columns = "
"""The first line of a file in CoNLL-U Plus, which names its columns."""

_SAMPLED_LINES = 20_000
_JUDGED_LINES = 50
_ID = re.compile(r"\d+(?:[-.]\d+)?")
_SPAN_TAG = re.compile(r"[BIESLUMW][-_][^-_].*|[biesluomw][-_][^-_].*|[^-_].*[-_][BIESLUMW]")
_OUTSIDE = frozenset({"O", "o", "0", "_"})


def plus_fields(path: Path, encoding: str | None = None) -> list[str] | None:
    """The column names in the first line of a CoNLL-U Plus file, or None.

    Raises:
        CorpusError: The line names no ID or no FORM, or a column twice.
    """
    _, first = next(text_lines(path, encoding), (1, ""))
    if not first.startswith(PLUS):
        return None
    fields = first.removeprefix(PLUS).split()
    lower = [field.lower() for field in fields]
    if "id" not in lower or "form" not in lower or len(set(lower)) < len(lower) or len(lower) < 3:
        raise CorpusError(
            f"{path.name}:1: the columns {shorten(' '.join(fields))} are not valid in CoNLL-U Plus: ID and FORM are "
            f"required, and no name may occur twice. Repair the line in {path}."
        )
    return fields


def is_conllu(path: Path, encoding: str | None = None) -> bool:
    """Whether the first lines of a file are CoNLL-U: ten fields separated by tabs, first an id."""
    rows = [line for line in first_lines(path, encoding, _JUDGED_LINES) if line.strip() and not line.startswith("#")]
    cells = [row.split("\t") for row in rows]
    return bool(cells) and all(len(row) == len(FIELDS) and _ID.fullmatch(row[0]) for row in cells)


def values_of_misc(misc: str | None) -> dict[str, str]:
    """The `KEY=VALUE` pairs in the field MISC of a word."""
    if not misc or "=" not in misc:
        return {}
    pairs = (part.partition("=") for part in misc.split("|") if "=" in part)
    return {key.strip(): value.strip() for key, _, value in pairs}


def keys_of_span_tags(
    paths: Iterable[Path], taken: Collection[str], wanted: Collection[str], source: Source
) -> dict[str, str]:
    """The keys of MISC that hold span tags, and what the lack of a key at a word means.

    A key holds span tags if all its values in the first lines of the files are, and one of them is not `O`. A word
    without the key is not annotated; if no word has the value `O`, it is outside of all spans.

    Args:
        paths: The files.
        taken: Names that no key may have.
        wanted: Keys that are read whatever their values are.
        source: Gets a remark if words are taken as outside.
    """
    values: dict[str, set[str]] = defaultdict(set)
    places: dict[str, str] = {}
    lacking: set[str] = set()
    for path in paths:
        at = [field.lower() for field in plus_fields(path, source.options.encoding) or FIELDS]
        if "misc" not in at:
            continue
        index = at.index("misc")
        for number, line in islice(text_lines(path, source.options.encoding), _SAMPLED_LINES):
            if "=" not in line or line.lstrip().startswith("#"):
                continue
            cells = line.split("\t")
            if len(cells) > index:
                for key, value in values_of_misc(cells[index]).items():
                    values[key].add(value)
                    places.setdefault(key, f"{path.name}:{number}")
    found: dict[str, str] = {}
    for key, of_key in values.items():
        telling = of_key - _OUTSIDE
        if key in taken or not key:
            continue
        if key in wanted or (telling and all(map(_SPAN_TAG.fullmatch, telling))):
            is_sparse = not of_key & _OUTSIDE and key not in wanted
            found[key] = OUTSIDE if is_sparse else UNANNOTATED
            if is_sparse:
                lacking.add(key)
    for key in sorted(lacking):
        rule = "Words without a key of MISC are outside of its spans, as no word has the value O."
        source.remarks.append(
            Remark("span-tags-without-outside", rule, places[key], shorten(f"{key}={min(values[key])}"))
        )
    return found
