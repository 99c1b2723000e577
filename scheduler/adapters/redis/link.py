"""The way to one Redis server: every call is short, and one that is away is left alone until it answers again."""

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from redis import Connection, ConnectionPool, Redis, UnixDomainSocketConnection
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from scheduler.adapters.redis.breaker import Breaker
from scheduler.ports.clock import Clock

logger = logging.getLogger(__name__)

CALL_TIMEOUT_S = 0.15
"""Of connecting and of answering each: a request that Redis delays comes no later than twice this."""
MOST_CONNECTIONS = 64
LOOK_EVERY_S = 2.0
"""How often an idle link looks whether the server is there."""

_NAMED = frozenset({"connection_class", "host", "port", "path", "db", "username", "password"})
"""What a URL says of a server, beside how TLS is done with it."""

Value = TypeVar("Value")


class RedisAway(Exception):
    """Redis did not answer, or is left alone since it did not; nobody knows whether it did what it was asked."""


class BadRedisUrl(ValueError):
    """The URL does not name a Redis server; the message says why."""


class RedisLink:
    """Connections to a server. Connects to nothing when it is made; all calls may come from any thread."""

    def __init__(self, url: str, namespace: str, clock: Clock) -> None:
        """`namespace` begins the name of everything that is kept there. Raises BadRedisUrl."""
        self._namespace = namespace
        self._breaker = Breaker(clock.monotonic_s)
        self._pool = _pool(url)
        self._redis = Redis(connection_pool=self._pool)
        self._last_error = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="redis-link", daemon=True)
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Whether the server is used; where not, it is looked at again by itself."""
        return self._breaker.is_closed

    @property
    def last_error(self) -> str:
        """What the latest call that failed said; empty where none did."""
        return self._last_error

    def name(self, *parts: str) -> str:
        """Return the name of something of ours there."""
        return ":".join((self._namespace, *parts))

    def call(self, ask: Callable[[Redis], Value]) -> Value:
        """Ask the server something. Raises RedisAway, at once where it is left alone."""
        if not self._breaker.is_closed:
            raise RedisAway(self._last_error)
        try:
            return ask(self._redis)
        except (RedisError, OSError) as error:
            self.note_failure(error)
            raise RedisAway(str(error)) from error

    def note_failure(self, error: Exception) -> None:
        """Count a failure of a connection to the server."""
        self._last_error = _words(error)
        if self._breaker.note_failure():
            logger.warning("Redis is left alone until it answers again: %s", self._last_error)

    def own_connection(self, timeout_s: float) -> Redis:
        """Return a client with a connection of its own, for a subscription; to be closed by whoever takes it."""
        arguments = self._pool.connection_kwargs | {"socket_timeout": timeout_s}
        return Redis(connection_pool=ConnectionPool(self._pool.connection_class, max_connections=1, **arguments))

    def close(self) -> None:
        """Ask nothing any more."""
        self._closing.set()
        self._thread.join(4 * CALL_TIMEOUT_S)
        self._pool.disconnect()

    def _watch(self) -> None:
        """Look at an idle server now and then, and at one that is left alone when it is due."""
        wait_s = 0.0
        while not self._closing.wait(wait_s):
            if self._breaker.is_closed:
                self._look()
                wait_s = LOOK_EVERY_S if self._breaker.is_closed and not self._last_error else CALL_TIMEOUT_S
            else:
                self._probe()
                wait_s = min(self._breaker.probe_in_s, LOOK_EVERY_S)

    def _look(self) -> None:
        try:
            self._redis.ping()
        except (RedisError, OSError) as error:
            self.note_failure(error)
        else:
            self._last_error = ""

    def _probe(self) -> None:
        if self._breaker.probe_in_s > 0:
            return
        try:
            self._redis.ping()
        except (RedisError, OSError) as error:
            self._last_error = _words(error)
            self._breaker.note_probe(is_answered=False)
        else:
            self._last_error = ""
            self._breaker.note_probe(is_answered=True)
            logger.info("Redis answers again")


def _pool(url: str) -> ConnectionPool:
    """Return connections as the URL names them, with our own timeouts whatever it says. Raises BadRedisUrl."""
    try:
        named: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]  # the library left it out
    except ValueError as error:
        raise BadRedisUrl(str(error)) from error
    unknown = sorted(name for name in named.keys() - _NAMED if not name.startswith("ssl_"))
    if unknown:
        raise BadRedisUrl(f"it may not say {', '.join(unknown)}")
    kind = named.pop("connection_class", Connection)
    if kind is not UnixDomainSocketConnection:
        named |= {"socket_connect_timeout": CALL_TIMEOUT_S, "socket_keepalive": True}
    try:
        pool = ConnectionPool(
            kind,
            max_connections=MOST_CONNECTIONS,
            socket_timeout=CALL_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            decode_responses=True,
            **named,
        )
        pool.make_connection()  # which connects to nothing yet
    except (TypeError, ValueError, RedisError) as error:
        raise BadRedisUrl(str(error)) from error
    return pool


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
