"""Writing: what the server checks, changes and refuses before something is stored or goes."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.kubernetes.fake_api import metadata, objects, pods, quota
from tests.kubernetes.fake_api.answers import (
    Fault,
    Json,
    Refusal,
    already_exists,
    conflict,
    forbidden,
    invalid,
    not_found,
    stale,
)
from tests.kubernetes.fake_api.metadata import key_of, moment, now, written
from tests.kubernetes.fake_api.patching import patched
from tests.kubernetes.fake_api.resources import NAMESPACES, PODS, Kind
from tests.kubernetes.fake_api.store import Store, Stored

Guard = Callable[[Json], Refusal | None]
"""An admission step: says no to a new pod, or nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which object a request is about."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> str:
        """Its key in the store."""
        return key_of(self.kind, self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How something is to go."""

    grace_s: int | None = None
    """None: what the pod says itself."""
    uid: str | None = None
    version: str | None = None


@dataclass(slots=True)
class Registry:
    """Every way of writing. Each raises Refusal; each takes the store's lock itself."""

    store: Store
    guards: list[Guard] = field(default_factory=list)

    def create(self, place: Place, body: Json, *, is_dry: bool = False) -> Stored:
        """Store a new object."""
        kind = place.kind
        given = body.get("metadata") or {}
        if given.get("namespace", place.namespace) != place.namespace and kind.is_namespaced:
            raise Refusal(400, "the namespace of the provided object does not match the namespace sent on the request")
        if given.get("resourceVersion"):
            raise Refusal(500, "resourceVersion should not be set on objects to be created", "")
        document = {name: copy.deepcopy(value) for name, value in body.items() if name not in ("kind", "apiVersion")}
        document = {"metadata": metadata.begun(kind, place.namespace, given)} | _without(document, "metadata")
        name = document["metadata"]["name"]
        with self.store.lock:
            if kind.is_namespaced:
                self._demand_namespace(place, name)
            (pods.begin if kind is PODS else lambda new: objects.begin(kind, new))(document)
            self._demand_valid(kind, document)
            if kind is PODS:
                self._guard(document)
            if kind.is_namespaced:
                quota.enforce(self.store, kind, document)
            key = key_of(kind, place.namespace, name)
            if self.store.get(kind, key):
                raise already_exists(kind.plural, name)
            if is_dry:
                del document["metadata"]["resourceVersion"]
                return Stored(kind, key, 0, document)
            return self.store.put(kind, key, document)

    def replace(self, place: Place, body: Json) -> Stored:
        """Store a new version of an object."""
        name = (body.get("metadata") or {}).get("name", place.name)
        if name != place.name:
            raise Refusal(400, f"the name of the object ({name}) does not match the name on the URL ({place.name})")
        wanted = {name: copy.deepcopy(value) for name, value in body.items() if name not in ("kind", "apiVersion")}
        with self.store.lock:
            before = self.read(place)
            known = before.document["metadata"]
            given = wanted.get("metadata") or {}
            kept = {part: value for part, value in known.items() if part not in metadata.SETTABLE}
            wanted["metadata"] = {**kept, **given}
            return self._change(place, before, wanted)

    def patch(self, place: Place, patch: Any, content_type: str) -> Stored:
        """Change a part of an object."""
        with self.store.lock:
            before = self.read(place)
            return self._change(place, before, patched(before.document, patch, content_type))

    def delete(self, place: Place, options: DeleteOptions) -> Stored:
        """Let an object go: at once, after its grace, or when its finalizers are gone. Return what is left of it."""
        with self.store.lock:
            before = self.read(place)
            self._demand_match(before, options)
            if place.kind is NAMESPACES:
                return self._end_namespace(before)
            grace_s = self._grace_s(before, options) if place.kind is PODS else 0
            known = before.document["metadata"]
            if known.get("deletionTimestamp"):
                was_s = known.get("deletionGracePeriodSeconds", 0)
                if grace_s >= was_s:
                    return before
                due = moment(known["deletionTimestamp"]) + timedelta(seconds=grace_s - was_s)
            else:
                due = moment(now()) + timedelta(seconds=grace_s)
            going: Json = copy.copy(before.document)
            going["metadata"] = {
                **known,
                "deletionTimestamp": written(due),
                "deletionGracePeriodSeconds": grace_s,
            }
            if "generation" in known and "deletionTimestamp" not in known:
                going["metadata"]["generation"] = known["generation"] + 1
            is_held = grace_s > 0 or bool(known.get("finalizers"))
            if is_held or place.kind is PODS:
                before = self.store.put(place.kind, before.key, going)
            return before if is_held else self.store.remove(place.kind, before.key)

    def evict(self, place: Place, options: DeleteOptions) -> None:
        """Let a pod go in the way of the eviction API."""
        with self.store.lock:
            before = self.read(place)
            self._demand_match(before, options)
            document = copy.deepcopy(before.document)
            if not pods.is_over(document) and document["spec"].get("nodeName"):
                sign = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
                sign |= {"message": "Eviction API: evicting", "lastProbeTime": "", "lastTransitionTime": now()}
                document["status"].setdefault("conditions", []).append(sign)
                self.store.put(PODS, before.key, document)
            self.delete(place, options)

    def bind(self, place: Place, node: str) -> None:
        """Put a pod onto a node, as the scheduler does."""
        with self.store.lock:
            document = copy.deepcopy(self.read(place).document)
            spec = document["spec"]
            if document["metadata"].get("deletionTimestamp"):
                raise conflict("pods/binding", place.name, f"pod {place.name} is being deleted, cannot be assigned")
            if spec.get("nodeName"):
                why = f'pod {place.name} is already assigned to node "{spec["nodeName"]}"'
                raise conflict("pods/binding", place.name, why)
            if spec.get("schedulingGates"):
                raise conflict("pods/binding", place.name, f"pod {place.name} has non-empty .spec.schedulingGates")
            spec["nodeName"] = node
            scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now()}
            set_condition(document, scheduled)
            self.store.put(PODS, place.key, document)

    def read(self, place: Place) -> Stored:
        """Return an object as it is now."""
        found = self.store.get(place.kind, place.key)
        if found is None:
            raise not_found(place.kind.plural, place.name)
        return found

    def _change(self, place: Place, before: Stored, wanted: Json) -> Stored:
        kind, was = place.kind, before.document
        known, given = was["metadata"], wanted.get("metadata") or {}
        if given.get("resourceVersion") not in (None, "", known["resourceVersion"]):
            raise stale(kind.plural, place.name)
        given["resourceVersion"] = known["resourceVersion"]
        wanted = _settled(place, was, {"metadata": given} | _without(wanted, "metadata"))
        self._demand_changeable(kind, was, wanted)
        for part in metadata.SETTABLE:
            if part in given and not given[part]:
                del given[part]
        if wanted == was:
            return before
        if kind.has_generation and wanted.get("spec") != was.get("spec"):
            given["generation"] = known.get("generation", 1) + 1
        stored = self.store.put(kind, before.key, wanted)
        is_free = bool(given.get("deletionTimestamp")) and not given.get("finalizers")
        if is_free and known.get("finalizers") and not given.get("deletionGracePeriodSeconds"):
            return self.store.remove(kind, before.key)
        return stored

    def _demand_namespace(self, place: Place, name: str) -> None:
        found = self.store.get(NAMESPACES, place.namespace)
        if found is None:
            raise not_found("namespaces", place.namespace)
        if found.document["status"]["phase"] == "Terminating":
            end = f"namespace {place.namespace} is being terminated"
            text = f"unable to create new content in namespace {place.namespace} because it is being terminated"
            refusal = forbidden(place.kind.plural, name, text)
            cause = {"reason": "NamespaceTerminating", "message": end, "field": "metadata.namespace"}
            refusal.details = {**(refusal.details or {}), "causes": [cause]}
            raise refusal

    def _demand_valid(self, kind: Kind, document: Json) -> None:
        def found() -> Iterator[Fault]:
            yield from metadata.faults(document["metadata"])
            yield from pods.faults(document) if kind is PODS else objects.faults(kind, document)

        if faults := list(found()):
            raise invalid(kind.name, document["metadata"]["name"], faults)

    def _demand_changeable(self, kind: Kind, before: Json, after: Json) -> None:
        def found() -> Iterator[Fault]:
            yield from metadata.faults(after["metadata"])
            yield from metadata.change_faults(before["metadata"], after["metadata"])
            if kind is PODS:
                yield from pods.change_faults(before, after)
            else:
                yield from objects.change_faults(kind, before, after)

        if faults := list(found()):
            raise invalid(kind.name, before["metadata"]["name"], faults)

    def _guard(self, pod: Json) -> None:
        for guard in self.guards:
            if refusal := guard(pod):
                raise refusal

    def _demand_match(self, stored: Stored, options: DeleteOptions) -> None:
        known = stored.document["metadata"]
        kind, name = stored.kind.name, known["name"]
        if options.uid is not None and options.uid != known["uid"]:
            text = f"the UID in the precondition ({options.uid}) does not match the UID in record ({known['uid']})"
            raise conflict(kind, name, f"{text}. The object might have been deleted and then recreated")
        if options.version is not None and options.version != known["resourceVersion"]:
            text = f"the ResourceVersion in the precondition ({options.version}) does not match the ResourceVersion"
            raise conflict(
                kind, name, f"{text} in record ({known['resourceVersion']}). The object might have been modified"
            )

    def _grace_s(self, stored: Stored, options: DeleteOptions) -> int:
        pod = stored.document
        if not pod["spec"].get("nodeName") or pods.is_over(pod):
            return 0
        wanted_s = pod["spec"].get("terminationGracePeriodSeconds", pods.DEFAULT_GRACE_S)
        known = pod["metadata"]
        if options.grace_s is not None:
            wanted_s = options.grace_s
        elif known.get("deletionTimestamp"):
            wanted_s = known.get("deletionGracePeriodSeconds", wanted_s)
        return int(wanted_s) if wanted_s >= 0 else 1

    def _end_namespace(self, stored: Stored) -> Stored:
        if stored.document["metadata"].get("deletionTimestamp"):
            return stored
        document = copy.deepcopy(stored.document)
        document["metadata"]["deletionTimestamp"] = now()
        document["status"]["phase"] = "Terminating"
        return self.store.put(NAMESPACES, stored.key, document)


def set_condition(document: Json, condition: Json) -> None:
    """Put a condition into an object's status in the place of the one of the same type."""
    status = document.setdefault("status", {})
    others = [one for one in status.get("conditions") or [] if one["type"] != condition["type"]]
    status["conditions"] = [*others, condition]


def _without(document: Json, part: str) -> Json:
    return {name: value for name, value in document.items() if name != part}


def _settled(place: Place, was: Json, wanted: Json) -> Json:
    """Return what would be stored of a change: the status or the spec stays, and defaults are filled in."""
    kind = place.kind
    wanted = {part: value for part, value in wanted.items() if part not in ("kind", "apiVersion")}
    if kind.has_status:
        kept = "spec" if place.subresource == "status" else "status"
        wanted = _without(wanted, kept) | ({kept: was[kept]} if kept in was else {})
    if kind is PODS:
        for _, container in pods.containers(wanted["spec"]):
            container.setdefault("resources", {})
        if not wanted["spec"].get("schedulingGates"):
            wanted["spec"] = _without(wanted["spec"], "schedulingGates")
    elif kind.plural in ("configmaps", "secrets"):
        objects.settle_data(kind, wanted)
    return wanted
