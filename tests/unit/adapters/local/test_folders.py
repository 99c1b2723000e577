from pathlib import Path

from scheduler.adapters.local.folders import Folders
from scheduler.core.model.identifiers import WorkerKey

ATTEMPTS = ["b-g0-a1", "a-g0-a1", "c-g0-a1"]


def finish(folders: Folders, attempt: str) -> None:
    (folders.live(attempt) / "0" / "scratch" / "checkpoints").mkdir(parents=True)
    (folders.live(attempt) / "0" / "output").mkdir()
    folders.finish(attempt)


def test_only_the_latest_finished_attempts_are_kept(tmp_path: Path) -> None:
    folders = Folders(tmp_path, finished_kept=2)
    for attempt in ATTEMPTS:
        finish(folders, attempt)

    assert sorted(path.name for path in (tmp_path / "finished").iterdir()) == ["a-g0-a1", "c-g0-a1"]


def test_a_new_server_goes_on_with_the_same_order(tmp_path: Path) -> None:
    for attempt in ATTEMPTS:
        finish(Folders(tmp_path, finished_kept=2), attempt)

    assert sorted(path.name for path in (tmp_path / "finished").iterdir()) == ["a-g0-a1", "c-g0-a1"]


def test_marks_of_attempts_that_never_started_are_bounded_too(tmp_path: Path) -> None:
    folders = Folders(tmp_path, finished_kept=2)
    for attempt in ATTEMPTS:
        folders.close_unknown(attempt)
        folders.close_unknown(attempt)

    folders.finish("unknown")
    finish(folders, "d-g0-a1")

    assert sorted(path.name for path in (tmp_path / "finished").iterdir()) == ["c-g0-a1", "d-g0-a1"]


def test_output_is_kept_and_scratch_is_not(tmp_path: Path) -> None:
    folders = Folders(tmp_path, finished_kept=2)
    finish(folders, "a-g0-a1")

    worker = folders.worker(WorkerKey("a-g0-a1", 0))

    assert worker is not None
    assert [path.name for path in worker.iterdir()] == ["output"]


def test_folders_are_private(tmp_path: Path) -> None:
    Folders(tmp_path / "data", finished_kept=2)

    assert [(tmp_path / "data" / name).stat().st_mode & 0o777 for name in ("workers", "finished")] == [0o700] * 2
