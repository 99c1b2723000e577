"""Pods."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from scheduler.adapters.kubernetes.decoding.fields import conditions, moment, shared, short
from scheduler.adapters.kubernetes.decoding.quantities import Unreadable, taken, taken_in_units
from scheduler.adapters.kubernetes.identity import (
    ATTEMPT_LABEL,
    GATE,
    GENERATION_LABEL,
    INSTANCE_LABEL,
    PORT_LABEL,
    PROOF_ANNOTATION,
    RANK_LABEL,
    WORKER_CONTAINER,
)
from scheduler.adapters.kubernetes.views import ContainerView, Ownership, PodView

CONDITIONS = frozenset({"PodScheduled", "DisruptionTarget"})
LONGEST_NUMBER = 9
INITIALIZING = "PodInitializing"

_Document = Mapping[str, Any]
_Requests = tuple[tuple[str, int], ...]
_same: dict[_Requests, _Requests] = {}
MOST_SAME = 4096


def pod_view(obj: _Document) -> PodView:
    """Return what is kept of a pod. Raises KeyError or ValueError for what is none.

    Of pods without labels of Medley's, container and conditions are not kept: nobody asks for them, and they are most.
    """
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    ownership = _ownership(metadata, spec)
    return PodView(
        uid=metadata["uid"],
        namespace=sys.intern(metadata["namespace"]),
        name=metadata["name"],
        version=int(metadata["resourceVersion"]),
        node=shared(spec.get("nodeName")),
        phase=shared(status.get("phase")),
        reason=shared(status.get("reason")),
        message=short(status.get("message")),
        is_gated=any(gate.get("name") == GATE for gate in spec.get("schedulingGates") or ()),
        deleted_at=moment(metadata.get("deletionTimestamp")),
        ownership=ownership,
        container=_container(status) if ownership is not None else None,
        conditions=conditions(status, CONDITIONS) if ownership is not None else (),
        requests=_requests(spec),
        deletion_grace_s=metadata.get("deletionGracePeriodSeconds") or 0,
        address=_address(status) if ownership is not None and ownership.port > 0 else "",
    )


def _ownership(metadata: _Document, spec: _Document) -> Ownership | None:
    labels = metadata.get("labels")
    if not labels or (ATTEMPT_LABEL not in labels and INSTANCE_LABEL not in labels):
        return None
    owner: _Document = next((each for each in metadata.get("ownerReferences") or () if each.get("controller")), {})
    return Ownership(
        instance=shared(labels.get(INSTANCE_LABEL)),
        attempt=shared(labels.get(ATTEMPT_LABEL)),
        rank=_number(labels.get(RANK_LABEL)),
        generation=_number(labels.get(GENERATION_LABEL)),
        proof=(metadata.get("annotations") or {}).get(PROOF_ANNOTATION, ""),
        owner_uid=shared(owner.get("uid")),
        released_to=shared(_pinned_to(spec.get("affinity") or {})),
        port=_number(labels.get(PORT_LABEL)),
    )


def _address(status: _Document) -> str:
    found = status.get("podIP") or ""
    return f"[{found}]" if ":" in found else found


def _pinned_to(affinity: _Document) -> str | None:
    """Return the name of the only node that a pod may go to, as Medley writes it; None for anything else."""
    required = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    fields = [each for term in required.get("nodeSelectorTerms") or () for each in term.get("matchFields") or ()]
    names = fields[0].get("values") if len(fields) == 1 and fields[0].get("key") == "metadata.name" else None
    return names[0] if names else None


def _number(text: str | None) -> int:
    """Return the number of a label, -1 for what is none: anybody may write labels."""
    return int(text) if text and len(text) <= LONGEST_NUMBER and text.isdecimal() else -1


def _container(status: _Document) -> ContainerView | None:
    """Return the state of the worker's container, or of the init container that keeps it from starting."""
    main = next((each for each in status.get("containerStatuses") or () if each["name"] == WORKER_CONTAINER), None)
    waits = main is None or "waiting" in (main.get("state") or {})
    if waits:
        for each in status.get("initContainerStatuses") or ():
            state = each.get("state") or {}
            waiting, ended = state.get("waiting"), state.get("terminated")
            if (ended and ended.get("exitCode")) or (waiting and waiting.get("reason") != INITIALIZING):
                return _state(state, init_container=each["name"])
    return _state(main.get("state") or {}, is_ready=bool(main.get("ready"))) if main is not None else None


def _state(state: _Document, *, init_container: str | None = None, is_ready: bool = False) -> ContainerView:
    waiting, running = state.get("waiting") or {}, state.get("running") or {}
    ended = state.get("terminated")
    over = ended or {}
    said = over.get("message") or waiting.get("message") or ""
    if init_container is not None:
        said = f"init container {init_container}: {said}" if said else f"init container {init_container}"
    return ContainerView(
        waiting_reason=shared(waiting.get("reason")),
        message=short(said),
        running_since=moment(running.get("startedAt")),
        has_ended=ended is not None,
        exit_code=over.get("exitCode"),
        ended_reason=shared(over.get("reason")),
        started_at=moment(over.get("startedAt") or running.get("startedAt")) if init_container is None else None,
        ended_at=moment(over.get("finishedAt")),
        is_before_worker=init_container is not None,
        is_ready=is_ready,
    )


def _requests(spec: _Document) -> _Requests:
    """Return what the pod takes of its node: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/.

    The larger of all containers with all sidecars and of each init container with the sidecars before it; what is
    said for the whole pod goes before that; the overhead comes on top.
    """
    total: dict[str, int] = {}
    for container in spec["containers"]:
        _add(total, _of(container))
    inits = spec.get("initContainers")
    if inits:
        _make_room(total, inits)
    if "resources" in spec:
        total.update(_of(spec))
    if "overhead" in spec:
        _add(total, _read(spec["overhead"]))
    requests = tuple([(name, taken_in_units(name, total[name])) for name in sorted(total)])
    if len(_same) > MOST_SAME:
        _same.clear()
    return _same.setdefault(requests, requests)  # pods alike share theirs


def _make_room(total: dict[str, int], inits: Sequence[_Document]) -> None:
    sidecars: dict[str, int] = {}
    peaks: dict[str, int] = {}
    for container in inits:
        own = _of(container)
        if container.get("restartPolicy") == "Always":
            _add(sidecars, own)
            own = {}
        else:
            own = dict(own)
            _add(own, sidecars)
        for name, amount in own.items():
            peaks[name] = max(peaks.get(name, 0), amount)
    _add(total, sidecars)
    for name, amount in peaks.items():
        total[name] = max(total.get(name, 0), amount)


def _of(container: _Document) -> dict[str, int]:
    resources = container.get("resources")
    if not resources:
        return {}
    limits, requests = resources.get("limits"), resources.get("requests")
    # a limit without a request is a request: API servers fill it in
    return _read({**limits, **requests} if limits and requests else requests or limits or {})


def _read(quantities: _Document) -> dict[str, int]:
    found = {}
    for name, text in quantities.items():
        try:
            found[sys.intern(name)] = taken(name, text if isinstance(text, str) else str(text))
        except Unreadable:  # no API server lets it pass; it would be a request that nobody can serve
            continue
    return found


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount
