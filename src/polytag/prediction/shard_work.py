"""The work of one shard: read its rows, tag them, write its output and the list of rows that cannot be tagged."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from polytag.errors import PolytagError
from polytag.plugin.surroundings import for_plugin
from polytag.prediction.lake_files import OutputFolder
from polytag.prediction.row_options import RowOptions
from polytag.prediction.row_writers import row_writer
from polytag.prediction.rows import BadRow, rows_of
from polytag.prediction.shards import Shard
from polytag.prediction.tag_rows import tag_rows
from polytag.tagger.tagger import Tagger

QUARANTINE = "_quarantine"
"""The folder, in the output folder, with a list for each shard that has rows that cannot be tagged."""

OnRows = Callable[[int], None]
"""Called with the number of rows that are done."""


@dataclass(frozen=True)
class LakeJob:
    """The work, as each worker has to know it.

    Attributes:
        tagger: Folder of the tagger.
        output: Path or URL of the output folder.
        options: What decides the bytes of the outputs.
    """

    tagger: Path
    output: str
    options: RowOptions

    def load(self) -> Tagger:
        """Load the tagger."""
        given = self.options
        return Tagger.load(
            self.tagger, given.decoding, given.min_score, given.task, given.labels, given.runtime, given.device
        )


@dataclass(frozen=True)
class ShardDone:
    """The result of a shard.

    Attributes:
        output: The path of its output in the output folder.
        rows: Rows of the output.
        quarantined: Rows that cannot be tagged.
        size: Bytes of the output.
        sha256: Its checksum.
    """

    output: str
    rows: int
    quarantined: int
    size: int
    sha256: str


def quarantine_of(output: str) -> str:
    """The path in the output folder of the list for the shard with this output."""
    return f"{QUARANTINE}/{output}.jsonl"


def tag_shard(tagger: Tagger, shard: Shard, job: LakeJob, on_rows: OnRows) -> ShardDone:
    """Tag a shard. Its output appears in one step, after the list of its rows that cannot be tagged.

    Raises:
        PolytagError: The input cannot be read, has changed, or the output cannot be written.
    """
    folder = OutputFolder(job.output)
    quarantine = quarantine_of(shard.output)
    with ExitStack() as files:
        sink = files.enter_context(folder.new(shard.output))
        bad: list[tuple[int, BadRow]] = []
        written = write_rows(tagger, shard, job.options, sink, on_rows, lambda place, row: bad.append((place, row)))
        found = written + len(bad)
        if found != shard.rows:
            raise PolytagError(
                f"The file {shard.file!r} has changed: there were {shard.rows:,} rows here, and are {found:,}. Tag it "
                "again into another folder."
            )
        if bad:
            with folder.new(quarantine) as listed:
                for place, row in bad:
                    record = {"file": shard.file, "row": place, "reason": row.reason}
                    print(json.dumps(record, ensure_ascii=False), file=listed)
        else:
            folder.remove(quarantine)
    return ShardDone(shard.output, written, len(bad), *folder.measure(shard.output))


def write_rows(
    tagger: Tagger,
    shard: Shard,
    options: RowOptions,
    sink: TextIO,
    on_rows: OnRows,
    on_bad_row: Callable[[int, BadRow], object],
) -> int:
    """Tag the rows of a shard and write the results to a file; the number of rows written.

    Args:
        tagger: The tagger.
        shard: The shard.
        options: The form of its rows, and the format of the output.
        sink: The file.
        on_rows: Called after each batch.
        on_bad_row: Called with the place of each row that cannot be tagged.
    """
    written = 0
    with for_plugin(), row_writer(shard, options, list(tagger.heads), sink) as writer:
        for rows in rows_of(shard, options):
            results = tag_rows(tagger, rows, options.lines)
            writer.write(rows, results)
            for place, result in zip(rows.places, results, strict=True):
                if isinstance(result, BadRow):
                    on_bad_row(place, result)
                else:
                    written += 1
            on_rows(len(rows))
    return written
