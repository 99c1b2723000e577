"""What is supposed when somebody asks what would be, and what would follow."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from api.schemas.job_request import JobRequest
from api.schemas.reason import ESTIMATE_EXAMPLE, TOO_FEW_FREE_EXAMPLE, EstimateAnswer, ReasonAnswer
from api.schemas.sharing.queues import QueueQuotaBody
from api.schemas.text import ANY_NODE_PATTERN, LIKE_PATTERN, PLACE_PATTERN, Answer, Body, Name, with_examples
from scheduler.core.model.asking.consequences import LeavingCause
from scheduler.core.model.asking.suppositions import MOST_NODES, MOST_SUPPOSITIONS
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.sharing.queue import MOST_WEIGHT

NodeText = Annotated[str, StringConstraints(pattern=ANY_NODE_PATTERN, max_length=316)]
NodeCount = Annotated[int, Field(ge=1, le=MOST_NODES, strict=True)]
Like = Annotated[
    str,
    StringConstraints(pattern=LIKE_PATTERN, max_length=160),
    Field(description="A pool, as `GET /v1/pools` names it, or a chip type."),
]
PlaceText = Annotated[str, StringConstraints(pattern=PLACE_PATTERN, max_length=127)]

DRAIN_EXAMPLE: dict[str, Any] = {"nodes": ["mixed/h100-sxm-1"]}
ADD_EXAMPLE: dict[str, Any] = {"like": "h100-sxm", "count": 8}
QUOTA_EXAMPLE: dict[str, Any] = {"queue": "demo", "resource": "h100-sxm", "guaranteed": 32, "limit": 64}
WEIGHT_EXAMPLE: dict[str, Any] = {"queue": "demo", "weight": 3}


class DrainBody(Body):
    """Nodes that take nothing new: named ones, or all or so many of those that are described."""

    model_config = with_examples(DRAIN_EXAMPLE)

    nodes: Annotated[tuple[NodeText, ...], Field(max_length=MOST_NODES)] = Field(
        default=(), description="`CLUSTER/NAME`, or the name alone where one cluster has it."
    )
    like: Like | None = None
    where: PlaceText | None = Field(
        default=None, description="`LEVEL=DOMAIN` of the topology, such as `rack=r1`, or `KEY=VALUE` of a label."
    )
    count: NodeCount | None = Field(default=None, description="So many, the emptiest first; null: all of them.")
    runs_on: bool = Field(default=False, strict=True, description="What they run may end by itself; else it has to go.")

    @model_validator(mode="after")
    def _names_or_describes(self) -> Self:
        if bool(self.nodes) == bool(self.like or self.where):
            raise ValueError("must have either `nodes`, or `like` or `where` or both")
        if self.nodes and self.count is not None:
            raise ValueError("must not have `count` beside `nodes`")
        return self


class AddBody(Body):
    """Nodes that there are more of."""

    model_config = with_examples(ADD_EXAMPLE)

    like: Like
    count: NodeCount
    cluster: Name | None = Field(default=None, description="Null: the one that has most nodes of that kind.")


class SupposedQuotaBody(QueueQuotaBody):
    """A quota as it would be, the whole of it."""

    model_config = with_examples(QUOTA_EXAMPLE)

    queue: Name
    resource: Name


class SupposedWeightBody(Body):
    """What a queue would count against its siblings."""

    model_config = with_examples(WEIGHT_EXAMPLE)

    queue: Name
    weight: Annotated[int, Field(ge=1, le=MOST_WEIGHT, strict=True)]


_Most = Field(max_length=MOST_SUPPOSITIONS)


class WhatIfBody(Body):
    """What is supposed, all of it together: first the drained nodes, then those that are added, quotas and weights."""

    model_config = with_examples({"drain": [DRAIN_EXAMPLE], "add": [ADD_EXAMPLE]})

    drain: Annotated[tuple[DrainBody, ...], _Most] = ()
    add: Annotated[tuple[AddBody, ...], _Most] = ()
    quotas: Annotated[tuple[SupposedQuotaBody, ...], _Most] = ()
    weights: Annotated[tuple[SupposedWeightBody, ...], _Most] = ()
    job: JobRequest | None = Field(default=None, description="A job that would come then.")
    tenant: Name | None = Field(default=None, description="Whose it would be; needed with `job`.")

    @model_validator(mode="after")
    def _supposes_something(self) -> Self:
        supposed = len(self.drain) + len(self.add) + len(self.quotas) + len(self.weights)
        if not supposed and self.job is None:
            raise ValueError("supposes nothing: say what would be drained, added or changed, or which job would come")
        if supposed > MOST_SUPPOSITIONS:
            raise ValueError(f"supposes {supposed} things; {MOST_SUPPOSITIONS} are the most at once")
        if (self.job is None) != (self.tenant is None):
            raise ValueError("`job` and `tenant` go together: somebody's job would come")
        return self


JOB_WHAT_IF_EXAMPLE: dict[str, Any] = {
    "outcome": "waits",
    "text": "It would wait, 3rd in the queue: needs 4 workers, each with 8 free h100-sxm on one node.",
    "chips": ["h100-sxm"],
    "nodes": [],
    "reasons": [TOO_FEW_FREE_EXAMPLE],
    "position": 3,
    "estimate": ESTIMATE_EXAMPLE,
}
LEAVING_EXAMPLE: dict[str, Any] = {
    "job": "01jd3v9k2m0a7b4c",
    "group": "01jd3v9k2m0a7b4c-g0",
    "name": "first",
    "tenant": "demo",
    "cause": "drain",
    "devices": 8.0,
    "workers": 1,
    "nodes": ["mixed/h100-sxm-1"],
    "beneficiary": None,
    "goes_to": [],
    "goes_on_with": None,
    "after_others": False,
    "estimate": ESTIMATE_EXAMPLE,
}
SHRINKING_EXAMPLE: dict[str, Any] = {
    "job": "01jd3v9k2m0a7b4d",
    "group": "01jd3v9k2m0a7b4d-g0",
    "name": "elastic",
    "tenant": "demo",
    "cause": "priority",
    "workers_before": 8,
    "workers_after": 4,
    "gives": 4.0,
    "devices": 4.0,
    "nodes": ["mixed/h100-sxm-0"],
    "beneficiary": "01jd3v9k2m0a7b4c",
}
STARTING_EXAMPLE: dict[str, Any] = {
    "job": "01jd3v9k2m0a7b4c",
    "group": "01jd3v9k2m0a7b4c-g0",
    "name": "first",
    "tenant": "demo",
    "nodes": ["mixed/supposed-1-1"],
    "after_others": False,
    "estimate_before": ESTIMATE_EXAMPLE,
}
SHIFT_EXAMPLE: dict[str, Any] = {
    "job": "01jd3v9k2m0a7b4c",
    "group": "01jd3v9k2m0a7b4c-g0",
    "name": "first",
    "tenant": "demo",
    "before": ESTIMATE_EXAMPLE,
    "after": ESTIMATE_EXAMPLE,
    "later_s": 1800.0,
}
WAITS_EXAMPLE: dict[str, Any] = {
    "waiting": 40,
    "looked_at": 40,
    "longer": 12,
    "shorter": 0,
    "alike": 28,
    "never": 0,
    "shifts": [SHIFT_EXAMPLE],
}
SHARE_SHIFT_EXAMPLE: dict[str, Any] = {
    "queue": "demo",
    "due_before": 0.5,
    "due_after": 0.5,
    "held_before": 0.4,
    "held_after": 0.3,
}
CAPACITY_SHIFT_EXAMPLE: dict[str, Any] = {"chip": "h100-sxm", "before": 64, "after": 56}


class JobWhatIfAnswer(Answer):
    """What would become of a job that is not submitted."""

    model_config = with_examples(JOB_WHAT_IF_EXAMPLE)

    outcome: Literal["placed", "partly", "waits", "refused"]
    text: str
    chips: tuple[str, ...]
    """The chip types that it accepts."""
    nodes: tuple[tuple[str, ...], ...]
    """Of each of its gangs that would run at once, where."""
    reasons: tuple[ReasonAnswer, ...]
    """Why there is no place, most binding first."""
    position: int | None
    """In the queue; null where it need not wait."""
    estimate: EstimateAnswer | None
    """When it would start; null where that is not known, or so many come before it."""


class JobWhatIfsAnswer(Answer):
    """What would become of a job, and of the same on one other chip type each, as of a change number."""

    model_config = with_examples(
        {"job": JOB_WHAT_IF_EXAMPLE, "others": [JOB_WHAT_IF_EXAMPLE], "change": 4711, "age_s": 0.02}
    )

    job: JobWhatIfAnswer
    others: tuple[JobWhatIfAnswer, ...]
    """On chip types that it does not accept: those that are worth most first."""
    change: int
    age_s: float


class OfGangAnswer(Answer):
    """Which gang something is said of."""

    job: str
    group: str
    name: str
    tenant: str


class LeavingAnswer(OfGangAnswer):
    """A gang that runs and would have to leave."""

    model_config = with_examples(LEAVING_EXAMPLE)

    cause: LeavingCause
    devices: float
    workers: int
    nodes: tuple[str, ...]
    """On which it is."""
    beneficiary: str | None
    """The job that it would be stopped for."""
    goes_to: tuple[str, ...]
    """The nodes on which it would go on at once; empty where it would wait."""
    goes_on_with: int | None
    """So many workers there: of an elastic job maybe fewer than before; null where it would wait."""
    after_others: bool
    """It would go on once those are gone that would be stopped for it, or give way to it."""
    estimate: EstimateAnswer | None
    """When it would start again, where it would wait; null where that is not known, or it waits for those alone."""


class ShrinkingAnswer(OfGangAnswer):
    """An elastic gang that runs, and would go on with fewer workers for another one."""

    model_config = with_examples(SHRINKING_EXAMPLE)

    cause: EvictionCause
    """By which right of the other one."""
    workers_before: int
    workers_after: int
    gives: float
    """Devices."""
    devices: float
    """That it would still hold."""
    nodes: tuple[str, ...]
    """On which it would still be."""
    beneficiary: str
    """The job that it would give way to."""


class StartingAnswer(OfGangAnswer):
    """A gang that waits and would start."""

    model_config = with_examples(STARTING_EXAMPLE)

    nodes: tuple[str, ...]
    after_others: bool
    """Once those are gone that would be stopped for it, or give way to it."""
    estimate_before: EstimateAnswer | None
    """When it is expected to start as things are."""


class ShiftAnswer(OfGangAnswer):
    """A gang that would wait longer or shorter."""

    model_config = with_examples(SHIFT_EXAMPLE)

    before: EstimateAnswer | None
    after: EstimateAnswer | None
    later_s: float | None
    """By how much the later end of what is expected moves; less than 0 where it is sooner."""


class WaitsAnswer(Answer):
    """What would become of those that go on waiting, by counts."""

    model_config = with_examples(WAITS_EXAMPLE)

    waiting: int
    looked_at: int
    """So many of the first in the queue were compared."""
    longer: int
    shorter: int
    alike: int
    never: int
    """So many would have no expected start any more."""
    shifts: tuple[ShiftAnswer, ...]
    """Those that move most."""


class ShareShiftAnswer(Answer):
    """What a queue is due and holds, as parts of all compute, before and after."""

    model_config = with_examples(SHARE_SHIFT_EXAMPLE)

    queue: str
    due_before: float
    due_after: float
    held_before: float
    held_after: float


class CapacityShiftAnswer(Answer):
    """Devices of a chip type on nodes that take work, before and after."""

    model_config = with_examples(CAPACITY_SHIFT_EXAMPLE)

    chip: str
    before: int
    after: int


class WhatIfAnswer(Answer):
    """What would follow, as of a change number. Of many of a kind the first 20 are named, and all are counted."""

    model_config = with_examples(
        {
            "text": "1 node drained: 1 gang leaves, of which 0 have another place at once. 12 wait longer.",
            "drained": ["mixed/h100-sxm-1"],
            "drained_count": 1,
            "added": 0,
            "leaving": [LEAVING_EXAMPLE],
            "leaving_count": 1,
            "placed_again": 0,
            "shrinking": [],
            "shrinking_count": 0,
            "starting": [],
            "starting_count": 0,
            "waits": WAITS_EXAMPLE,
            "shares": [SHARE_SHIFT_EXAMPLE],
            "capacity": [CAPACITY_SHIFT_EXAMPLE],
            "job": None,
            "others": [],
            "change": 4711,
            "age_s": 0.02,
        }
    )

    text: str
    drained: tuple[str, ...]
    drained_count: int
    added: int
    leaving: tuple[LeavingAnswer, ...]
    leaving_count: int
    placed_again: int
    """So many of those that leave would have another place at once."""
    shrinking: tuple[ShrinkingAnswer, ...]
    shrinking_count: int
    starting: tuple[StartingAnswer, ...]
    starting_count: int
    waits: WaitsAnswer | None
    """Null where nothing but a job is supposed."""
    shares: tuple[ShareShiftAnswer, ...]
    """Those that change."""
    capacity: tuple[CapacityShiftAnswer, ...]
    """Those that change."""
    job: JobWhatIfAnswer | None
    others: tuple[JobWhatIfAnswer, ...]
    """The same job on chip types that it does not accept."""
    change: int
    age_s: float
