"""Chromium, a server with work on it, and pages that may not make a single error.

Where there is no Chromium these tests are left out, and the last lines say so; where nothing may be skipped that is an
error.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, MISSING, executable
from tests.browser.scene import Scene, open_scene
from tests.browser.visit import OpenPage, Visit

HERE = Path(__file__).parent
LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a browser where there is none. Raises UsageError where nothing may be left out."""
    if executable() is not None:
        return
    needing = [item for item in items if HERE in item.path.parents]
    if needing and (os.environ.get("MEDLEY_NO_SKIPS") or os.environ.get("CI")):
        raise pytest.UsageError(f"{len(needing)} tests need a browser, and {MISSING}")
    config.hook.pytest_deselected(items=needing)
    items[:] = [item for item in items if HERE not in item.path.parents]
    config.stash[LEFT_OUT] = len(needing)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end what was left out, and how to run it."""
    number = config.stash.get(LEFT_OUT, 0)
    if number:
        terminalreporter.section("not everything was tested", yellow=True)
        terminalreporter.write_line(f"{number} tests of the dashboard in a browser were left out: {MISSING}")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser without a window. Its loop must not outlive these tests: others start loops of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A server on the cluster of the demo, with jobs of three tenants that wait, run and failed."""
    with open_scene(tmp_path_factory.mktemp("scene")) as opened:
        yield opened


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Open pages, each in a browser session of its own; at the end none may have made an error."""
    visits: list[Visit] = []

    def open_one(address: str, token: str | None = None, **looks: Any) -> Visit:
        visits.append(Visit(chromium, address, token, **looks))
        return visits[-1]

    yield open_one
    errors = [error for visit in visits for error in visit.errors]
    for visit in visits:
        visit.close()
    assert not errors
