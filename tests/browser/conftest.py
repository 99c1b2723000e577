"""Chromium, a server with work on it, and pages that may not make a single error.

Where there is no Chromium these tests are left out (tests/beds.py).
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, executable
from tests.browser.scene import Scene, open_scene
from tests.browser.visit import OpenPage, Visit


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser without a window. Its loop must not outlive a module: other tests start loops of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
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
