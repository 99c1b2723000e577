"""Watches: what changed since a version, as lines, with bookmarks; and the ways in which a watch can go wrong."""

import json
import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from tests.kubernetes.fake_api.answers import Json, Refusal
from tests.kubernetes.fake_api.reading import Query
from tests.kubernetes.fake_api.resources import PODS
from tests.kubernetes.fake_api.selectors import Matcher
from tests.kubernetes.fake_api.store import Event, Store, Stored

BOOKMARK_EVERY_S = 60.0
SHORTEST_WATCH_S = 1800
"""Where the caller names no time; a random one up to twice as long."""


class Broken(Exception):
    """The connection is to be cut without a proper end."""


class Trouble(Enum):
    """What may be done to a running watch."""

    END = "end"
    """It ends properly, as at its time."""
    CUT = "cut"
    """The connection is closed in the middle of a line."""
    FREEZE = "freeze"
    """Nothing is sent any more, and nothing closed."""
    EXPIRE = "expire"
    """It ends with an ERROR event of 410."""


@dataclass(eq=False, slots=True)
class Watch:
    """One running watch. Its lines come from `lines`, in the thread of its connection."""

    store: Store
    query: Query
    bookmark_every_s: float
    orders: deque[Trouble | bytes] = field(default_factory=deque)
    """What a test asks of it; bytes are sent as they are."""
    is_frozen: bool = False
    is_over: bool = False
    _position: int = 0
    _wanted: Matcher | None = None

    @property
    def path(self) -> str:
        """The list's path that is watched."""
        kind = self.query.kind
        between = f"/namespaces/{self.query.namespace}" if self.query.namespace else ""
        return f"{kind.prefix}{between}/{kind.plural}"

    @property
    def position(self) -> int:
        """The version up to which it has sent everything."""
        return self._position

    def lines(self) -> Iterator[bytes]:
        """Yield what is to be sent next, one or several lines at once; ends when the watch does. Raises Broken."""
        given_s = self.query.number("timeoutSeconds")
        ends_at = time.monotonic() + (given_s or random.uniform(SHORTEST_WATCH_S, 2 * SHORTEST_WATCH_S))
        self._wanted = self.query.matcher()
        version = self.query.version()
        has_bookmarks = self.query.parameters.get("allowWatchBookmarks") in ("true", "1")
        if version:
            self._position = version
        else:
            first = self._initial(has_bookmarks=has_bookmarks)
            if first:
                yield first
        bookmark_at = time.monotonic() + self.bookmark_every_s if has_bookmarks else float("inf")
        while True:
            with self.store.lock:
                chunk = self._next(min(ends_at, bookmark_at))
            if chunk is None:
                return
            if chunk and not self.is_frozen:
                yield chunk
            now = time.monotonic()
            if self.is_over or (now >= ends_at and not self.is_frozen):
                return
            if now >= bookmark_at:
                bookmark_at = now + self.bookmark_every_s
                if not self.is_frozen:
                    yield self._bookmark({})

    def _initial(self, *, has_bookmarks: bool) -> bytes:
        with self.store.lock:
            self._position = self.store.version
            present = [one for one in self.store.all(self.query.kind) if self._wants(one)]
        lines = b"".join(self._line("ADDED", one) for one in present)
        if has_bookmarks:
            lines += self._bookmark({"annotations": {"k8s.io/initial-events-end": "true"}})
        return lines

    def _next(self, wake_at: float) -> bytes | None:
        """Return what is to be sent, waiting for it until a moment; None where the watch has ended."""
        while True:
            while self.orders:
                order = self.orders.popleft()
                if isinstance(order, bytes):
                    return order
                return self._obey(order)
            try:
                events = [] if self.is_frozen else self.store.since(self.query.kind, self._position)
            except Refusal as refusal:
                self.is_over = True
                return self._error(refusal)
            self._position = max(self._position, self.store.version) if not self.is_frozen else self._position
            lines = b"".join(line for event in events if (line := self._told(event)))
            left_s = wake_at - time.monotonic()
            if lines or self.is_over or (left_s <= 0 and not self.is_frozen):
                return lines
            self.store.changed.wait(max(left_s, 0.0) if not self.is_frozen else None)

    def _obey(self, order: Trouble) -> bytes | None:
        if order is Trouble.FREEZE:
            self.is_frozen = True
            return b""
        self.is_over = True
        if order is Trouble.CUT:
            raise Broken
        if order is Trouble.EXPIRE:
            return self._error(Refusal(410, f"too old resource version: {self._position} ({self.store.version})"))
        return None

    def _wants(self, stored: Stored | None) -> bool:
        return stored is not None and (self._wanted is None or self._wanted(stored.document))

    def _told(self, event: Event) -> bytes:
        """Return the line of an event as this watch sees it: objects come and go as its selectors choose them."""
        was, now = self._wants(event.before), event.verb != "DELETED" and self._wants(event.after)
        if event.verb == "DELETED":
            return self._line("DELETED", event.after) if was else b""
        if now:
            return self._line("MODIFIED" if was else "ADDED", event.after)
        if not was or event.before is None:
            return b""
        metadata = {**event.before.document["metadata"], "resourceVersion": str(event.version)}
        last = Stored(
            event.before.kind, event.before.key, event.version, {**event.before.document, "metadata": metadata}
        )
        return self._line("DELETED", last)

    def _line(self, verb: str, stored: Stored) -> bytes:
        return b'{"type":"%s","object":%s}\n' % (verb.encode(), self.query.encoded(stored))

    def _bookmark(self, extra: Json) -> bytes:
        kind = self.query.kind
        metadata = {"resourceVersion": str(self._position), **extra}
        body: Json = {"kind": kind.name, "apiVersion": kind.version, "metadata": metadata}
        if kind is PODS:
            body |= {"spec": {"containers": None}, "status": {}}
        return json.dumps({"type": "BOOKMARK", "object": body}, separators=(",", ":")).encode() + b"\n"

    def _error(self, refusal: Refusal) -> bytes:
        return json.dumps({"type": "ERROR", "object": refusal.status()}, separators=(",", ":")).encode() + b"\n"
