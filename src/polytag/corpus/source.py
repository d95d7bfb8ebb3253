"""Find the files and splits of a corpus that the user named."""

from __future__ import annotations

import re
from pathlib import Path

from polytag.corpus.text_files import text_ending
from polytag.errors import CorpusError
from polytag.files import expand_home, path_exists
from polytag.plugin.reader import NOTHING_SAID, SPLITS, ReadingOptions, Remark, Source

_OF_BACKUPS = ("~", ".bak", ".orig", ".swp")
"""Extensions that editors and merge tools give to backups."""

_NO_DATA = frozenset(
    {".cfg", ".gif", ".htm", ".html", ".ini", ".jpeg", ".jpg", ".log", ".md", ".pdf", ".png", ".py", ".rst", ".sh"}
    | {".svg", ".toml", ".yaml", ".yml"}
)
_NO_DATA_NAMES = frozenset({"changelog", "citation", "copying", "license", "licence", "makefile", "notice", "readme"})

_FILE_ENDINGS = frozenset(
    {
        ".ann",
        ".bio",
        ".col",
        ".conll",
        ".conllu",
        ".csv",
        ".dev",
        ".iob",
        ".iob2",
        ".json",
        ".jsonl",
        ".parquet",
        ".spacy",
    }
    | {".test", ".testa", ".testb", ".train", ".tsv", ".txt"}
)
"""A name with such an extension that is not on disk is a mistyped file, not a hub dataset."""

_SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "devel", "development", "testa"),
    "test": ("test", "testb", "testing", "eval"),
}
_LAST_WORD = re.compile(r"(?:(?<=\d)|(?<=[a-z])(?=[A-Z]))([A-Za-z]+)$")
"""The letters at the end of a word, after a digit (`wnut17train`) or in camel case (`nerTrain`)."""
_RUN_ON = re.compile(r"(?<=[a-z])(train|training|dev|testa|testb)$")
"""The end of a word of letters (`mytrain`); many words of the language end in `test` and `val`."""
_WORDS_IN_TRAIN = frozenset({"constrain", "entrain", "quatrain", "restrain", "retrain", "strain"})


def locate(reference: str, options: ReadingOptions = NOTHING_SAID) -> Source:
    """Find the source that the user named: a file, a folder, `train=FILE,test=FILE`, or a name that is not on disk.

    In `train=…`, a folder means all its files. In a folder, and for a single file, the file name gives the split
    (`eng.testa` is `validation`); a single file without a split in its name is `train`.

    Raises:
        CorpusError: The reference is empty, or names a file that does not exist, or a pipe.
        OSError: A folder may not be read.
    """
    if not isinstance(reference, str):
        raise CorpusError(f"The corpus is {reference!r:.60}, and must be a string or a polytag.Corpus: str(path)")
    if not reference.strip():
        raise CorpusError("The corpus has no name. Give a file, a folder, a hub dataset, or `sample`.")
    path = expand_home(reference)
    if path_exists(path):
        if path.is_dir():
            return Source(reference, path, *_files_in(path, options))
        return Source(reference, path, {split_of(path.name) or "train": (_regular(path),)}, options)
    if "=" in reference:
        return Source(reference, files=_named_files(reference), options=options)
    name = reference.partition("@")[0]
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or text_ending(path) in _FILE_ENDINGS:
        raise CorpusError(f"The corpus {reference!r} does not exist: no file or folder has that path. Check the path.")
    return Source(reference, options=options)


def split_of(name: str) -> str | None:
    """The split in the name of a file or split, or None: `eng.testa` and `dev` are `validation`.

    The split is a word of the name, or the end of one: `wnut17train.conll` and `mytrain.conll` are `train`. `test` and
    `val` end many words (`latest`), so they count only after a digit or in camel case.
    """
    return next(iter(_splits_in(name)), None)


def _splits_in(name: str) -> list[str]:
    words = "".join(c if c.isalnum() else " " for c in name).split()
    lower = {word.lower() for word in words}
    ends = {found[1].lower() for word in words if (found := _LAST_WORD.search(word))}
    run_on = {found[1] for word in lower - _WORDS_IN_TRAIN if (found := _RUN_ON.search(word))}
    for candidates in (lower, ends | run_on):
        if found_splits := [split for split, names in _SPLIT_WORDS.items() if candidates.intersection(names)]:
            return found_splits
    return []


def _named_files(reference: str) -> dict[str, tuple[Path, ...]]:
    files: dict[str, tuple[Path, ...]] = {}
    for part in reference.split(","):
        split, _, name = part.strip().partition("=")
        split = split_of(split) or split
        if split not in SPLITS or not name:
            raise CorpusError(
                f"{part.strip()!r} is not of the form SPLIT=FILE, where SPLIT is one of {', '.join(SPLITS)}. "
                "Example: train=a.conll,validation=b.conll"
            )
        path = expand_home(name)
        if not path_exists(path):
            raise CorpusError(f"The {split} file {name!r} does not exist. Check the path.")
        found = _visible(path) if path.is_dir() else [_regular(path)]
        if not found:
            raise CorpusError(f"The {split} folder {name!r} has no file. Check the path.")
        files[split] = (*files.get(split, ()), *found)
    return files


def _regular(path: Path) -> Path:
    if not path.is_file():
        raise CorpusError(
            f"The corpus file {str(path)!r} is a pipe or a device, which can be read only once, and readers read a "
            "file more than once. Write its content to a file, and name that."
        )
    return path


def _files_in(
    folder: Path, options: ReadingOptions
) -> tuple[dict[str, tuple[Path, ...]], ReadingOptions, dict[Path, str]]:
    """The files of each split, the options, and the files that are in none, with the reason."""
    files: dict[str, tuple[Path, ...]] = {}
    passed_over: dict[Path, str] = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        splits = _splits_in(path.name)
        if path.name.endswith(_OF_BACKUPS):
            passed_over[path] = "a backup"
        elif len(splits) > 1:
            raise CorpusError(
                f"The file {str(path)!r} could belong to {' or to '.join(splits)}. Name the files of each split: "
                f"train={folder / 'FILE'},validation={folder / 'FILE'}, or move this one elsewhere."
            )
        elif not splits:
            passed_over[path] = "its name tells no split (train, dev, test)"
        for split in splits if path not in passed_over else ():
            files[split] = (*files.get(split, ()), path)
    return files, options, passed_over


def remarks_on_files(source: Source) -> list[Remark]:
    """A remark on each file of the folder that was not read; one for all that look like documentation and programs."""
    rule = "Files of the folder were not read."
    told = [(path, reason) for path, reason in source.passed_over.items() if not _is_no_data(path)]
    remarks = [Remark("file-not-read", rule, path.name, reason) for path, reason in told]
    if told and len(told) < len(source.passed_over):
        count = len(source.passed_over) - len(told)
        remarks.append(Remark("file-not-read", rule, f"{count} others", "documentation, programs or pictures"))
    return remarks


def _is_no_data(path: Path) -> bool:
    return text_ending(path) in _NO_DATA or path.name.split(".")[0].lower() in _NO_DATA_NAMES


def _visible(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(_OF_BACKUPS)
    )
