"""The table of throughputs, on both databases."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeGuard

import pytest

from scheduler.adapters.database.storage import Storage
from scheduler.core.model.change import SpeedsChanged
from scheduler.core.model.measuring.throughput import JobFamily, Measured, Speed, Throughput
from scheduler.services.follow_changes import state_of
from tests.builders.database import NOON, TENANT, Database, World, after_noon, make_world

FAMILY, OTHER = JobFamily(TENANT, "resnet"), JobFamily("other", "resnet")


@pytest.fixture
def world(storage: Storage) -> World:
    return make_world(storage)


def test_what_is_reported_is_kept_and_adds_up(world: World) -> None:
    table = world.storage.throughputs
    assert table.learn([Measured(FAMILY, "h100", 100.0, 1)], NOON, world.epoch)
    assert table.learn([Measured(FAMILY, "h100", 200.0, 1)], after_noon(60), world.epoch)
    assert table.get(FAMILY, "h100") == Throughput(FAMILY, "h100", 150.0, 2, None, 2, after_noon(60))
    assert table.get(OTHER, "h100") is None


def test_what_an_operator_says_stays_while_more_is_measured(world: World) -> None:
    table = world.storage.throughputs
    said = table.set(FAMILY, "h100", 500.0, NOON)
    assert said == Throughput(FAMILY, "h100", None, 0, 500.0, 1, NOON)
    table.learn([Measured(FAMILY, "h100", 100.0, 1)], after_noon(60), world.epoch)
    assert table.get(FAMILY, "h100") == Throughput(FAMILY, "h100", 100.0, 1, 500.0, 2, after_noon(60))


@pytest.mark.parametrize("reports_before", [0, 1])
def test_what_another_process_learns_while_an_operator_speaks_is_not_lost(
    database: Database, reports_before: int
) -> None:
    with database.opened() as api, database.opened() as leader, ThreadPoolExecutor(1) as threads:
        world, table = make_world(api), api.throughputs
        for _ in range(reports_before):
            table.learn([Measured(FAMILY, "h100", 100.0, 1)], NOON, world.epoch)
        learning: list[Future[bool]] = []

        def learn_meanwhile(_present: object) -> None:
            measured = [Measured(FAMILY, "h100", 100.0, 1)]
            learning.append(threads.submit(leader.throughputs.learn, measured, after_noon(60), world.epoch))
            wait(learning, timeout=0.2)

        table.set(FAMILY, "h100", 500.0, NOON, learn_meanwhile)
        assert learning[0].result(20)
        found = table.get(FAMILY, "h100")
        assert found == Throughput(FAMILY, "h100", 100.0, reports_before + 1, 500.0, reports_before + 2, after_noon(60))


def test_a_guard_sees_what_is_there_and_may_refuse(world: World) -> None:
    table = world.storage.throughputs
    table.set(FAMILY, "h100", 500.0, NOON)
    seen: list[object] = []

    def refuse(present: object) -> None:
        seen.append(present)
        raise KeyError

    with pytest.raises(KeyError):
        table.set(FAMILY, "h100", 1.0, NOON, refuse)
    assert seen == [table.get(FAMILY, "h100")]


def test_the_table_is_listed_by_tenant_family_and_chip_type(world: World) -> None:
    table = world.storage.throughputs
    for family, chip in ((OTHER, "h100"), (FAMILY, "mi300x"), (FAMILY, "h100")):
        table.set(family, chip, 5.0, NOON)
    everything = [(one.family, one.chip) for one in table.all(None)]
    assert everything == sorted(everything, key=lambda each: (each[0].tenant, each[0].name, each[1]))
    assert [one.chip for one in table.all(TENANT)] == ["h100", "mi300x"]


def test_what_is_removed_is_learnt_anew(world: World) -> None:
    table = world.storage.throughputs
    table.set(FAMILY, "h100", 5.0, NOON)
    assert table.remove(FAMILY, "h100", NOON)
    assert not table.remove(FAMILY, "h100", NOON)
    assert table.all(None) == []


def test_an_old_leader_and_an_unknown_chip_type_leave_nothing(world: World) -> None:
    table = world.storage.throughputs
    assert table.learn([Measured(FAMILY, "abacus", 1.0, 1)], NOON, world.epoch)
    world.storage.leadership.take("another one")
    assert not table.learn([Measured(FAMILY, "h100", 1.0, 1)], NOON, world.epoch)
    assert table.all(None) == []


def told(world: World, after: int) -> list[SpeedsChanged]:
    """Return what of speeds is new in the feed."""
    changes = world.storage.views.changes_after(after, limit=99)
    assert all(change.tenant == change.body.speeds[0].family.tenant for change in changes if is_speeds(change.body))
    return [change.body for change in changes if isinstance(change.body, SpeedsChanged)]


def is_speeds(body: object) -> TypeGuard[SpeedsChanged]:
    return isinstance(body, SpeedsChanged)


def test_what_is_decided_on_is_told_by_the_feed_and_noise_is_not(world: World) -> None:
    table, last = world.storage.throughputs, world.storage.views.last_change()
    table.learn([Measured(FAMILY, "h100", 100.0, 1), Measured(FAMILY, "mi300x", 80.0, 1)], NOON, world.epoch)
    assert told(world, last) == [SpeedsChanged((Speed(FAMILY, "h100", 100.0), Speed(FAMILY, "mi300x", 80.0)))]
    last = world.storage.views.last_change()
    table.learn([Measured(FAMILY, "h100", 101.0, 1)], after_noon(60), world.epoch)
    assert told(world, last) == []
    table.set(FAMILY, "h100", 200.0, NOON)
    table.remove(FAMILY, "h100", NOON)
    assert [one.speeds for one in told(world, last)] == [
        (Speed(FAMILY, "h100", 200.0, is_set=True),),
        (Speed(FAMILY, "h100", None),),
    ]


def test_each_tenant_is_told_of_its_own_families(world: World) -> None:
    last = world.storage.views.last_change()
    world.storage.throughputs.learn(
        [Measured(OTHER, "h100", 100.0, 1), Measured(FAMILY, "h100", 100.0, 1)], NOON, world.epoch
    )
    assert [{one.family.tenant for one in body.speeds} for body in told(world, last)] == [{TENANT}, {"other"}]


def test_the_state_that_is_read_is_the_one_that_was_told(world: World) -> None:
    followed = state_of(world.storage.views.snapshot())
    last = world.storage.views.last_change()
    world.storage.throughputs.learn([Measured(FAMILY, "h100", 123.4, 1)], NOON, world.epoch)
    world.storage.throughputs.set(FAMILY, "mi300x", 50.0, NOON)
    for change in world.storage.views.changes_after(last, limit=99):
        followed.apply(change)
    assert followed.digest() == state_of(world.storage.views.snapshot()).digest()
    assert len(list(followed.speeds.content())) == 2
