"""What the server makes of the other kinds of objects: defaults and rules, as far as they matter here."""

import base64
from collections.abc import Iterator

from tests.kubernetes.fake_api.answers import Fault, Json, Refusal
from tests.kubernetes.fake_api.resources import EVENTS, NAMESPACES, NODES, QUOTAS, Kind

LARGEST_DATA = 1024 * 1024
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def begin(kind: Kind, document: Json) -> None:
    """Fill in the defaults of a new object. Raises Refusal (400) at data of a wrong type."""
    if kind.has_status and kind is not NODES:
        document.pop("status", None)
    if kind is NAMESPACES:
        document["spec"] = {"finalizers": ["kubernetes"]}
        document["status"] = {"phase": "Active"}
    elif kind is NODES:
        spec = document.setdefault("spec", {})
        if NOT_READY not in spec.setdefault("taints", []):
            spec["taints"].append(dict(NOT_READY))
        document.setdefault("status", {})
    elif kind is EVENTS:
        document.setdefault("type", "")
        document |= {name: document.get(name) for name in ("firstTimestamp", "lastTimestamp", "eventTime")}
    elif kind is QUOTAS:
        document["status"] = {}
    elif kind.plural in ("configmaps", "secrets"):
        settle_data(kind, document)
        if kind.plural == "secrets":
            document.setdefault("type", "Opaque")


def settle_data(kind: Kind, document: Json) -> None:
    """Check the data of a ConfigMap or Secret, and encode what was given as plain text. Raises Refusal (400)."""
    plain = document.pop("stringData", None) or {}
    data = {**(document.get("data") or {}), **{name: _encoded(value) for name, value in plain.items()}}
    for value in data.values():
        if not isinstance(value, str):
            word = "number" if isinstance(value, int | float) else "object"
            what = f"json: cannot unmarshal {word} into Go struct field {kind.name}.data of type string"
            raise Refusal(400, f'{kind.name} in version "v1" cannot be handled as a {kind.name}: {what}')
    if data:
        document["data"] = data


def faults(kind: Kind, document: Json) -> Iterator[Fault]:
    """Yield what is wrong with an object, its metadata left aside."""
    if kind.plural in ("configmaps", "secrets"):
        if sum(len(value.encode()) for value in (document.get("data") or {}).values()) > LARGEST_DATA:
            yield Fault(
                "data" if kind.plural == "secrets" else "[]", "Too long", f"may not be more than {LARGEST_DATA} bytes"
            )
    elif kind is EVENTS:
        namespace = (document.get("involvedObject") or {}).get("namespace", "")
        if namespace != document["metadata"]["namespace"]:
            what = f'Invalid value: "{namespace}"'
            yield Fault("involvedObject.namespace", what, "does not match event.namespace")


def change_faults(kind: Kind, before: Json, after: Json) -> Iterator[Fault]:
    """Yield what may not be changed."""
    yield from faults(kind, after)
    if before.get("immutable"):
        for part in ("data", "binaryData"):
            if before.get(part) != after.get(part):
                yield Fault(part, "Forbidden", "field is immutable when `immutable` is set")
        if not after.get("immutable"):
            yield Fault("immutable", "Forbidden", "field is immutable when `immutable` is set")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
