"""The OIDC server of the tests: where it is not installed its tests are left out, which in CI is an error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.oidc.testbed import build

ROOT = Path(__file__).parents[2]
TESTS = ("tests/oidc/test_logging_in.py", "tests/unit/builders/test_eventually.py")
USAGE_ERROR = 4
FAKE_NPM = """#!/bin/sh
[ -f package-lock.json ] || exit 3
echo "$*" >>"$FAKE_NPM_LOG"
exit "$FAKE_NPM_STATUS"
"""


def run(cache: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tests with and without need of the server, where it is not installed."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "MEDLEY_NO_SKIPS")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=kept | {"MEDLEY_ISSUER_CACHE": str(cache)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_tests_pass_without_it_and_say_so_in_their_last_lines(tmp_path: Path) -> None:
    result = run(tmp_path, *TESTS)
    assert result.returncode == 0, result.stdout
    *_, said, summary = result.stdout.splitlines()
    assert "tests on a real OIDC server were left out: it is not installed: `make issuer`" in said
    assert "deselected" in summary


def test_it_may_not_be_missing_where_nothing_may_be_skipped(tmp_path: Path) -> None:
    result = run(tmp_path, *TESTS, CI="1")
    assert result.returncode == USAGE_ERROR, result.stdout
    assert "tests need the OIDC server, and it is not installed" in result.stderr


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an `npm` on the PATH and a cache of its own in force; return the file in which its calls are noted."""
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(FAKE_NPM)
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("MEDLEY_ISSUER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKE_NPM_LOG", str(tmp_path / "calls"))
    monkeypatch.setenv("FAKE_NPM_STATUS", "0")
    monkeypatch.setattr("sys.argv", ["build"])
    return tmp_path / "calls"


def test_it_is_installed_once_from_the_locked_list_without_running_anything(calls: Path) -> None:
    assert build.main() == 0
    assert build.main() == 0
    (call,) = calls.read_text().splitlines()
    assert call.startswith("ci --ignore-scripts")
    assert sorted(path.name for path in build.folder().iterdir()) == sorted(build.FILES)


def test_what_fails_leaves_nothing_that_counts(
    calls: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE_NPM_STATUS", "1")
    assert build.main() == 1
    assert "npm failed with status 1" in capfd.readouterr().err
    assert not list(build.folder().parent.iterdir())


@pytest.mark.parametrize(("is_ci", "want_status"), [("", 0), ("1", 1)])
def test_without_npm_the_tests_may_go_on_but_not_where_nothing_may_be_skipped(
    calls: Path, monkeypatch: pytest.MonkeyPatch, is_ci: str, want_status: int
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("sys.argv", ["build", "--if-possible"])
    monkeypatch.setenv("MEDLEY_NO_SKIPS", is_ci)
    monkeypatch.delenv("CI", raising=False)
    assert build.main() == want_status
