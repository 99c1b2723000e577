from dataclasses import replace

from scheduler.core.deciding.reasons import all_that_blocks, reasons_why_not
from scheduler.core.model.job import AnyOf
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import (
    NeverFits,
    NoCluster,
    QueueIsFull,
    QuotaExceeded,
    Reason,
    TooFewFree,
)
from scheduler.core.model.sharing.queue import QueueQuota, QuotaCause
from scheduler.core.placement.request import request_of
from tests.builders.core import make_job, make_node, make_state

NODES = (make_node("a", {"h100": 2}), make_node("b", {"mlu": 8}))
EITHER = AnyOf(("h100", "mlu"))


def kinds(reasons: tuple[Reason, ...]) -> list[tuple[type, str | None]]:
    return [(type(reason), getattr(reason, "chip", getattr(reason, "resource", None))) for reason in reasons]


def test_every_option_tells_what_it_lacks_quota_first() -> None:
    state = make_state(
        *NODES, make_node("c", {"h100": 2}, state=NodeState.DRAINED), quotas=(QueueQuota("alpha", "mlu", limit=2),)
    )
    job = make_job(chips=EITHER, workers=4)
    assert kinds(reasons_why_not(state, request_of(job))) == [(QuotaExceeded, "mlu"), (TooFewFree, "h100")]


def test_an_option_that_has_a_place_lacks_nothing() -> None:
    job = make_job(chips=EITHER, workers=4)
    assert kinds(reasons_why_not(make_state(*NODES), request_of(job))) == [(NeverFits, "h100")]


def test_clusters_in_which_it_would_fit_if_nothing_ran_speak_for_an_option() -> None:
    far = make_node(cluster="far", devices={"h100": 8}, state=NodeState.DRAINED)
    state = make_state(*NODES, far)
    (reason,) = reasons_why_not(state, request_of(make_job(workers=4)))
    assert isinstance(reason, TooFewFree)
    assert (reason.cluster, reason.workers_fit, reason.devices_drained) == ("far", 0, 8)
    found = reasons_why_not(state, request_of(make_job(workers=9)))
    assert [(type(reason), getattr(reason, "cluster", None)) for reason in found] == [
        (NeverFits, "far"),
        (NeverFits, "mixed"),
    ]


def test_without_a_cluster_that_may_be_used_that_is_all_there_is_to_say() -> None:
    quotas = (QueueQuota("alpha", "h100", limit=0),)
    job = make_job(objecting_clusters=("mixed",))
    over = QuotaExceeded("alpha", "h100", 0, 0, 1)
    assert reasons_why_not(make_state(*NODES, quotas=quotas), request_of(job)) == (over, NoCluster())
    assert reasons_why_not(make_state(), request_of(make_job())) == (NoCluster(),)


def test_a_quota_that_will_never_do_for_any_option_comes_first_and_one_of_some_options_does_not() -> None:
    state = make_state(*NODES, quotas=(QueueQuota("alpha", "h100", limit=1),))
    full, quota = QueueIsFull("alpha", 2), QuotaExceeded("alpha", "h100", 1, 0, 2)
    alone, either = request_of(make_job(workers=2)), request_of(make_job(chips=EITHER, workers=2))
    assert all_that_blocks(state, alone, None, [full]) == (quota, full)
    assert all_that_blocks(state, either, None, [full]) == (full, quota)


def test_a_quota_that_is_used_by_others_passes() -> None:
    over = QuotaExceeded("alpha", "h100", limit=4, used=3, asked=2)
    assert [over.is_lasting, replace(over, asked=5).is_lasting] == [False, True]
    assert not replace(over, asked=5, cause=QuotaCause.KEPT_BACK).is_lasting
