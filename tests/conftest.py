"""What holds for every test: no skips where MEDLEY_NO_SKIPS is set, and the time of each folder at the end."""

import os
from collections import Counter
from collections.abc import Generator

import pytest
from hypothesis import settings

settings.register_profile("medley", deadline=None, print_blob=True)
settings.load_profile("medley")

SKIPPED = "skipped although MEDLEY_NO_SKIPS is set: provide what the test needs, or remove the test"


class FolderTimes:
    """Adds up how many tests each folder of tests/ has and how long they took."""

    def __init__(self) -> None:
        self.tests: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase (setup, call or teardown) of one test."""
        folder = "/".join(report.nodeid.partition("::")[0].split("/")[:2])
        self.tests[folder] += report.when == "call"
        self.seconds[folder] += report.duration  # type: ignore[assignment]  # a Counter adds floats as well

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        terminalreporter.section("time per folder")
        for folder in sorted(self.tests):
            line = f"{folder:<24} {self.tests[folder]:>5} tests {self.seconds[folder]:>8.1f} s"
            terminalreporter.write_line(line)


class NoSkips:
    """Turns every skip, of a test or of a whole file, into a failure."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test that skipped or is expected to fail."""
        report = yield
        if report.skipped:
            report.outcome, report.longrepr = "failed", f"{SKIPPED}\n{report.longrepr}"
            vars(report).pop("wasxfail", None)  # while it is there, pytest does not count the failure
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Fail a file that skipped itself."""
        report = yield
        if report.skipped:
            report.outcome, report.longrepr = "failed", f"{SKIPPED}\n{report.longrepr}"
        return report


def pytest_configure(config: pytest.Config) -> None:
    """Put both in force."""
    config.pluginmanager.register(FolderTimes(), "folder-times")
    if os.environ.get("MEDLEY_NO_SKIPS"):
        config.pluginmanager.register(NoSkips(), "no-skips")
