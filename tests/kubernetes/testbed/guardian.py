"""Ends what a test run started, once that run is gone, however it ended. Run as a program, by processes.py.

Standard input carries one word and one value a line: `group N` and `ended N` name process groups, `folder PATH` names
a folder. Its end means that the run is over: what is left of the groups is killed, the folders are removed.
"""

import os
import shutil
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Read until the end, then clear up."""
    groups: set[int] = set()
    folders: set[str] = set()
    for line in sys.stdin:
        word, _, value = line.strip().partition(" ")
        if word == "group":
            groups.add(int(value))
        elif word == "ended":
            groups.discard(int(value))
        else:
            folders.add(value)
    for group in sorted(groups):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for folder in sorted(folders):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
