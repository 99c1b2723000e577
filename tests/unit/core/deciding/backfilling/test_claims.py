from scheduler.core.deciding.backfilling.claims import READY_FOR_S, Claims
from scheduler.core.deciding.backfilling.reservations import Reservation
from scheduler.core.deciding.parts.waiters import Asked, Class
from scheduler.core.ledger.changes import Release
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.placement.request import request_of
from tests.builders.core import NOON, make_allocation, make_hold, make_job, make_ledger, make_node, seconds_after_noon


def held() -> Ledger:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("old/1", make_allocation((0,))))
    return ledger


def waiting(*groups: str) -> Class:
    job = make_job()
    return Class(Asked(request_of(job), None), [((0.0, 0.0, NOON, group, 0), group) for group in groups])


def claim_on(ledger: Ledger, attempt: str = "old/1", *, group: str = "g1") -> Reservation:
    (entry,) = ledger.inventory.entries.values()
    return Reservation(group, NOON, None, {entry: {"h100": 1}}, {entry: {attempt: {"h100": 1}}})


def test_a_claim_is_ready_when_nobody_stops_for_it_any_more() -> None:
    ledger, claims, of = held(), Claims(), waiting("g1")
    claims.keep(of, claim := claim_on(ledger))
    assert (claims.count(of), claims.has(of, "g1"), claims.is_awaited("old/1")) == (1, True, True)
    assert claims.refresh(ledger, NOON) == []
    assert claims.ready(of, "g1", 0) is None
    ledger.apply(Release("old/1"))
    assert claims.refresh(ledger, NOON) == [of]
    assert claims.ready(of, "g1", 0) is claim
    assert claims.is_ready(of)
    assert claims.ready(of, "g1", -1) is None
    assert claims.drop(claim) is of
    assert (list(claims), claims.ready(of, "g1", 0), claims.is_awaited("old/1")) == ([], None, False)


def test_a_claim_that_is_not_taken_is_given_up_after_a_while() -> None:
    ledger, claims, of = held(), Claims(), waiting("g1")
    claims.keep(of, claim := claim_on(ledger))
    ledger.apply(Release("old/1"))
    claims.refresh(ledger, seconds_after_noon(1_000))
    claims.refresh(ledger, seconds_after_noon(1_000 + READY_FOR_S))
    assert claim in claims
    assert claims.refresh(ledger, seconds_after_noon(1_001 + READY_FOR_S)) == [of]
    assert claim not in claims


def test_there_are_no_more_claims_than_gangs_that_wait() -> None:
    ledger, claims, of = held(), Claims(), waiting("g1", "g2")
    first, second = claim_on(ledger), claim_on(ledger, group="g2")
    claims.keep(of, first)
    claims.keep(of, second)
    of.members.pop()
    claims.refresh(ledger, NOON)
    assert list(claims) == [first]


def test_of_an_attempt_that_is_not_stopped_after_all_nothing_is_claimed() -> None:
    ledger, claims, of = held(), Claims(), waiting("g1")
    claims.keep(of, claim_on(ledger), roomy=["old/1"])
    assert list(claims.roomy) == ["old/1"]
    assert claims.drop_awaiting("old/1") == [of]
    assert (list(claims), list(claims.roomy), list(claims.awaiting("old/1"))) == ([], [], [])


def test_of_alike_gangs_the_first_takes_what_is_ready_first_and_the_other_has_what_was_meant_for_that_one() -> None:
    ledger, claims, of = held(), Claims(), waiting("g1", "g2")
    first, second = claim_on(ledger, "other/1"), claim_on(ledger, group="g2")
    ledger.apply(make_hold("other/1", make_allocation((1,))))
    claims.keep(of, first)
    claims.keep(of, second)
    ledger.apply(Release("old/1"))
    claims.refresh(ledger, NOON)
    assert claims.ready(of, "g1", 0) is second
    claims.take(of, second, "g1")
    assert list(claims) == [first]
    assert (claims.has(of, "g1"), claims.has(of, "g2")) == (False, True)


def test_a_gang_takes_its_own_claim_before_another_one_s_and_never_leaves_its_own_to_one_with_less_right() -> None:
    ledger, claims, of = held(), Claims(), waiting("g1", "g2")
    ledger.apply(make_hold("other/1", make_allocation((1,))))
    low, high = claim_on(ledger), claim_on(ledger, "other/1", group="g2")
    claims.keep(of, low, priority=0)
    claims.keep(of, high, priority=5)
    ledger.apply(Release("old/1"))
    claims.refresh(ledger, NOON)
    assert claims.ready(of, "g2", 5) is None
    assert claims.ready(of, "g1", 0) is low
    ledger.apply(Release("other/1"))
    claims.refresh(ledger, NOON)
    assert claims.ready(of, "g2", 5) is high
