from scheduler.core.deciding.parts.promised import Promised
from scheduler.core.model.change import ReservationDropped, ReservationMade, TenantCreated
from scheduler.core.model.waiting.promise import DropReason, NodeRoom, Promise
from tests.builders.core import NOON, seconds_after_noon


def test_the_latest_promise_to_a_group_stands_until_it_is_dropped() -> None:
    promised = Promised()
    first = Promise("g", NOON, None, (NodeRoom("mixed/n1"),))
    later = Promise("g", seconds_after_noon(60), None, (NodeRoom("mixed/n2"),))
    for promise in (first, later):
        promised.follow(ReservationMade(promise))
        assert dict(promised) == {"g": promise}
    promised.follow(TenantCreated("alpha"))
    assert dict(promised) == {"g": later}
    for _ in range(2):
        promised.follow(ReservationDropped("g", DropReason.NOT_NEEDED))
        assert not promised
