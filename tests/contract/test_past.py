"""What was held before a state is read, on both databases."""

from datetime import UTC, datetime, timedelta

from scheduler.adapters.database.storage import Storage
from scheduler.core.queueing.decay import HeldLately
from scheduler.ports.records.usage import TenantSum, UsagePeriod
from tests.builders.database import after_noon, make_world

MINUTE = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_what_was_held_lately_is_told_by_hours_and_before_yesterday_by_days(storage: Storage) -> None:
    epoch = storage.leadership.take("the test")
    for at in (MINUTE - timedelta(days=3), MINUTE - timedelta(hours=2), MINUTE):
        held = [TenantSum(cluster, "h100", "alpha", 3_000_000, 0, 0) for cluster in ("east", "west")]
        assert storage.usage.record(UsagePeriod(at, 60_000, [], held), epoch)
    past = storage.views.snapshot().past
    assert past.at == MINUTE + timedelta(minutes=1)
    day = (MINUTE - timedelta(days=3)).replace(hour=0)
    assert past.lately == (
        HeldLately("alpha", "h100", day, 86_400.0, 6_000.0),
        HeldLately("alpha", "h100", MINUTE - timedelta(hours=2), 3_600.0, 6_000.0),
        HeldLately("alpha", "h100", MINUTE, 3_600.0, 6_000.0),
    )


def test_what_a_group_that_waits_again_held_is_summed_up(storage: Storage) -> None:
    world = make_world(storage)
    job = world.submit(world.make_job(retries=3))
    over = world.submit(world.make_job())
    for one in (job, over, job):
        world.end(world.place(one), at=after_noon(300))
    (attained,) = storage.views.snapshot().past.attained
    group, held_s, device_s = attained
    assert group == world.group(job).id
    assert (held_s, device_s) == (400.0, 400.0)


def test_where_nothing_was_held_there_is_no_past(storage: Storage) -> None:
    past = storage.views.snapshot().past
    assert (past.attained, past.lately) == ((), ())
