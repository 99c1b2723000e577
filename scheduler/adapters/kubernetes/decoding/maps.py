"""ConfigMaps."""

from collections.abc import Mapping
from typing import Any

from scheduler.adapters.kubernetes.decoding.fields import shared
from scheduler.adapters.kubernetes.identity import ATTEMPT_LABEL, INSTANCE_LABEL, PROOF_ANNOTATION
from scheduler.adapters.kubernetes.views import MapView


def map_view(obj: Mapping[str, Any]) -> MapView:
    """Return what is kept of a ConfigMap; its data is not looked at. Raises KeyError or ValueError for what is none."""
    metadata = obj["metadata"]
    labels = metadata.get("labels") or {}
    return MapView(
        uid=metadata["uid"],
        namespace=shared(metadata["namespace"]),
        name=metadata["name"],
        version=int(metadata["resourceVersion"]),
        is_going="deletionTimestamp" in metadata,
        instance=shared(labels.get(INSTANCE_LABEL)),
        attempt=labels.get(ATTEMPT_LABEL, ""),
        proof=(metadata.get("annotations") or {}).get(PROOF_ANNOTATION, ""),
    )
