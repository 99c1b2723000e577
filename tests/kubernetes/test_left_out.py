"""Where the test bed is not built, its tests are left out and the last lines say so; in CI that is an error."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ("tests/kubernetes/test_kwok_stages.py", "tests/unit/builders/test_eventually.py")
USAGE_ERROR = 4


def run(cache: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tests with and without need of the test bed, where it is not built."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "MEDLEY_NO_SKIPS")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=kept | {"MEDLEY_TESTBED_CACHE": str(cache)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_tests_pass_without_it_and_say_so_in_their_last_lines(tmp_path: Path) -> None:
    result = run(tmp_path, *TESTS)
    assert result.returncode == 0, result.stdout
    *_, said, summary = result.stdout.splitlines()
    assert "tests on a real Kubernetes API server were left out: it is not built: `make kubernetes`" in said
    assert "deselected" in summary


def test_it_may_not_be_missing_where_nothing_may_be_skipped(tmp_path: Path) -> None:
    for name in ("CI", "MEDLEY_NO_SKIPS"):
        result = run(tmp_path, *TESTS, **{name: "1"})
        assert result.returncode == USAGE_ERROR, result.stdout
        assert "tests need the Kubernetes test bed, and it is not built" in result.stderr


def test_the_tests_on_a_real_node_run_only_when_they_are_named(tmp_path: Path) -> None:
    found = run(tmp_path, "--collect-only", "tests/kubernetes").stdout
    assert "test_testbed_build.py" in found
    assert "end_to_end" not in found


def test_without_a_redis_server_the_tests_on_it_are_left_out_and_the_last_lines_say_so(tmp_path: Path) -> None:
    tests = "tests/contract/test_wake_up.py"
    result = run(tmp_path, tests, PATH=str(tmp_path))
    assert result.returncode == 0, result.stdout
    *_, said, summary = result.stdout.splitlines()
    assert "tests on a real Redis were left out: there is no `redis-server`: install it" in said
    assert "deselected" in summary
    result = run(tmp_path, tests, PATH=str(tmp_path), MEDLEY_NO_SKIPS="1")
    assert result.returncode == USAGE_ERROR, result.stdout
    assert "tests need a Redis server, and there is no `redis-server`" in result.stderr
