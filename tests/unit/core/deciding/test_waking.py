from collections.abc import Iterable

import pytest

from scheduler.core.deciding import waking as room
from scheduler.core.deciding.lacks import LacksRoom, room_of
from scheduler.core.deciding.parts.waiters import Class
from scheduler.core.deciding.sleepers import Sleepers
from scheduler.core.deciding.waking import Waking
from scheduler.core.ledger.states.demand import demand_of
from scheduler.core.model.job import Job
from tests.builders.core import make_job, make_shape, make_state

POOL = ("mixed", "h100")
ROOM = room_of(POOL, demand_of("h100", make_shape()), None)


class Scene:
    """Classes of one job each that sleep for as many workers as it has, and room for some."""

    def __init__(self, *jobs: Job, fits: int) -> None:
        self.state = make_state(jobs=jobs)
        self.sleepers = Sleepers()
        self.fits = fits
        self.passed: list[Class] = []
        for job in jobs:
            self.sleepers.put(self.of(job), [(ROOM, job.spec.workers)])

    def of(self, job: Job) -> Class:
        found = self.state.waiters.classes.of(f"{job.id}-g0")
        assert found is not None
        return found

    def waking(self) -> Waking:
        def may_have(found: Class, wanted: Iterable[tuple[LacksRoom, int]]) -> bool:
            self.passed.append(found)
            return all(workers <= self.fits for _, workers in wanted)

        return Waking(self.sleepers, [POOL], lambda _lack, _request: self.fits, may_have)


def test_of_each_queue_the_first_comes_that_has_room_and_then_those_behind_it() -> None:
    one, nine, two, other = make_job(1), make_job(2, workers=9), make_job(3, workers=2), make_job(4, tenant="beta")
    scene = Scene(one, nine, two, other, fits=2)
    waking = scene.waking()
    assert [queue for queue, _ in waking.queues()] == ["alpha", "beta"]
    found = []
    while (first := waking.first("alpha")) is not None:
        found.append(first)
        waking.take("alpha")
    assert found == [scene.of(one), scene.of(two)]
    assert waking.first("beta") is scene.of(other)


def test_when_room_is_gone_nobody_is_looked_at_any_more() -> None:
    scene = Scene(*(make_job(number, workers=number) for number in range(1, 5)), fits=4)
    waking = scene.waking()
    assert waking
    scene.fits = 0
    waking.look_again()
    assert not waking
    assert waking.first("alpha") is None
    assert scene.passed == []


def test_in_a_crowd_only_those_before_the_first_that_has_room_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_LISTED", 0)
    jobs = [make_job(number, workers=number) for number in range(1, 9)]
    scene = Scene(*jobs, fits=8)
    assert scene.waking().first("alpha") is scene.of(jobs[0])
    assert scene.passed == [scene.of(jobs[0])]


def test_a_class_whose_first_has_left_stands_where_its_next_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_LISTED", 0)
    alike, between = (make_job(1), make_job(3)), make_job(2, workers=2)
    scene = Scene(*alike, between, fits=8)
    scene.sleepers.put(scene.of(alike[1]), [(ROOM, 1)])
    scene.state.waiters.remove(f"{alike[0].id}-g0")
    assert scene.waking().first("alpha") is scene.of(between)
