"""One kind of objects, followed: a list in pages, then a watch for as long as it lasts, and again.

A thread of its own keeps the store as the API server has it. What may go wrong goes wrong silently in others: a watch
that says nothing any more, a version that is too old, a proxy that ends every stream at once. Here each end of a
stream is followed by a pause that grows, silence is an end, and what cannot be understood leads to a new list.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, NoReturn, Protocol

from scheduler.adapters.kubernetes.decoding.collecting import collecting_later
from scheduler.adapters.kubernetes.decoding.fields import version_of
from scheduler.adapters.kubernetes.store import Store, View
from scheduler.adapters.kubernetes.transport import ApiFault, Garbled, Stream, Timing, Unreachable

JSON = "application/json"
PARTIAL_LIST = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
PARTIAL = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1,{JSON}"
LARGEST_PAGE_BYTES = 64 * 1024 * 1024
"""An API server holds no object of more than 3 MiB, so that a page of one always fits."""
LONGEST_TOLD_PAUSE_S = 60.0
"""A server that asks for a longer pause is asked after so long all the same."""
OVERTIME_S = 60.0
"""A server that does not end a watch when it should is left after so long."""
CLOSING_LIMIT_S = 5.0

logger = logging.getLogger(__name__)


class _WatchEnded(ApiFault):
    """The server ended a watch by an error within it."""


class Source(Protocol):
    """What a reflector needs of a transport."""

    def text(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        limit_bytes: int = LARGEST_PAGE_BYTES,
        accept: str = JSON,
        timeout_s: float = 15.0,
    ) -> bytes:
        """Return an answer as it is; see Transport."""
        ...

    def stream(
        self, path: str, *, query: Mapping[str, str] | None = None, silence_s: float, accept: str = JSON
    ) -> Stream:
        """Open a stream; see Transport."""
        ...


@dataclass(frozen=True, slots=True)
class Resource:
    """What to follow."""

    path: str
    """As `/api/v1/pods`."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Selectors."""
    what: str = "objects"
    """For people."""
    is_metadata_only: bool = False
    """Ask the server to send no more than the metadata."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much, how often and how long."""

    page: int = 500
    page_limit_s: float = 60.0
    silence_s: float = 75.0
    """Bookmarks come every minute, so that this long without a word means that the connection is dead."""
    shortest_watch_s: float = 240.0
    longest_watch_s: float = 480.0
    relist_s: float = 600.0
    first_pause_s: float = 0.1
    longest_pause_s: float = 30.0
    steady_s: float = 10.0
    """A watch that lasted so long makes the next pause a short one."""


@dataclass(frozen=True, slots=True)
class ReflectorHealth:
    """How well the store follows."""

    is_synced: bool
    """Whether a first list is complete."""
    age_s: float | None
    """Since the server last told anything; None before the first list."""
    relists: int
    """Lists after the first."""
    last_error: str | None
    """None while the watch is open and well."""


class Reflector(Generic[View]):
    """Keeps a store of views as the API server has the objects. All methods may be called by any thread."""

    def __init__(
        self,
        transport: Source,
        resource: Resource,
        *,
        view: Callable[[dict[str, Any]], View | None],
        on_change: Callable[[View | None, View | None], object],
        timing: Timing | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`view` returns None for what is not to be kept; an object that it cannot read stays as it was known.

        `on_change` hears what was and what is, None for nothing, object by object in the order of the changes and by
        one thread at a time, also from within `wrote`. It must be quick, and nobody may call `wrote` while holding a
        lock that it takes.
        """
        self._transport = transport
        self._resource = resource
        self._timing = timing or Timing()
        self._pace = pace or Pace()
        self._store: Store[View] = Store(
            resource.what, view=view, on_change=on_change, monotonic_s=self._timing.monotonic_s
        )
        self._closing = threading.Event()
        self._synced = threading.Event()
        self._guard = threading.Lock()
        self._stream: Stream | None = None
        self._opened_s: float | None = None
        self._heard_s: float | None = None
        self._listed_s = float("-inf")
        self._is_stale = True
        self._pause_s = self._pace.first_pause_s
        self._page = self._pace.page
        self._lists = 0
        self._last_error: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"kubernetes-{resource.what}", daemon=True)

    @property
    def is_synced(self) -> bool:
        """Say whether a first list is complete."""
        return self._synced.is_set()

    @property
    def health(self) -> ReflectorHealth:
        """How well the store follows."""
        heard_s = self._heard_s
        return ReflectorHealth(
            is_synced=self.is_synced,
            age_s=None if heard_s is None else max(self._timing.monotonic_s() - heard_s, 0),
            relists=max(self._lists - 1, 0),
            last_error=self._last_error,
        )

    def start(self) -> None:
        """Begin to follow; to be called once."""
        self._thread.start()

    def wait_synced(self, limit_s: float) -> bool:
        """Wait for the first list and say whether it is complete."""
        return self._synced.wait(limit_s)

    def close(self) -> None:
        """Stop following; what is stored stays readable. May be called again, and before `start`."""
        self._closing.set()
        with self._guard:
            if self._stream is not None:
                self._stream.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(CLOSING_LIMIT_S)  # a list under way ends by its own timeout

    def snapshot(self) -> dict[str, View]:
        """Return all views by key (`namespace/name`, or the name), as of one moment."""
        return self._store.snapshot()

    def get(self, key: str) -> View | None:
        """Return the view under a key, None where there is none."""
        return self._store.get(key)

    def wrote(self, obj: dict[str, Any]) -> None:
        """Take over the answer to an own write, so that it is seen at once. What the watch told later stays.

        Raises KeyError or ValueError for what is no object.
        """
        self._store.wrote(obj)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._turn()
            except Exception:  # a reflector that ends would be a watch that silently stops
                logger.exception("%s: following them failed, they are listed anew", self._resource.what)
                self._is_stale = True
                self._closing.wait(self._pace.longest_pause_s)

    def _turn(self) -> None:
        """List where that is needed, watch until the stream ends, and pause."""
        self._opened_s = None
        told_s = 0.0
        try:
            if self._is_stale or self._timing.monotonic_s() - self._listed_s >= self._pace.relist_s:
                self._is_stale = True
                self._list()
                self._is_stale = False
            self._watch()
        except Exception as error:  # noqa: BLE001 - whatever it was, it is asked again
            self._is_stale = self._is_stale or _asks_for_a_list(error)
            if isinstance(error, ApiFault):
                told_s = min(error.retry_after_s or 0.0, LONGEST_TOLD_PAUSE_S)
            self._note(error)
        if self._opened_s is not None and self._timing.monotonic_s() - self._opened_s >= self._pace.steady_s:
            self._pause_s = self._pace.first_pause_s
        pause_s = max(self._pause_s * (1 + self._timing.random()) / 2, told_s)
        self._pause_s = min(self._pause_s * 2, self._pace.longest_pause_s)
        self._timing.pause(self._closing, pause_s)

    def _note(self, error: Exception) -> None:
        if self._closing.is_set():
            return
        said = str(error) or type(error).__name__
        if not isinstance(error, ApiFault | Unreachable):
            logger.error("%s: following them failed, they are listed anew", self._resource.what, exc_info=error)
        elif said != self._last_error:
            logger.warning("%s: %s", self._resource.what, said)
        self._last_error = said

    def _list(self) -> None:
        """Read the complete list, page by page, and take it over. A page that is too large is asked for by halves."""
        found: dict[str, View] = {}
        # without a version: a list from a cache may be older than what this server wrote before it was restarted
        query = dict(self._resource.query)
        while True:
            page = self._transport.text(
                self._resource.path,
                query={**query, "limit": str(self._page)},
                limit_bytes=LARGEST_PAGE_BYTES + 1,
                accept=PARTIAL_LIST if self._resource.is_metadata_only else JSON,
                timeout_s=self._pace.page_limit_s,
            )
            if len(page) > LARGEST_PAGE_BYTES and self._page > 1:
                self._page //= 2
                continue
            with collecting_later():
                version, going_on = self._read_page(page, found)
            self._heard_s = self._timing.monotonic_s()
            if self._closing.is_set():
                return
            if not going_on:
                break
            query = {**query, "continue": going_on}
        self._page = min(self._page * 2, self._pace.page)
        self._store.replace(found, version)
        self._listed_s = self._heard_s
        self._lists += 1
        self._synced.set()

    def _read_page(self, page: bytes, found: dict[str, View]) -> tuple[int, str]:
        """Put a page's views into `found`, return the list's version and where it goes on. Raises Garbled."""
        try:
            answer = json.loads(page)
            version, going_on = version_of(answer), answer["metadata"].get("continue") or ""
            for obj in answer.get("items") or ():
                key, view = self._store.read(obj)
                if view is not None:
                    found[key] = view
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Garbled(
                f"the answer is no list of {self._resource.what}, or longer than {LARGEST_PAGE_BYTES:,} bytes; "
                "is this an API server?"
            ) from error
        return version, going_on

    def _watch(self) -> None:
        """Follow from the store's position until the stream ends. Raises what ended it, if it is more than its time."""
        pace, now_s = self._pace, self._timing.monotonic_s()
        span_s = pace.shortest_watch_s + (pace.longest_watch_s - pace.shortest_watch_s) * self._timing.random()
        lasts_s = max(min(span_s, self._listed_s + pace.relist_s - now_s), 1)
        query = {
            **self._resource.query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": str(self._store.position),
            "timeoutSeconds": str(round(lasts_s)),
        }
        accept = PARTIAL if self._resource.is_metadata_only else JSON
        stream = self._transport.stream(self._resource.path, query=query, silence_s=pace.silence_s, accept=accept)
        try:
            with self._guard:
                self._stream = stream
                if self._closing.is_set():
                    return
            self._opened_s = self._heard_s = self._timing.monotonic_s()
            self._last_error = None
            for line in stream:
                self._apply(line)
                if self._heard_s > now_s + lasts_s + OVERTIME_S:
                    return
        finally:
            stream.close()
            with self._guard:
                self._stream = None

    def _apply(self, line: bytes) -> None:
        """Take over one event. Raises Garbled or ApiFault where only a new list helps."""
        try:
            event = json.loads(line)
            kind, obj = event["type"], event["object"]
            if kind in ("ADDED", "MODIFIED"):
                self._store.apply(obj, is_gone=False)
            elif kind == "DELETED":
                self._store.apply(obj, is_gone=True)
            elif kind == "BOOKMARK":
                self._store.advance(version_of(obj))
            elif kind == "ERROR":
                _refuse(obj)
            else:
                raise Garbled(f"the watch brought an event of the unknown type {str(kind)[:50]!r}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Garbled(f"the watch brought what is no event ({type(error).__name__}: {str(error)[:100]})") from error
        self._heard_s = self._timing.monotonic_s()


def _refuse(status: Any) -> NoReturn:
    code = status.get("code")
    raise _WatchEnded.from_status(code if isinstance(code, int) else HTTPStatus.GONE, status, asked="watch")


def _asks_for_a_list(error: Exception) -> bool:
    """Say whether going on from the last version is of no use.

    Overload, faults of the server and of the connection pass, so that the watch goes on where it was. Everything else
    (410, an error within the watch, what cannot be read, a version that the server has not reached) needs a new list.
    """
    if isinstance(error, _WatchEnded):
        return True
    if isinstance(error, ApiFault):
        causes = error.details.get("causes") or ()
        return not error.is_retryable or any(
            isinstance(cause, Mapping) and cause.get("reason") == "ResourceVersionTooLarge" for cause in causes
        )
    return isinstance(error, Garbled) or not isinstance(error, Unreachable)
