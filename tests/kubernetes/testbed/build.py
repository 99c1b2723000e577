"""Builds the Kubernetes of the tests, or says that it is there: python -m tests.kubernetes.testbed.build.

The exit status is 1 where it cannot be built; with `--if-possible` only where nothing may be skipped, that is, where
MEDLEY_NO_SKIPS or CI is set. About 7 minutes on 2 cores when nothing is in Go's caches.
"""

import os
import sys
import time

from tests.kubernetes.testbed.binaries import COMPONENTS, CannotBuild, Component, are_complete, build, folder


def main() -> int:
    """Build with a line for each program."""
    if are_complete():
        _say(f"The Kubernetes test bed is in {folder()}.")
        return 0
    _say(f"Building the Kubernetes test bed into {folder()}. Cold, this downloads about 1 GB and takes minutes.")
    started = clock = time.monotonic()

    def before(component: Component, number: int) -> None:
        nonlocal clock
        clock = time.monotonic()
        _say(f"[{number}/{len(COMPONENTS)}] {component.name} ...")

    def after(component: Component) -> None:
        _say(f"      {component.name} took {time.monotonic() - clock:.0f} s")

    try:
        build(before=before, after=after)
    except CannotBuild as error:
        sys.stderr.write(f"kubernetes: {error}\n")
        must = "--if-possible" not in sys.argv[1:] or os.environ.get("MEDLEY_NO_SKIPS") or os.environ.get("CI")
        return 1 if must else 0
    _say(f"The Kubernetes test bed is complete after {time.monotonic() - started:.0f} s.")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
