"""What a reflector knows of a cluster's objects, in the order of their versions."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from scheduler.adapters.kubernetes.decoding.fields import key_of, version_of

MOST_COMPLAINTS = 1000
WRITTEN_LASTS_S = 120.0
"""How long an own write stands against lists that do not know it: longer than any list takes."""

logger = logging.getLogger(__name__)


class Kept(Protocol):
    """A view that can be kept."""

    @property
    def uid(self) -> str:
        """Of the object: another one under the same name has another."""
        ...

    @property
    def version(self) -> int:
        """Its resourceVersion."""
        ...


View = TypeVar("View", bound=Kept)


class Store(Generic[View]):
    """Views by key. Reading takes no lock; changes are told in order, by one thread at a time."""

    def __init__(
        self,
        what: str,
        *,
        view: Callable[[dict[str, Any]], View | None],
        on_change: Callable[[View | None, View | None], object],
        monotonic_s: Callable[[], float],
    ) -> None:
        """`view` returns None for what is not to be kept. `on_change` hears what was and what is, None for nothing."""
        self._what = what
        self._view = view
        self._on_change = on_change
        self._monotonic_s = monotonic_s
        self._changing = threading.RLock()
        self._items: dict[str, View] = {}
        self._written: dict[str, float] = {}
        """Keys of own writes that neither list nor watch has shown yet, with the moment of the write."""
        self._complaints: set[str] = set()
        self.position = 0
        """The version up to which list and watch have told everything."""

    def get(self, key: str) -> View | None:
        """Return the view under a key, None where there is none."""
        return self._items.get(key)

    def snapshot(self) -> dict[str, View]:
        """Return all views by key, as of one moment."""
        return self._items.copy()  # one step of the interpreter

    def read(self, obj: dict[str, Any]) -> tuple[str, View | None]:
        """Return an object's key and view, the one already kept if it is the same version.

        What cannot be viewed is logged once, and stays as it was known before. Raises KeyError for what has no name.
        """
        key = key_of(obj)
        kept = self._items.get(key)
        try:
            if kept is not None and kept.version == version_of(obj) and kept.uid == obj["metadata"]["uid"]:
                return key, kept
            view = self._view(obj)
        except Exception:  # one object nobody can read must not hide the others
            if key not in self._complaints:
                self._complaints.add(key)
                logger.exception("%s: %s cannot be read; it stays as it was known", self._what, key)
            return key, kept
        self._complaints.discard(key)
        if len(self._complaints) > MOST_COMPLAINTS:
            self._complaints.clear()
        return key, view

    def replace(self, found: Mapping[str, View], position: int) -> None:
        """Take over a complete list as of `position`, and tell the differences: first what is gone."""
        with self._changing:
            self.position = position
            oldest_s = self._monotonic_s() - WRITTEN_LASTS_S
            newer = {
                key
                for key, written_s in self._written.items()
                if key in self._items and self._items[key].version > position and written_s > oldest_s
            }
            self._written = {key: self._written[key] for key in newer}
            for key in [key for key in self._items if key not in found and key not in newer]:
                self._put(key, None)
            for key, view in found.items():
                if key not in newer:
                    self._put(key, view)

    def apply(self, obj: dict[str, Any], *, is_gone: bool) -> None:
        """Take over an event of the watch, unless an own write has already told more. Raises KeyError, ValueError."""
        version = version_of(obj)
        with self._changing:
            key, view = self.read(obj)
            self.position = max(self.position, version)
            kept = self._items.get(key)
            if kept is not None and (kept.version > version or (kept.version == version and not is_gone)):
                if kept.version == version:
                    self._written.pop(key, None)
                return
            self._written.pop(key, None)
            self._put(key, None if is_gone else view)

    def advance(self, version: int) -> None:
        """Note that the watch has told everything up to a version."""
        with self._changing:
            self.position = max(self.position, version)

    def wrote(self, obj: dict[str, Any]) -> None:
        """Take over the answer to an own write, unless the watch is as far already: then it told this or later."""
        with self._changing:
            if version_of(obj) <= self.position:
                return
            key, view = self.read(obj)
            kept = self._items.get(key)
            if view is None or (kept is not None and kept.version >= view.version):
                return
            self._written[key] = self._monotonic_s()
            self._put(key, view)

    def _put(self, key: str, view: View | None) -> None:
        before = self._items.get(key)
        if before is view:
            return
        if view is None:
            del self._items[key]
        else:
            self._items[key] = view
        if before is not None and view is not None and (before.uid, before.version) == (view.uid, view.version):
            return
        try:
            self._on_change(before, view)
        except Exception:  # whoever listens badly must not stop the watch
            logger.exception("%s: a change of %s could not be worked on", self._what, key)
