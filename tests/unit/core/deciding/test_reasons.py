from scheduler.core.deciding.reasons import reasons_why_not
from scheduler.core.model.job import AnyOf
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import (
    NeverFits,
    NoCluster,
    QuotaExceeded,
    Reason,
    TooFewFree,
)
from scheduler.core.model.sharing.queue import QueueQuota
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
