"""Use over time, on both databases: sums of minutes, hours and days, exact spans, and jobs that are over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from scheduler.adapters.database.storage import Storage
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.group import State
from scheduler.core.model.job import Job
from scheduler.ports.records.usage import (
    KEPT_S,
    STEPS_S,
    FinishedFilter,
    PoolSum,
    SeriesRow,
    TenantSum,
    UsagePeriod,
)
from tests.builders.database import NOON, TENANT, World, after_noon, take, take_share, written

MINUTE = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LATER = timedelta(days=400)


def period(at: datetime = MINUTE, *, tenants: Sequence[TenantSum] = (), pools: Sequence[PoolSum] = ()) -> UsagePeriod:
    return UsagePeriod(at, 60_000, pools, tenants)


def rows(storage: Storage, by: str, *, step_s: int = 60, tenant: str | None = None) -> Sequence[SeriesRow]:
    since, until = MINUTE - LATER, MINUTE + LATER
    return storage.usage.series(since, until, step_s=step_s, by=by, tenant=tenant).rows


def epoch_of(storage: Storage) -> int:
    return storage.leadership.take("the test")


def place(world: World, job: Job, *ranks: Allocation, at_s: float) -> str:
    written(world.write(world.placing(job, *ranks, at=after_noon(at_s))))
    return world.group(job).latest_attempt


def test_a_minute_counts_for_its_hour_and_its_day_as_well(storage: Storage) -> None:
    epoch = epoch_of(storage)
    for minute in range(3):
        at = MINUTE + timedelta(minutes=minute)
        assert storage.usage.record(period(at, pools=[PoolSum("mixed", "h100", 10, 8)]), epoch)
    assert [row.devices for row in rows(storage, "pool")] == [10, 10, 10]
    hour, day = (rows(storage, "pool", step_s=step_s) for step_s in STEPS_S[1:])
    assert hour == [SeriesRow(MINUTE, "mixed/h100", 30, 24, 0, 0, 0)]
    assert day == [SeriesRow(MINUTE.replace(hour=0), "mixed/h100", 30, 24, 0, 0, 0)]


def test_two_parts_of_one_minute_add_up(storage: Storage) -> None:
    epoch = epoch_of(storage)
    for _ in range(2):
        held = TenantSum("mixed", "h100", "alpha", 6, 3, 1)
        storage.usage.record(UsagePeriod(MINUTE, 20_000, [PoolSum("mixed", "h100", 10, 8)], [held]), epoch)
    found = storage.usage.series(MINUTE, MINUTE + timedelta(minutes=1), step_s=60, by="pool", tenant=None)
    assert (found.covered_ms, found.rows) == (
        [(MINUTE, 40_000)],
        [SeriesRow(MINUTE, "mixed/h100", 20, 16, 12, 6, 2)],
    )


def test_rows_are_named_by_what_was_asked_for(storage: Storage) -> None:
    tenants = [
        TenantSum("east", "h100", "alpha", 4, 1, 1),
        TenantSum("east", "h100", "beta", 2, 2, 0),
        TenantSum("west", "mlu590", "beta", 3, 0, 0),
    ]
    pools = [PoolSum("east", "h100", 8, 8), PoolSum("west", "mlu590", 4, 2)]
    storage.usage.record(period(pools=pools, tenants=tenants), epoch_of(storage))
    found = {by: {row.name: row.allocated for row in rows(storage, by)} for by in ("total", "pool", "chip", "tenant")}
    assert found == {
        "total": {"total": 9},
        "pool": {"east/h100": 6, "west/mlu590": 3},
        "chip": {"h100": 6, "mlu590": 3},
        "tenant": {"alpha": 4, "beta": 5},
    }
    assert {row.name: (row.devices, row.allocated) for row in rows(storage, "cluster", tenant="beta")} == {
        "east": (8, 2),
        "west": (4, 3),
    }
    assert [(row.name, row.allocated) for row in rows(storage, "tenant", tenant="alpha")] == [("alpha", 4)]


def test_an_old_leader_records_nothing(storage: Storage) -> None:
    old = epoch_of(storage)
    epoch_of(storage)
    assert not storage.usage.record(period(pools=[PoolSum("mixed", "h100", 1, 1)]), old)
    assert rows(storage, "pool") == []


def test_sums_go_when_their_time_is_over(storage: Storage) -> None:
    epoch = epoch_of(storage)
    pools = [PoolSum("mixed", "h100", 1, 1)]
    storage.usage.record(period(MINUTE, pools=pools), epoch)
    storage.usage.record(period(MINUTE + timedelta(seconds=KEPT_S[60] + 60), pools=pools), epoch)
    assert [len(rows(storage, "pool", step_s=step_s)) for step_s in STEPS_S] == [1, 2, 2]
    storage.usage.record(period(MINUTE + timedelta(days=399), pools=pools), epoch)
    assert [len(rows(storage, "pool", step_s=step_s)) for step_s in STEPS_S] == [1, 1, 3]


def test_spans_that_touch_a_time_are_told_whole_and_no_others(world: World) -> None:
    gang = world.submit(world.make_job(workers=2))
    first = place(world, gang, take("n1", 0, 1), take_share("n1", 2, 250, rank=1), at_s=10)
    world.end(first, at=after_noon(70))
    place(world, world.submit(), take("n1", 3), at_s=100)
    usage = world.storage.usage

    def held(since: float, until: float, tenant: str | None = None) -> set[tuple[int, datetime, datetime | None]]:
        spans = usage.held_spans(after_noon(since), after_noon(until), tenant=tenant)
        return {(span.devices_milli, span.began, span.ended) for span in spans}

    ended, lasting = (2_250, after_noon(10), after_noon(70)), (1_000, after_noon(100), None)
    assert held(0, 1_000) == {ended, lasting}
    assert held(69, 100) == {ended}
    assert held(70, 100) == set()
    assert held(500, 600, TENANT) == {lasting}
    assert held(0, 1_000, "nobody") == set()
    (span,) = usage.held_spans(after_noon(0), after_noon(50), tenant=None)
    assert (span.tenant, span.chip) == (TENANT, "h100")


def test_finished_jobs_come_latest_first_page_by_page(world: World) -> None:
    jobs = [world.submit() for _ in range(5)]
    for number, job in enumerate(jobs[:4]):
        world.end(place(world, job, take("n1", number), at_s=number), at=after_noon(100 - number % 2))
    usage = world.storage.usage
    listed = usage.finished_jobs(FinishedFilter(), before=None, limit=10)
    assert [found.job for found in listed] == [jobs[index].id for index in (2, 0, 3, 1)]
    pages, before = [], None
    while page := usage.finished_jobs(FinishedFilter(), before=before, limit=1):
        pages += page
        before = (page[-1].finished_at, page[-1].job)
    assert pages == listed
    last = listed[0]
    assert (last.attempts, last.placed_at, last.finished_at) == (1, after_noon(2), after_noon(100))
    assert [(span.devices_milli, span.began, span.ended) for span in last.held] == [
        (1_000, after_noon(2), after_noon(100))
    ]


def test_finished_jobs_are_found_by_end_tenant_user_and_state(world: World) -> None:
    job = world.submit()
    world.end(world.place(job, take("n1", 0)), at=after_noon(50))
    usage = world.storage.usage
    (found,) = usage.finished_jobs(FinishedFilter(), before=None, limit=10)

    def number(where: FinishedFilter) -> int:
        return len(usage.finished_jobs(where, before=None, limit=10))

    assert number(FinishedFilter(since=after_noon(50), until=after_noon(51))) == 1
    assert number(FinishedFilter(since=after_noon(51))) == number(FinishedFilter(until=after_noon(50))) == 0
    assert number(FinishedFilter(tenant=TENANT, user=found.user, states=frozenset({found.state}))) == 1
    assert number(FinishedFilter(tenant="beta")) == number(FinishedFilter(user="nobody")) == 0
    assert number(FinishedFilter(states=frozenset(State) - {found.state})) == 0


def test_the_latest_report_of_what_runs_is_known(world: World) -> None:
    quiet, loud, over = (world.place(world.submit(), take("n1", slot)) for slot in range(3))
    for step in (1, 2):
        for attempt in (loud, over):
            world.report(attempt, step)
    world.end(over)
    assert quiet not in world.storage.usage.latest_reports()
    assert set(world.storage.usage.latest_reports()) == {loud}
    assert world.storage.usage.latest_reports()[loud] > NOON
