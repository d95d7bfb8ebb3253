"""The entry point of the program: an interrupt is not a traceback, even while the command line is imported."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line."""
    try:
        from polytag.cli.app import main as run

        run()
    except KeyboardInterrupt:
        print("polytag: Interrupted.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
