"""What every wake-up promises: whoever waits hears of a hint soon, and a hint between two waits is not lost."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event, Thread

import pytest

from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.ports.wake_up import WakeUp
from tests.builders.eventually import eventually
from tests.builders.redis import listening

PATIENCE_S = 30.0


@pytest.fixture(params=["in-process", "redis"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[WakeUp, WakeUp]]:
    """The wake-up under test as two users have it; on Redis as two processes have it."""
    with ExitStack() as stack:
        if request.param == "in-process":
            one = InProcessWakeUp()
            yield one, one
        else:
            server, namespace = request.getfixturevalue("redis_server"), uuid.uuid4().hex
            here, there = (stack.enter_context(listening(server, namespace)) for _ in range(2))
            yield here, there


@pytest.fixture
def wake_up(pair: tuple[WakeUp, WakeUp]) -> WakeUp:
    """The wake-up under test."""
    return pair[0]


def test_a_hint_reaches_whoever_waits_elsewhere(pair: tuple[WakeUp, WakeUp]) -> None:
    here, there = pair
    waiter, calls = there.waiter(), Event()
    there.listen(calls.set)

    here.notify()

    assert waiter.wait(PATIENCE_S) is True
    assert calls.wait(PATIENCE_S)


def test_how_far_everything_is_decided_is_heard_elsewhere_and_never_goes_back(pair: tuple[WakeUp, WakeUp]) -> None:
    here, there = pair
    assert there.decided == 0

    here.notify(decided=7)
    assert here.decided == 7
    assert eventually(lambda: there.decided == 7, within_s=PATIENCE_S)

    waiter = there.waiter()
    here.notify()
    here.notify(decided=3)
    assert waiter.wait(PATIENCE_S)
    assert there.decided == 7


def test_a_hint_for_one_waiter_reaches_no_other(wake_up: WakeUp) -> None:
    one, other = wake_up.waiter(), wake_up.waiter()

    one.hint()

    assert one.wait(0) is True
    assert other.wait(0) is False


def test_a_hint_ends_a_wait(wake_up: WakeUp) -> None:
    waiter = wake_up.waiter()
    heard: list[bool] = []
    thread = Thread(target=lambda: heard.append(waiter.wait(PATIENCE_S)))
    thread.start()

    wake_up.notify()
    thread.join(PATIENCE_S)

    assert heard == [True]


def test_a_wait_without_a_hint_ends_with_its_time(wake_up: WakeUp) -> None:
    assert wake_up.waiter().wait(0.01) is False


def test_a_hint_between_two_waits_is_kept_once(wake_up: WakeUp) -> None:
    waiter = wake_up.waiter()

    wake_up.notify()
    wake_up.notify()

    assert waiter.wait(0) is True
    assert waiter.wait(0) is False


def test_a_hint_before_a_waiter_came_is_not_for_it(wake_up: WakeUp) -> None:
    wake_up.notify()

    assert wake_up.waiter().wait(0) is False


def test_every_listener_hears_every_hint(wake_up: WakeUp) -> None:
    waiters = [wake_up.waiter(), wake_up.waiter()]
    calls: list[str] = []
    wake_up.listen(lambda: calls.append("heard"))

    wake_up.notify()
    wake_up.notify()

    assert [waiter.wait(0) for waiter in waiters] == [True, True]
    assert eventually(lambda: calls == ["heard", "heard"], within_s=PATIENCE_S)


def test_a_listener_that_left_hears_nothing(wake_up: WakeUp) -> None:
    calls: list[str] = []
    staying = Event()
    leave = wake_up.listen(lambda: calls.append("heard"))
    wake_up.listen(staying.set)

    leave()
    leave()
    wake_up.notify()

    assert staying.wait(PATIENCE_S)
    assert calls == []


def test_a_listener_may_leave_while_it_is_called(wake_up: WakeUp) -> None:
    calls: list[str] = []

    def once() -> None:
        calls.append("heard")
        leave()

    leave = wake_up.listen(once)
    wake_up.notify()
    assert eventually(lambda: calls == ["heard"], within_s=PATIENCE_S)

    wake_up.notify()

    assert calls == ["heard"]


def test_closing_releases_whoever_waits(wake_up: WakeUp) -> None:
    waiter = wake_up.waiter()
    heard: list[bool] = []
    thread = Thread(target=lambda: heard.append(waiter.wait(PATIENCE_S * 10)))
    thread.start()

    waiter.close()
    thread.join(PATIENCE_S)

    assert heard == [False]
    wake_up.notify()
    assert waiter.wait(0) is False
