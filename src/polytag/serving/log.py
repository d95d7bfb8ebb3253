"""The log of a server: JSON, one entry per line, and no text of anybody unless it is asked for."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

LOG = logging.getLogger("polytag.serving")
_OF_OTHERS = (logging.getLogger("uvicorn.error"), logging.getLogger("asyncio"))


class JsonLines(logging.Formatter):
    """A line of JSON per entry. An attribute `entry` of a record has further fields.

    Of an exception, the log has its type and where it was raised. Its message could quote a text, and is left out.

    Args:
        messages: Whether the messages of exceptions are logged, too.
    """

    def __init__(self, messages: bool = False) -> None:
        super().__init__()
        self._messages = messages

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"time": time, "level": record.levelname.lower(), "message": record.getMessage()}
        fields |= getattr(record, "entry", {})
        if record.exc_info and (error := record.exc_info[1]):
            fields["error"] = repr(error) if self._messages else type(error).__qualname__
            fields["raised"] = "".join(traceback.format_tb(error.__traceback__))
        return json.dumps(fields)


def configure_log(messages: bool = False) -> None:
    """Write the log to standard error.

    Args:
        messages: Whether the messages of exceptions are logged, too.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(messages))
    for logger, level in ((LOG, logging.INFO), *((other, logging.WARNING) for other in _OF_OTHERS)):
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
