"""The objects, one counter as their versions, and the log of what happened, which may be compacted."""

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from threading import Condition, RLock

from tests.kubernetes.fake_api.answers import Json, expired
from tests.kubernetes.fake_api.resources import KINDS, Kind

FIRST_VERSION = 1000
LONGEST_LOG = 200_000
"""Events of one kind; older ones are compacted away."""

TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True, eq=False)
class Stored:
    """One version of an object. Its document is never changed, only followed by another."""

    kind: Kind
    key: str
    """`namespace/name`, or `name`."""
    version: int
    document: Json
    """Without kind and apiVersion."""

    @property
    def whole(self) -> Json:
        """The document with kind and apiVersion."""
        return {"kind": self.kind.name, "apiVersion": self.kind.version, **self.document}

    @cached_property
    def item(self) -> bytes:
        """It as a member of a list."""
        return json.dumps(self.document, separators=(",", ":")).encode()

    @property
    def encoded(self) -> bytes:
        """It alone."""
        return (
            b'{"kind":"%s","apiVersion":"%s",' % (self.kind.name.encode(), self.kind.version.encode()) + self.item[1:]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One change."""

    version: int
    verb: str
    """`ADDED`, `MODIFIED` or `DELETED`."""
    before: Stored | None
    after: Stored
    """What it became; of a deleted one the last state, with the deletion's version."""


class Store:
    """What etcd and the watch cache are to the real server. Every method is to be called under `lock`."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.changed = Condition(self.lock)
        """Notified at every change, and whenever a waiting reader has to look again."""
        self.version = FIRST_VERSION
        self.compacted = FIRST_VERSION
        """Versions before this one have no history."""
        self.listeners: list[Callable[[Event], None]] = []
        self._objects: dict[Kind, dict[str, Stored]] = {kind: {} for kind in KINDS}
        self._logs: dict[Kind, list[Event]] = {kind: [] for kind in KINDS}

    def get(self, kind: Kind, key: str) -> Stored | None:
        """Return an object as it is now."""
        return self._objects[kind].get(key)

    def all(self, kind: Kind) -> list[Stored]:
        """Return the objects of a kind, ordered by key."""
        return [stored for _, stored in sorted(self._objects[kind].items())]

    def put(self, kind: Kind, key: str, document: Json) -> Stored:
        """Store the next version of an object; the document becomes the store's."""
        self.version += 1
        document["metadata"]["resourceVersion"] = str(self.version)
        before = self._objects[kind].get(key)
        stored = Stored(kind, key, self.version, document)
        self._objects[kind][key] = stored
        self._log(Event(self.version, "MODIFIED" if before else "ADDED", before, stored))
        return stored

    def remove(self, kind: Kind, key: str) -> Stored:
        """Delete an object that is there, and return its last state."""
        self.version += 1
        before = self._objects[kind].pop(key)
        metadata = {**before.document["metadata"], "resourceVersion": str(self.version)}
        last = Stored(kind, key, self.version, {**before.document, "metadata": metadata})
        self._log(Event(self.version, "DELETED", before, last))
        return last

    def since(self, kind: Kind, version: int) -> list[Event]:
        """Return what happened to a kind after a version. Raises Refusal (410) where that is forgotten."""
        if version < self.compacted:
            raise expired(f"too old resource version: {version} ({self.compacted})")
        log = self._logs[kind]
        return log[bisect_right(log, version, key=lambda event: event.version) :]

    def at(self, kind: Kind, version: int, *, message: str = TOO_OLD, token: str = "") -> list[Stored]:
        """Return the objects as they were at a version, ordered by key.

        Raises Refusal (410) with `message`, and `token` to go on with, where that is forgotten.
        """
        if version < self.compacted:
            raise expired(message, {"continue": token} if token else None)
        objects: dict[str, Stored] = dict(self._objects[kind])
        for event in reversed(self.since(kind, version)):
            if event.before is None:
                objects.pop(event.after.key)
            else:
                objects[event.before.key] = event.before
        return [stored for _, stored in sorted(objects.items())]

    def compact(self) -> None:
        """Forget all history up to now."""
        self.compacted = self.version
        for log in self._logs.values():
            log.clear()
        self.changed.notify_all()

    def _log(self, event: Event) -> None:
        log = self._logs[event.after.kind]
        log.append(event)
        if len(log) > LONGEST_LOG:
            del log[: LONGEST_LOG // 2]
            self.compacted = max(self.compacted, log[0].version - 1)
        for listener in self.listeners:
            listener(event)
        self.changed.notify_all()
