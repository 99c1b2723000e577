"""The table of throughputs, on both databases."""

import pytest

from scheduler.adapters.database.storage import Storage
from scheduler.core.model.measuring.throughput import JobFamily, Measured, Throughput
from tests.builders.database import NOON, TENANT, World, after_noon, make_world

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
