"""What is asked of the planner, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Constraints, Runtime
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.chips import Stated, Unusable
from scheduler.core.mixing.filing.plan_file import PlanFile
from scheduler.core.mixing.launching.flags import Flags
from scheduler.core.mixing.plan import Plan
from scheduler.core.mixing.search.found import Comparison, Refusal, WhyNot
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate

MOST_PLANS = 5
WORTH_A_RUN = 0.02
"""A further run of a recurring job is worth it that is expected to make its step shorter by this part."""


@dataclass(frozen=True, slots=True)
class TriedPlan:
    """A plan that was run, and what came of it."""

    plan: Plan
    measured_s: float | None
    """Of a step; None: it did not run, as for want of memory."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A training, and what a plan for it may be made of."""

    training: Training
    tenant: TenantName | None
    """Whose nodes may be used beside everybody's; None: everybody's alone."""
    constraints: Constraints = field(default_factory=Constraints)
    runtime: Runtime = field(default_factory=Runtime)
    stated: Stated = field(default_factory=Stated)
    chips: tuple[ChipName, ...] | None = None
    """None: all."""
    cluster: ClusterName | None = None
    between_vendors_bytes_per_s: float | None = None
    """Of a pair of nodes whose chips are of two vendors; None: as fast as their networks are."""
    family: str | None = None
    """Of the tenant's: its measured layers count before every formula."""
    steps: int | None = None
    """How long it is: then it is compared with waiting for one chip type."""
    plans: int = 3
    """At most so many are answered, 1 to MOST_PLANS."""
    earlier: PlanFile | None = None
    """A plan of before, which is predicted anew for what is free now."""
    tried: tuple[TriedPlan, ...] = ()
    """What runs of this training took so far: then it is said which plan is worth the next one."""


@dataclass(frozen=True, slots=True)
class TimelineCut:
    """When each stage computes what, in a step of at most as many micro-batches as a picture can show."""

    micro_batches: int
    forward_s: tuple[tuple[tuple[float, float], ...], ...]
    """Per stage and micro-batch: start and end."""
    backward_s: tuple[tuple[tuple[float, float], ...], ...]

    @property
    def computed_s(self) -> float:
        """When the last backward ends."""
        return max((end for spans in self.backward_s for _, end in spans), default=0.0)


@dataclass(frozen=True, slots=True)
class ToldPlan:
    """One plan with all that is told of it."""

    file: PlanFile
    timeline: TimelineCut
    megatron: Flags
    flagscale: Flags


class TooMany(StrEnum):
    """Why free chips that could take part were not looked at."""

    POOLS = "pools"
    """There are more pools than are planned with, and others have more compute."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Free chips that no plan was made with."""

    pool: str
    chip: ChipName
    why: Unusable | TooMany


class Help(StrEnum):
    """What could be otherwise, so that the training would be faster."""

    NODE = "node"
    """One node more in a pool."""
    NETWORK = "network"
    """All nodes' networks twice as fast."""
    DIRECT = "direct"
    """Devices of one vendor send to those of another without going through hosts."""
    BATCH = "batch"
    """A slightly larger batch, which can be cut into more parts."""


@dataclass(frozen=True, slots=True)
class Faster:
    """What would make the best plan faster, and what the best plan then would be."""

    help: Help
    pool: str | None
    """Of which there would be a node more."""
    global_batch: int | None
    """Where that is what would be otherwise."""
    plan: Plan

    def token_part(self, best: Plan) -> float:
        """Return by how much less time each token takes than by the best plan, 0 to 1."""
        return 1 - best.prediction.tokens_per_s / self.plan.prediction.tokens_per_s


@dataclass(frozen=True, slots=True)
class Finish:
    """When a training of stated length would be over, one way of doing it."""

    chips: tuple[ChipName, ...]
    plan: Plan
    starts: Estimate | NoEstimate | None
    """None: now, on what is free."""
    earliest: datetime | None
    """None where nobody can say when it starts."""
    latest: datetime | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run next, after what earlier runs took."""

    next: int | None
    """Place in the plans; None where no run is worth it any more."""
    best: int | None
    """Place in what was tried of the quickest; None where none ran."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the planner says, as of a change number."""

    plans: tuple[ToldPlan, ...]
    """The best first; none where `refusal` says why."""
    refusal: Refusal | None
    why: WhyNot | None
    """Why the first is before the second."""
    comparisons: tuple[Comparison, ...]
    faster: tuple[Faster, ...]
    finishes: tuple[Finish, ...]
    """The one that is over first leads; none where no length was stated."""
    earlier: Plan | None
    """The plan of before as it would be now; None where none was given, or it has no place any more."""
    trial: Trial | None
    """None where nothing was tried yet: the first plan is then the one to try."""
    offered: tuple[ChipPool, ...]
    """What was planned with."""
    left_out: Sequence[LeftOut]
    profiles_used: int
    """So many measured layers of the family were known."""
    was_known: bool
    """The same was asked before of the same chips, and was not searched anew."""
    change: int
    age_s: float


class UnknownName(ValueError):
    """Something is named that there is not."""

    def __init__(self, noun: str, names: Sequence[str], known: Sequence[str]) -> None:
        """`noun` is what it was taken for: a chip type or a cluster."""
        super().__init__(f"there is no {noun} {names[0]}")
        self.noun = noun
        self.names = names
        self.known = known
