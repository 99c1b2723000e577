"""Reading output of which pieces are missing."""

from pathlib import Path

import pytest

from scheduler.adapters.local.reading import read_output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Build the folder of a worker that has ended."""
    (tmp_path / "ended").write_bytes(b"end=exited\0at_s=1.0\0exit_code=0\0")
    (tmp_path / "output").mkdir()
    return tmp_path


def keep(folder: Path, start: int, content: bytes) -> None:
    """Leave a segment."""
    (folder / "output" / f"{start:020d}").write_bytes(content)


def test_a_piece_ends_where_the_next_segment_is_missing(folder: Path) -> None:
    keep(folder, 0, b"abc")
    keep(folder, 6, b"ghi")

    first = read_output(folder, offset=0, limit=100)
    second = read_output(folder, offset=first.end, limit=100)

    assert (first.text, first.start, first.end, first.is_complete) == ("abc", 0, 3, False)
    assert (second.text, second.start, second.end, second.is_complete) == ("ghi", 6, 9, True)


def test_a_character_that_was_cut_by_a_missing_segment_does_not_stop_the_reader(folder: Path) -> None:
    keep(folder, 0, "a€".encode()[:-1])
    keep(folder, 6, b"ghi")

    chunk = read_output(folder, offset=0, limit=100)

    assert (chunk.text, chunk.end, chunk.is_complete) == ("a\ufffd", 3, False)


def test_segments_that_follow_each_other_are_one_text(folder: Path) -> None:
    keep(folder, 0, "a€".encode()[:2])
    keep(folder, 2, "a€".encode()[2:])

    chunk = read_output(folder, offset=0, limit=100)

    assert (chunk.text, chunk.end, chunk.is_complete) == ("a€", 4, True)


def test_output_that_was_deleted_reads_as_empty_and_complete(folder: Path) -> None:
    (folder / "output").rmdir()

    chunk = read_output(folder, offset=5, limit=100)

    assert (chunk.text, chunk.start, chunk.end, chunk.is_complete) == ("", 5, 5, True)
