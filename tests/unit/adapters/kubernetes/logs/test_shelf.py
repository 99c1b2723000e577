import os
from pathlib import Path

from scheduler.adapters.kubernetes.configuration.cluster import LogLimits
from scheduler.adapters.kubernetes.logs.shelf import Shelf
from scheduler.adapters.kubernetes.logs.spool import SEGMENT_BYTES
from scheduler.core.model.identifiers import WorkerKey

MIB = 1024 * 1024


def store(shelf: Shelf, attempt: str, *, rank: int = 0, size: int = MIB) -> Path:
    """Keep some output of a worker, and return where it is."""
    worker = WorkerKey(attempt, rank)
    folder = shelf.folder(worker)
    assert folder is not None
    spool = shelf.spool(worker, folder)
    spool.add(b"x" * size)
    spool.record.has_ended = True
    spool.save()
    return folder


def kept_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.name.isdigit())


def test_the_oldest_attempts_go_first_when_there_are_too_many(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, LogLimits(), most_attempts=2)
    folders = [store(shelf, f"a{number}", size=10) for number in range(4)]

    shelf.make_room(busy=())

    assert [folder.exists() for folder in folders] == [False, False, True, True]


def test_the_oldest_attempts_go_first_when_they_are_too_large_together(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, LogLimits(total_mib=2))
    folders = [store(shelf, f"a{number}") for number in range(4)]

    shelf.make_room(busy=())

    assert [folder.exists() for folder in folders] == [False, False, True, True]


def test_an_attempt_that_is_written_stays(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, LogLimits(), most_attempts=1)
    folders = [store(shelf, f"a{number}", size=10) for number in range(3)]

    shelf.make_room(busy={"a0"})

    assert [folder.exists() for folder in folders] == [True, False, False]


def test_a_large_attempt_loses_its_oldest_output(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, LogLimits(attempt_mib=2))
    folders = [store(shelf, "a0", rank=rank) for rank in range(4)]

    shelf.make_room(busy={"a0"})

    assert kept_bytes(tmp_path / "a0") == 2 * MIB
    assert all(kept_bytes(folder) == 2 * SEGMENT_BYTES for folder in folders)
    assert all((folder / f"{MIB - SEGMENT_BYTES:020d}").exists() for folder in folders)


def test_what_was_there_before_a_restart_counts_by_its_age(tmp_path: Path) -> None:
    before = Shelf(tmp_path, LogLimits())
    for number, age_s in enumerate([30, 50, 40]):
        store(before, f"a{number}", size=10)
        os.utime(tmp_path / f"a{number}", (1_000_000 - age_s, 1_000_000 - age_s))
    shelf = Shelf(tmp_path, LogLimits(), most_attempts=2)

    store(shelf, "new", size=10)
    shelf.make_room(busy=())

    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["a0", "new"]


def test_what_is_no_worker_of_ours_has_no_place(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, LogLimits())

    assert shelf.folder(WorkerKey("../up", 0)) is None
    assert shelf.folder(WorkerKey("a", -1)) is None
    assert shelf.folder(WorkerKey("a", 3)) == tmp_path / "a" / "r3"
