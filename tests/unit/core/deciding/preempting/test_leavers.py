"""What comes free for a gang, and the claim by which it is kept."""

from scheduler.core.deciding.backfilling.claims import Claims
from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.parts.live import going_of, whose_going
from scheduler.core.deciding.parts.waiters import Asked, Class
from scheduler.core.deciding.preempting.leavers import Leaver, claim_on, leaving_anyway, on_nodes_of, quota_share, whole
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Release
from scheduler.core.ledger.trial import Trial
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.group import StopReason
from scheduler.core.model.sharing.queue import QueueQuota
from tests.builders.core import make_job, make_node, make_shape
from tests.builders.preempting import Contended, elastic

LOW, HIGH = elastic(make_job(1, workers=8), 2), make_job(2, workers=4, priority=1)


def names(found: list[Leaver]) -> list[str]:
    return [leaver.name for leaver in found]


def anyway(cluster: Contended) -> list[str]:
    return names(list(leaving_anyway(cluster.state, cluster.passes.promises.claims)))


def only(state: SchedulerState) -> Leaver:
    (live,) = state.live.values()
    return whole(live)


def test_what_stops_and_nobody_waits_for_comes_free_anyway() -> None:
    cluster = Contended(make_node("n1"))
    cluster.run(LOW)
    assert anyway(cluster) == []
    cluster.move(cluster.group(LOW).id, Event.STOP, StopReason.LOST)
    assert anyway(cluster) == [only(cluster.state).name]


def test_workers_that_are_too_many_are_claimed_by_a_name_of_their_own() -> None:
    cluster = Contended(make_node("n1"))
    cluster.run(LOW)
    cluster.wait(100)
    cluster.submit(HIGH)
    cluster.decide()
    attempt = only(cluster.state).name
    (claim,) = cluster.passes.promises.claims
    assert claim.waits_for == {going_of(attempt)}
    assert (whose_going(going_of(attempt)), whose_going(attempt)) == (attempt, attempt)
    assert anyway(cluster) == [], "all of it is for whoever it was taken for"
    assert cluster.state.ledger.has_hold(going_of(attempt))
    cluster.leave()
    assert not cluster.state.ledger.has_hold(going_of(attempt))


def test_a_claim_needs_what_the_place_takes_and_awaits_what_is_held_there() -> None:
    cluster = Contended(make_node("n1"), make_node("n2"), quotas=(QueueQuota("alpha", "h100", limit=16),))
    cluster.run(make_job(1, shape=make_shape(8)))
    state, leaver = cluster.state, only(cluster.state)
    cluster.submit(make_job(2, shape=make_shape(8)))
    request = state.request(make_job(2).id)
    place = find_place(state, request)
    assert place is not None
    assert on_nodes_of(place, [leaver]) == []
    share = quota_share(state, request, place, [leaver])
    assert share is not None
    assert (share.uses, share.instead_of) == (
        (("mixed", "h100", 8_000),),
        {leaver.name: (("mixed", "h100", 8_000),)},
    )
    claim = claim_on(state, "g", place, [leaver], now=cluster.now, quota=share, claims=Claims())
    assert not claim.awaited
    assert claim.waits_for == {leaver.name}  # whoever goes elsewhere does so for its quota
    assert [entry.id for entry in claim.needs] == ["mixed/n2"]
    assert (claim.begins - cluster.now).total_seconds() == leaver.live.job.spec.grace_s


def test_two_claims_on_those_who_leave_a_node_do_not_count_on_the_same_of_them() -> None:
    cluster = Contended(make_node("n1", {"h100": 2}))
    cluster.run(make_job(1), make_job(2))
    state, leavers = cluster.state, [whole(live) for _, live in sorted(cluster.state.live.items())]
    cluster.submit(make_job(3))
    request, (entry,) = state.request(make_job(3).id), state.ledger.inventory.entries.values()
    with Trial(state.ledger) as trial:
        for leaver in leavers:
            trial.apply(Release(leaver.name))
        place = find_place(state, request)
    assert place is not None
    claims = Claims()
    for group, counts_on in (("first", leavers[0]), ("second", leavers[1])):
        claim = claim_on(state, group, place, leavers, now=cluster.now, quota=None, claims=claims)
        assert list(claim.awaited[entry]) == [counts_on.name]
        claims.keep(Class(Asked(request, None), []), claim)
