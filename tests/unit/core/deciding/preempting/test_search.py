from scheduler.core.deciding.preempting.candidates import Candidates, Claimant
from scheduler.core.deciding.preempting.search import Search
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.job import AnyOf, ExactMix, Job
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.topology import NODE, Closeness
from scheduler.core.placement.request import request_of
from tests.builders.core import make_job, make_node, make_shape
from tests.builders.preempting import Contended


def victims_for(cluster: Contended, job: Job) -> list[str] | None:
    """Return the jobs that would have to go for another one; the ledger is looked at afterwards."""
    claimant = Claimant(EvictionCause.PRIORITY, lambda alike: alike.priority < 1, lambda _: True)
    before = cluster.state.digest()
    with Trial(cluster.state.ledger) as trial:
        candidates = Candidates(cluster.state, claimant, cluster.now, restart_s=60)
        found = Search(cluster.state, request_of(job), candidates, trial).find("new/1")
    assert cluster.state.digest() == before
    return None if found is None else sorted(live.job.id for live in found[1])


def test_who_is_on_the_same_node_goes_together_where_one_alone_makes_no_room() -> None:
    cluster = Contended(make_node("a"), make_node("b"))
    jobs = [make_job(number, shape=make_shape(4)) for number in range(1, 5)]
    cluster.run(*jobs)
    found = victims_for(cluster, make_job(9, shape=make_shape(8)))
    assert found in ([jobs[0].id, jobs[1].id], [jobs[2].id, jobs[3].id])


def test_nobody_goes_where_it_would_not_be_enough() -> None:
    cluster = Contended(make_node("a"))
    cluster.run(make_job(1, shape=make_shape(4)), make_job(2, shape=make_shape(4), priority=5))
    assert victims_for(cluster, make_job(9, shape=make_shape(8))) is None


def test_a_gang_that_must_be_on_one_node_has_one_cleared() -> None:
    cluster = Contended(make_node("a"), make_node("b"))
    jobs = [make_job(number, shape=make_shape(4)) for number in range(1, 5)]
    cluster.run(*jobs)
    asking = make_job(9, workers=8, closeness=Closeness(required=NODE))
    assert victims_for(cluster, asking) in ([jobs[0].id, jobs[1].id], [jobs[2].id, jobs[3].id])


def test_each_part_of_a_gang_has_room_made() -> None:
    cluster = Contended(make_node("a"), make_node("b", {"a800": 8}))
    cluster.run(one := make_job(1, shape=make_shape(8)), two := make_job(2, "a800", shape=make_shape(8)))
    asking = make_job(9, ExactMix((("h100", 1), ("a800", 1))), shape=make_shape(8))
    assert victims_for(cluster, asking) == [one.id, two.id]


def test_a_later_option_is_taken_where_the_first_has_nobody_to_go() -> None:
    cluster = Contended(make_node("a"), make_node("b", {"a800": 8}))
    cluster.run(make_job(1, shape=make_shape(8), priority=5), two := make_job(2, "a800", shape=make_shape(8)))
    assert victims_for(cluster, make_job(9, AnyOf(("h100", "a800")), shape=make_shape(8))) == [two.id]


def test_nodes_of_another_tenant_are_no_room() -> None:
    cluster = Contended(make_node("a", tenant="beta"))
    cluster.run(make_job(1, shape=make_shape(8), tenant="beta"))
    assert victims_for(cluster, make_job(9)) is None


def test_whoever_fits_beside_the_gang_after_all_is_spared() -> None:
    cluster = Contended(make_node("a"), make_node("b", {"h100": 4}))
    cluster.run(large := make_job(1, workers=2, shape=make_shape(4)), make_job(2, shape=make_shape(4)))
    assert victims_for(cluster, make_job(9, shape=make_shape(8))) == [large.id]


def test_workers_without_devices_have_room_made_too() -> None:
    cluster = Contended(make_node("a", {}, cpu_milli=2_000))
    cluster.run(one := make_job(1, AnyOf(()), shape=make_shape(0, cpu_milli=2_000)))
    assert victims_for(cluster, make_job(9, AnyOf(()), shape=make_shape(0, cpu_milli=1_000))) == [one.id]
