from scheduler.core.deciding.reasons import most_binding_first, reasons_why_never, reasons_why_not
from scheduler.core.model.job import Alternative, AnyOf
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import (
    BackingOff,
    CannotServe,
    Limit,
    Mismatch,
    NeverFits,
    NoCluster,
    QuotaExceeded,
    Reason,
    Resource,
    TooFewFree,
)
from scheduler.core.model.tenant import Quota
from scheduler.core.model.topology import Closeness
from scheduler.core.placement.request import request_of
from tests.builders.core import NOON, make_job, make_node, make_shape, make_state

NODES = (make_node("a", {"h100": 2}), make_node("b", {"mlu": 8}))
EITHER = AnyOf(("h100", "mlu"))
PAUSE = BackingOff(NOON, 1, 1)
OVER = QuotaExceeded("alpha", "h100", 1, 0, 2)
NEVER = NeverFits("mixed", "h100", 9, 1, 8, 8, Limit(Resource.DEVICES, 1, 8))
CANNOT = CannotServe("mixed", Mismatch.LEVEL, ("row",))


def kinds(reasons: tuple[Reason, ...]) -> list[tuple[type, str | None]]:
    return [(type(reason), getattr(reason, "chip", None)) for reason in reasons]


def test_reasons_come_most_binding_first_and_each_once() -> None:
    found = most_binding_first([CANNOT, NEVER, NoCluster(), OVER, NEVER, PAUSE])
    assert found == (PAUSE, OVER, NoCluster(), NEVER, CANNOT)


def test_among_equals_the_jobs_liking_decides() -> None:
    other = QuotaExceeded("alpha", "a800", 1, 0, 2)
    assert most_binding_first([OVER, other]) == (OVER, other)
    assert most_binding_first([other, OVER]) == (other, OVER)


def test_every_option_tells_what_it_lacks_quota_first() -> None:
    state = make_state(*NODES, make_node("c", {"h100": 2}, state=NodeState.DRAINED), quotas=(Quota("alpha", "mlu", 2),))
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
    quotas = (Quota("alpha", "h100", 0),)
    job = make_job(objecting_clusters=("mixed",))
    over = QuotaExceeded("alpha", "h100", 0, 0, 1)
    assert reasons_why_not(make_state(*NODES, quotas=quotas), request_of(job)) == (over, NoCluster())
    assert reasons_why_not(make_state(), request_of(make_job())) == (NoCluster(),)


def test_what_can_never_run_is_told_without_the_quota() -> None:
    state = make_state(*NODES, quotas=(Quota("alpha", "h100", 0),))
    job = make_job(workers=3, alternatives=(Alternative(1, make_shape(9), ("mlu",)),))
    assert kinds(reasons_why_never(state, request_of(job))) == [(NeverFits, "h100"), (NeverFits, "mlu")]


def test_a_wish_that_a_cluster_cannot_meet_is_named_as_one() -> None:
    job = make_job(closeness=Closeness(required="row"))
    (reason,) = reasons_why_never(make_state(*NODES), request_of(job))
    assert isinstance(reason, CannotServe)
    assert (reason.mismatch, reason.asked) == (Mismatch.LEVEL, ("row",))
