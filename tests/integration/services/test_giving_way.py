"""Elastic jobs give way and jobs are moved, through the production services: nothing is lost, all is told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import JobId, WorkerKey
from scheduler.core.model.reason import RoomIsMade
from scheduler.core.model.resources import Elastic
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.ports.journal import WishStop
from scheduler.ports.workers.reports import Beat
from scheduler.services.decide_once import Decider
from scheduler.services.explain_job import explain_job
from tests.builders.stage import DEVICES_PER_NODE, NODES, TENANT, Stage, make_spec, stage

ALL = NODES * DEVICES_PER_NODE


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as found:
        found.decider = Decider(
            found.followed,
            found.storage.journal,
            found.clock,
            found.wake_up,
            lead=found.current_lead,
            passes=Passes(rules=Rules()),
        )
        yield found


def latest(scene: Stage, job: JobId) -> Attempt:
    return scene.job(job).attempts[-1]


def nodes(scene: Stage, job: JobId) -> set[str]:
    return {held.node for held in latest(scene, job).allocations}


def test_who_waits_gets_workers_of_an_elastic_job_and_is_told_so(scene: Stage) -> None:
    low = scene.submit(replace(make_spec(workers=ALL), elastic=Elastic(2)))
    scene.turn()
    scene.clock.advance(100)
    high = scene.submit(replace(make_spec(workers=3), priority=1))
    scene.turn()
    attempt = latest(scene, low)
    given_to = attempt.resizing.given_to
    assert given_to is not None
    assert (given_to.beneficiary, given_to.cause, given_to.devices_milli) == (
        f"{high}-g0",
        EvictionCause.PRIORITY,
        3_000,
    )
    assert (len(attempt.allocations), scene.devices_held()) == (ALL - 3, ALL)
    (reason,) = explain_job(scene.followed, scene.clock, high).explanations[0].reasons[:1]
    assert isinstance(reason, RoomIsMade)
    assert (reason.attempts, reason.giving) == (0, 1)

    scene.storage.journal.write([Beat(attempt.id, attempt.generation, scene.clock.now())])
    for surplus in attempt.resizing.surplus:
        scene.cluster.end_worker(WorkerKey(attempt.id, surplus.worker), exit_code=7)
    scene.turn()
    scene.turn()
    assert (scene.job(high).state, scene.job(low).state) == (State.RUNNING, State.RUNNING)
    assert (len(scene.job(low).attempts), scene.devices_held()) == (1, ALL)
    assert scene.storage.views.capacity_errors() == []


def test_a_job_that_may_be_moved_goes_on_elsewhere_and_whoever_waited_for_a_whole_node_has_one(scene: Stage) -> None:
    halves = [scene.submit(replace(make_spec(workers=1, devices=2), movable=True)) for _ in range(2 * NODES)]
    scene.turn()
    by_node: dict[str, list[JobId]] = {}
    for job in halves:
        by_node.setdefault(nodes(scene, job).pop(), []).append(job)
    for _, ends in by_node.values():
        scene.storage.journal.write([WishStop(ends, TENANT, "ann", scene.clock.now())])
    scene.turn()
    scene.turn()
    waiting = scene.submit(make_spec(workers=1, devices=DEVICES_PER_NODE))
    scene.turn()
    assert scene.job(waiting).state is State.QUEUED
    scene.clock.advance(700)
    for _ in range(4):
        scene.turn()
    left = [stays for stays, _ in by_node.values()]
    assert [scene.job(job).state for job in (waiting, *left)] == [State.RUNNING] * 3
    assert nodes(scene, left[0]) == nodes(scene, left[1])
    (moved,) = [job for job in left if len(scene.job(job).attempts) == 2]
    first = scene.job(moved).attempts[0]
    assert first.eviction is not None
    assert (first.eviction.beneficiary, first.eviction.cause) == (f"{waiting}-g0", EvictionCause.MOVE)
    assert scene.job(moved).groups[0].failures == 0
    assert scene.storage.views.capacity_errors() == []
