"""Times what a side predicts, as it is told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from turns import pause


def answer(command: dict[str, Any], whole: Mapping[str, Callable[[], object]], single: Callable[[int], object]) -> None:
    """Do what commands say until there are none.

    `from` names a run over everything, which is timed, on the clock and in the processor; `tags` one whose tags are
    wanted; `single` a number of texts.

    Args:
        command: The first command.
        whole: Runs over the whole split, by what they start from.
        single: Tags the text with an index, alone.
    """
    while True:
        if "from" in command:
            began, processor_before = time.perf_counter(), time.process_time()
            whole[command["from"]]()
            seconds, processor = time.perf_counter() - began, time.process_time() - processor_before
            command = pause(seconds=seconds, processor=processor)
        elif "tags" in command:
            command = pause(tags=whole[command["tags"]]())
        else:
            times = []
            for index in range(command["single"]):
                began = time.perf_counter()
                single(index)
                times.append(time.perf_counter() - began)
            command = pause(times=times)
