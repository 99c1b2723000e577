"""Building the test bed, with a `go` of the tests' own: what is kept, when it is used, and what is said without Go."""

from pathlib import Path
from threading import Thread

import pytest

from tests.kubernetes.testbed import binaries, build

FAKE_GO = """#!/bin/sh
[ "$1" = env ] && { echo "$FAKE_GO_VERSION"; exit; }
echo "$*" >>"$FAKE_GO_LOG"
while [ "$1" != -o ]; do shift; done
[ "$(basename "$2")" = "$FAKE_GO_BREAKS" ] && exit 1
echo >"$2" && chmod +x "$2"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `go` on the PATH and a cache of its own in force; return the file in which the builds are noted."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(FAKE_GO)
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("MEDLEY_TESTBED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKE_GO_VERSION", "go1.26.8")
    monkeypatch.setenv("FAKE_GO_LOG", str(tmp_path / "calls"))
    return tmp_path / "calls"


def build_it() -> None:
    binaries.build(before=lambda *_: None, after=lambda _: None)


def test_each_program_is_built_once_and_then_kept(calls: Path) -> None:
    assert not binaries.are_complete()
    assert build.main() == 0
    assert build.main() == 0
    assert binaries.are_complete()
    assert len(calls.read_text().splitlines()) == len(binaries.COMPONENTS)


def test_two_at_once_build_once(calls: Path) -> None:
    both = [Thread(target=build_it) for _ in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(calls.read_text().splitlines()) == len(binaries.COMPONENTS)


def test_a_build_that_breaks_leaves_nothing_that_counts(
    calls: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE_GO_BREAKS", "kube-scheduler")
    assert build.main() == 1
    assert "Building kube-scheduler failed" in capfd.readouterr().err
    assert not binaries.folder().exists()
    monkeypatch.setenv("FAKE_GO_BREAKS", "")
    assert build.main() == 0
    assert binaries.are_complete()


def test_an_old_go_is_refused(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_VERSION", "go1.25.9")
    with pytest.raises(binaries.CannotBuild, match=r"Go 1\.26\.0 or newer, and .* is go1\.25\.9"):
        build_it()
    assert not calls.exists()


@pytest.mark.parametrize(("is_ci", "want_status"), [("", 0), ("1", 1)])
def test_without_go_the_tests_may_go_on_but_not_where_nothing_may_be_skipped(
    calls: Path, monkeypatch: pytest.MonkeyPatch, is_ci: str, want_status: int
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("sys.argv", ["build", "--if-possible"])
    monkeypatch.setenv("MEDLEY_NO_SKIPS", is_ci)
    monkeypatch.delenv("CI", raising=False)
    assert build.main() == want_status


def test_the_name_of_the_folder_tells_what_it_is_made_of(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = binaries.folder()
    monkeypatch.setattr(binaries, "COMPONENTS", binaries.COMPONENTS[:-1])
    assert binaries.folder() != before
