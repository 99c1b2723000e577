"""What the controller manager does beside the server: garbage, namespaces, quotas, taints of nodes."""

import time
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Protocol

from tests.kubernetes.fake_api import quota
from tests.kubernetes.fake_api.answers import Json, Refusal
from tests.kubernetes.fake_api.registry import DeleteOptions, Registry
from tests.kubernetes.fake_api.resources import KINDS, NAMESPACES, NODES, QUOTAS, Kind
from tests.kubernetes.fake_api.routes import place_of
from tests.kubernetes.fake_api.store import Event, Store, Stored

IDLE_S = 5.0


class Controller(Protocol):
    """One of those that make true what objects say."""

    def see(self, event: Event) -> None:
        """Take note of a change."""

    def act(self) -> float | None:
        """Do what there is to do, and return when (monotonic) to come back; None where only a change matters."""


@dataclass(slots=True)
class Controllers:
    """Runs them all in one thread, after every change and when one of them wants to."""

    store: Store
    parts: list[Controller]
    _news: deque[Event] = field(default_factory=deque)
    _is_over: bool = False
    _thread: Thread | None = None

    def start(self) -> None:
        """Begin."""
        with self.store.lock:
            self.store.listeners.append(self._news.append)
            for kind in KINDS:
                self._news.extend(Event(one.version, "ADDED", None, one) for one in self.store.all(kind))
        self._thread = Thread(target=self._run, name="fake-controllers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        with self.store.lock:
            self._is_over = True
            self.store.changed.notify_all()
        if self._thread is not None:
            self._thread.join(IDLE_S)

    def _run(self) -> None:
        due_s = 0.0
        while True:
            with self.store.lock:
                left_s = min(due_s - time.monotonic(), IDLE_S)
                if not self._news and left_s > 0 and not self._is_over:
                    self.store.changed.wait(left_s)
                if self._is_over:
                    return
                news = list(self._news)
                self._news.clear()
            if not news and due_s > time.monotonic():
                continue
            for event in news:
                for part in self.parts:
                    part.see(event)
            moments = [part.act() for part in self.parts]
            due_s = min((moment for moment in moments if moment is not None), default=float("inf"))


@dataclass(slots=True)
class GarbageCollector:
    """Deletes what is owned by nobody any more."""

    registry: Registry
    _owned: dict[str, set[tuple[Kind, str]]] = field(default_factory=lambda: defaultdict(set))
    _suspects: set[tuple[Kind, str]] = field(default_factory=set)

    def see(self, event: Event) -> None:
        """Remember who owns what, and whose owner went."""
        stored = event.after
        metadata = stored.document["metadata"]
        place = (stored.kind, stored.key)
        if event.verb == "DELETED":
            self._suspects |= self._owned.pop(metadata["uid"], set())
            return
        for owner in metadata.get("ownerReferences") or []:
            self._owned[owner["uid"]].add(place)
            self._suspects.add(place)

    def act(self) -> float | None:
        """Delete them."""
        suspects, self._suspects = self._suspects, set()
        for kind, key in sorted(suspects, key=lambda place: place[1]):
            with self.registry.store.lock, suppress(Refusal):
                stored = self.registry.store.get(kind, key)
                if stored is None or stored.document["metadata"].get("deletionTimestamp"):
                    continue
                owners = stored.document["metadata"].get("ownerReferences") or []
                if owners and not any(self._is_there(owner, stored) for owner in owners):
                    self.registry.delete(place_of(stored), DeleteOptions(uid=stored.document["metadata"]["uid"]))
        return None

    def _is_there(self, owner: Json, owned: Stored) -> bool:
        kinds = [kind for kind in KINDS if (kind.name, kind.version) == (owner["kind"], owner["apiVersion"])]
        if not kinds:
            return True
        namespace = owned.document["metadata"].get("namespace", "")
        key = f"{namespace}/{owner['name']}" if kinds[0].is_namespaced else owner["name"]
        found = self.registry.store.get(kinds[0], key)
        return found is not None and found.document["metadata"]["uid"] == owner["uid"]


@dataclass(slots=True)
class NamespaceEnder:
    """Empties namespaces that are to go, and lets them go when they are empty."""

    registry: Registry
    _ending: set[str] = field(default_factory=set)

    def see(self, event: Event) -> None:
        """Notice a namespace that ends."""
        is_ending = bool(event.after.document["metadata"].get("deletionTimestamp")) and event.verb != "DELETED"
        if event.after.kind is NAMESPACES and is_ending:
            self._ending.add(event.after.key)

    def act(self) -> float | None:
        """Delete what is in them."""
        store = self.registry.store
        for name in sorted(self._ending):
            with store.lock:
                content = [
                    one
                    for kind in KINDS
                    if kind.is_namespaced
                    for one in store.all(kind)
                    if one.key.startswith(f"{name}/")
                ]
                for one in content:
                    if not one.document["metadata"].get("deletionTimestamp"):
                        self.registry.delete(place_of(one), DeleteOptions())
                if not content:
                    self._ending.discard(name)
                    if store.get(NAMESPACES, name):
                        store.remove(NAMESPACES, name)
        return None


@dataclass(slots=True)
class QuotaKeeper:
    """Writes into each ResourceQuota what its namespace uses."""

    store: Store
    _touched: set[str] = field(default_factory=set)

    def see(self, event: Event) -> None:
        """Notice that something in a namespace changed."""
        if event.after.kind.is_namespaced:
            self._touched.add(event.after.document["metadata"]["namespace"])

    def act(self) -> float | None:
        """Count anew where it did."""
        touched, self._touched = self._touched, set()
        with self.store.lock:
            for stored in self.store.all(QUOTAS):
                if stored.document["metadata"]["namespace"] in touched:
                    status = quota.status(self.store, stored.document)
                    if status != stored.document.get("status"):
                        document = {**stored.document, "metadata": dict(stored.document["metadata"]), "status": status}
                        self.store.put(QUOTAS, stored.key, document)
        return None


@dataclass(slots=True)
class NodeKeeper:
    """Keeps the taints that say what a node's conditions and its cordon say."""

    store: Store
    _touched: set[str] = field(default_factory=set)

    def see(self, event: Event) -> None:
        """Notice a node."""
        if event.after.kind is NODES:
            self._touched.add(event.after.key)

    def act(self) -> float | None:
        """Put its taints right."""
        touched, self._touched = self._touched, set()
        with self.store.lock:
            for name in sorted(touched):
                stored = self.store.get(NODES, name)
                if stored is not None:
                    self._put_right(stored)
        return None

    def _put_right(self, stored: Stored) -> None:
        spec = stored.document.get("spec") or {}
        conditions = (stored.document.get("status") or {}).get("conditions") or []
        ready = next((one["status"] for one in conditions if one["type"] == "Ready"), "False")
        wanted = {
            "node.kubernetes.io/not-ready": ready == "False",
            "node.kubernetes.io/unreachable": ready == "Unknown",
            "node.kubernetes.io/unschedulable": bool(spec.get("unschedulable")),
        }
        before = spec.get("taints") or []
        present = {one["key"] for one in before if one["effect"] == "NoSchedule"}
        taints = [one for one in before if one["effect"] != "NoSchedule" or wanted.get(one["key"], True)]
        added = [key for key, is_wanted in wanted.items() if is_wanted and key not in present]
        taints += [{"key": key, "effect": "NoSchedule"} for key in added]
        if taints != before:
            spec = {name: value for name, value in spec.items() if name != "taints"}
            spec |= {"taints": taints} if taints else {}
            metadata = dict(stored.document["metadata"])
            self.store.put(NODES, stored.key, {**stored.document, "metadata": metadata, "spec": spec})
