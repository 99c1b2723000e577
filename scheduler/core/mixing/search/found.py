"""What the search says: plans, what else there would be and why the first is the best; or why there is none."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.mixing.plan import Plan
from scheduler.core.model.identifiers import ChipName

MOST_GROWTH = 1_024
"""So many times as many devices are tried at most, where a training does not fit."""


class Part(StrEnum):
    """What a step's time is made of."""

    STEADY = "steady"
    """All micro-batches but one, at the period of the pipeline."""
    FILLING = "filling"
    """One micro-batch through all stages, forward and backward."""
    SENDING = "sending"
    """That micro-batch between the stages, both ways."""
    ENDING = "ending"
    """The gradients' all-reduce and the optimiser's step."""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why the best plan is before another one."""

    other: int
    """Index of that in the plans."""
    longer_s: float
    """By so much its step is longer."""
    parts_s: dict[Part, float]
    """By so much each part of its step is longer than the best one's, by formula; less than 0 where it is shorter."""

    @property
    def part(self) -> Part:
        """What costs it most."""
        return max(self.parts_s, key=lambda part: (self.parts_s[part], part))


class Way(StrEnum):
    """A simpler way to train that the plan is compared with."""

    ONE_VENDOR = "one_vendor"
    PROPORTIONAL = "proportional"
    """Layers by what the pools' devices do together, on the best plan's stages."""
    EVEN = "even"
    """The same layers on each of the best plan's stages."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a simpler way would give."""

    way: Way
    vendor: str | None
    """Where only its chips are used."""
    plan: Plan | None
    """None: it does not fit into memory."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found."""

    plans: tuple[Plan, ...]
    """The best first; at least one. All of them were simulated."""
    comparisons: tuple[Comparison, ...]
    why: WhyNot | None
    """Against the second; None where there is only one."""


class Bad(StrEnum):
    """What is wrong with what was asked."""

    NO_POOL = "no_pool"
    NOT_POSITIVE = "not_positive"
    """A figure is not a number, infinite, zero or less."""
    NEGATIVE = "negative"
    """A figure that may be zero is not a number, infinite or less."""
    NO_SHARE = "no_share"
    """A share is not a number, less than 0 or more than 1."""
    MORE_ACTIVE_THAN_EXPERTS = "more_active_than_experts"
    SAME_NAME = "same_name"
    UNKNOWN_POOL = "unknown_pool"
    HEADS_DO_NOT_DIVIDE = "heads_do_not_divide"
    NO_KEY_VALUE_HEADS = "no_key_value_heads"
    """Keys and values have no whole number of heads, or one that cannot be shared evenly by all heads."""


@dataclass(frozen=True, slots=True)
class BadProblem:
    """Nothing can be planned with this."""

    fault: Bad
    where: str
    """A pool, a link or the training, with the field."""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class NoPrecision:
    """No chip that may be used computes in the precision of the training."""

    precision: str
    chips: tuple[ChipName, ...]


@dataclass(frozen=True, slots=True)
class DoesNotFit:
    """No pipeline keeps within the memory of its devices."""

    missing_bytes: int
    """On one device, in the plan that comes nearest to fitting."""
    chip: ChipName
    """Of that device."""
    devices: int
    """That may be used."""
    enough_devices: int | None
    """So many would do if each pool grew alike; None: no number up to `MOST_GROWTH` times as many would."""
    would_fit_recomputing: bool
    """It would if activations might be computed anew."""


@dataclass(frozen=True, slots=True)
class LimitsForbid:
    """There are plans, but all of them take more chips, chip types or compute than allowed."""

    without: Plan
    """One that there would be without these limits."""


@dataclass(frozen=True, slots=True)
class TooSlow:
    """The best plan does not reach the throughput that was asked for."""

    wanted_tokens_per_s: float
    best: Plan


Refusal = BadProblem | NoPrecision | DoesNotFit | LimitsForbid | TooSlow


class NoPlanError(Exception):
    """There is no plan; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal
