"""Why a job waits or was refused: a sentence for people, numbers for programs."""

from typing import Any, Literal

from api.schemas.text import Answer, Moment, with_examples
from api.schemas.waiting.moves import MOVE_EXAMPLE, MoveAnswer
from api.schemas.waiting.standings import STANDING_EXAMPLE, StandingAnswer
from scheduler.core.model.group import State
from scheduler.core.model.job import Condition
from scheduler.core.model.reason import Mismatch, Resource
from scheduler.core.model.sharing.queue import QuotaCause
from scheduler.core.model.waiting.estimate import StartBasis, UnknownStart

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
    "level": "cluster",
    "workers_fit_anywhere": None,
    "devices_reserved": 0,
    "role": "worker",
    "nearest": {"workers": 2, "devices_per_worker": 8, "level": "cluster"},
    "kept_apart": None,
}


ESTIMATE_EXAMPLE: dict[str, Any] = {
    "text": "it is expected to start between 14:10 and 14:40 UTC, as far as time limits tell",
    "earliest": "2026-11-22T14:10:00.000000Z",
    "latest": "2026-11-22T14:40:00.000000Z",
    "basis": "limits",
    "unknown": None,
    "made_at": "2026-11-22T13:00:00.000000Z",
    "record": {"scored": 412, "half_within": 1.6, "in_range": 0.81},
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


class NearestShapeAnswer(Answer):
    """The shape nearest to what was asked for that would fit; it differs in one thing only, where one suffices."""

    workers: int
    devices_per_worker: int
    level: str
    """The topology level of which one domain holds all of them."""


class KeptApartAnswer(Answer):
    """What a gang leaves alone because other jobs of its tenant stand there that it is to be apart from."""

    level: str
    domains: int
    """So many domains of the level; a node that is in none of it counts as one."""
    workers_fit: int
    """So many workers would fit now into one domain of the required level if nothing were left alone."""


class TooFewFreeAnswer(Answer):
    """Fewer workers fit now than are wanted; all would if nothing else ran."""

    model_config = with_examples(TOO_FEW_FREE_EXAMPLE)

    code: Literal["too-few-free"] = "too-few-free"
    text: str
    cluster: str
    chip: str | None
    """Null for workers without devices."""
    workers: int
    devices_per_worker: int
    """0 for a share of a device and for none."""
    workers_fit: int
    """So many would fit now into one domain of `level`."""
    nodes_fit: int
    devices_free: int
    devices_drained: int
    holders: tuple[HolderAnswer, ...]
    limit: LimitAnswer
    level: str
    """The topology level of which one domain must hold the workers; `cluster` where that does not matter."""
    workers_fit_anywhere: int | None
    """So many would fit now if they could be anywhere in the cluster; null where `level` is `cluster`."""
    devices_reserved: int
    """Free devices on nodes that belong to other tenants, not among `devices_free`."""
    role: str
    """`worker`, or the role of the job that these workers are for."""
    nearest: NearestShapeAnswer | None
    """What would fit now; null where nothing near does."""
    kept_apart: KeptApartAnswer | None
    """What the job is to be apart from; null where that is nothing. Its devices are among `devices_free`."""


class NeverFitsAnswer(Answer):
    """More is asked than the cluster has when it is empty."""

    code: Literal["never-fits"] = "never-fits"
    text: str
    cluster: str
    chip: str | None
    workers: int
    devices_per_worker: int
    workers_fit_empty: int
    largest_node_devices: int
    limit: LimitAnswer
    level: str
    role: str
    nearest: NearestShapeAnswer | None
    """What would fit into the empty cluster; null where nothing near does."""


class CannotServeAnswer(Answer):
    """The cluster cannot meet one of the job's wishes, however empty it is."""

    model_config = with_examples(
        {
            "code": "cannot-serve",
            "text": "no node of cluster mixed has the label generation=hopper",
            "cluster": "mixed",
            "mismatch": "node-labels",
            "asked": ["generation=hopper"],
            "offered": [],
        }
    )

    code: Literal["cannot-serve"] = "cannot-serve"
    text: str
    cluster: str
    mismatch: Mismatch
    asked: tuple[str, ...]
    offered: tuple[str, ...]
    """What there is instead, at most 20."""


class MeasuredUnits(Answer):
    """What one device of a chip type counts as of compute, by how fast the job's family is on it."""

    chip: str
    units: int


class QuotaExceededAnswer(Answer):
    """The job's queue, or one that it is in, would hold more than it may."""

    code: Literal["quota-exceeded"] = "quota-exceeded"
    text: str
    queue: str
    resource: str
    """A chip type, a group of chip types, or `compute`."""
    limit: int
    """The most it may hold now: whole devices, or units of compute, as the next two; shares count up to the next."""
    used: int
    asked: int
    cause: QuotaCause
    kept_for: tuple[str, ...]
    """The queues for which what is guaranteed to them is kept back, most first, at most 5."""
    measured: tuple[MeasuredUnits, ...]
    """Of compute: what was measured of its family; of other chip types a device counts as the catalogue says."""


class QueueIsFullAnswer(Answer):
    """So many jobs of its queue hold devices as may at one time."""

    code: Literal["queue-is-full"] = "queue-is-full"
    text: str
    queue: str
    most_running: int
    user: str | None
    """Of this user; null: of all together."""


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


class WaitsForJobAnswer(Answer):
    """A job that must be over first is not."""

    code: Literal["waits-for-job"] = "waits-for-job"
    text: str
    job: str
    condition: Condition


class WaitsForArrayAnswer(Answer):
    """An array of which all jobs must be over first has some left."""

    code: Literal["waits-for-array"] = "waits-for-array"
    text: str
    array: str
    condition: Condition
    """What must become of each of its jobs."""
    ended: int
    """How many of them are over, whatever became of them."""
    jobs: int
    """How many it has in all."""


class CannotFollowAnswer(Answer):
    """A job, or an array, that must have succeeded first did not."""

    code: Literal["cannot-follow"] = "cannot-follow"
    text: str
    job: str | None
    """Null where it is an array."""
    array: str | None
    became: State


class ArrayIsFullAnswer(Answer):
    """So many jobs of its array hold devices as may at one time."""

    code: Literal["array-is-full"] = "array-is-full"
    text: str
    array: str
    most_at_once: int


class KeptForAnswer(Answer):
    """What is free now and kept for somebody else until it starts."""

    tenant: str
    job: str | None
    """Null where it is another tenant's."""
    begins: Moment
    """When it is expected to start."""
    devices: dict[str, int]
    """How many of each chip type are kept now."""
    nodes: tuple[str, ...]


class KeptForOthersAnswer(Answer):
    """There is room for it, and that is kept for those who have waited longer."""

    code: Literal["kept-for-others"] = "kept-for-others"
    text: str
    kept: tuple[KeptForAnswer, ...]
    """In the order in which they are to start."""
    overtakes_with_time_limit_s: int | None
    """With a time limit of so many seconds at most it would start now; null where none is short enough."""


class RoomIsMadeAnswer(Answer):
    """Attempts are being stopped for it, or give it workers: it starts when they are gone."""

    code: Literal["room-is-made"] = "room-is-made"
    text: str
    attempts: int
    """So many stop."""
    until: Moment
    """When the last of them has had the time that it is given to end."""
    giving: int
    """So many go on with fewer workers."""


ReasonAnswer = (
    TooFewFreeAnswer
    | NeverFitsAnswer
    | QuotaExceededAnswer
    | BackingOffAnswer
    | NoClusterAnswer
    | CannotServeAnswer
    | WaitsForJobAnswer
    | WaitsForArrayAnswer
    | CannotFollowAnswer
    | ArrayIsFullAnswer
    | KeptForOthersAnswer
    | RoomIsMadeAnswer
    | QueueIsFullAnswer
)


class RemedyAnswer(Answer):
    """A change of the job by which it would start, or at least could."""

    text: str
    field: str
    """Of a job file: what `medley clone --set FIELD=VALUE` takes."""
    value: Any
    """What it would be; null: the field is left out."""
    starts_now: bool
    """True: the job so changed has a place now. False: it would fit if nothing else ran, as it is it never does."""


class EstimateRecordAnswer(Answer):
    """How right estimates of starts were lately."""

    scored: int
    half_within: float
    """Half of those waited no more than so many times as long as told, nor as many times shorter."""
    in_range: float
    """The part of them, 0 to 1, that started within the range that was told."""


class EstimateAnswer(Answer):
    """When a job is expected to start. No promise, unless the basis is `promised`."""

    model_config = with_examples(ESTIMATE_EXAMPLE)

    text: str
    earliest: Moment | None
    """If everybody before it runs as long as half of those like them did; null where nothing can be said."""
    latest: Moment | None
    """If they run as long as is to be expected at most."""
    basis: StartBasis | None
    """What it rests on: what is free, room that is kept for it, time limits, what was learnt, or guesses."""
    unknown: UnknownStart | None
    """Why nothing can be said; null where something is."""
    made_at: Moment
    record: EstimateRecordAnswer | None = None
    """How right estimates on the same basis were in the last week; null where fewer than 20 are known."""


class WhyAnswer(Answer):
    """Where a job stands and what would help."""

    model_config = with_examples(
        {
            "job": "01jd3v9k2m0a7b4c",
            "state": "queued",
            "reasons": [TOO_FEW_FREE_EXAMPLE],
            "position": 3,
            "ahead": 2,
            "standing": STANDING_EXAMPLE,
            "text": "It waits, third in the queue: " + str(TOO_FEW_FREE_EXAMPLE["text"]) + ".",
            "next": "wait, or submit it with 2 workers or with more acceptable chip types",
            "remedies": [
                {"text": "with 2 workers, it would start now", "field": "workers", "value": 2, "starts_now": True}
            ],
            "moves": [MOVE_EXAMPLE],
            "estimate": ESTIMATE_EXAMPLE,
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
    standing: StandingAnswer | None = None
    """What its place in the queue rests on; null where it does not wait."""
    text: str
    next: str | None
    """What the user can do about it."""
    remedies: tuple[RemedyAnswer, ...] = ()
    """Changes of the job that would help, each by itself, the smallest first; each was tried on what there is."""
    moves: tuple[MoveAnswer, ...] = ()
    """Moves of jobs that run, which together would let it start now."""
    estimate: EstimateAnswer | None
    """When it is expected to start; null where it does not wait, or that is not known yet."""
    change: int
    """The change this is as of."""
    age_s: float
    """Seconds since this was last compared with the database."""
