"""What a supervisor keeps of a worker's output while the disk refuses it."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scheduler.adapters.local.reading import read_output
from scheduler.adapters.local.supervisor.output import KEPT_BYTES, SEGMENT_BYTES, SEGMENTS_KEPT, OutputKeeper
from scheduler.ports.cluster import LogChunk

PIPE_BYTES = 65536


@dataclass(frozen=True)
class Printer:
    """A worker's end of the pipe, and the keeper at the other."""

    folder: Path
    pipe: int
    keeper: OutputKeeper

    def print(self, content: bytes) -> None:
        """Print something and have it carried."""
        for start in range(0, len(content), PIPE_BYTES):
            os.write(self.pipe, content[start : start + PIPE_BYTES])
            assert self.keeper.carry()

    def read(self, offset: int = 0) -> LogChunk:
        """Read what was kept."""
        return read_output(self.folder, offset=offset, limit=PIPE_BYTES)

    def take_folder(self) -> None:
        """Have every attempt to open a segment fail."""
        (self.folder / "output").rename(self.folder / "elsewhere")

    def give_folder(self) -> None:
        """Have segments be opened again."""
        (self.folder / "elsewhere").rename(self.folder / "output")


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[Printer]:
    """Build a keeper on a pipe."""
    (tmp_path / "output").mkdir()
    read_end, write_end = os.pipe()
    keeper = OutputKeeper(str(tmp_path / "output"), read_end)
    yield Printer(tmp_path, write_end, keeper)
    keeper.finish()
    os.close(write_end)


def test_output_is_lost_rather_than_the_worker_while_there_is_no_first_segment(printer: Printer) -> None:
    printer.take_folder()
    printer.print(b"lost\n")
    printer.give_folder()

    printer.print(b"kept\n")

    chunk = printer.read()
    assert (chunk.text, chunk.start, chunk.end) == ("kept\n", 5, 10)


def test_output_is_lost_rather_than_the_worker_while_there_is_no_next_segment(printer: Printer) -> None:
    printer.print(b"x" * SEGMENT_BYTES)
    printer.take_folder()
    printer.print(b"l" * 100)
    printer.give_folder()

    printer.print(b"kept\n")

    chunk = printer.read(SEGMENT_BYTES - 1)
    assert (chunk.text, chunk.end) == ("x", SEGMENT_BYTES)
    chunk = printer.read(chunk.end)
    assert (chunk.text, chunk.start) == ("kept\n", SEGMENT_BYTES + 100)


def test_offsets_count_what_a_full_disk_refused(printer: Printer, monkeypatch: pytest.MonkeyPatch) -> None:
    printer.print(b"before")
    with monkeypatch.context() as full_disk:
        fill_disk(full_disk, printer)
        printer.print(b"lost")

    printer.print(b"after")

    chunks = [printer.read(), printer.read(6)]
    assert [(chunk.text, chunk.start, chunk.end) for chunk in chunks] == [("before", 0, 6), ("after", 10, 15)]


def test_a_disk_that_is_full_now_and_then_does_not_drive_out_older_output(
    printer: Printer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(SEGMENTS_KEPT * 3):
        printer.print(b"kept")
        with monkeypatch.context() as full_disk:
            fill_disk(full_disk, printer)
            printer.print(b"lost")

    assert printer.read().start == 0
    kept = sum(segment.stat().st_size for segment in (printer.folder / "output").iterdir())
    assert kept == SEGMENTS_KEPT * 3 * len("kept")


def test_a_full_disk_gets_no_empty_segments(printer: Printer, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full_disk:
        fill_disk(full_disk, printer)
        for _ in range(100):
            printer.print(b"lost")

    assert list((printer.folder / "output").iterdir()) == []


def test_what_is_kept_is_bounded_in_bytes(printer: Printer) -> None:
    printer.print(b"x" * (KEPT_BYTES + 2 * SEGMENT_BYTES))

    kept = sorted((printer.folder / "output").iterdir())
    assert sum(segment.stat().st_size for segment in kept) == KEPT_BYTES
    assert int(kept[0].name) == 2 * SEGMENT_BYTES


def fill_disk(monkeypatch: pytest.MonkeyPatch, printer: Printer) -> None:
    """Have every write but the worker's own fail."""
    write = os.write

    def refuse(descriptor: int, content: bytes) -> int:
        if descriptor == printer.pipe:
            return write(descriptor, content)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", refuse)
