"""Hints between processes: published on one channel, lost without harm."""

import logging
import threading
import uuid
from collections.abc import Callable
from typing import Any

from redis.client import PubSub
from redis.exceptions import RedisError

from scheduler.adapters.redis.link import CALL_TIMEOUT_S, RedisAway, RedisLink
from scheduler.ports.wake_up import Waiter, WakeUp

logger = logging.getLogger(__name__)

LISTEN_S = 0.2
"""How long the listening thread waits for one message: it looks this often whether it is to end."""
PING_AFTER_S = 3.0
GIVE_UP_AFTER_S = 6.0
"""A subscription that says nothing, not even to a ping, is a connection that nobody serves."""
AGAIN_S = 0.5
MOST_DIGITS = 18
"""Of a change number; what is longer was not said by one of us."""


class RedisWakeUp:
    """Fulfils ports.wake_up.WakeUp for all processes on one Redis.

    Listeners are those of `local`, and a hint of this process reaches them without Redis. Hints that come faster than
    they can be published are published as one. After every gap in the subscription all listeners are woken once: what
    came meanwhile is unknown.
    """

    def __init__(self, link: RedisLink, local: WakeUp, monotonic_s: Callable[[], float]) -> None:
        """Begin to listen."""
        self._link = link
        self._local = local
        self._monotonic_s = monotonic_s
        self._channel = link.name("hints")
        self._own_name = uuid.uuid4().hex
        self._has_news = threading.Event()
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._publish, "redis-publish"), (self._subscribe, "redis-subscribe"))
        ]
        for thread in self._threads:
            thread.start()

    def notify(self, *, decided: int = 0) -> None:
        """Wake the listeners of this process now, and those of others soon."""
        self._local.notify(decided=decided)
        self._has_news.set()

    @property
    def decided(self) -> int:
        """The highest `decided` of all hints that came here."""
        return self._local.decided

    def waiter(self) -> Waiter:
        """Return a new listener for a thread."""
        return self._local.waiter()

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at every hint of any process. Returns what ends it."""
        return self._local.listen(callback)

    def close(self) -> None:
        """End both threads; listeners hear of this process alone."""
        self._closing.set()
        self._has_news.set()
        for thread in self._threads:
            thread.join(LISTEN_S + 2 * CALL_TIMEOUT_S)

    def _publish(self) -> None:
        while self._has_news.wait() and not self._closing.is_set():
            self._has_news.clear()
            try:
                self._link.call(lambda redis: redis.publish(self._channel, self._message()))
            except RedisAway as error:
                logger.debug("a hint was lost: %s", error)

    def _subscribe(self) -> None:
        while not self._closing.is_set():
            if self._link.is_up:
                try:
                    self._listen_until_it_fails()
                except (RedisError, OSError) as error:
                    self._link.note_failure(error)
            self._closing.wait(AGAIN_S)

    def _listen_until_it_fails(self) -> None:
        redis = self._link.own_connection(timeout_s=2 * CALL_TIMEOUT_S)
        try:
            with redis.pubsub() as subscription:  # type: ignore[no-untyped-call]  # the library left it out
                subscription.subscribe(self._channel)
                self._hear(subscription)
        finally:
            redis.close()
            redis.connection_pool.disconnect()

    def _hear(self, subscription: PubSub) -> None:
        """Pass hints on until told to end. Raises RedisError, OSError; returns where the server says nothing."""
        heard_at_s = self._monotonic_s()
        while not self._closing.is_set():
            message: dict[str, Any] | None = subscription.get_message(timeout=LISTEN_S)
            silence_s = self._monotonic_s() - heard_at_s
            if message is not None:
                heard_at_s += silence_s
                self._pass_on(message)
            elif silence_s > GIVE_UP_AFTER_S or not self._link.is_up:
                return
            elif silence_s > PING_AFTER_S:
                subscription.ping()

    def _message(self) -> str:
        return f"{self._own_name} {self._local.decided}"

    def _pass_on(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._local.notify()
        elif message["type"] == "message":
            sender, _, decided = str(message["data"]).partition(" ")
            if sender != self._own_name:
                is_number = decided.isascii() and decided.isdigit() and len(decided) <= MOST_DIGITS
                self._local.notify(decided=int(decided) if is_number else 0)
