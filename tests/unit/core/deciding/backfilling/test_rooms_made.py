"""Who waits beside those for whom others are stopped is told so."""

from scheduler.core.deciding.backfilling.rooms_made import rooms_made
from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.model.job import Job
from scheduler.core.model.reason import KeptFor, KeptForOthers
from tests.builders.core import make_group, make_job, make_node, make_shape, seconds_after_noon
from tests.builders.preempting import Contended, elastic, evicted, given

ALL = make_job(2, workers=8, priority=1)
SMALL = make_job(3, workers=4, tenant="beta")


def making_room(running: Job) -> Contended:
    """Return a cluster, half of it free, in which somebody is to give way to one who needs all."""
    cluster = Contended(make_node("n1"))
    cluster.run(running)
    cluster.wait(100)
    cluster.submit(ALL)
    assert cluster.decide()
    return cluster


def test_what_is_free_already_is_kept_for_whom_others_are_stopped_for() -> None:
    cluster = making_room(low := make_job(1, shape=make_shape(4)))
    cluster.submit(SMALL)
    assert not evicted(cluster.decide())
    (reason,) = explain(cluster.state, make_group(SMALL).id, cluster.now).reasons
    until = seconds_after_noon(100 + low.spec.grace_s)
    assert reason == KeptForOthers((KeptFor(ALL.id, "alpha", until, (("h100", 4),), ("mixed/n1",)),), None)
    assert prospect_of(cluster.state, SMALL, cluster.now).reasons == (reason,)
    cluster.leave()
    cluster.decide()
    assert rooms_made(cluster.state) == []


def test_it_is_kept_from_nobody_who_does_not_need_it() -> None:
    cluster = making_room(make_job(1, shape=make_shape(4)))
    other = Contended(make_node("n1"), make_node("n2", {"a800": 8}))
    other.run(make_job(1, shape=make_shape(4)))
    other.wait(100)
    other.submit(ALL)
    other.decide()
    assert len(prospect_of(other.state, make_job(4, "a800"), other.now).places) == 1
    assert len(prospect_of(cluster.state, make_job(4), cluster.now).places) == 0


def test_the_room_that_elastic_jobs_give_is_kept_too_and_looking_leaves_no_trace() -> None:
    cluster = Contended(make_node("n1"))
    cluster.run(large := elastic(make_job(1, workers=6), 2))
    cluster.wait(100)
    cluster.submit(wants := make_job(2, workers=4, priority=1))
    assert given(cluster.decide()) == {make_group(large).id: 4}
    before = cluster.state.digest()
    (room,) = rooms_made(cluster.state)
    assert room.group == make_group(wants).id
    assert len(prospect_of(cluster.state, make_job(5, workers=2, tenant="beta"), cluster.now).places) == 0
    assert cluster.state.digest() == before
