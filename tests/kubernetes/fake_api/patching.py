"""The three ways of changing a part of an object: merge patch, strategic merge patch and JSON patch."""

import copy
from typing import Any

from tests.kubernetes.fake_api.answers import Json, Refusal

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json-patch+json"

KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "schedulingGates": "name",
    "resourceClaims": "name",
    "secrets": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "conditions": "type",
    "addresses": "type",
    "ownerReferences": "uid",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
"""Lists that a strategic merge patch changes member by member, with what tells their members apart."""

SETS = frozenset({"finalizers"})
"""Lists of plain values that it adds to."""


def patched(document: Json, patch: Any, content_type: str) -> Json:
    """Return the changed object; the given one stays as it is. Raises Refusal (400, 415, 422)."""
    if content_type == JSON:
        return _json_patched(document, patch)
    if content_type not in (MERGE, STRATEGIC):
        raise Refusal(415, "415: Unsupported Media Type", details={})
    if not isinstance(patch, dict):
        raise Refusal(
            400, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    merge = _merged if content_type == MERGE else _strategic
    return dict(merge(copy.deepcopy(document), patch))


def _merged(document: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = document if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _strategic(document: Any, patch: Json) -> Json:
    merged: Json = document if isinstance(document, dict) else {}
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            merged[name] = [member for member in merged.get(name) or [] if member not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _strategic(merged.get(key), value)
        elif isinstance(value, list):
            merged[key] = _strategic_list(key, merged.get(key) or [], value)
        else:
            merged[key] = value
        if merged.get(key) == [] and key in KEYS:
            del merged[key]
    return merged


def _strategic_list(field: str, members: list[Any], patches: list[Any]) -> list[Any]:
    if field in SETS:
        return members + [patch for patch in patches if patch not in members]
    key = KEYS.get(field)
    if key is None or not all(isinstance(patch, dict) for patch in patches):
        return patches
    if any(patch.get("$patch") == "replace" for patch in patches):
        return [patch for patch in patches if "$patch" not in patch]
    known = {member[key]: member for member in members}
    order = list(known)
    changed: list[Any] = []
    for patch in patches:
        if key not in patch:
            shown = " ".join(f"{name}:{value}" for name, value in patch.items())
            raise Refusal(500, f"map: map[{shown}] does not contain declared merge key: {key}", "")
        member = known.pop(patch[key], {})
        if patch.get("$patch") != "delete":
            changed.append(_strategic(member, patch))
    return _in_order(changed, list(known.values()), key, order)


def _in_order(changed: list[Any], kept: list[Any], key: str, order: list[Any]) -> list[Any]:
    """Return both lists as one: known members in their old order, new ones before what is left when they come."""
    merged: list[Any] = []
    while changed and kept:
        is_new = changed[0][key] not in order
        comes_first = is_new or order.index(changed[0][key]) < order.index(kept[0][key])
        merged.append((changed if comes_first else kept).pop(0))
    return merged + changed + kept


def _json_patched(document: Json, operations: Any) -> Json:
    changed: Any = copy.deepcopy(document)
    try:
        for operation in operations:
            changed = _operate(changed, operation)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        message = "the server rejected our request due to an error in our request"
        raise Refusal(422, message, details={}) from error
    return dict(changed)


def _operate(document: Any, operation: Json) -> Any:
    verb, steps = operation["op"], _steps(operation["path"])
    if verb == "test":
        if _at(document, steps) != operation["value"]:
            raise ValueError(verb)
        return document
    if verb == "remove":
        _remove(document, steps)
        return document
    if verb in ("move", "copy"):
        value = copy.deepcopy(_at(document, _steps(operation["from"])))
        if verb == "move":
            _remove(document, _steps(operation["from"]))
        _add(document, steps, value)
        return document
    if verb not in ("add", "replace"):
        raise ValueError(verb)
    if verb == "replace":
        _remove(document, steps)
    _add(document, steps, operation["value"])
    return document


def _steps(path: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _at(document: Any, steps: list[str]) -> Any:
    for step in steps:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _remove(document: Any, steps: list[str]) -> None:
    parent = _at(document, steps[:-1])
    del parent[int(steps[-1]) if isinstance(parent, list) else steps[-1]]


def _add(document: Any, steps: list[str], value: Any) -> None:
    parent = _at(document, steps[:-1])
    if isinstance(parent, dict):
        parent[steps[-1]] = value
    elif steps[-1] == "-":
        parent.append(value)
    else:
        parent.insert(int(steps[-1]), value)
