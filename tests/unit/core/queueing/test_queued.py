import pytest

from scheduler.core.queueing.order import QueueKey
from scheduler.core.queueing.queued import Queued
from tests.builders.core import seconds_after_noon


def key(second: int) -> QueueKey:
    return (0, 0.0, seconds_after_noon(second), f"job{second}", 0)


def filled() -> Queued:
    queued = Queued()
    for second, queue in ((2, "a"), (1, "a"), (3, "b")):
        queued.put(f"g{second}", queue, key(second), 8_000)
    return queued


def test_each_queue_has_its_own_order() -> None:
    queued = filled()
    assert queued.first("a", 9) == ["g1", "g2"]
    assert queued.first("a", 1) == ["g1"]
    assert queued.first("nobody", 9) == []
    assert [queued.ahead_in("a", key(second)) for second in (0, 1, 2, 3)] == [0, 0, 1, 2]
    assert queued.ahead_in("nobody", key(1)) == 0


def test_what_waits_in_a_queue_is_summed_up() -> None:
    queued = filled()
    assert {name: one.devices_milli for name, one in queued.queues.items()} == {"a": 16_000, "b": 8_000}
    queued.put("g1", "b", key(1), 1_000)
    queued.remove("g2")
    queued.remove("g2")
    assert {name: one.devices_milli for name, one in queued.queues.items()} == {"b": 9_000}


def test_who_moves_within_its_queue_stays_in_it() -> None:
    queued = filled()
    assert queued.move("g1", key(9))
    assert not queued.move("g1", key(9))
    assert queued.first("a", 9) == ["g2", "g1"]
    assert queued.place("g1") == ("a", key(9))
    with pytest.raises(KeyError):
        queued.place("nobody")
