"""Nodes."""

import sys
from collections.abc import Mapping
from typing import Any

from scheduler.adapters.kubernetes.decoding.fields import conditions, shared, short
from scheduler.adapters.kubernetes.decoding.quantities import Unreadable, offered
from scheduler.adapters.kubernetes.views import NodeView, Taint

DISCOVERY_ANNOTATIONS = ("medley/", "hami.io/")
"""What the annotations begin with that say something about devices."""

_Amounts = tuple[tuple[str, int], ...]
_same: dict[_Amounts, _Amounts] = {}
MOST_SAME = 4096


def node_view(obj: Mapping[str, Any]) -> NodeView:
    """Return what is kept of a node. Raises KeyError or ValueError for what is none."""
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    unreadable: list[str] = []
    allocatable = _amounts(status.get("allocatable"), unreadable)
    capacity = _amounts(status.get("capacity"), unreadable)
    annotations = metadata.get("annotations") or {}
    return NodeView(
        uid=metadata["uid"],
        name=sys.intern(metadata["name"]),  # pods name it too
        version=int(metadata["resourceVersion"]),
        labels={sys.intern(name): sys.intern(value) for name, value in (metadata.get("labels") or {}).items()},
        annotations={name: value for name, value in annotations.items() if name.startswith(DISCOVERY_ANNOTATIONS)},
        allocatable=allocatable,
        capacity=capacity,
        taints=tuple(
            [
                Taint(shared(each["key"]), shared(each.get("value")), shared(each["effect"]))
                for each in spec.get("taints") or ()
            ]
        ),
        is_cordoned=bool(spec.get("unschedulable")),
        conditions=conditions(status),
        unreadable=tuple(sorted(set(unreadable))),
    )


def _amounts(quantities: Mapping[str, Any] | None, unreadable: list[str]) -> _Amounts:
    found = []
    for name, text in (quantities or {}).items():
        try:
            found.append((sys.intern(name), offered(name, str(text))))
        except Unreadable as error:
            unreadable.append(short(str(error)))
    amounts = tuple(found)
    if len(_same) > MOST_SAME:
        _same.clear()
    return _same.setdefault(amounts, amounts)  # alike nodes share theirs
