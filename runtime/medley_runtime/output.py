"""Lines for people. Every line leaves at once, so that a log is complete however the worker ends."""

from __future__ import annotations

import sys


def print_line(text: str) -> None:
    """Write one line to the worker's log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def warn_line(text: str) -> None:
    """Write one line to standard error, marked as the runtime's own."""
    sys.stderr.write(f"medley_runtime: {text}\n")
    sys.stderr.flush()
