"""What a worker prints is kept within bounds and read by offset."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from scheduler.adapters.local.supervisor.output import SEGMENT_BYTES, SEGMENTS_KEPT
from scheduler.adapters.local.supervisor.records import Started
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import LogChunk
from tests.builders.cluster import ATTEMPT, Bench, local_bench, order

KEY = WorkerKey(ATTEMPT, 0)
PIECE_BYTES = 65536


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Build a local cluster, and leave nothing of it."""
    bench = local_bench(tmp_path)
    yield bench
    bench.clear()


def read_all(bench: Bench) -> list[LogChunk]:
    """Read a worker's output to its end."""
    chunks = [bench.cluster.logs(KEY, offset=0, limit=PIECE_BYTES)]
    while not chunks[-1].is_complete:
        chunks.append(bench.cluster.logs(KEY, offset=chunks[-1].end, limit=PIECE_BYTES))
        assert chunks[-1].end > chunks[-1].start
    return chunks


def test_a_line_of_a_megabyte_that_is_not_text_is_kept(bench: Bench) -> None:
    bench.cluster.start(order("spew", "1000000", "print", "end", "exit", "0"))
    bench.ended()

    text = "".join(chunk.text for chunk in read_all(bench))

    assert text == "\ufffd" * 1_000_000 + "end\n"


def test_only_the_latest_output_is_kept_at_its_old_offsets(bench: Bench, tmp_path: Path) -> None:
    want_end = SEGMENT_BYTES * (SEGMENTS_KEPT + 1) + 1000
    bench.cluster.start(order("spew", str(want_end - 4), "print", "end", "exit", "0"))
    bench.ended()

    chunks = read_all(bench)

    kept = sorted((tmp_path / "workers" / ATTEMPT / "0" / "output").iterdir())
    assert len(kept) == SEGMENTS_KEPT
    assert chunks[0].start == int(kept[0].name) == SEGMENT_BYTES * 2
    assert chunks[-1].end == want_end
    assert chunks[-1].text.endswith("\ufffdend\n")
    assert all(before.end == after.start for before, after in pairwise(chunks))


def test_an_offset_behind_the_end_reads_nothing(bench: Bench) -> None:
    bench.cluster.start(order("print", "hello", "exit", "0"))
    bench.ended()

    chunk = bench.cluster.logs(KEY, offset=1000, limit=10)

    assert (chunk.text, chunk.start, chunk.end, chunk.is_complete) == ("", 1000, 1000, True)


def test_an_end_is_told_though_somebody_else_holds_the_output_open(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("print", "hello", "wait"))
    bench.printed("hello")
    started = Started.read(str(tmp_path / "workers" / ATTEMPT / "0"))
    assert started is not None
    held = os.open(f"/proc/{started.child.pid}/fd/1", os.O_WRONLY)
    try:
        bench.cluster.stop(ATTEMPT, grace_s=0)

        assert bench.ended()[0].record.exit_code == -9
    finally:
        os.close(held)


def test_a_worker_that_prints_without_end_can_be_stopped(bench: Bench) -> None:
    bench.cluster.start(order("spew", str(10**12)))
    bench.printed("\ufffd")

    bench.cluster.stop(ATTEMPT, grace_s=60)

    assert bench.ended()[0].record.exit_code == -15
