from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from api.text.advice import advice
from api.text.reasons import reason_text
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Condition
from scheduler.core.model.reason import (
    ArrayIsFull,
    BackingOff,
    CannotFollow,
    CannotServe,
    Holder,
    KeptApart,
    KeptFor,
    KeptForOthers,
    Limit,
    Mismatch,
    NearestShape,
    NeverFits,
    NoCluster,
    QueueIsFull,
    QuotaExceeded,
    Reason,
    Resource,
    RoomIsMade,
    TooFewFree,
    WaitsForArray,
    WaitsForJob,
)
from scheduler.core.model.sharing.queue import QuotaCause
from scheduler.core.model.topology import NODE, Spread

TOO_FEW = TooFewFree(
    cluster="mixed",
    chip="h100-sxm",
    workers=4,
    devices_per_worker=8,
    workers_fit=2,
    nodes_fit=2,
    devices_free=16,
    devices_drained=0,
    holders=(Holder("beta", 16), Holder("demo", 8)),
    limit=Limit(Resource.DEVICES, asked=8, most=8),
)
NEVER = NeverFits(
    cluster="mixed",
    chip="h100-sxm",
    workers=4,
    devices_per_worker=8,
    workers_fit_empty=3,
    largest_node_devices=8,
    limit=Limit(Resource.DEVICES, asked=8, most=8),
)
QUOTA = QuotaExceeded("demo", "h100-sxm", limit=16, used=8, asked=12)
BACKING_OFF = BackingOff(datetime(2026, 1, 1, 12, 30, 5, tzinfo=UTC), failures=1, retries=2)
JOB = "01jd3v9k2m0a7b4c"
AT = datetime(2026, 1, 1, 12, 30, 5, tzinfo=UTC)
KEPT = KeptForOthers((KeptFor("j1", "beta", AT, (("h100", 8),), ("mixed/n1",)),), 1_500)
ALL = (
    WaitsForJob("j1", Condition.ENDED),
    WaitsForArray("a1", Condition.ENDED, 3, 100),
    ArrayIsFull("a1", 8),
    KEPT,
    RoomIsMade(2, datetime(2026, 1, 1, 12, 30, 5, tzinfo=UTC)),
    QueueIsFull("demo", 8),
    CannotFollow("j1", State.FAILED),
    TOO_FEW,
    NEVER,
    QUOTA,
    BACKING_OFF,
    NoCluster(),
    CannotServe("mixed", Mismatch.LEVEL, ("rack",)),
)


def test_every_reason_has_a_sentence_and_advice() -> None:
    assert {type(reason) for reason in ALL} == set(get_args(Reason))
    for reason in ALL:
        assert reason_text(reason, None)
        assert advice(reason, JOB)


@pytest.mark.parametrize(
    ("reason", "want"),
    [
        (
            TOO_FEW,
            (
                "needs 4 workers, each with 8 free h100-sxm on one node; 2 fit now, 16 devices are free; "
                "16 are held by tenant beta and 8 by you"
            ),
        ),
        (
            replace(TOO_FEW, workers=1, workers_fit=0, devices_free=1, holders=(Holder("beta", 1),), devices_drained=4),
            (
                "needs 1 worker with 8 free h100-sxm on one node; none fits now, 1 device is free; "
                "1 is held by tenant beta and 4 on drained nodes"
            ),
        ),
        (
            replace(TOO_FEW, devices_free=0, holders=(), devices_drained=8),
            "needs 4 workers, each with 8 free h100-sxm on one node; 2 fit now; 8 are on drained nodes",
        ),
        (
            replace(TOO_FEW, holders=(), kept_apart=KeptApart("rack", 2, workers_fit=6)),
            (
                "needs 4 workers, each with 8 free h100-sxm on one node; 2 fit now, 16 devices are free; "
                "it keeps apart from 2 racks (else 6 would fit)"
            ),
        ),
        (
            replace(TOO_FEW, limit=Limit(Resource.PODS, asked=1, most=1), kept_apart=KeptApart("node", 1, 2)),
            (
                "needs 4 workers, each with 8 free h100-sxm on one node; 2 fit now: devices are free, but room for "
                "workers is short (the most such a node has left is 1 worker); it keeps apart from 1 node"
            ),
        ),
        (
            NEVER,
            (
                "needs 4 workers, each with 8 h100-sxm on one node; at most 3 fit into cluster mixed when it is empty: "
                "its devices are too few"
            ),
        ),
        (
            replace(NEVER, devices_per_worker=1, limit=Limit(Resource.MEMORY, asked=8_000, most=4_096)),
            (
                "needs 4 workers, each with 1 h100-sxm; at most 3 fit into cluster mixed when it is empty: "
                "memory is short (each worker asks for 8,000 MiB, the most such a node has is 4,096 MiB)"
            ),
        ),
        (
            replace(TOO_FEW, workers=1, workers_fit=0, limit=Limit(Resource.CPU, asked=100_000, most=28_500)),
            (
                "needs 1 worker with 8 free h100-sxm on one node; none fits now: devices are free, but cpu is short "
                "(each worker asks for 100 cores, the most such a node has left is 28.5 cores)"
            ),
        ),
        (
            replace(TOO_FEW, limit=Limit(Resource.PODS, asked=1, most=1)),
            (
                "needs 4 workers, each with 8 free h100-sxm on one node; 2 fit now: devices are free, "
                "but room for workers is short (the most such a node has left is 1 worker)"
            ),
        ),
        (
            replace(NEVER, devices_per_worker=9, workers_fit_empty=0),
            "needs 4 workers, each with 9 h100-sxm on one node; the largest node of cluster mixed has 8 such devices",
        ),
        (
            replace(NEVER, workers_fit_empty=0, largest_node_devices=0),
            "needs 4 workers, each with 8 h100-sxm on one node; cluster mixed has no h100-sxm",
        ),
        (
            replace(TOO_FEW, workers=12, workers_fit=4, level="rack", workers_fit_anywhere=12, holders=()),
            (
                "needs 12 workers, each with 8 free h100-sxm on one node, all in one rack; "
                "4 fit in one rack now, 12 anywhere, 16 devices are free"
            ),
        ),
        (
            replace(TOO_FEW, workers_fit=0, level="node", workers_fit_anywhere=0, devices_reserved=24),
            (
                "needs 4 workers, each with 8 free h100-sxm on one node, all on one node; none fits on one node now, "
                "none anywhere, 16 devices are free; 16 are held by tenant beta, 8 by you "
                "and 24 free on nodes of other tenants"
            ),
        ),
        (
            replace(TOO_FEW, devices_free=0, holders=(), devices_reserved=1),
            "needs 4 workers, each with 8 free h100-sxm on one node; 2 fit now; 1 is free on nodes of other tenants",
        ),
        (
            replace(TOO_FEW, workers=1, workers_fit=0, devices_per_worker=0, devices_free=0, holders=()),
            "needs 1 worker with a share of one h100-sxm; none fits now",
        ),
        (
            replace(
                TOO_FEW,
                chip=None,
                role="launcher",
                workers=1,
                workers_fit=0,
                devices_per_worker=0,
                limit=Limit(Resource.CPU, asked=4_000, most=2_000),
            ),
            (
                "needs 1 worker of role launcher with no devices; none fits now: cpu is short "
                "(each worker asks for 4 cores, the most such a node has left is 2 cores)"
            ),
        ),
        (
            replace(NEVER, level="rack"),
            (
                "needs 4 workers, each with 8 h100-sxm on one node, all in one rack; at most 3 fit in one rack "
                "of cluster mixed when it is empty: one rack's devices are too few"
            ),
        ),
        (
            replace(
                NEVER,
                chip=None,
                role="launcher",
                devices_per_worker=0,
                workers_fit_empty=0,
                largest_node_devices=0,
                limit=Limit(Resource.MEMORY, asked=8_000, most=4_096),
            ),
            (
                "needs 4 workers of role launcher, each with no devices; none fits into cluster mixed when it is "
                "empty: memory is short (each worker asks for 8,000 MiB, the most such a node has is 4,096 MiB)"
            ),
        ),
        (QUOTA, "your quota for h100-sxm is 16 devices; 8 are held and 12 more are asked for"),
        (BACKING_OFF, "1 attempt failed (retries allowed: 2); the next attempt is made at 12:30:05 UTC"),
        (
            replace(BACKING_OFF, stop_reason=StopReason.WORKER_FAILED),
            "1 attempt failed (retries allowed: 2); the next attempt is made at 12:30:05 UTC",
        ),
        (
            replace(BACKING_OFF, stop_reason=StopReason.DISRUPTED),
            ("the cluster took a worker away; no retry is charged; the next attempt is made at 12:30:05 UTC"),
        ),
        (NoCluster(), "no cluster that would run it has reported its nodes yet"),
        (WaitsForJob("j1", Condition.SUCCEEDED), "job j1 must succeed first"),
        (WaitsForJob("j1", Condition.ENDED), "job j1 must end first"),
        (
            WaitsForArray("a1", Condition.SUCCEEDED, 3, 10_000),
            "all jobs of array a1 must succeed first, and 3 of 10,000 are over",
        ),
        (WaitsForArray("a1", Condition.ENDED, 0, 9), "all jobs of array a1 must end first, and 0 of 9 are over"),
        (
            CannotFollow("a1", State.FAILED, is_array=True),
            "all jobs of array a1 were to succeed first, and not all of them did",
        ),
        (ArrayIsFull("a1", 8), "its array runs 8 at once, and so many run"),
        (
            KEPT,
            (
                "there is room for it, which is kept for a job of tenant beta from 2026-01-01 12:30:05 UTC "
                "(8 h100 on mixed/n1); with a time limit of at most 25 minutes it would start now"
            ),
        ),
        (
            KeptForOthers((KeptFor("j1", "demo", AT, (), ("mixed/n1", "mixed/n2")),), None),
            (
                "there is room for it, which is kept for your job j1 from 2026-01-01 12:30:05 UTC "
                "(room on mixed/n1 and mixed/n2)"
            ),
        ),
        (
            RoomIsMade(1, datetime(2026, 1, 1, 12, 30, 5, tzinfo=UTC)),
            "it has the devices of 1 attempt that is being stopped for it, by 12:30:05 UTC at the latest",
        ),
        (
            RoomIsMade(0, datetime(2026, 1, 1, 12, 30, 5, tzinfo=UTC), 1),
            "it has the devices of 1 that goes on with fewer workers, by 12:30:05 UTC at the latest",
        ),
        (
            RoomIsMade(2, datetime(2026, 1, 1, 12, 30, 5, tzinfo=UTC), 3),
            (
                "it has the devices of 2 attempts that are being stopped for it and 3 that go on with fewer workers, "
                "by 12:30:05 UTC at the latest"
            ),
        ),
        (QueueIsFull("demo", 8), "your queue runs 8 jobs at once, and so many run"),
        (QueueIsFull("org", 1, "ada"), "queue org runs 1 job of ada at once, and so many run"),
        (
            QuotaExceeded("org", "compute", 1_500, 1_400, 200, QuotaCause.BORROWING),
            (
                "queue org's guaranteed share of compute and what it may borrow are 1,500 units; "
                "1,400 are held and 200 more are asked for"
            ),
        ),
        (
            QuotaExceeded("demo", "h100-sxm", 2, 1, 4, QuotaCause.KEPT_BACK, ("beta", "gamma")),
            (
                "beta and gamma lend no more of the h100-sxm that is guaranteed to them: your queue may hold 2 devices "
                "now; 1 are held and 4 more are asked for"
            ),
        ),
        (CannotFollow("j1", State.FAILED), "job j1 was to succeed first, and failed"),
        (CannotFollow("j1", State.CANCELLED), "job j1 was to succeed first, and was cancelled"),
    ],
)
def test_a_reason_says_its_numbers(reason: Reason, want: str) -> None:
    assert reason_text(reason, "demo") == want


def test_who_belongs_to_no_tenant_reads_every_tenants_name() -> None:
    assert reason_text(TOO_FEW, None).endswith("16 are held by tenant beta and 8 by tenant demo")
    assert reason_text(QUOTA, None).startswith("queue demo's quota")


@pytest.mark.parametrize(
    ("reason", "want"),
    [
        (NEVER, "at most 3 workers of 8 h100-sxm"),
        (replace(NEVER, devices_per_worker=9), "at most 8 devices per worker"),
        (replace(NEVER, largest_node_devices=0), "choose another chip type"),
        (
            replace(NEVER, workers_fit_empty=0, limit=Limit(Resource.CPU, 9_000, 8_000)),
            "less cpu_milli per worker, at most 8 cores",
        ),
        (
            replace(NEVER, workers_fit_empty=0, limit=Limit(Resource.MEMORY, 900, 800)),
            "less memory_mib per worker, at most 800 MiB",
        ),
        (BACKING_OFF, "look at the failed attempt's output"),
        (replace(BACKING_OFF, stop_reason=StopReason.START_REFUSED), "wait"),
        (TOO_FEW, "wait, or submit it with fewer workers or with more acceptable chip types"),
        (
            replace(TOO_FEW, kept_apart=KeptApart("rack", 1, workers_fit=4)),
            "with fewer workers, without apart (4 would fit) or with more acceptable chip types",
        ),
        (
            replace(TOO_FEW, kept_apart=KeptApart("rack", 1, workers_fit=3)),
            "with fewer workers or with more acceptable chip types",
        ),
        (replace(TOO_FEW, workers=1), "wait, or submit it with more acceptable chip types"),
        (
            replace(TOO_FEW, workers=1, limit=Limit(Resource.CPU, 9_000, 8_000)),
            "wait, or submit it with less cpu_milli per worker or with more acceptable chip types",
        ),
        (
            replace(TOO_FEW, nearest=NearestShape(2, 8, "cluster")),
            "wait, or submit it with 2 workers (fits now) or with more acceptable chip types",
        ),
        (
            replace(
                TOO_FEW,
                workers=12,
                level="rack",
                workers_fit=4,
                workers_fit_anywhere=12,
                nearest=NearestShape(4, 8, "rack"),
            ),
            (
                "wait, or submit it with 4 workers (fits now), without topology.require (12 fit anywhere) "
                "or with more acceptable chip types"
            ),
        ),
        (
            replace(TOO_FEW, level="rack", workers_fit_anywhere=4, nearest=NearestShape(4, 8, "cluster")),
            "wait, or submit it without topology.require (fits now) or with more acceptable chip types",
        ),
        (
            replace(TOO_FEW, level="rack", workers_fit_anywhere=3, nearest=NearestShape(4, 8, "zone")),
            "wait, or submit it with topology.require: zone (fits now)",
        ),
        (
            replace(TOO_FEW, chip=None, role="launcher", devices_per_worker=0, nearest=NearestShape(1, 0, "cluster")),
            "wait, or submit it with 1 worker of role launcher (fits now)",
        ),
        (replace(NEVER, nearest=NearestShape(4, 4, "cluster")), "a shape that fits: with 4 devices per worker"),
        (replace(NEVER, level="rack", nearest=NearestShape(4, 8, "cluster")), "that fits: without topology.require"),
        (replace(NEVER, level="rack"), "at most 3 workers of 8 h100-sxm in one rack"),
        (replace(NEVER, devices_per_worker=0), "at most 3 workers of a share of h100-sxm"),
        (replace(QUOTA, limit=0), "choose another chip type, or ask an operator for a quota of h100-sxm"),
        (QUOTA, "wait until jobs of queue demo end, cancel one of yours there"),
        (WaitsForJob("j1", Condition.ENDED), "medley show j1"),
        (WaitsForArray("a1", Condition.ENDED, 3, 100), "medley show a1"),
        (CannotFollow("a1", State.FAILED, is_array=True), "after another array, or with the condition `ended`"),
        (ArrayIsFull("a1", 8), "medley ls --array a1"),
        (KEPT, "wait, or submit it with time_limit_s of at most 1500"),
        (RoomIsMade(2, datetime(2026, 1, 1, 12, 30, 5, tzinfo=UTC)), "wait: its devices are kept for it"),
        (QueueIsFull("demo", 8), "let more of them run at once"),
        (replace(QUOTA, cause=QuotaCause.KEPT_BACK), "a larger guaranteed share"),
        (CannotFollow("j1", State.FAILED), "with the condition `ended`"),
        (replace(QUOTA, asked=17), "ask for at most 16 devices"),
        (BACKING_OFF, f"wait, or look at the failed attempt's output with `medley logs {JOB}`"),
    ],
)
def test_advice_names_the_nearest_thing_that_would_work(reason: Reason, want: str) -> None:
    assert want in advice(reason, JOB)


def test_what_a_gang_wants_of_its_nodes_is_told_beside_devices() -> None:
    alone = replace(TOO_FEW, is_exclusive=True, devices_per_worker=1)
    said = "needs 4 workers, each with 1 free h100-sxm, with nothing else on their nodes; 2 fit now"
    assert reason_text(alone, None).startswith(said)
    one = replace(alone, workers=1, workers_fit=0, spread=Spread(NODE, 1))
    said = "needs 1 worker with 1 free h100-sxm, with nothing else on its node; none fits now"
    assert reason_text(one, None).startswith(said)
    assert reason_text(replace(NEVER, spread=Spread("rack", 2)), None) == (
        "needs 4 workers, each with 8 h100-sxm on one node, at most 2 in one rack; "
        "at most 3 fit into cluster mixed when it is empty: its devices, so spread, are too few"
    )


def test_free_devices_beside_an_exclusive_job_are_said_to_be_closed() -> None:
    full = replace(TOO_FEW, workers_fit=0, limit=Limit(Resource.PODS, asked=1, most=0))
    assert reason_text(full, None).endswith(
        "none fits now: devices are free, but their nodes take no more workers: "
        "an exclusive job has them to itself, or as many run there as may"
    )
