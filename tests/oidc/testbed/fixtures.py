"""The pytest plugin of the OIDC server: tests that ask for `issuer` get a real one.

Where it is not installed they are left out, and the last lines say so; where nothing may be skipped that is an error.
"""

import os
from collections.abc import Iterator

import pytest

from tests.oidc.testbed.build import obstacle
from tests.oidc.testbed.issuer import Issuer

LEFT_OUT = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """A running issuer. A test that stops it starts it again."""
    with Issuer(tmp_path_factory.mktemp("issuer")) as running:
        yield running


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here. Raises UsageError where nothing may be left out."""
    missing = obstacle()
    needing = [item for item in items if missing is not None and "issuer" in getattr(item, "fixturenames", ())]
    if not needing:
        return
    if os.environ.get("MEDLEY_NO_SKIPS") or os.environ.get("CI"):
        raise pytest.UsageError(f"{len(needing)} tests need the OIDC server, and {missing}")
    config.hook.pytest_deselected(items=needing)
    items[:] = [item for item in items if item not in set(needing)]
    config.stash[LEFT_OUT] = len(needing)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end what was left out, and how to run it."""
    number = config.stash.get(LEFT_OUT, 0)
    if number:
        terminalreporter.section("not everything was tested", yellow=True)
        terminalreporter.write_line(f"{number} tests on a real OIDC server were left out: {obstacle()}")
