"""A small kube-scheduler: binds pods that may run to nodes that have room, or says why it cannot."""

import copy
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from tests.kubernetes.fake_api import pods
from tests.kubernetes.fake_api.answers import Json, Refusal
from tests.kubernetes.fake_api.events import record
from tests.kubernetes.fake_api.metadata import now
from tests.kubernetes.fake_api.quantities import total
from tests.kubernetes.fake_api.quota import pod_total
from tests.kubernetes.fake_api.registry import Place, Registry, set_condition
from tests.kubernetes.fake_api.resources import NODES, PODS
from tests.kubernetes.fake_api.store import Event, Stored

MISMATCH = "node(s) didn't match Pod's node affinity/selector"
OTHER_NAME = "node(s) didn't satisfy plugin(s) [NodeAffinity]"


@dataclass(slots=True)
class Scheduler:
    """Binds one pod after the other."""

    registry: Registry
    name: str = "default-scheduler"
    is_on: bool = True
    _pending: set[str] = field(default_factory=set)
    _waiting: set[str] = field(default_factory=set)
    """Pods that found no node; they are tried again when a node changes or room is made."""
    _taken: dict[str, dict[str, Json]] = field(default_factory=lambda: defaultdict(dict))
    """Specs of the pods on each node."""

    def see(self, event: Event) -> None:
        """Notice pods that want a node, and room that came or went."""
        stored = event.after
        if stored.kind is NODES:
            self._pending |= self._waiting
        if stored.kind is not PODS:
            return
        pod, node = stored.document, stored.document["spec"].get("nodeName", "")
        if event.verb == "DELETED" or pods.is_over(pod):
            self._waiting.discard(stored.key)
            self._pending.discard(stored.key)
            if self._taken[node].pop(stored.key, None) is not None:
                self._pending |= self._waiting
        elif node:
            self._taken[node][stored.key] = pod["spec"]
        elif self._is_ours(pod["spec"]) and (event.before is None or event.before.document["spec"] != pod["spec"]):
            self._pending.add(stored.key)

    def act(self) -> float | None:
        """Bind what can be bound."""
        if not self.is_on:
            return None
        pending, self._pending = self._pending, set()
        for key in sorted(pending):
            with self.registry.store.lock:
                stored = self.registry.store.get(PODS, key)
                if stored is None or stored.document["spec"].get("nodeName"):
                    continue
                self._schedule(stored)
        return None

    def _is_ours(self, spec: Json) -> bool:
        return not spec.get("schedulingGates") and spec.get("schedulerName") == self.name

    def _schedule(self, stored: Stored) -> None:
        pod = stored.document
        known = pod["metadata"]
        refusals: Counter[str] = Counter()
        for name in self._candidates(pod["spec"], refusals):
            node = self.registry.store.get(NODES, name)
            if node is None:
                continue
            why = self._objection(pod["spec"], node.document)
            if why is None:
                try:
                    self.registry.bind(Place(PODS, known["namespace"], known["name"]), name)
                except Refusal:
                    return
                self._waiting.discard(stored.key)
                self._taken[name][stored.key] = pod["spec"]
                where = f"Successfully assigned {stored.key} to {name}"
                record(self.registry, pod, "Scheduled", where)
                return
            refusals.update(why)
        self._waiting.add(stored.key)
        self._refuse(stored, refusals)

    def _candidates(self, spec: Json, refusals: Counter[str]) -> list[str]:
        names = [node.key for node in self.registry.store.all(NODES)]
        pinned = _pinned(spec)
        if pinned is None:
            return names
        chosen = [name for name in names if name in pinned]
        if len(names) > len(chosen):
            refusals[OTHER_NAME] += len(names) - len(chosen)
        return chosen

    def _objection(self, spec: Json, node: Json) -> list[str] | None:
        """Return why a node does not do; None where it does."""
        if (taint := next(_untolerated(spec, node), None)) is not None:
            if taint["key"] == "node.kubernetes.io/unschedulable":
                return ["node(s) were unschedulable"]
            return ["node(s) had untolerated taint(s)"]
        if not _is_selected(spec, node):
            return [MISMATCH]
        room: Json = (node.get("status") or {}).get("allocatable") or {}
        others = self._taken[node["metadata"]["name"]].values()
        if len(others) + 1 > total(room, "pods"):
            return ["Too many pods"]
        missing = []
        for name in sorted(_requested(spec)):
            wanted = pod_total(spec, "requests", name)
            used = sum((pod_total(other, "requests", name) for other in others), Decimal(0))
            if wanted and used + wanted > total(room, name):
                missing.append(f"Insufficient {name}")
        return missing or None

    def _refuse(self, stored: Stored, refusals: Counter[str]) -> None:
        count = len(self.registry.store.all(NODES))
        reasons = ", ".join(sorted(f"{number} {why}" for why, number in refusals.items()))
        head = f"0/{count} nodes are available"
        preemption = f"{head}: {count} Preemption is not helpful for scheduling."
        message = f"{head}: {reasons}. no new claims to deallocate, preemption: {preemption}"
        if not count:
            message = "no nodes available to schedule pods"
        conditions = stored.document["status"].get("conditions") or []
        if any((one["type"], one.get("message")) == ("PodScheduled", message) for one in conditions):
            return
        document = copy.deepcopy(stored.document)
        unscheduled = {"type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": now()}
        set_condition(document, {**unscheduled, "reason": "Unschedulable", "message": message})
        self.registry.store.put(PODS, stored.key, document)
        record(self.registry, document, "FailedScheduling", message, kind="Warning")


def _pinned(spec: Json) -> set[str] | None:
    """Return the only nodes that a pod names; None where it names none."""
    terms = _terms(spec)
    names: set[str] = set()
    for term in terms:
        fields = term.get("matchFields") or []
        if not fields:
            return None
        listed = [set(one["values"]) for one in fields if one["key"] == "metadata.name" and one["operator"] == "In"]
        names |= set.intersection(*listed) if listed else set()
    return names if terms else None


def _terms(spec: Json) -> list[Json]:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms: list[Json] = (affinity.get(pods.REQUIRED) or {}).get("nodeSelectorTerms") or []
    return terms


def _is_selected(spec: Json, node: Json) -> bool:
    labels = node["metadata"].get("labels") or {}
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return False
    terms = [term for term in _terms(spec) if term.get("matchExpressions") or term.get("matchFields")]
    if not _terms(spec):
        return True
    name = {"metadata.name": node["metadata"]["name"]}
    return any(
        all(_meets(one, labels) for one in term.get("matchExpressions") or [])
        and all(_meets(one, name) for one in term.get("matchFields") or [])
        for term in terms
    )


def _meets(requirement: Json, values: Json) -> bool:
    key, operator, listed = requirement["key"], requirement["operator"], requirement.get("values") or []
    if operator == "In":
        return values.get(key) in listed
    if operator == "NotIn":
        return values.get(key) not in listed
    if operator == "Exists":
        return key in values
    if operator == "DoesNotExist":
        return key not in values
    number = int(values.get(key, 0))
    return key in values and (number > int(listed[0]) if operator == "Gt" else number < int(listed[0]))


def _untolerated(spec: Json, node: Json) -> Iterator[Json]:
    for taint in (node.get("spec") or {}).get("taints") or []:
        if taint["effect"] != "PreferNoSchedule" and not any(
            _tolerates(toleration, taint) for toleration in spec.get("tolerations") or []
        ):
            yield taint


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return (toleration.get("key"), toleration.get("value", "")) == (taint["key"], taint.get("value", ""))


def _requested(spec: Json) -> set[str]:
    return {name for _, container in pods.containers(spec) for name in container["resources"].get("requests") or {}}
