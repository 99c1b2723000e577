"""The nodes of a cluster as Medley schedules them, kept up to date change by change."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.configuration.pools import Toleration
from scheduler.adapters.kubernetes.nodes.health import Complaint, Readiness, complaints, is_ready
from scheduler.adapters.kubernetes.nodes.portrait import Portrait, as_node, draw
from scheduler.adapters.kubernetes.nodes.rules import Catalogue, Recognition
from scheduler.adapters.kubernetes.nodes.strikes import Rest, Strikes
from scheduler.adapters.kubernetes.views import NodeView, PodView
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.node import Node, NodeState


@dataclass(frozen=True, slots=True)
class _Entry:
    """One node of the list."""

    portrait: Portrait
    readiness: Readiness
    node: Node


class Inventory:
    """The nodes of one cluster, for reflectors that tell it of changes and a reader that asks every second.

    Every call may come from any thread. What did not change costs nothing: `nodes` then returns the same list, which
    nobody may change.
    """

    def __init__(
        self,
        configuration: ClusterConfiguration,
        catalogue: Catalogue,
        *,
        is_worker: Callable[[PodView], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_worker` says whether a pod is a living worker of ours, whose devices the core counts by itself.

        It is asked in `nodes`, under no lock that the other calls need; where its answer about a pod changes, call
        `touch` with the pod's node.
        """
        self._configuration = configuration
        self._catalogue = catalogue
        self._is_worker = is_worker
        self._monotonic = monotonic
        self._changing = threading.Lock()
        """Held for moments; guards what the calls below tell."""
        self._views: dict[str, NodeView] = {}
        self._pods: dict[str, dict[str, PodView]] = {}
        """By node and key; without those that are over."""
        self._strikes = Strikes(monotonic)
        self._touched: set[str] = set()
        self._updating = threading.Lock()
        """Held by who brings the list up to date; taken before the other. Guards the rest."""
        self._entries: dict[str, _Entry] = {}
        self._revisits: dict[str, float] = {}
        """When a node's state changes by itself, by the monotonic clock."""
        self._nodes: list[Node] = []

    def node_changed(self, before: NodeView | None, after: NodeView | None) -> bool:
        """Take in what a reflector saw of a node, None for nothing; says whether `nodes` may answer differently.

        It does not for a heartbeat, which thousands of nodes send.
        """
        seen = after if after is not None else before
        if seen is None:
            return False
        with self._changing:
            if after is None:
                self._views.pop(seen.name, None)
            else:
                self._views[seen.name] = after
            self._touched.add(seen.name)
        return before is None or after is None or replace(before, version=after.version) != after

    def pod_changed(self, before: PodView | None, after: PodView | None) -> bool:
        """Take in what a reflector saw of any pod of the cluster, None for nothing.

        Says whether `nodes` may answer differently.
        """
        is_news = False
        with self._changing:
            if before is not None and before.node and (after is None or after.node != before.node):
                is_news = self._drop(before.node, before.key)
            if after is None or not after.node:
                return is_news
            if after.is_over:
                return self._drop(after.node, after.key) or is_news
            pods = self._pods.setdefault(after.node, {})
            known = pods.get(after.key)
            pods[after.key] = after
            if known is None or (known.uid, known.requests) != (after.uid, after.requests):
                self._touched.add(after.node)
                return True
        return is_news

    def touch(self, node: str) -> None:
        """Look at a node again: another answer of `is_worker` is to be expected."""
        with self._changing:
            self._touched.add(node)

    def strike(self, node: str, why: str) -> None:
        """Keep new work away from a node for a while, longer each time."""
        with self._changing:
            self._strikes.note(node, why)
            self._touched.add(node)

    def forgive(self, node: str) -> None:
        """Take back a node's strikes after a good start there, unless it rests; costs nothing where it has none."""
        with self._changing:
            if self._strikes.forgive(node):
                self._touched.add(node)

    def nodes(self) -> list[Node]:
        """Return all nodes by name; the same list as before where nothing changed."""
        with self._updating:
            changed = [self._update(name) for name in sorted(self._take_touched())]
            if any(changed):
                self._nodes = [self._entries[name].node for name in sorted(self._entries)]
            return self._nodes

    def view(self, node: str) -> NodeView | None:
        """Return what was last seen of a node; None where it is unknown or gone."""
        with self._changing:
            return self._views.get(node)

    def recognition(self, node: str) -> Recognition | None:
        """Return what a node's devices are, as `nodes` last said, and why some are not offered; None if unknown."""
        entry = self._entries.get(node)
        return entry.portrait.recognition if entry is not None else None

    def tolerations(self, node: str) -> tuple[Toleration, ...]:
        """Return what a pod without devices has to put up with on a node that was listed."""
        entry = self._entries.get(node)
        return entry.portrait.tolerations if entry is not None else ()

    def resource(self, node: str, chip: ChipName) -> str | None:
        """Return what a pod asks for to get a node's devices of a chip type; None where it has none."""
        recognition = self.recognition(node)
        found = recognition.found if recognition is not None else ()
        return next((devices.resource for devices in found if devices.chip == chip), None)

    def _drop(self, node: str, key: str) -> bool:
        pods = self._pods.get(node)
        if pods is None or pods.pop(key, None) is None:
            return False
        if not pods:
            del self._pods[node]
        self._touched.add(node)
        return True

    def _take_touched(self) -> set[str]:
        now_s = self._monotonic()
        with self._changing:
            touched, self._touched = self._touched, set()
        touched.update(name for name, due_s in self._revisits.items() if due_s <= now_s)
        return touched

    def _update(self, name: str) -> bool:
        """Look at a node again; says whether the list changes."""
        with self._changing:
            view = self._views.get(name)
            pods = tuple(self._pods.get(name, {}).values())
            rest = self._strikes.rest(name)
        self._revisits.pop(name, None)
        if view is None:
            return self._entries.pop(name, None) is not None
        before = self._entries.get(name)
        is_same = before is not None and before.portrait.view.uid == view.uid
        readiness = before.readiness if before is not None and is_same else Readiness()
        portrait = before.portrait if before is not None and before.portrait.view is view else self._draw(view)
        reasons = self._complaints(portrait, readiness, rest)
        foreign = (pod for pod in pods if not self._is_worker(pod))
        node = as_node(portrait, self._configuration.name, foreign, reasons)
        is_news = before is None or before.node != node
        self._entries[name] = _Entry(portrait, readiness, node if is_news or before is None else before.node)
        return is_news

    def _draw(self, view: NodeView) -> Portrait:
        return draw(view, self._configuration, self._catalogue)

    def _complaints(self, portrait: Portrait, readiness: Readiness, rest: Rest | None) -> list[Complaint]:
        """Return what speaks against new work on a node, and note when that changes by itself."""
        view = portrait.view
        found = complaints(view, self._configuration.fault_conditions, portrait.recognition.found, portrait.untolerated)
        revisits = []
        believed_s = readiness.see(says_ready=is_ready(view), now_s=self._monotonic())
        if believed_s is not None:
            found.append(Complaint("ready again for a moment only: it has to stay so", NodeState.SUSPECT))
            revisits.append(believed_s)
        if rest is not None:
            text = f"rests after a failed start ({rest.strikes} in a row): {rest.why}"
            found.append(Complaint(text, NodeState.SUSPECT))
            revisits.append(rest.until_s)
        if revisits:
            self._revisits[view.name] = min(revisits)
        return found
