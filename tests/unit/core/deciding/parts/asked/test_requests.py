"""What jobs ask, and what can never be had, as the state knows it."""

import pytest

from scheduler.core.deciding.parts.asked import requests as requests_module
from scheduler.core.model.change import ClusterSeen, JobSubmitted, NodeSeen
from scheduler.core.model.node import Cluster, NodeState
from scheduler.core.model.reason import NeverFits
from scheduler.core.model.topology import NODE, Apart
from tests.builders.core import (
    as_change,
    can_hold,
    make_group,
    make_job,
    make_node,
    make_shape,
    make_share,
    make_state,
    place_first,
)


def test_jobs_that_ask_for_the_same_share_what_they_ask() -> None:
    serving = (("app", "serving"),)
    jobs = [
        make_job(1, workers=2),
        make_job(2, workers=2, priority=5, retries=3),
        make_job(3, workers=2, tenant="beta"),
        make_job(4, workers=3),
        make_job(5, workers=2, exclusive=True),
        make_job(6, workers=2, apart=Apart(NODE, serving)),
        make_job(7, workers=2, objecting_clusters=("mixed",)),
        make_job(8, workers=2, node_labels=serving),
    ]
    state = make_state(make_node(), jobs=tuple(jobs))
    first, second, *others = [state.request(job.id) for job in jobs]
    assert first is second
    assert state.request(jobs[0].id) is first
    assert len({id(request) for request in (first, *others)}) == 7


def test_so_many_requests_are_remembered_and_forgetting_them_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests_module, "MOST_REQUESTS", 2)
    jobs = tuple(make_job(number, workers=number) for number in range(1, 12))
    state = make_state(make_node(), jobs=jobs)
    fits = [not state.requests.reasons_why_never(state.request(job.id)) for job in (*jobs, *jobs)]
    assert fits == [True] * 8 + [False] * 3 + [True] * 8 + [False] * 3


def test_what_could_never_run_can_once_there_are_nodes_for_it_and_the_other_way_round() -> None:
    job = make_job(workers=9)
    state = make_state(make_node(), jobs=(job,))
    request = state.request(job.id)
    found = [bool(state.requests.reasons_why_never(request))]
    for node in (
        make_node("n2", state=NodeState.DRAINED),
        make_node("n2", state=NodeState.GONE),
        make_node("n1", {"h100": 16}),
        make_node("n1", {"h100": 16}, tenant="beta"),
    ):
        state.apply(as_change(NodeSeen(node)))
        found.append(bool(state.requests.reasons_why_never(request)))
    assert found == [True, False, True, False, True]


def test_why_a_job_can_never_run_is_worked_out_when_it_is_submitted(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(workers=9)
    state = make_state(make_node())
    state.apply(as_change(JobSubmitted(job, (make_group(job),))))
    monkeypatch.setattr(requests_module, "reasons_why_never", lambda *_: pytest.fail("worked out again"))
    (reason,) = state.requests.reasons_why_never(state.request(job.id))
    assert isinstance(reason, NeverFits)


def test_what_could_never_run_can_once_its_cluster_enforces_shares() -> None:
    job = make_job(shape=make_shape(share_milli=500))
    state = make_state(make_node(), jobs=(job,), clusters=(Cluster("mixed", "local", enforces_shares=False),))
    request = state.request(job.id)
    assert state.requests.reasons_why_never(request)
    assert not can_hold(state.ledger, make_share(0, 500))
    state.apply(as_change(ClusterSeen(Cluster("mixed", "local"))))
    assert not state.requests.reasons_why_never(request)
    assert can_hold(state.ledger, make_share(0, 500))


def test_what_a_running_job_holds_does_not_decide_what_could_ever_run() -> None:
    jobs = (make_job(1, workers=8), make_job(2, workers=8))
    state = place_first(make_state(make_node(), jobs=jobs))
    assert not state.requests.reasons_why_never(state.request(jobs[1].id))
