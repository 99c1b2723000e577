"""What tests/conftest.py promises: no skip passes where MEDLEY_NO_SKIPS is set, and each folder's time is shown."""

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.tidy.source import ROOT

SKIPPED_TESTS = {
    "test_itself.py": "def test_good(): ...\ndef test_x(): pytest.skip('not here')",
    "test_marked.py": "@pytest.mark.skip\ndef test_x(): ...",
    "test_expected.py": "@pytest.mark.xfail\ndef test_x(): assert False",
    "test_fixture.py": "@pytest.fixture\ndef f(): pytest.skip('not here')\ndef test_x(f): ...",
}
SKIPPED_FILE = "pytest.importorskip('no_such_module')\ndef test_x(): ..."

FAILED, INTERRUPTED = 1, 2
"""How pytest ends when a test failed, and when a file could not be collected."""


def run(folder: Path, files: dict[str, str], *, no_skips: str) -> subprocess.CompletedProcess[str]:
    """Run test files below tests/unit of an empty project with our conftest."""
    unit = folder / "tests" / "unit"
    unit.mkdir(parents=True)
    (folder / "tests" / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    for name, text in files.items():
        (unit / name).write_text(f"import pytest\n{text}\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={folder}", "tests"]
    environment = {
        **os.environ,
        "MEDLEY_NO_SKIPS": no_skips,
        "PYTEST_ADDOPTS": "--import-mode=importlib",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def summary(result: subprocess.CompletedProcess[str]) -> str:
    """Return pytest's last line."""
    return result.stdout.splitlines()[-1]


def test_every_kind_of_skipped_test_fails_where_skips_are_forbidden(tmp_path: Path) -> None:
    result = run(tmp_path, SKIPPED_TESTS, no_skips="1")
    assert result.returncode == FAILED, result.stdout
    missing = [name for name in SKIPPED_TESTS if f"tests/unit/{name}::test_x - skipped although" not in result.stdout]
    assert not missing, result.stdout
    assert "1 passed" in summary(result)


def test_a_skipped_file_fails_where_skips_are_forbidden(tmp_path: Path) -> None:
    result = run(tmp_path, {"test_file.py": SKIPPED_FILE}, no_skips="1")
    assert result.returncode == INTERRUPTED, result.stdout
    assert "MEDLEY_NO_SKIPS is set" in result.stdout


def test_skips_pass_elsewhere_and_the_time_of_each_folder_is_shown(tmp_path: Path) -> None:
    result = run(tmp_path, {**SKIPPED_TESTS, "test_file.py": SKIPPED_FILE}, no_skips="")
    assert result.returncode == 0, result.stdout
    assert "1 passed" in summary(result)
    line = next(line for line in result.stdout.splitlines() if line.startswith("tests/unit "))
    assert line.split()[1:3] == ["3", "tests"], "a test that skips in its setup or by a mark was never called"
