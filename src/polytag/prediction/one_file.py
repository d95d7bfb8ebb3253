"""Tag one file with columns: Parquet, a URL, or JSON Lines whose fields are named."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from polytag.errors import PolytagError
from polytag.files import expand_home
from polytag.prediction.inputs import PARQUET
from polytag.prediction.lake_files import OutputFolder, find_files, is_url
from polytag.prediction.outputs import open_output
from polytag.prediction.row_options import ROW_FORMATS, RowOptions
from polytag.prediction.rows import BadRow
from polytag.prediction.shard_work import LakeJob, write_rows
from polytag.prediction.shards import whole_file
from polytag.tagger.description import open_folder


def has_columns(
    file: str,
    input_format: str | None,
    output_format: str | None,
    output: str | Path | None,
    named: Sequence[str | None],
) -> bool:
    """Whether a file is tagged by its columns, and not by its lines.

    Args:
        file: Path or URL.
        input_format, output_format: The formats that the user gave.
        output: The file to write.
        named: The columns that the user named.
    """
    is_parquet = PARQUET in (input_format, output_format) or (not output_format and _is_parquet(output))
    return any(named) or is_parquet or (not input_format and _is_parquet(file)) or is_url(file)


def format_of_columns(file: str, input_format: str | None, output_format: str | None, output: str | Path | None) -> str:
    """The format to write: Parquet for Parquet, except on standard output or where the name of the output says more.

    Raises:
        PolytagError: The format that the user gave has no columns.
    """
    if output_format is None:
        if output is None or str(output).endswith(".jsonl"):
            return "jsonl"
        from_parquet = input_format == PARQUET or (not input_format and _is_parquet(file))
        return PARQUET if from_parquet or _is_parquet(output) else "jsonl"
    if output_format not in ROW_FORMATS:
        raise PolytagError(
            f"The file {file!r} is read by its columns, and the format is {output_format!r}. Columns are written as "
            "parquet or jsonl: --format jsonl"
        )
    return output_format


def _is_parquet(path: str | Path | None) -> bool:
    return path is not None and str(path).endswith(f".{PARQUET}")


def tag_columns(
    tagger: str | Path, file: str, options: RowOptions, output: str | Path | None, scheme: str | None, verbose: bool
) -> None:
    """Tag a file with columns, and write Parquet or JSON Lines.

    Args:
        tagger: As in `predict`.
        file: Path or URL.
        options: The form of the file and of the output, and how to load the tagger.
        output: The file to write, on disk or elsewhere; standard output if None.
        scheme: What the user gave as label scheme.
        verbose: Print the runtime on stderr.

    Raises:
        PolytagError: The file or the tagger is invalid, or a row cannot be tagged.
    """
    if scheme is not None:
        raise PolytagError(
            f"The file {file!r} is read by its columns, and --scheme is for column format. Leave it out."
        )
    if output is None and options.output_format == PARQUET:
        raise PolytagError(
            "Parquet cannot be written to standard output. Name a file with --output, or --format jsonl."
        )
    if file == "-":
        raise PolytagError("Standard input has no columns with names. Name a file.")
    (found,) = find_files([file])
    folder, _ = open_folder(tagger, options.task, options.labels)
    shard = whole_file(found, options)
    loaded = LakeJob(folder, "", options).load()
    if verbose:
        print(f"runtime: {loaded.runtime}", file=sys.stderr)

    def stop(place: int, row: BadRow) -> NoReturn:
        raise PolytagError(
            f"{file!r}, row {place}: {row.reason}. Repair it, or tag into a folder, where such rows are listed: "
            "--workers 1 --output FOLDER"
        )

    if output is not None and is_url(str(output)):
        above, _, name = str(output).rpartition("/")
        opened = OutputFolder(above).new(name)
    else:
        opened = open_output(None if output is None else expand_home(output))
    with opened as sink:
        write_rows(loaded, shard, options, sink, lambda _: sink.flush(), stop)
