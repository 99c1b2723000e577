"""The check that guarded counters are what live attempts add up to: it finds whatever was changed by hand."""

import pytest
from sqlalchemy import text

from scheduler.ports.views import (
    MOST_CAPACITY_ERRORS,
    AllocationError,
    CapacityError,
    CounterError,
    QuotaError,
    SlotError,
    SlotUse,
)
from tests.builders.database import (
    CLUSTER,
    PICKING_CLUSTER,
    Database,
    World,
    make_node,
    take,
    take_counted,
    take_no_devices,
    take_share,
)

N1 = f"{CLUSTER}/n1"
WHOLE, SHARING, OVER = (f"{number:09d}abcdefg-g0-a1" for number in (1, 2, 3))
NOTHING = SlotUse(0, 0, None)


@pytest.fixture
def busy(world: World) -> World:
    """A world in which every kind of allocation is held, and one was given back."""
    world.add_picking_cluster()
    ranks = (
        take("n1", 0, 1),
        take_share("n1", 2, 300, 100),
        take("n1", 4),
        take_share("n1", 2, 300, 100),
        take_counted("n1", 3),
        take_no_devices("n2"),
    )
    attempts = [world.place(world.submit(), rank) for rank in ranks]
    assert attempts[:3] == [WHOLE, SHARING, OVER]
    world.end(OVER)
    return world


def test_counters_that_nobody_tampered_with_are_right(busy: World) -> None:
    assert busy.storage.views.capacity_errors() == []
    busy.record(make_node("n2"))
    assert busy.storage.views.capacity_errors() == [], "also those of a node that is gone"


@pytest.mark.parametrize(
    ("statement", "want_errors"),
    [
        (
            f"UPDATE node_resources SET used = used + 1 WHERE node_id = '{N1}' AND resource IN ('cpu_milli', 'pods')",
            [CounterError(N1, "cpu_milli", 3_001, 3_000), CounterError(N1, "pods", 4, 3)],
        ),
        (
            f"UPDATE node_resources SET used = 0 WHERE node_id = '{PICKING_CLUSTER}/n1' AND resource LIKE 'devices%'",
            [CounterError(f"{PICKING_CLUSTER}/n1", "devices_milli/h100", 0, 3_000)],
        ),
        (
            f"DELETE FROM node_resources WHERE node_id = '{N1}' AND resource = 'devices_milli/h100'",
            [CounterError(N1, "devices_milli/h100", 0, 2_600)],
        ),
        (
            f"UPDATE device_slots SET used_milli = 0, holder_attempt = NULL WHERE node_id = '{N1}' AND slot = 1",
            [SlotError(N1, 1, NOTHING, SlotUse(1_000, 0, WHOLE))],
        ),
        (
            f"UPDATE device_slots SET holder_attempt = '{SHARING}' WHERE node_id = '{N1}' AND slot = 1",
            [SlotError(N1, 1, SlotUse(1_000, 0, SHARING), SlotUse(1_000, 0, WHOLE))],
        ),
        (
            f"UPDATE device_slots SET used_milli = 601, used_memory_mib = 0 WHERE node_id = '{N1}' AND slot = 2",
            [SlotError(N1, 2, SlotUse(601, 0, None), SlotUse(600, 200, None))],
        ),
        (
            f"UPDATE device_slots SET used_milli = 5 WHERE node_id = '{N1}' AND slot = 7",
            [SlotError(N1, 7, SlotUse(5, 0, None), NOTHING)],
        ),
        (
            "UPDATE queue_usage SET devices_milli = devices_milli - 1",
            [QuotaError("alpha", "h100", 5_599, 5_600)],
        ),
        (
            "DELETE FROM queue_usage",
            [QuotaError("alpha", "h100", 0, 5_600)],
        ),
        (
            f"UPDATE allocations SET held = false WHERE attempt_id = '{WHOLE}'",
            [AllocationError(WHOLE, 0, is_held=False)],
        ),
        (
            f"UPDATE allocations SET held = true WHERE attempt_id = '{OVER}'",
            [AllocationError(OVER, 0, is_held=True)],
        ),
    ],
)
def test_what_was_changed_by_hand_is_found(
    busy: World, database: Database, statement: str, want_errors: list[CapacityError]
) -> None:
    tamper(database, statement)
    assert busy.storage.views.capacity_errors() == want_errors


def test_no_more_than_a_hundred_differences_are_returned(busy: World, database: Database) -> None:
    busy.record(*(make_node(f"n{number:03d}", {}) for number in range(MOST_CAPACITY_ERRORS)), make_node("n1"))
    tamper(database, "UPDATE node_resources SET used = 1 WHERE used = 0")
    found = busy.storage.views.capacity_errors()
    assert len(found) == MOST_CAPACITY_ERRORS
    assert found[0] == CounterError(f"{CLUSTER}/n000", "cpu_milli", 1, 0)


def tamper(database: Database, statement: str) -> None:
    with database.raw() as connection:
        connection.execute(text(statement))
        connection.commit()
