"""Where there is no Chromium these tests are left out and the last lines say so; in CI that is an error."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ("tests/browser/test_logging_in.py", "tests/unit/builders/test_eventually.py")
USAGE_ERROR = 4


def run(nowhere: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tests with and without need of a browser, where no program is found."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "MEDLEY_NO_SKIPS")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    set_here = kept | {"PATH": str(nowhere)} | environment
    return subprocess.run(command, cwd=ROOT, env=set_here, capture_output=True, text=True, timeout=120, check=False)


def test_the_tests_pass_without_it_and_say_so_in_their_last_lines(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.returncode == 0, result.stdout
    *_, said, summary = result.stdout.splitlines()
    assert "tests of the dashboard in a browser were left out: there is no Chromium" in said
    assert "deselected" in summary


def test_it_may_not_be_missing_where_nothing_may_be_skipped(tmp_path: Path) -> None:
    result = run(tmp_path, CI="1")
    assert result.returncode == USAGE_ERROR, result.stdout
    assert "tests need a browser, and there is no Chromium" in result.stderr
