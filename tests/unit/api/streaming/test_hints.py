import threading
import time

import anyio

from api.streaming.hints import Hint
from api.streaming.waiting import wait_until
from scheduler.adapters.system.wake_up import InProcessWakeUp


def test_a_hint_from_another_thread_ends_the_wait() -> None:
    wake_up = InProcessWakeUp()

    async def listen() -> float:
        with Hint.listening(wake_up) as hint:
            threading.Timer(0.02, wake_up.notify).start()
            began_s = time.monotonic()
            await hint.wait(10)
            return time.monotonic() - began_s

    assert anyio.run(listen) < 5


def test_hints_that_came_before_the_wait_end_it_once() -> None:
    wake_up = InProcessWakeUp()

    async def listen() -> tuple[float, float]:
        with Hint.listening(wake_up) as hint:
            wake_up.notify()
            wake_up.notify()
            began_s = time.monotonic()
            await hint.wait(10)
            first_s = time.monotonic() - began_s
            await hint.wait(0.05)
            return first_s, time.monotonic() - began_s

    first_s, second_s = anyio.run(listen)
    assert first_s < 5
    assert second_s >= 0.05


def test_a_hint_after_the_loop_has_ended_does_no_harm() -> None:
    wake_up = InProcessWakeUp()
    kept: list[Hint] = []

    async def listen() -> None:
        with Hint.listening(wake_up) as hint:
            kept.append(hint)

    anyio.run(listen)
    kept[0]._notice()
    wake_up.notify()


def test_waiting_looks_again_at_every_hint_and_returns_what_is_enough() -> None:
    wake_up = InProcessWakeUp()
    looks: list[int] = []

    def look() -> int:
        looks.append(len(looks))
        if len(looks) < 3:
            threading.Timer(0.005, wake_up.notify).start()
        return len(looks)

    async def wait() -> int:
        return await wait_until(look, lambda seen: seen == 3, wake_up, wait_s=10)

    assert anyio.run(wait) == 3


def test_waiting_ends_with_the_last_look_when_the_time_is_over() -> None:
    async def wait() -> str:
        return await wait_until(lambda: "not yet", lambda _: False, InProcessWakeUp(), wait_s=0.05)

    assert anyio.run(wait) == "not yet"
