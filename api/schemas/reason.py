"""Why a job waits or was refused: a sentence for people, numbers for programs."""

from typing import Any, Literal

from api.schemas.text import Answer, Moment, with_examples
from scheduler.core.model.reason import Resource

TOO_FEW_FREE_EXAMPLE: dict[str, Any] = {
    "code": "too-few-free",
    "text": (
        "needs 4 workers, each with 8 free h100-sxm on one node; 2 fit now, 16 devices are free; "
        "16 are held by tenant beta and 8 by you"
    ),
    "cluster": "mixed",
    "chip": "h100-sxm",
    "workers": 4,
    "devices_per_worker": 8,
    "workers_fit": 2,
    "nodes_fit": 2,
    "devices_free": 16,
    "devices_drained": 0,
    "holders": [{"tenant": "beta", "devices": 16}, {"tenant": "demo", "devices": 8}],
    "limit": {"resource": "devices", "asked": 8, "most": 8},
}


class HolderAnswer(Answer):
    """Devices that a tenant holds."""

    tenant: str
    devices: int


class LimitAnswer(Answer):
    """The one resource that keeps workers out: what each worker asks for, and the most that one node has to give."""

    resource: Resource
    asked: int
    """Devices, milli-cores, MiB or workers, as the resource is counted."""
    most: int


class TooFewFreeAnswer(Answer):
    """Fewer workers fit now than are wanted; all would if nothing else ran."""

    model_config = with_examples(TOO_FEW_FREE_EXAMPLE)

    code: Literal["too-few-free"] = "too-few-free"
    text: str
    cluster: str
    chip: str
    workers: int
    devices_per_worker: int
    workers_fit: int
    nodes_fit: int
    devices_free: int
    devices_drained: int
    holders: tuple[HolderAnswer, ...]
    limit: LimitAnswer


class NeverFitsAnswer(Answer):
    """More is asked than the cluster has when it is empty."""

    code: Literal["never-fits"] = "never-fits"
    text: str
    cluster: str
    chip: str
    workers: int
    devices_per_worker: int
    workers_fit_empty: int
    largest_node_devices: int
    limit: LimitAnswer


class QuotaExceededAnswer(Answer):
    """The tenant would hold more devices than its quota."""

    code: Literal["quota-exceeded"] = "quota-exceeded"
    text: str
    tenant: str
    chip: str
    limit: int
    used: int
    asked: int


class BackingOffAnswer(Answer):
    """The last attempt failed; the next one comes later."""

    code: Literal["backing-off"] = "backing-off"
    text: str
    until: Moment
    failures: int
    retries: int


class NoClusterAnswer(Answer):
    """No cluster has reported its nodes yet."""

    code: Literal["no-cluster"] = "no-cluster"
    text: str


ReasonAnswer = TooFewFreeAnswer | NeverFitsAnswer | QuotaExceededAnswer | BackingOffAnswer | NoClusterAnswer


class WhyAnswer(Answer):
    """Where a job stands and what would help."""

    model_config = with_examples(
        {
            "job": "01jd3v9k2m0a7b4c",
            "state": "queued",
            "reasons": [TOO_FEW_FREE_EXAMPLE],
            "position": 3,
            "ahead": 2,
            "text": "It waits, third in the queue: " + str(TOO_FEW_FREE_EXAMPLE["text"]) + ".",
            "next": "wait, or submit it with fewer workers or with more acceptable chip types",
            "change": 1204,
            "age_s": 0.002,
        }
    )

    job: str
    state: str
    reasons: tuple[ReasonAnswer, ...]
    position: int | None
    """In the queue, from 1; null where it does not wait."""
    ahead: int | None
    text: str
    next: str | None
    """What the user can do about it."""
    change: int
    """The change this is as of."""
    age_s: float
    """Seconds since this was last compared with the database."""
