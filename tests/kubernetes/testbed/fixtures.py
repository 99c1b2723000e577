"""The pytest plugin of the test bed: one real control plane for the whole run, and a namespace for each test that asks.

Tests that need it are those that ask for `control_plane`, and the cases of the contract suites named `kubernetes`.
Where the test bed is not built they are left out (`tests.beds`).
"""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.kubernetes.testbed import binaries
from tests.kubernetes.testbed.control_plane import ControlPlane

KIND = "kubernetes"
END_TO_END = Path(__file__).parents[1] / "end_to_end"
NEEDED = {
    "openssl": "with which it makes its certificates",
    "kubectl": "with which tests do what operators do (1.27 or newer)",
}
NUMBERS = count(1)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A running Kubernetes with KWOK and no nodes. A test that stops a part of it starts that again."""
    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """The name of an empty namespace, removed with all in it."""
    name = control_plane.make_namespace(f"test-{next(NUMBERS)}")
    yield name
    control_plane.remove_namespace(name)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect the tests on a real node only where they are named, as `make e2e` does: they change the machine."""
    is_named = any(END_TO_END.name in argument for argument in config.args)
    return True if collection_path == END_TO_END and not is_named else None


def obstacle() -> str | None:
    """Return what keeps the control plane from running here and what to do about it; None where nothing does."""
    if not binaries.are_complete():
        return "it is not built: `make kubernetes` builds it, with Go."
    for program, purpose in NEEDED.items():
        if shutil.which(program) is None:
            return f"there is no `{program}`, {purpose}: install it."
    return None
