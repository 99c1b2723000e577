import os
from pathlib import Path

import pytest

from scheduler.adapters.local.folders.checkpoints import CheckpointFolders

DAY_S = 86_400.0


def kept(folders: CheckpointFolders, job: str, *, size: int, changed_at_s: float) -> Path:
    """Let a job have kept something at some time."""
    folder = folders.of_job(job)
    if size:
        (folder / "step-1").write_bytes(b"x" * size)
    os.utime(folder, (changed_at_s, changed_at_s))
    return folder


def test_a_job_has_a_private_folder_that_stays(tmp_path: Path) -> None:
    folders = CheckpointFolders(tmp_path / "checkpoints")
    first, again = folders.of_job("job-1"), folders.of_job("job-1")

    assert first == again == tmp_path / "checkpoints" / "job-1"
    assert first.stat().st_mode & 0o777 == 0o700
    with pytest.raises(ValueError, match="is not the id of a job"):
        folders.of_job("../other")


def test_what_jobs_kept_that_are_over_goes_when_it_is_old_too_much_or_nothing(tmp_path: Path) -> None:
    folders = CheckpointFolders(tmp_path, kept_s=7 * DAY_S, bytes_kept=250)
    now_s = 100 * DAY_S
    running = kept(folders, "running", size=1_000, changed_at_s=1)
    old = kept(folders, "old", size=1, changed_at_s=now_s - 8 * DAY_S)
    empty = kept(folders, "empty", size=0, changed_at_s=now_s)
    first, second, third = (
        kept(folders, name, size=100, changed_at_s=now_s - age_s)
        for name, age_s in (("first", 3 * DAY_S), ("second", 2 * DAY_S), ("third", 1.0))
    )
    folders.delete_old({"running"}, now_s=now_s)

    assert [folder.exists() for folder in (running, old, empty, first, second, third)] == [
        True,
        False,
        False,
        False,
        True,
        True,
    ]


def test_sweeping_is_done_now_and_then_and_a_folder_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    folders = CheckpointFolders(tmp_path / "none")
    folders.sweep(())
    empty = folders.of_job("over")
    folders.sweep(())

    assert empty.exists(), "it was swept a moment ago"
