"""Events about pods, as the scheduler and the kubelet write them."""

from contextlib import suppress
from uuid import uuid4

from tests.kubernetes.fake_api.answers import Json, Refusal
from tests.kubernetes.fake_api.metadata import now
from tests.kubernetes.fake_api.registry import Place, Registry
from tests.kubernetes.fake_api.resources import EVENTS


def record(registry: Registry, pod: Json, reason: str, message: str, *, kind: str = "Normal") -> None:
    """Write an event about a pod; where its namespace ends, it is not written."""
    known = pod["metadata"]
    about = {"kind": "Pod", "apiVersion": "v1", "namespace": known["namespace"], "name": known["name"]}
    moment = now()
    body: Json = {
        "metadata": {"name": f"{known['name']}.{uuid4().hex[:16]}"},
        "involvedObject": {**about, "uid": known["uid"], "resourceVersion": known["resourceVersion"]},
        "reason": reason,
        "message": message,
        "source": {},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
        "type": kind,
        "eventTime": None,
        "reportingComponent": "",
        "reportingInstance": "",
    }
    with suppress(Refusal):
        registry.create(Place(EVENTS, known["namespace"]), body)
