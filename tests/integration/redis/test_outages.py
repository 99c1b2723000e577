"""Redis wiped, paused, killed, or full of somebody else's things: nobody is refused for it, and nobody waits long."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.adapters.redis.link import BadRedisUrl, RedisAway, RedisLink
from scheduler.adapters.redis.rate_limits import RedisRateLimits
from scheduler.adapters.redis.wake_up import RedisWakeUp
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.rate_limits import InProcessRateLimits
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.ports.rate_limit import Allowance, Rate
from tests.builders.eventually import eventually
from tests.builders.redis import PATIENCE_S, RedisServer, linked, listening, running_redis

LONGEST_CHARGE_S = 2.0
"""Far above the two timeouts of a call: the machine of the tests is busy."""


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server for one test, that may do with it what it likes."""
    with running_redis() as server:
        yield server


@pytest.fixture
def namespace() -> str:
    return uuid.uuid4().hex


def allowance(units: int = 1000) -> Allowance:
    return Allowance("token", "a", Rate(units, 3600))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "redis://127.0.0.1:port",
        "redis://127.0.0.1:1?socket_timeout=60",
        "redis://127.0.0.1:1?nonsense=1",
        "rediss://127.0.0.1:1?ssl_nonsense=1",
    ],
)
def test_what_cannot_name_a_server_or_would_have_calls_wait_is_refused(url: str) -> None:
    with pytest.raises(BadRedisUrl):
        RedisLink(url, "x", SystemClock())


@pytest.mark.parametrize(
    "url", ["unix://:word@/nowhere/redis.sock?db=1", "rediss://:word@127.0.0.1:1/2?ssl_cert_reqs=none"]
)
def test_a_server_may_be_named_by_its_socket_and_by_a_password(url: str) -> None:
    link = RedisLink(url, "x", SystemClock())
    try:
        eventually(lambda: not link.is_up, within_s=PATIENCE_S)
        assert link.last_error
        assert "word" not in link.last_error
    finally:
        link.close()


@pytest.mark.parametrize("how", ["paused", "killed"])
def test_without_redis_everybody_is_served_from_what_this_process_knows(
    own_server: RedisServer, redis_server: RedisServer, namespace: str, how: str
) -> None:
    with linked(own_server, namespace) as link:
        limits = RedisRateLimits(link, InProcessRateLimits(SystemClock()))
        assert limits.charge([allowance()], 900).is_granted
        (own_server.pause if how == "paused" else own_server.kill)()
        took_s = []
        for _ in range(20):
            began_s = time.monotonic()
            assert limits.charge([allowance()], 1).is_granted
            took_s.append(time.monotonic() - began_s)
        assert max(took_s) < LONGEST_CHARGE_S
        assert sum(took_s) < 5 * LONGEST_CHARGE_S
        assert not link.is_up
        assert link.last_error
        # What was granted before counts: the allowance is not suddenly full.
        assert not limits.charge([allowance()], 500).is_granted
        (own_server.resume if how == "paused" else own_server.start)()
        assert eventually(lambda: link.is_up, within_s=PATIENCE_S)
        assert limits.charge([allowance()], 1).is_granted


def test_many_callers_at_once_are_served_while_redis_hangs(
    own_server: RedisServer, redis_server: RedisServer, namespace: str
) -> None:
    with linked(own_server, namespace) as link, ThreadPoolExecutor(40) as threads:
        limits = RedisRateLimits(link, InProcessRateLimits(SystemClock()))
        own_server.pause()
        began_s = time.monotonic()
        charges = list(threads.map(lambda _: limits.charge([allowance()], 1), range(400)))
        assert all(charge.is_granted for charge in charges)
        assert time.monotonic() - began_s < 5 * LONGEST_CHARGE_S
        own_server.resume()


def test_wiped_it_goes_on_with_full_allowances(redis_server: RedisServer, namespace: str) -> None:
    with linked(redis_server, namespace) as link:
        limits = RedisRateLimits(link, InProcessRateLimits(SystemClock()))
        assert limits.charge([allowance(5)], 5).is_granted
        assert not limits.charge([allowance(5)], 1).is_granted
        redis_server.wipe()
        assert limits.charge([allowance(5)], 1).balances[0].remaining == 4
        assert link.is_up


def test_somebody_elses_things_under_our_names_count_as_a_full_allowance(
    redis_server: RedisServer, namespace: str
) -> None:
    with linked(redis_server, namespace) as link, redis_server.client() as client:
        limits = RedisRateLimits(link, InProcessRateLimits(SystemClock()))
        key = link.name("{allowances}", "token", "a")
        client.set(key, "no number")
        assert limits.charge([allowance(5)], 1).balances[0].remaining == 4
        client.set(key, "9" * 15 + "0" * 5)  # full in thousands of years
        refused = limits.charge([allowance(5)], 1)
        assert not refused.is_granted
        assert refused.balances[0].full_in_s == 3600
        client.delete(key)
        client.lpush(key, "a list")
        assert limits.charge([allowance(5)], 1).is_granted


def test_a_hint_never_waits_for_redis_and_those_here_hear_it_all_the_same(
    own_server: RedisServer, redis_server: RedisServer, namespace: str
) -> None:
    with listening(own_server, namespace) as wake_up:
        waiter = wake_up.waiter()
        own_server.pause()
        began_s = time.monotonic()
        for _ in range(1000):
            wake_up.notify()
        assert time.monotonic() - began_s < LONGEST_CHARGE_S
        assert waiter.wait(0)
        own_server.resume()


@pytest.mark.parametrize("how", ["paused", "killed"])
def test_hints_pass_again_once_redis_is_back_and_the_gap_itself_is_a_hint(
    own_server: RedisServer, redis_server: RedisServer, namespace: str, how: str
) -> None:
    with listening(own_server, namespace) as here, linked(own_server, namespace) as link:
        there = RedisWakeUp(link, InProcessWakeUp(), SystemClock().monotonic_s)
        try:
            channel = link.name("hints")
            eventually(lambda: own_server.subscribers(channel) == 2, within_s=PATIENCE_S)
            (own_server.pause if how == "paused" else own_server.kill)()
            eventually(lambda: not link.is_up, within_s=PATIENCE_S)
            woken = there.waiter()
            (own_server.resume if how == "paused" else own_server.start)()
            assert woken.wait(PATIENCE_S)
            eventually(lambda: own_server.subscribers(channel) == 2, within_s=PATIENCE_S)
            assert eventually(lambda: _passes(here, there), within_s=PATIENCE_S)
        finally:
            there.close()


def _passes(here: RedisWakeUp, there: RedisWakeUp) -> bool:
    waiter = there.waiter()
    here.notify()
    return waiter.wait(1.0)


def test_a_link_that_is_closed_asks_nothing(own_server: RedisServer, redis_server: RedisServer, namespace: str) -> None:
    own_server.kill()
    with linked(own_server, namespace) as link:
        eventually(lambda: not link.is_up, within_s=PATIENCE_S)
        with pytest.raises(RedisAway):
            link.call(lambda redis: redis.ping())
