"""The browser of the tests: where it is, and how it is started."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
MISSING = "there is no Chromium: install it (on Debian and Ubuntu: the package chromium)."


def executable() -> str | None:
    """Return the path of a Chromium of this machine."""
    return next((path for path in map(shutil.which, NAMES) if path is not None), None)
