"""The pytest plugin of what some tests need of the machine: without it they are left out, and the last lines say so.

Where nothing may be skipped, that is, where CI or MEDLEY_NO_SKIPS is set, its absence is an error.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.chromium import MISSING, executable
from tests.builders.redis import PROGRAM, RedisServer, running_redis
from tests.kubernetes.testbed import fixtures as kubernetes

REDIS = "redis"
BROWSER = Path(__file__).parent / "browser"


@dataclass(frozen=True, slots=True)
class Bed:
    """Something that tests need."""

    name: str
    tests: str
    """What the tests that need it are, for people."""
    is_needed: Callable[[pytest.Item], bool]
    obstacle: Callable[[], str | None]
    """Returns what keeps it from being here and what to do about it; None where nothing does."""


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A running Redis. A test that stops it starts it again."""
    with running_redis() as server:
        yield server


def needs_redis(item: pytest.Item) -> bool:
    """Say whether a test runs on a real Redis: it asks for the server, or is a contract suite's case of that name."""
    return "redis_server" in getattr(item, "fixturenames", ()) or REDIS in cases_of(item)


def cases_of(item: pytest.Item) -> list[str]:
    """Return a test's parameters that are texts."""
    case = getattr(item, "callspec", None)
    return [] if case is None else [one for one in case.params.values() if isinstance(one, str)]


def no_redis() -> str | None:
    """Return what to do where there is no Redis."""
    if shutil.which(PROGRAM) is None:
        return f"there is no `{PROGRAM}`: install it (on Debian and Ubuntu: apt-get install {PROGRAM})."
    return None


BEDS = (
    Bed(
        name="the Kubernetes test bed",
        tests="tests on a real Kubernetes API server",
        is_needed=lambda item: (
            "control_plane" in getattr(item, "fixturenames", ()) or kubernetes.KIND in cases_of(item)
        ),
        obstacle=kubernetes.obstacle,
    ),
    Bed(name="a Redis server", tests="tests on a real Redis", is_needed=needs_redis, obstacle=no_redis),
    Bed(
        name="a browser",
        tests="tests of the dashboard in a browser",
        is_needed=lambda item: BROWSER in item.path.parents,
        obstacle=lambda: None if executable() else MISSING,
    ),
)
LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here. Raises UsageError where nothing may be left out."""
    lines = config.stash.setdefault(LEFT_OUT, [])
    for bed in BEDS:
        missing = bed.obstacle()
        needing = [item for item in items if missing is not None and bed.is_needed(item)]
        if not needing:
            continue
        if os.environ.get("MEDLEY_NO_SKIPS") or os.environ.get("CI"):
            raise pytest.UsageError(f"{len(needing)} tests need {bed.name}, and {missing}")
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in set(needing)]
        lines.append(f"{len(needing)} {bed.tests} were left out: {missing}")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end what was left out, and how to run it."""
    lines = config.stash.get(LEFT_OUT, [])
    if lines:
        terminalreporter.section("not everything was tested", yellow=True)
        for line in lines:
            terminalreporter.write_line(line)
