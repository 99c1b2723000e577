"""Output is read whole by whoever reads it while its attempt is forgotten, which moves it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.adapters.local import reading
from scheduler.ports.cluster import LogChunk
from tests.builders.cluster import ATTEMPT, FIRST_WORKER, Bench, local_bench, order

TOLD_WHOLE = LogChunk(text="hello\n", start=0, end=6, is_complete=True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Build a local cluster, and leave nothing of it."""
    bench = local_bench(tmp_path)
    yield bench
    bench.clear()


def before(event: Callable[[], object], step: Callable[..., Any]) -> Callable[..., Any]:
    """Return the step with something that happens right before it."""

    def meet(*arguments: Any, **named: Any) -> Any:
        event()
        return step(*arguments, **named)

    return meet


def after(event: Callable[[], object], step: Callable[..., Any]) -> Callable[..., Any]:
    """Return the step with something that happens right after it."""

    def meet(*arguments: Any, **named: Any) -> Any:
        result = step(*arguments, **named)
        event()
        return result

    return meet


@pytest.mark.parametrize(
    ("meet", "step"),
    [(before, "read_output"), (before, "_read_piece"), (after, "_segments"), (after, "_read_piece")],
    ids=["before its end is read", "before it is listed", "before it is opened", "after it was read"],
)
def test_output_that_moves_while_it_is_read_is_read_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, meet: Callable[..., Callable[..., Any]], step: str
) -> None:
    bench.cluster.start(order("print", "hello", "exit", "0"))
    bench.ended()
    monkeypatch.setattr(reading, step, meet(lambda: bench.cluster.forget(ATTEMPT), getattr(reading, step)))

    assert bench.cluster.logs(FIRST_WORKER, offset=0, limit=100) == TOLD_WHOLE


def test_output_that_is_deleted_while_it_is_read_is_unknown(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.cluster.start(order("print", "hello", "exit", "0"))
    bench.ended()
    away = tmp_path / "away"

    def delete() -> None:
        folder = tmp_path / "workers" / ATTEMPT
        if folder.exists():
            folder.rename(away)

    monkeypatch.setattr(reading, "read_output", before(delete, reading.read_output))

    assert bench.cluster.logs(FIRST_WORKER, offset=0, limit=100) == reading.UNKNOWN
