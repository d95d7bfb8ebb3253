"""Find the files and splits of a corpus that the user named."""

from __future__ import annotations

from pathlib import Path

from polytag.errors import CorpusError
from polytag.files import expand_home, path_exists
from polytag.plugin.reader import NOTHING_SAID, SPLITS, ReadingOptions, Source

_OF_BACKUPS = ("~", ".bak", ".orig", ".swp")
"""Extensions that editors and merge tools give to backups."""

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


def locate(reference: str, options: ReadingOptions = NOTHING_SAID) -> Source:
    """Find the source that the user named: a file, a folder, `train=FILE,test=FILE`, or a name that is not on disk.

    In `train=…`, a folder means all its files. In a folder, and for a single file, the file name gives the split
    (`eng.testa` is `validation`); a single file without a split in its name is `train`.

    Raises:
        CorpusError: The reference is empty, or names a file that does not exist, or a pipe.
        OSError: A folder may not be read.
    """
    if not reference.strip():
        raise CorpusError("The corpus has no name. Give a file, a folder, a hub dataset, or `sample`.")
    path = expand_home(reference)
    if path_exists(path):
        files = _files_in(path) if path.is_dir() else {split_of(path.name) or "train": (_regular(path),)}
        return Source(reference, path, files, options)
    if "=" in reference:
        return Source(reference, files=_named_files(reference), options=options)
    name = reference.partition("@")[0]
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or path.suffix in _FILE_ENDINGS:
        raise CorpusError(f"The corpus {reference!r} does not exist: no file or folder has that path. Check the path.")
    return Source(reference, options=options)


def split_of(name: str) -> str | None:
    """The split in the name of a file or split, or None: `eng.testa` and `dev` are `validation`."""
    return next(iter(_splits_in(name)), None)


def _splits_in(name: str) -> list[str]:
    words = "".join(c.lower() if c.isalnum() else " " for c in name).split()
    return [split for split, names in _SPLIT_WORDS.items() if any(word in names for word in words)]


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


def _files_in(folder: Path) -> dict[str, tuple[Path, ...]]:
    files: dict[str, tuple[Path, ...]] = {}
    for path in _visible(folder):
        splits = _splits_in(path.name)
        if len(splits) > 1:
            raise CorpusError(
                f"The file {str(path)!r} could belong to {' or to '.join(splits)}. Name the files of each split: "
                f"train={folder / 'FILE'},validation={folder / 'FILE'}, or move this one elsewhere."
            )
        for split in splits:
            files[split] = (*files.get(split, ()), path)
    return files


def _visible(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(_OF_BACKUPS)
    )
