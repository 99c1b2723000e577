from dataclasses import replace

import pytest

from scheduler.core.deciding.parts import speeds as room
from scheduler.core.deciding.parts.speeds import Speeds, main_devices
from scheduler.core.model.attempt import Progress
from scheduler.core.model.change import ProgressReported
from scheduler.core.model.measuring.throughput import JobFamily, Throughput
from tests.builders.core import NOON, as_change, make_job, make_node, make_shape, make_state, place_first

TRAIN = JobFamily("alpha", "train")


def known(chip: str, measured: float | None, said: float | None = None, family: JobFamily = TRAIN) -> Throughput:
    return Throughput(family, chip, measured, 1, said, 1, NOON)


def test_what_an_operator_said_counts_before_what_was_measured() -> None:
    speeds = Speeds()
    for one in (known("h100", 50.0), known("t4", 10.0, 20.0), known("a10", None)):
        speeds.put(one)
    assert speeds.of(TRAIN) == {"h100": 50.0, "t4": 20.0}
    assert not speeds.of(JobFamily("beta", "train"))


def test_a_state_learns_from_what_its_feed_tells_of_progress() -> None:
    job = make_job(workers=2, shape=make_shape(2))
    state = place_first(make_state(make_node(), jobs=(job,)))
    (live,) = state.live.values()
    assert main_devices(live) == ("h100", 4.0)
    for tokens_per_s in (400.0, float("nan"), -1.0, 800.0):
        state.apply(as_change(ProgressReported(live.attempt, Progress(1, 2, 0.5, tokens_per_s, NOON))))
    assert state.speeds.of(TRAIN) == {"h100": 150.0}
    state.apply(as_change(ProgressReported("nobody-g0-a1", Progress(1, 2, 0.5, 10.0, NOON))))
    assert main_devices(replace(live, allocations=())) is None


def test_families_that_were_longest_not_heard_of_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_THROUGHPUTS", 2)
    speeds = Speeds()
    first, second, third = (JobFamily("alpha", name) for name in ("one", "two", "three"))
    for family in (first, second, first, third):
        speeds.put(known("h100", 1.0, family=family))
    assert [bool(speeds.of(family)) for family in (first, second, third)] == [True, False, True]
