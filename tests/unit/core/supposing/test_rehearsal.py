from contextlib import suppress
from dataclasses import replace

import pytest

from scheduler.core.model.node import NodeState
from scheduler.core.model.sharing.queue import BadTree, Queue, Shares
from scheduler.core.supposing.rehearsal import Rehearsal
from tests.builders.core import NOON, make_group, make_job, make_node, make_state
from tests.builders.preempting import Contended, elastic
from tests.builders.supposing import traces


def test_who_is_stopped_waits_again_and_all_is_put_back_though_it_fails() -> None:
    cluster, job = Contended(make_node()), make_job(1, workers=8)
    cluster.run(job)
    state, (live,) = cluster.state, cluster.state.live.values()
    before = traces(state)
    with suppress(ZeroDivisionError), Rehearsal(state, NOON) as rehearsal:
        rehearsal.stop(live)
        assert list(state.waiting) == [make_group(job).id]
        assert not state.losses.on_node("mixed/n1")
        rehearsal.put_node(replace(make_node(), state=NodeState.DRAINED))
        assert state.tally.usable("h100") == 0
        raise ZeroDivisionError
    assert traces(state) == before


def test_workers_that_are_too_many_leave_with_the_rest_of_their_gang() -> None:
    cluster, elastic_one = Contended(make_node()), elastic(make_job(1, workers=8), 2)
    cluster.run(elastic_one)
    cluster.wait(100)
    cluster.submit(make_job(2, workers=4, priority=1))
    cluster.decide()
    state, (live,) = cluster.state, cluster.state.live.values()
    before = traces(state)
    with Rehearsal(state, NOON) as rehearsal:
        rehearsal.stop(live)
        assert list(state.ledger.all_held()) == []
    assert traces(state) == before


def test_who_leaves_can_give_no_workers_up_meanwhile() -> None:
    cluster = Contended(make_node())
    cluster.run(elastic(make_job(1, workers=8), 2))
    state, (live,) = cluster.state, cluster.state.live.values()
    before = traces(state)
    with Rehearsal(state, NOON) as rehearsal:
        rehearsal.stop(live)
        assert not state.sizes.generous
    assert list(state.sizes.generous) == [live.attempt]
    assert traces(state) == before


def test_who_goes_on_with_fewer_workers_holds_the_less_until_it_is_put_back() -> None:
    cluster = Contended(make_node("a", {"h100": 4}), make_node("b", {"h100": 4}))
    cluster.run(elastic(make_job(1, workers=8), 2))
    state, (live,) = cluster.state, cluster.state.live.values()
    before = traces(state)
    kept, left = live.allocations[:2], live.allocations[-1].node
    with Rehearsal(state, NOON) as rehearsal:
        after = rehearsal.shrink(live, kept, live.generation + 1)
        assert (after.allocations, rehearsal.shrunk) == (kept, {live.attempt: after})
        assert sum(milli for *_, milli in state.ledger.all_held()) == 2_000
        assert not state.losses.on_node(left)
        assert not state.sizes.generous
    assert traces(state) == before


def test_who_is_placed_holds_something_until_it_is_put_back() -> None:
    cluster, job = Contended(make_node()), make_job(1, workers=8)
    cluster.run(job)
    (live,) = cluster.state.live.values()
    state = make_state(make_node(), jobs=(job,))
    before = traces(state)
    with Rehearsal(state, NOON) as rehearsal:
        rehearsal.place(make_group(job), live.allocations)
        assert list(rehearsal.placed) == [live.attempt]
        assert state.ledger.has_hold(live.attempt)
    assert traces(state) == before


def test_a_tree_that_is_none_is_refused_and_the_queues_stay() -> None:
    state = make_state(make_node(), queues=(Queue("q"),))
    before = traces(state)
    with pytest.raises(BadTree), Rehearsal(state, NOON) as rehearsal:
        rehearsal.share(Shares((Queue("q", parent="nowhere"),)))
    assert traces(state) == before
