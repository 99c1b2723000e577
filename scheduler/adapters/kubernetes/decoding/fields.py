"""The fields that documents of every kind have."""

import sys
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from scheduler.adapters.kubernetes.views import Condition

LONGEST_TEXT = 1000
"""Of a message that is kept."""


def key_of(obj: Mapping[str, Any]) -> str:
    """Return `namespace/name`, or the name of what has no namespace. Raises KeyError for what is no object."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def version_of(obj: Mapping[str, Any]) -> int:
    """Return the resourceVersion, of an object or a list; they grow with every write to the cluster.

    Raises KeyError or ValueError.
    """
    return int(obj["metadata"]["resourceVersion"])


def moment(text: str | None) -> datetime | None:
    """Return a time of the API, aware; None for none."""
    return datetime.fromisoformat(text) if text else None


def short(text: str | None) -> str:
    """Return a text, cut where it is longer than anybody reads."""
    return text[:LONGEST_TEXT] if text else ""


def shared(text: str | None) -> str:
    """Return a text that stands in many objects, once for all of them."""
    return sys.intern(text) if text else ""


def conditions(status: Mapping[str, Any], kinds: Collection[str] | None = None) -> tuple[Condition, ...]:
    """Return the conditions of these kinds, or all."""
    found = status.get("conditions")
    if not found:
        return ()
    return tuple(
        [
            Condition(
                kind=shared(each["type"]),
                status=shared(each["status"]),
                reason=shared(each.get("reason")),
                message=shared(short(each.get("message"))),
                since=moment(each.get("lastTransitionTime")),
            )
            for each in found
            if kinds is None or each["type"] in kinds
        ]
    )
