from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from api.text.reasons import advice, reason_text
from scheduler.core.model.reason import BackingOff, Holder, NeverFits, NoCluster, QuotaExceeded, Reason, TooFewFree

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
)
NEVER = NeverFits(
    cluster="mixed",
    chip="h100-sxm",
    workers=4,
    devices_per_worker=8,
    workers_fit_empty=3,
    largest_node_devices=8,
    limited_by="devices",
)
QUOTA = QuotaExceeded("demo", "h100-sxm", limit=16, used=8, asked=12)
BACKING_OFF = BackingOff(datetime(2026, 1, 1, 12, 30, 5, tzinfo=UTC), failures=1, retries=2)
ALL = (TOO_FEW, NEVER, QUOTA, BACKING_OFF, NoCluster())


def test_every_reason_has_a_sentence_and_advice() -> None:
    assert {type(reason) for reason in ALL} == set(get_args(Reason))
    for reason in ALL:
        assert reason_text(reason, None)
        assert advice(reason)


@pytest.mark.parametrize(
    ("reason", "want"),
    [
        (
            TOO_FEW,
            (
                "needs 4 workers with 8 free h100-sxm each on one node; 2 fit now, 16 devices are free; "
                "16 are held by tenant beta and 8 by you"
            ),
        ),
        (
            replace(TOO_FEW, workers=1, workers_fit=0, devices_free=1, holders=(Holder("beta", 1),), devices_drained=4),
            (
                "needs 1 worker with 8 free h100-sxm each on one node; none fits now, 1 device is free; "
                "1 is held by tenant beta and 4 on drained nodes"
            ),
        ),
        (
            replace(TOO_FEW, devices_free=0, holders=(), devices_drained=8),
            "needs 4 workers with 8 free h100-sxm each on one node; 2 fit now; 8 are on drained nodes",
        ),
        (
            NEVER,
            (
                "needs 4 workers with 8 h100-sxm each on one node; at most 3 fit into cluster mixed when it is empty, "
                "limited by devices"
            ),
        ),
        (
            replace(NEVER, devices_per_worker=9, workers_fit_empty=0),
            "needs 4 workers with 9 h100-sxm each on one node; the largest node of cluster mixed has 8 such devices",
        ),
        (
            replace(NEVER, workers_fit_empty=0, largest_node_devices=0),
            "needs 4 workers with 8 h100-sxm each on one node; cluster mixed has no h100-sxm",
        ),
        (QUOTA, "your quota for h100-sxm is 16 devices; 8 are held and 12 more are asked for"),
        (BACKING_OFF, "1 attempt failed (retries allowed: 2); the next attempt is made at 12:30:05 UTC"),
        (
            replace(BACKING_OFF, failures=0),
            "the cluster refused to start it, which costs no retry; the next attempt is made at 12:30:05 UTC",
        ),
        (NoCluster(), "no cluster has reported its nodes yet"),
    ],
)
def test_a_reason_says_its_numbers(reason: Reason, want: str) -> None:
    assert reason_text(reason, "demo") == want


def test_who_belongs_to_no_tenant_reads_every_tenants_name() -> None:
    assert reason_text(TOO_FEW, None).endswith("16 are held by tenant beta and 8 by tenant demo")
    assert reason_text(QUOTA, None).startswith("tenant demo's quota")


@pytest.mark.parametrize(
    ("reason", "want"),
    [
        (NEVER, "at most 3 workers of 8 h100-sxm"),
        (replace(NEVER, devices_per_worker=9), "at most 8 devices per worker"),
        (replace(NEVER, largest_node_devices=0), "choose another chip type"),
        (replace(NEVER, workers_fit_empty=0, limited_by="cpu"), "fewer cpu_milli"),
        (replace(NEVER, workers_fit_empty=0, limited_by="memory"), "less memory_mib"),
        (QUOTA, "wait until your running jobs end"),
        (replace(QUOTA, asked=17), "ask for at most 16 devices"),
    ],
)
def test_advice_names_the_nearest_thing_that_would_work(reason: Reason, want: str) -> None:
    assert want in advice(reason)
