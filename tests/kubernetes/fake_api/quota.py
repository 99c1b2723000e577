"""ResourceQuotas: what a namespace uses, and the refusal of what would be too much."""

from collections.abc import Iterable
from decimal import Decimal

from tests.kubernetes.fake_api import pods
from tests.kubernetes.fake_api.answers import Json, forbidden
from tests.kubernetes.fake_api.quantities import is_binary, parse, total, written
from tests.kubernetes.fake_api.resources import KINDS, PODS, QUOTAS, Kind
from tests.kubernetes.fake_api.store import Store

COMPUTE = frozenset({"cpu", "memory", "ephemeral-storage"})


def enforce(store: Store, kind: Kind, document: Json) -> None:
    """Raise Refusal (403) where a new object would take its namespace over one of its quotas."""
    metadata = document["metadata"]
    prefix = f"{metadata['namespace']}/"
    for quota in (stored for stored in store.all(QUOTAS) if stored.key.startswith(prefix)):
        hard: Json = quota.document.get("spec", {}).get("hard") or {}
        name = quota.document["metadata"]["name"]
        if kind is PODS:
            _demand_figures(name, hard, document)
        wanted = {entry: _taken(kind, entry, [document]) for entry in sorted(hard)}
        present = [one.document for one in store.all(kind) if one.key.startswith(prefix)]
        used = {entry: _taken(kind, entry, present) for entry in sorted(hard)}
        over = [entry for entry in sorted(hard) if wanted[entry] and used[entry] + wanted[entry] > total(hard, entry)]
        if over:
            parts = [_listed(over, figures, hard) for figures in (wanted, used)]
            limited = ",".join(f"{entry}={hard[entry]}" for entry in over)
            message = f"exceeded quota: {name}, requested: {parts[0]}, used: {parts[1]}, limited: {limited}"
            raise forbidden(kind.plural, metadata["name"], message)


def status(store: Store, quota: Json) -> Json:
    """Return the status of a quota as it is now."""
    hard: Json = quota.get("spec", {}).get("hard") or {}
    prefix = f"{quota['metadata']['namespace']}/"
    used = {}
    for entry, limit in sorted(hard.items()):
        for kind in (kind for kind in KINDS if kind.is_namespaced):
            present = [one.document for one in store.all(kind) if one.key.startswith(prefix)]
            if figure := _taken(kind, entry, present):
                used[entry] = written(figure, is_binary=is_binary(limit))
        used.setdefault(entry, "0")
    return {"hard": {entry: str(limit) for entry, limit in sorted(hard.items())}, "used": used}


def _demand_figures(quota: str, hard: Json, pod: Json) -> None:
    missing: dict[str, list[str]] = {}
    for entry in sorted(hard):
        part, name = _split(entry)
        if name not in COMPUTE:
            continue
        for _, container in pods.containers(pod["spec"]):
            if name not in (container["resources"].get(part) or {}):
                missing.setdefault(entry, []).append(container["name"])
    if missing:
        text = "; ".join(f"{entry} for: {','.join(names)}" for entry, names in missing.items())
        raise forbidden("pods", pod["metadata"]["name"], f"failed quota: {quota}: must specify {text}")


def _taken(kind: Kind, entry: str, documents: Iterable[Json]) -> Decimal:
    if entry == f"count/{kind.plural}":
        return Decimal(len(list(documents)))
    living = [one for one in documents if kind is not PODS or not pods.is_over(one)]
    if entry == kind.plural:
        return Decimal(len(living))
    if kind is not PODS:
        return Decimal(0)
    part, name = _split(entry)
    return sum((pod_total(pod["spec"], part, name) for pod in living), Decimal(0))


def pod_total(spec: Json, part: str, name: str) -> Decimal:
    """Return what a pod takes of a resource: its containers' sum, or the greatest of an init container."""
    figures = {"initContainers": Decimal(0), "containers": Decimal(0)}
    for path, container in pods.containers(spec):
        figure = parse((container.get("resources", {}).get(part) or {}).get(name, "0")) or Decimal(0)
        group = path.split(".")[1].split("[")[0]
        is_sum = group == "containers"
        figures[group] = figures[group] + figure if is_sum else max(figures[group], figure)
    return max(figures.values()) + total(spec.get("overhead") or {}, name)


def _split(entry: str) -> tuple[str, str]:
    part, dot, name = entry.partition(".")
    if dot and part in ("requests", "limits"):
        return part, name
    return "requests", entry


def _listed(entries: list[str], figures: dict[str, Decimal], hard: Json) -> str:
    return ",".join(f"{entry}={written(figures[entry], is_binary=is_binary(hard[entry]))}" for entry in entries)
