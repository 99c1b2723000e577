from pathlib import Path

from scheduler.adapters.local.folders.attempts import Folders
from scheduler.core.model.identifiers import WorkerKey

ATTEMPTS = ["b-g0-a1", "a-g0-a1", "c-g0-a1"]
OUTPUT_BYTES = 1000


def folders_of(data: Path) -> Folders:
    return Folders(data, finished_kept=2, output_bytes_kept=10 * OUTPUT_BYTES)


def finish(folders: Folders, attempt: str) -> None:
    (folders.live(attempt) / "0" / "scratch" / "checkpoints").mkdir(parents=True)
    (folders.live(attempt) / "0" / "output").mkdir()
    (folders.live(attempt) / "0" / "output" / "0").write_bytes(b"x" * OUTPUT_BYTES)
    folders.finish(attempt)


def outputs(data: Path) -> list[str]:
    return sorted(output.relative_to(data / "finished").parts[0] for output in data.glob("finished/*/0/output"))


def test_only_the_latest_finished_attempts_are_kept(tmp_path: Path) -> None:
    folders = folders_of(tmp_path)
    for attempt in ATTEMPTS:
        finish(folders, attempt)

    assert sorted(path.name for path in (tmp_path / "finished").iterdir()) == ["a-g0-a1", "c-g0-a1"]


def test_a_new_server_goes_on_with_the_same_order(tmp_path: Path) -> None:
    for attempt in ATTEMPTS:
        finish(folders_of(tmp_path), attempt)

    assert sorted(path.name for path in (tmp_path / "finished").iterdir()) == ["a-g0-a1", "c-g0-a1"]


def test_marks_of_attempts_that_never_started_are_bounded_too(tmp_path: Path) -> None:
    folders = folders_of(tmp_path)
    for attempt in ATTEMPTS:
        folders.close_unknown(attempt)
        folders.close_unknown(attempt)

    folders.finish("unknown")
    finish(folders, "d-g0-a1")

    assert sorted(path.name for path in (tmp_path / "finished").iterdir()) == ["c-g0-a1", "d-g0-a1"]


def test_output_is_kept_and_scratch_is_not(tmp_path: Path) -> None:
    folders = folders_of(tmp_path)
    finish(folders, "a-g0-a1")

    worker = folders.worker(WorkerKey("a-g0-a1", 0))

    assert worker is not None
    assert [path.name for path in worker.iterdir()] == ["output"]


def test_folders_are_private(tmp_path: Path) -> None:
    folders_of(tmp_path / "data")

    assert [(tmp_path / "data" / name).stat().st_mode & 0o777 for name in ("workers", "finished")] == [0o700] * 2


def test_the_output_of_all_finished_attempts_is_bounded_and_the_oldest_goes_first(tmp_path: Path) -> None:
    folders = Folders(tmp_path, finished_kept=10, output_bytes_kept=2 * OUTPUT_BYTES)
    for attempt in ATTEMPTS:
        finish(folders, attempt)

    assert outputs(tmp_path) == ["a-g0-a1", "c-g0-a1"]
    assert sorted(path.name for path in (tmp_path / "finished").iterdir()) == sorted(ATTEMPTS), "still known as over"


def test_a_new_server_counts_the_output_that_is_there(tmp_path: Path) -> None:
    for attempt in ATTEMPTS:
        finish(Folders(tmp_path, finished_kept=10, output_bytes_kept=2 * OUTPUT_BYTES), attempt)

    assert outputs(tmp_path) == ["a-g0-a1", "c-g0-a1"]


def test_a_new_server_with_a_lower_bound_keeps_to_it_from_the_start(tmp_path: Path) -> None:
    folders = Folders(tmp_path, finished_kept=10, output_bytes_kept=10 * OUTPUT_BYTES)
    for attempt in ATTEMPTS:
        finish(folders, attempt)

    Folders(tmp_path, finished_kept=10, output_bytes_kept=OUTPUT_BYTES)

    assert outputs(tmp_path) == ["c-g0-a1"]


def test_the_latest_output_is_kept_however_large(tmp_path: Path) -> None:
    folders = Folders(tmp_path, finished_kept=10, output_bytes_kept=OUTPUT_BYTES // 2)
    finish(folders, ATTEMPTS[0])

    assert outputs(tmp_path) == [ATTEMPTS[0]]


def test_what_was_dropped_for_its_number_counts_no_more(tmp_path: Path) -> None:
    folders = Folders(tmp_path, finished_kept=2, output_bytes_kept=2 * OUTPUT_BYTES)
    for attempt in (*ATTEMPTS, "d-g0-a1"):
        finish(folders, attempt)

    assert outputs(tmp_path) == ["c-g0-a1", "d-g0-a1"]
