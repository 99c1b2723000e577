from dataclasses import replace

from scheduler.core.deciding.parts.losses import Alike, alike_of, devices_of, unsaved_since
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.change import PriorityChanged
from scheduler.core.model.group import StopReason
from tests.builders.core import NOON, make_allocation, make_group, make_job, make_node, seconds_after_noon
from tests.builders.preempting import Contended

POOL = ("mixed", "h100")


def test_who_runs_on_is_in_its_pool_and_on_its_node_those_first_that_saved_themselves_last() -> None:
    cluster = Contended(make_node("a"))
    losses = cluster.state.losses
    cluster.run(one := make_job(1))
    assert list(losses.in_pool(POOL)) == [Alike("alpha", "alpha", 0, 1)]
    cluster.run(two := make_job(2))
    cluster.wait(10)
    cluster.save(one)
    (rows,) = losses.in_pool(POOL).values()
    assert [attempt for _, attempt in rows] == [cluster.group(job).latest_attempt for job in (one, two)]
    assert losses.in_pool(("mixed", None)) == losses.in_pool(POOL)
    assert set(losses.on_node("mixed/a")) == set(cluster.state.live)


def test_who_stops_or_is_over_is_not_among_them() -> None:
    cluster = Contended(make_node("a"))
    losses = cluster.state.losses
    assert losses.in_pool(POOL) == {}
    cluster.run(one := make_job(1), two := make_job(2, tenant="beta"))
    cluster.move(make_group(one).id, Event.STOP, StopReason.CANCELLED)
    assert list(losses.stopping) == [cluster.group(one).latest_attempt]
    assert list(losses.in_pool(POOL)) == [Alike("beta", "beta", 0, 1)]
    cluster.leave()
    cluster.move(make_group(two).id, Event.ALL_SUCCEEDED)
    assert (list(losses.stopping), losses.in_pool(POOL), list(losses.on_node("mixed/a"))) == ([], {}, [])


def test_the_lowest_priority_of_a_tenant_and_of_all_is_known() -> None:
    cluster = Contended(make_node("a"))
    losses = cluster.state.losses
    assert (losses.lowest_priority("alpha"), losses.lowest_priority(None)) == (None, None)
    cluster.run(one := make_job(1, priority=4), make_job(2, priority=2, tenant="beta"))
    assert (losses.lowest_priority("alpha"), losses.lowest_priority(None)) == (4, 2)
    cluster.tell(PriorityChanged(one.id, 1, "someone"))
    assert (losses.lowest_priority("alpha"), losses.lowest_priority(None)) == (1, 1)


def test_an_attempt_would_lose_what_it_did_since_it_began_or_saved_itself() -> None:
    cluster = Contended(make_node("a"))
    cluster.run(one := make_job(1, workers=3))
    (live,) = cluster.state.live.values()
    assert unsaved_since(live) == NOON
    assert devices_of(live) == 3
    assert alike_of(live) == Alike("alpha", "alpha", 0, 3)
    cluster.wait(5)
    cluster.save(one)
    (live,) = cluster.state.live.values()
    assert unsaved_since(live) == seconds_after_noon(5)


def test_an_attempt_that_has_another_size_is_where_it_is_now() -> None:
    cluster = Contended(make_node("a"), make_node("b"))
    losses = cluster.state.losses
    cluster.run(make_job(1, tenant="beta"))
    assert list(losses.in_pool(POOL)) == [Alike("beta", "beta", 0, 1)]
    (live,) = cluster.state.live.values()
    larger = replace(live, allocations=(*live.allocations, make_allocation((0,), node="mixed/b", rank=1)))
    losses.change(live, larger)
    assert list(losses.in_pool(POOL)) == [Alike("beta", "beta", 0, 2)]
    assert list(losses.on_node("mixed/b")) == [live.attempt]
    losses.go(larger)
    assert (losses.in_pool(POOL), list(losses.on_node("mixed/b"))) == ({}, [])
