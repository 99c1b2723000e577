from dataclasses import replace

import pytest

from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.reasons import all_that_blocks, reasons_why_not
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Seat
from scheduler.core.model.job import Alternative, AnyOf, ExactMix, Job, WorkerRole
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import (
    CannotServe,
    Mismatch,
    NeverFits,
    NoCluster,
    QueueIsFull,
    QuotaExceeded,
    Reason,
    TooFewFree,
)
from scheduler.core.model.sharing.queue import QueueQuota, QuotaCause
from scheduler.core.model.topology import NODE, RACK, Apart, Closeness
from scheduler.core.placement.request import request_of
from tests.builders.core import make_job, make_node, make_shape, make_state

NODES = (make_node("a", {"h100": 2}), make_node("b", {"mlu": 8}))
EITHER = AnyOf(("h100", "mlu"))


def kinds(reasons: tuple[Reason, ...]) -> list[tuple[type, str | None]]:
    return [(type(reason), getattr(reason, "chip", getattr(reason, "resource", None))) for reason in reasons]


def why(state: SchedulerState, job: Job) -> tuple[Reason, ...]:
    request = request_of(job)
    assert find_place(state, request) is None
    return reasons_why_not(state, request)


def figures(reason: Reason) -> tuple[str, str | None, str, int]:
    """Return of whom there is too little room, and how many of them fit: now, or ever."""
    assert isinstance(reason, TooFewFree | NeverFits)
    fit = reason.workers_fit if isinstance(reason, TooFewFree) else reason.workers_fit_empty
    return reason.cluster, reason.chip, reason.role, fit


def test_every_option_tells_what_it_lacks_quota_first() -> None:
    state = make_state(
        *NODES, make_node("c", {"h100": 2}, state=NodeState.DRAINED), quotas=(QueueQuota("alpha", "mlu", limit=2),)
    )
    job = make_job(chips=EITHER, workers=4)
    assert kinds(reasons_why_not(state, request_of(job))) == [(QuotaExceeded, "mlu"), (TooFewFree, "h100")]


MIX = make_job(chips=ExactMix((("h100", 2), ("mlu", 1))))
WITH_A_LAUNCHER = make_job(workers=1, roles=(WorkerRole("launcher", 1, make_shape(1), ("h100",)),))
HALVES = make_job(workers=3, shape=make_shape(share_milli=500))


@pytest.mark.parametrize(
    ("job", "want"),
    [
        (MIX, (QuotaExceeded("alpha", "h100", 1, 0, 2), QuotaExceeded("alpha", "mlu", 0, 0, 1))),
        (WITH_A_LAUNCHER, (QuotaExceeded("alpha", "h100", 1, 0, 2),)),
        (HALVES, (QuotaExceeded("alpha", "h100", 1, 0, 2),)),
    ],
    ids=["every chip type of a mix", "all roles together", "shares up to the next whole device"],
)
def test_a_quota_counts_devices(job: Job, want: tuple[Reason, ...]) -> None:
    quotas = (QueueQuota("alpha", "h100", limit=1), QueueQuota("alpha", "mlu", limit=0))
    assert why(make_state(*NODES, quotas=quotas), job) == want


def test_an_option_that_lacks_quota_and_room_tells_both_with_the_quota_first() -> None:
    drained = make_node("c", {"mlu": 8}, state=NodeState.DRAINED)
    state = make_state(*NODES, drained, quotas=(QueueQuota("alpha", "mlu", limit=9),))
    over, lacking, never = why(state, make_job(chips=EITHER, workers=16))
    assert over == QuotaExceeded("alpha", "mlu", limit=9, used=0, asked=16)
    assert kinds((lacking, never)) == [(TooFewFree, "mlu"), (NeverFits, "h100")]
    assert (figures(lacking)[-1], figures(never)[-1]) == (8, 2)


def test_an_option_that_has_room_and_no_quota_is_blocked_by_the_quota_alone() -> None:
    state = make_state(*NODES, quotas=(QueueQuota("alpha", "mlu", limit=0),))
    over, never = why(state, make_job(chips=EITHER, workers=3))
    assert over == QuotaExceeded("alpha", "mlu", 0, 0, 3)
    assert figures(never) == ("mixed", "h100", "worker", 2)


def test_a_reason_is_told_once_and_for_every_cluster() -> None:
    nodes = (make_node(cluster="east", devices={"h100": 2}), make_node(cluster="west", devices={"h100": 1}))
    job = make_job(workers=3, alternatives=(Alternative(3, make_shape(1), ("h100",)),))
    found = [figures(reason) for reason in why(make_state(*nodes), job)]
    assert found == [("east", "h100", "worker", 2), ("west", "h100", "worker", 1)]


def test_a_required_level_is_told_with_what_fits_there() -> None:
    nodes = (make_node("a", {"h100": 2}, rack="r1"), make_node("b", {"h100": 3}, rack="r2"))
    (reason,) = why(make_state(*nodes), make_job(workers=4, closeness=Closeness(required=RACK)))
    assert isinstance(reason, NeverFits)
    assert (reason.level, reason.workers_fit_empty) == (RACK, 3)


def test_only_the_role_that_is_short_is_named() -> None:
    job = make_job(workers=2, roles=(WorkerRole("launcher", 9, make_shape(1), ("mlu",)),))
    (reason,) = why(make_state(*NODES), job)
    assert figures(reason) == ("mixed", "mlu", "launcher", 8)


def test_roles_that_fit_one_by_one_are_told_that_they_do_not_together() -> None:
    job = make_job(workers=1, roles=(WorkerRole("launcher", 2, make_shape(1), ("h100",)),))
    (reason,) = why(make_state(*NODES), job)
    assert isinstance(reason, CannotServe)
    assert reason.mismatch is Mismatch.TOGETHER
    state = make_state(*NODES, make_node("c", {"h100": 1}, state=NodeState.DRAINED))
    found = [figures(reason) for reason in why(state, job)]
    assert found == [("mixed", "h100", "worker", 2), ("mixed", "h100", "launcher", 2)]


def test_who_has_room_only_beside_those_it_keeps_off_is_told_what_fits_elsewhere() -> None:
    labels = (("app", "serving"),)
    state = make_state(make_node("a"), make_node("b", {"h100": 1}))
    server = make_job(1, workers=2, labels=labels)
    place = find_place(state, request_of(server))
    assert place is not None
    state.ledger.apply(Seat("s1", "alpha", place.seatings))
    state.neighbours.place(server, "s1")
    (reason,) = why(state, make_job(2, workers=2, apart=Apart(NODE, labels)))
    assert figures(reason) == ("mixed", "h100", "worker", 1)


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
    assert why(make_state(*NODES, quotas=quotas), job) == (over, NoCluster())
    assert why(make_state(), make_job()) == (NoCluster(),)


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
