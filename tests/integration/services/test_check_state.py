"""The state in memory compared with the database."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import PutNode, Release
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import WorkerKey
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.tenant import Quota
from scheduler.ports.views import Snapshot
from scheduler.services.cancel_job import cancel_job
from scheduler.services.questions.check_state import MOST_DIFFERENCES, check_state
from tests.builders.stage import CHIP, TENANT, Stage, make_spec, stage

HOUR_S = 3_600


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened


class GoesOn:
    """Views of a database that is written to, and followed, right after its state was read."""

    def __init__(self, scene: Stage, then: Callable[[], object]) -> None:
        self._scene = scene
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scene.storage.views, name)

    def snapshot(self) -> Snapshot:
        found = self._scene.storage.views.snapshot()
        self._then()
        return found


def a_day_of_changes(scene: Stage) -> None:
    for hour in range(24):
        job = scene.submit(make_spec(workers=1 + hour % 3, retries=hour % 2))
        scene.turn()
        if hour % 3 == 1 and scene.job(job).state is State.RUNNING:
            scene.cluster.end_worker(WorkerKey(scene.job(job).attempts[-1].id, 0), exit_code=hour % 2)
        if hour % 4 == 2:
            cancel_job(scene.storage.journal, scene.clock, job=job, tenant=None, by="somebody")
        if hour % 6 == 3:
            scene.storage.directory.set_quota(Quota(TENANT, CHIP, 2 + hour % 7), scene.clock.now())
        scene.turn()
        scene.clock.advance(HOUR_S)


def test_the_state_in_memory_is_what_the_database_holds_after_a_day_of_changes(scene: Stage) -> None:
    a_day_of_changes(scene)
    check = check_state(scene.followed, scene.storage.views)
    assert check.is_equal
    assert check.digest_in_memory == check.digest_of_database
    assert check.change == scene.storage.views.last_change()
    assert check.differences == ()


def test_a_state_that_has_yet_to_follow_is_compared_where_it_ought_to_be(scene: Stage) -> None:
    scene.submit(make_spec())
    assert scene.followed.change < scene.storage.views.last_change()
    assert check_state(scene.followed, scene.storage.views).is_equal


def test_what_happens_during_the_check_is_on_both_sides(scene: Stage) -> None:
    a_day_of_changes(scene)

    def go_on() -> None:
        for _ in range(3):
            scene.submit(make_spec())
        scene.turn()

    before = scene.storage.views.last_change()
    check = check_state(scene.followed, GoesOn(scene, go_on))
    assert check.is_equal, check.differences
    assert check.change == scene.storage.views.last_change() > before


def holding_job(scene: Stage) -> str:
    scene.submit(make_spec(workers=1))
    scene.turn()
    with scene.followed.hold() as state:
        return next(iter(state.live))


def test_devices_that_memory_alone_gave_back_are_told(scene: Stage) -> None:
    attempt = holding_job(scene)
    with scene.followed.hold() as state:
        state.ledger.apply(Release(attempt))
    check = check_state(scene.followed, scene.storage.views)
    assert not check.is_equal
    assert check.digest_in_memory != check.digest_of_database
    assert check.differences == ("the ledger: its nodes, or what is held on them",)


def test_a_node_that_memory_knows_otherwise_is_told(scene: Stage) -> None:
    with scene.followed.hold() as state:
        state.ledger.apply(PutNode(replace(state.ledger.node("mixed/node-0"), cpu_milli=1)))
    assert "the ledger" in check_state(scene.followed, scene.storage.views).differences[0]


def forget_a_job(state: SchedulerState) -> None:
    state._jobs.clear()


def change_a_group(state: SchedulerState) -> None:
    name, group = next(iter(state._groups.items()))
    state._groups[name] = replace(group, failures=9)


def raise_a_quota(state: SchedulerState) -> None:
    state.sharing._quotas[TENANT, CHIP] = QueueQuota(TENANT, CHIP, limit=99)


def forget_an_attempt(state: SchedulerState) -> None:
    state._live._by_id.clear()


@pytest.mark.parametrize(
    ("tamper", "want"),
    [
        (forget_a_job, "job 0000000000000001 is in the database only"),
        (change_a_group, "group 0000000000000001-g0 is not the same"),
        (raise_a_quota, f"quota {CHIP} of {TENANT} is in memory only"),
        (forget_an_attempt, "live attempt 0000000000000001-g0-a1 is in the database only"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_differs_is_named(scene: Stage, tamper: Callable[[SchedulerState], None], want: str) -> None:
    holding_job(scene)
    with scene.followed.hold() as state:
        tamper(state)
    assert check_state(scene.followed, scene.storage.views).differences == (want,)


def test_differences_are_bounded(scene: Stage) -> None:
    for _ in range(2 * MOST_DIFFERENCES):
        scene.submit(make_spec())
    scene.followed.follow()
    with scene.followed.hold() as state:
        forget_a_job(state)
    assert len(check_state(scene.followed, scene.storage.views).differences) == MOST_DIFFERENCES
