"""What the server makes of a pod: defaults, first status, and the rules of what is valid and what may change."""

import copy
import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.kubernetes.fake_api.answers import Fault, Json, Refusal
from tests.kubernetes.fake_api.metadata import now
from tests.kubernetes.fake_api.quantities import parse, written

DEFAULT_GRACE_S = 30
NATIVE = frozenset({"cpu", "memory", "ephemeral-storage"})
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
TERMS = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"

DEFAULTS: Json = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": DEFAULT_GRACE_S,
    "dnsPolicy": "ClusterFirst",
    "serviceAccountName": "default",
    "serviceAccount": "default",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "priority": 0,
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
}
TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
TOLERATED_S = 300

GATED = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}
UNCHANGEABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
QUANTITY_RULE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def is_over(pod: Json) -> bool:
    """Say whether its containers have ended for good."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def containers(spec: Json) -> Iterator[tuple[str, Json]]:
    """Yield every container with its path."""
    for part in ("initContainers", "containers"):
        for number, container in enumerate(spec.get(part) or []):
            yield f"spec.{part}[{number}]", container


def begin(pod: Json) -> None:
    """Fill in the defaults of a new pod and its first status. Raises Refusal (400) at quantities that are none."""
    spec: Json = pod.setdefault("spec", {})
    for key, value in DEFAULTS.items():
        spec.setdefault(key, copy.deepcopy(value))
    if "serviceAccountName" in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]
    tolerations = spec.setdefault("tolerations", [])
    for taint in TOLERATED:
        if not any(one.get("key") in (None, taint) and one.get("effect") in (None, "NoExecute") for one in tolerations):
            one = {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATED_S}
            tolerations.append(one)
    for _, container in containers(spec):
        _begin_container(container)
    pod["status"] = {"phase": "Pending", "qosClass": _quality(spec)}
    if spec.get("schedulingGates"):
        pod["status"]["conditions"] = [{**GATED, "lastTransitionTime": now()}]


def faults(pod: Json) -> Iterator[Fault]:
    """Yield what is wrong with a new pod's spec."""
    spec = pod["spec"]
    if not spec.get("containers"):
        yield Fault("spec.containers", "Required value")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield Fault("spec.nodeName", "Forbidden", "cannot be set until all schedulingGates have been cleared")
    for path, container in containers(spec):
        if not container.get("name"):
            yield Fault(f"{path}.name", "Required value")
        if not container.get("image"):
            yield Fault(f"{path}.image", "Required value")
        yield from _resource_faults(f"{path}.resources", container["resources"])
    yield from _name_faults(spec)


def change_faults(before: Json, after: Json) -> Iterator[Fault]:
    """Yield what may not be changed in a pod's spec."""
    old, new = before["spec"], after["spec"]
    known = {gate["name"] for gate in old.get("schedulingGates") or []}
    for number, gate in enumerate(new.get("schedulingGates") or []):
        if gate["name"] not in known:
            why = f"only deletion is allowed, but found new scheduling gate '{gate['name']}'"
            yield Fault(f"spec.schedulingGates[{number}].name", "Forbidden", why)
            return
    for part in ("initContainers", "containers"):
        if len(old.get(part) or []) != len(new.get(part) or []):
            yield Fault(f"spec.{part}", "Forbidden", "pod updates may not add or remove containers")
            return
    narrowing = list(_narrowing_faults(old, new)) if known else []
    if narrowing:
        yield from narrowing
        return
    allowed = _with_allowed_changes(old, new, is_gated=bool(known))
    if allowed != new:
        yield Fault("spec", "Forbidden", f"{UNCHANGEABLE}\n{_difference(allowed, new)}")


def _begin_container(container: Json) -> None:
    resources = container.setdefault("resources", {})
    for part in ("limits", "requests"):
        for value in (resources.get(part) or {}).values():
            if parse(value) is None:
                raise Refusal(400, f'Pod in version "v1" cannot be handled as a Pod: {QUANTITY_RULE}')
        if part in resources:
            resources[part] = {name: str(value) for name, value in resources[part].items()}
    if resources.get("limits"):
        resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    image = str(container.get("image", "")).rpartition("/")[2]
    is_moving = "@" not in image and (":" not in image or image.endswith(":latest"))
    container.setdefault("imagePullPolicy", "Always" if is_moving else "IfNotPresent")


def _quality(spec: Json) -> str:
    resources = [container["resources"] for _, container in containers(spec)]
    given = [set(one.get("requests") or {}) & {"cpu", "memory"} for one in resources]
    if not any(given):
        return "BestEffort"
    is_sure = all(len(one) == len(("cpu", "memory")) for one in given) and all(
        (one.get("limits") or {}).get(name) == one["requests"][name] for one in resources for name in ("cpu", "memory")
    )
    return "Guaranteed" if is_sure else "Burstable"


def _resource_faults(path: str, resources: Json) -> Iterator[Fault]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, quantities in (("limits", limits), ("requests", requests)):
        for name, text in quantities.items():
            number = parse(text)
            if number is None or number < 0:
                why = "must be greater than or equal to 0"
                yield Fault(f"{path}.{part}[{name}]", f'Invalid value: "{text}"', why)
            elif name not in NATIVE and number % 1:
                yield Fault(f"{path}.{part}[{name}]", f'Invalid value: "{text}"', "must be an integer")
    for name, text in requests.items():
        most, wanted = parse(limits.get(name)), parse(text)
        if name not in NATIVE and most is None:
            yield Fault(f"{path}.limits", "Required value", "Limit must be set for non overcommitable resources")
        elif most is not None and wanted is not None and wanted > most:
            most_text = written(most, is_binary=str(limits[name]).endswith("i"))
            why = f"must be less than or equal to {name} limit of {most_text}"
            yield Fault(f"{path}.requests", f'Invalid value: "{text}"', why)


def _terms(spec: Json) -> list[Json]:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms: list[Json] = (affinity.get(REQUIRED) or {}).get("nodeSelectorTerms") or []
    return terms


def _narrowing_faults(before: Json, after: Json) -> Iterator[Fault]:
    """Yield where a gated pod's choice of nodes would be widened; setting it for the first time is fine."""
    yield from _name_faults(after)
    selector = after.get("nodeSelector") or {}
    if not (before.get("nodeSelector") or {}).items() <= selector.items():
        why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        yield Fault("spec.nodeSelector", f"Invalid value: {json.dumps(selector, separators=(',', ':'))}", why)
    old, new = _terms(before), _terms(after)
    if not old:
        return
    if len(old) != len(new):
        why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        yield Fault(TERMS, f"Invalid value: {_go(new)}", why)
        return
    for number, (was, wanted) in enumerate(zip(old, new, strict=True)):
        for part in ("matchExpressions", "matchFields"):
            kept = was.get(part) or []
            if (wanted.get(part) or [])[: len(kept)] != kept:
                why = "only additions are allowed (no mutations or deletions)"
                yield Fault(f"{TERMS}[{number}]", f"Invalid value: {_go(wanted)}", why)
                break


def _name_faults(spec: Json) -> Iterator[Fault]:
    for number, term in enumerate(_terms(spec)):
        for place, one in enumerate(term.get("matchFields") or []):
            if one.get("operator") in ("In", "NotIn") and len(one.get("values") or []) != 1:
                why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
                yield Fault(f"{TERMS}[{number}].matchFields[{place}].values", "Required value", why)


def _go(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(_go(one) for one in value)}]"
    terms = {"MatchExpressions": value.get("matchExpressions"), "MatchFields": value.get("matchFields")}
    for part, requirements in terms.items():
        capital = [{name.capitalize(): one for name, one in member.items()} for member in requirements or []]
        terms[part] = capital or None
    return json.dumps(terms, separators=(",", ":"))


def _with_allowed_changes(old: Json, new: Json, *, is_gated: bool) -> Json:
    """Return the old spec with those changes that are allowed."""
    allowed = copy.deepcopy(old)
    _take(allowed, new, ["schedulingGates", "activeDeadlineSeconds"])
    if (new.get("tolerations") or [])[: len(old.get("tolerations") or [])] == (old.get("tolerations") or []):
        _take(allowed, new, ["tolerations"])
    for part in ("initContainers", "containers"):
        for before, after in zip(allowed.get(part) or [], new.get(part) or [], strict=False):
            _take(before, after, ["image"])
    if is_gated:
        kept = old.get("nodeSelector") or {}
        if kept.items() <= (new.get("nodeSelector") or {}).items():
            _take(allowed, new, ["nodeSelector"])
        affinity = {
            **(allowed.get("affinity") or {}),
            "nodeAffinity": (new.get("affinity") or {}).get("nodeAffinity"),
        }
        allowed["affinity"] = {name: value for name, value in affinity.items() if value is not None}
        if not allowed["affinity"] and "affinity" not in new:
            del allowed["affinity"]
    return allowed


def _take(into: Json, source: Json, names: Iterable[str]) -> None:
    for name in names:
        if name in source:
            into[name] = source[name]
        else:
            into.pop(name, None)


def _difference(before: Json, after: Json) -> str:
    old, new = (json.dumps(spec, indent=1, sort_keys=True).splitlines() for spec in (before, after))
    return "\n".join(list(difflib.unified_diff(old, new, lineterm=""))[2:]) + "\n"
