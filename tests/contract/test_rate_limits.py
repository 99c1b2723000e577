"""What every keeper of allowances promises: a full one is granted, an empty one is not, nothing is half charged."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from scheduler.adapters.redis.rate_limits import RedisRateLimits
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.rate_limits import InProcessRateLimits
from scheduler.ports.rate_limit import Allowance, Rate, RateLimits
from tests.builders.eventually import eventually
from tests.builders.redis import linked

HOUR_S = 3600


@pytest.fixture(params=["in-process", "redis"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[RateLimits, RateLimits]]:
    """The allowances under test as two users have them; on Redis as two processes have them."""
    with ExitStack() as stack:
        if request.param == "in-process":
            one = InProcessRateLimits(SystemClock())
            yield one, one
        else:
            server, namespace = request.getfixturevalue("redis_server"), uuid.uuid4().hex
            links = [stack.enter_context(linked(server, namespace)) for _ in range(2)]
            here, there = (RedisRateLimits(link, InProcessRateLimits(SystemClock())) for link in links)
            yield here, there


@pytest.fixture
def limits(pair: tuple[RateLimits, RateLimits]) -> RateLimits:
    return pair[0]


def allowance(key: str, *, units: int = 5, window_s: int = HOUR_S, name: str = "token") -> Allowance:
    return Allowance(name, key, Rate(units, window_s))


def test_a_allowance_grants_its_size_at_once_and_then_says_how_long_to_wait(limits: RateLimits) -> None:
    granted = [limits.charge([allowance("a")], 1) for _ in range(5)]
    assert [(each.is_granted, each.wait_s, each.balances[0].remaining) for each in granted] == [
        (True, 0.0, left) for left in (4, 3, 2, 1, 0)
    ]
    refused = limits.charge([allowance("a")], 1)
    assert not refused.is_granted
    assert 0 < refused.wait_s <= HOUR_S / 5
    assert refused.balances[0].remaining == 0
    assert HOUR_S - 60 < refused.balances[0].full_in_s <= HOUR_S


def test_a_allowance_refills(limits: RateLimits) -> None:
    quick = allowance("a", units=4, window_s=1)
    assert limits.charge([quick], 4).is_granted
    assert not limits.charge([quick], 4).is_granted
    assert eventually(lambda: limits.charge([quick], 4).is_granted, within_s=60)


def test_a_refused_charge_spends_nothing_of_any_allowance(limits: RateLimits) -> None:
    wide, narrow = allowance("wide", units=10, name="tenant"), allowance("narrow", units=2)
    assert limits.charge([narrow, wide], 2).is_granted
    refused = limits.charge([narrow, wide], 1)
    assert not refused.is_granted
    assert [each.remaining for each in refused.balances] == [0, 8]
    assert limits.charge([wide], 8).is_granted


def test_what_costs_more_takes_more(limits: RateLimits) -> None:
    assert limits.charge([allowance("a")], 3).balances[0].remaining == 2
    refused = limits.charge([allowance("a")], 3)
    assert not refused.is_granted
    assert refused.balances[0].remaining == 2
    assert limits.charge([allowance("a")], 2).is_granted


def test_what_costs_more_than_a_whole_allowance_takes_the_whole_allowance(limits: RateLimits) -> None:
    assert limits.charge([allowance("a")], 50).is_granted
    assert not limits.charge([allowance("a")], 1).is_granted


def test_allowances_of_others_and_of_other_kinds_are_apart(limits: RateLimits) -> None:
    assert limits.charge([allowance("a")], 5).is_granted
    assert limits.charge([allowance("b")], 5).is_granted
    assert limits.charge([allowance("a", name="tenant")], 5).is_granted


def test_nothing_is_charged_where_there_is_no_allowance(limits: RateLimits) -> None:
    charge = limits.charge([], 7)
    assert (charge.is_granted, charge.wait_s, charge.balances) == (True, 0.0, ())


def test_however_many_ask_at_once_and_wherever_no_more_is_granted_than_there_is(
    pair: tuple[RateLimits, RateLimits],
) -> None:
    both = [allowance("a", units=100), allowance("t", units=150, name="tenant")]
    with ThreadPoolExecutor(8) as threads:
        charges = list(threads.map(lambda number: pair[number % 2].charge(both, 1), range(300)))
    assert sum(each.is_granted for each in charges) == 100
