"""Removes the control groups of a real node, which nothing else does: python -m ...clear_up NAME.

The program waits for the end of its standard input, which comes when the test run is over, however that ended. All else
of a node goes by itself: its processes and mounts with its room (room.py), its folder with the test bed's guardian.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from tests.builders.eventually import eventually

CONTROL_GROUPS = Path("/sys/fs/cgroup")
WITHIN_S = 60.0


def make_control_groups(name: str) -> None:
    """Make a control group of that name, in each hierarchy where there are several."""
    for hierarchy in _hierarchies():
        (hierarchy / name).mkdir()


def remove_control_groups(name: str) -> None:
    """Remove them with all below, when their processes are gone. Raises AssertionError where they stay."""

    def are_gone() -> bool:
        left = control_groups(name)
        for group in left:
            with suppress(OSError):  # busy until its last process is gone
                group.rmdir()
        return not left

    eventually(are_gone, within_s=WITHIN_S, what=f"the end of the control groups {name}")


def control_groups(name: str) -> list[Path]:
    """Return them with all below, innermost first."""
    tops = [hierarchy / name for hierarchy in _hierarchies()]
    return [Path(path) for top in tops for path, _, _ in os.walk(top, topdown=False)]


def _hierarchies() -> list[Path]:
    """Return the one of version 2, or those of version 1."""
    candidates = [CONTROL_GROUPS, *sorted(CONTROL_GROUPS.iterdir())]
    if (CONTROL_GROUPS / "cgroup.controllers").exists():
        candidates = [CONTROL_GROUPS]
    return [path for path in candidates if (path / "cgroup.procs").exists() and not path.is_symlink()]


def _main(name: str) -> None:
    sys.stdin.read()
    remove_control_groups(name)


if __name__ == "__main__":
    _main(*sys.argv[1:])
