"""Read the options of a run from a file, and explain what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from polytag.encoding.json_values import read_toml
from polytag.errors import PolytagError

if TYPE_CHECKING:
    from polytag.training.config import RunConfig

_HALF = re.compile("[\ud800-\udfff]")


def pairs_of(value: object, option: str, form: str, example: str) -> dict[str, str]:
    """The pairs of an option that is given once or several times, `ner=2`.

    Raises:
        PolytagError: A value is not of the form.
    """
    pairs = [str(pair) for pair in value] if isinstance(value, list) else [str(value)]
    for pair in pairs:
        if "=" not in pair:
            raise PolytagError(f"{option} {pair!r} is not of the form {form}. Example: {option} {example}")
    return {name.strip(): told.strip() for name, _, told in (pair.partition("=") for pair in pairs)}


def read_options(file: Path, kind: str = "configuration") -> dict[str, Any]:
    """The options in a TOML file.

    Args:
        file: The file.
        kind: What the file is, for messages.

    Raises:
        PolytagError: It cannot be read, or is not TOML.
    """
    try:
        return read_toml(file)
    except OSError as error:
        raise PolytagError(f"The {kind} file {str(file)!r} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise PolytagError(f"The {kind} file {str(file)!r} is not TOML: {error}.") from error


def as_toml(options: Mapping[str, Any], remarks: Sequence[str]) -> str:
    """Options as TOML, without those that are empty.

    Args:
        options: Their values.
        remarks: Lines for a comment at its start.
    """
    import tomlkit

    document = tomlkit.document()
    for remark in remarks:
        document.add(tomlkit.comment(remark))
    document.update({name: value for name, value in options.items() if value not in ({}, [])})
    return tomlkit.dumps(document)


def tasks_of(taggers: object) -> list[str]:
    """The tasks of all the taggers that an option names."""
    from polytag.tagger.description import open_folder

    names = taggers if isinstance(taggers, list | tuple) else [taggers]
    return list(dict.fromkeys(task for name in names for task in open_folder(str(name))[1].tasks))


def check_recordable(options: Iterable[tuple[str, Any]]) -> None:
    """Check that the values of options are UTF-8: the tagger could not record others.

    Raises:
        PolytagError: One is not.
    """
    for name, value in options:
        for text in value if isinstance(value, list | tuple) else (value,):
            if isinstance(text, str | Path) and _HALF.search(str(text)):
                raise PolytagError(
                    f"'{name.rstrip('_')}' is {str(text)!r}, which is not UTF-8 and cannot be recorded. "
                    "Rename the file or the folder."
                )


def check_together(config: RunConfig) -> None:
    """Check that options go with each other.

    Raises:
        PolytagError: One of them excludes or needs another one.
    """
    if config.from_ is not None and "encoder" in config.model_fields_set and config.encoder != config.from_:
        raise PolytagError(
            f"The run starts from {config.from_!r}, which has its own encoder, and cannot use the encoder "
            f"{config.encoder!r}. Leave out --encoder, or --from."
        )
    if config.labels is not None and config.from_ is None:
        raise PolytagError("--labels names the labels of the token classifier to start from. Name it with --from.")
    if config.texts and not config.teacher:
        raise PolytagError("--texts has no labels, and needs a teacher that tags it. Name one with --teacher.")
    if config.from_ is not None and config.vectors is not None:
        raise PolytagError(
            f"The run starts from {config.from_!r}, whose encoder keeps the vectors that it has, or has none. Leave "
            "out --vectors, or --from."
        )
    if config.lora is not None and config.precision == "float16":
        raise PolytagError("--lora trains in float32 or bfloat16. Choose one of them as --precision.")
    if config.annotated is not None and config.from_ is None:
        raise PolytagError("--annotated is about the labels of the tagger to start from. Name it with --from.")


def explained(error: ValidationError, file: Path | None, known: Sequence[str]) -> PolytagError:
    """The error that says what is wrong with the options of a run, and how to mend it.

    Args:
        error: What pydantic found.
        file: The file of the options, if any.
        known: The names of all options.
    """
    parts = []
    missing = [f"--{problem['loc'][0]}" for problem in error.errors() if problem["type"] == "missing"]
    if missing:
        verb = "are" if len(missing) > 1 else "is"
        parts.append(f"{' and '.join(missing)} {verb} missing; say, `--task ner --corpus sample --output my-tagger`")
    for problem in error.errors():
        name = ".".join(part for part in problem["loc"] if isinstance(part, str))
        if problem["type"] == "missing":
            continue
        if problem["type"] == "extra_forbidden":
            from polytag.errors import suggest

            parts.append(f"{name!r} is not an option of a run.{suggest(name, known, 'option')}".rstrip("."))
        else:
            message = problem["msg"].replace("Input should be", "it must be", 1)
            parts.append(f"{name!r} is {problem['input']!r}: {message[:1].lower()}{message[1:]}")
    where = f" (flags and {str(file)!r})" if file else ""
    what = f"{'; '.join(parts)}.".replace("?.", "?")
    return PolytagError(f"The configuration of the run{where} is invalid: {what} See `polytag train --help`.")
