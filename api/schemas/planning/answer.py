"""What the planner says."""

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from api.schemas.planning.example import PLAN_FILE_EXAMPLE
from api.schemas.reason import EstimateAnswer
from api.schemas.text import Answer, Moment, with_examples
from scheduler.core.mixing.filing.plan_file import plan_schema

PlanDocument = Annotated[
    dict[str, Any], WithJsonSchema({name: part for name, part in plan_schema().items() if name != "$schema"})
]
"""A plan file: `docs/plan.schema.json`."""

TIMELINE_EXAMPLE: dict[str, Any] = {
    "micro_batches": 1,
    "computed_s": 0.248,
    "stages": [
        {"forward_s": [[0.0, 0.05]], "backward_s": [[0.148, 0.248]]},
        {"forward_s": [[0.054, 0.084]], "backward_s": [[0.084, 0.144]]},
    ],
}
FLAGS_EXAMPLE: dict[str, Any] = {
    "arguments": ["--num-layers", "8", "--pipeline-model-parallel-size", "2"],
    "hindrances": [],
    "remarks": [],
}
SUMMARY_EXAMPLE: dict[str, Any] = {
    "devices": {"h100-sxm": 4, "ascend-910b2": 4},
    "step_s": 1.6,
    "low_s": 1.5,
    "high_s": 1.8,
    "tokens_per_s": 40960.0,
    "flops_utilisation": 0.41,
    "ideal_share": 0.75,
}
COMPARISON_EXAMPLE: dict[str, Any] = {
    "way": "one_vendor",
    "vendor": "NVIDIA",
    "text": "NVIDIA alone: 2.4 s a step, 1.5 times as long.",
    "plan": {**SUMMARY_EXAMPLE, "devices": {"h100-sxm": 4}, "step_s": 2.4, "tokens_per_s": 27306.7},
    "times_as_long": 1.5,
}
FASTER_EXAMPLE: dict[str, Any] = {
    "help": "node",
    "pool": "mixed/h100-sxm-81920-x8",
    "global_batch": None,
    "text": "One node more in mixed/h100-sxm-81920-x8: 1.2 s a step, 54,613 tokens/s, 25 % less time.",
    "plan": {**SUMMARY_EXAMPLE, "step_s": 1.2, "tokens_per_s": 54613.3},
    "part_less": 0.25,
}
FINISH_EXAMPLE: dict[str, Any] = {
    "chips": ["h100-sxm", "ascend-910b2"],
    "text": "Now on 4 h100-sxm and 4 ascend-910b2: over in 8 h 53 min.",
    "plan": SUMMARY_EXAMPLE,
    "starts_now": True,
    "starts": None,
    "earliest": "2026-01-01T08:53:20.000000Z",
    "latest": "2026-01-01T08:53:20.000000Z",
}
POOL_EXAMPLE: dict[str, Any] = {
    "name": "mixed/h100-sxm-81920-x8",
    "chip": "h100-sxm",
    "vendor": "NVIDIA",
    "nodes": 4,
    "chips_per_node": 8,
    "tflops": 794.5,
    "is_estimate": False,
    "node_gbit_s": 200.0,
}
TRIAL_EXAMPLE: dict[str, Any] = {
    "text": "Plan 1 is worth a run. The quickest so far took 1.71 s a step.",
    "next": 0,
    "best": 0,
}
LEFT_OUT_EXAMPLE: dict[str, Any] = {
    "pool": "mixed/v100-sxm-32-32768-x8",
    "chip": "v100-sxm-32",
    "why": "precision",
    "text": "v100-sxm-32 has no bf16.",
}


class FlagsAnswer(Answer):
    """A plan as options of a training program."""

    model_config = with_examples(FLAGS_EXAMPLE)

    arguments: tuple[str, ...]
    """None where it cannot follow the plan."""
    hindrances: tuple[str, ...]
    """Why it cannot."""
    remarks: tuple[str, ...]
    """What the plan has and the options cannot say."""


class StageTimesAnswer(Answer):
    """When a stage computes each micro-batch: start and end."""

    forward_s: tuple[tuple[float, float], ...]
    backward_s: tuple[tuple[float, float], ...]


class TimelineAnswer(Answer):
    """When each stage computes what in a step."""

    model_config = with_examples(TIMELINE_EXAMPLE)

    micro_batches: int
    """Of a step with so many: fewer than the plan's where those are more than a picture can show."""
    computed_s: float
    """When the last backward ends; gradients and optimiser come after that."""
    stages: tuple[StageTimesAnswer, ...]


PLAN_EXAMPLE: dict[str, Any] = {
    "text": "4 h100-sxm and 4 ascend-910b2: 1.6 s a step (1.5 to 1.8), 40,960 tokens/s.",
    "plan": PLAN_FILE_EXAMPLE,
    "timeline": TIMELINE_EXAMPLE,
    "megatron": {
        "arguments": [],
        "hindrances": ["its pipelines are of one chip type, and this one has ascend-910b2, h100-sxm"],
        "remarks": [],
    },
    "flagscale": FLAGS_EXAMPLE,
}


class PlanAnswer(Answer):
    """One plan with all that is told of it."""

    model_config = with_examples(PLAN_EXAMPLE)

    text: str
    plan: PlanDocument
    """The plan file."""
    timeline: TimelineAnswer
    megatron: FlagsAnswer
    flagscale: FlagsAnswer


class PlanSummaryAnswer(Answer):
    """A plan that something is compared with."""

    model_config = with_examples(SUMMARY_EXAMPLE)

    devices: dict[str, int]
    """By chip type."""
    step_s: float
    low_s: float
    high_s: float
    tokens_per_s: float
    flops_utilisation: float
    ideal_share: float


class ComparisonAnswer(Answer):
    """A simpler way to train."""

    model_config = with_examples(COMPARISON_EXAMPLE)

    way: Literal["one_vendor", "proportional", "even"]
    vendor: str | None
    """Where only its chips are used."""
    text: str
    plan: PlanSummaryAnswer | None
    """Null: it does not fit into memory."""
    times_as_long: float | None
    """A step of it, by one of the best plan."""


class FasterAnswer(Answer):
    """What would make the training faster."""

    model_config = with_examples(FASTER_EXAMPLE)

    help: Literal["node", "network", "direct", "batch"]
    pool: str | None
    """Of which there would be a node more."""
    global_batch: int | None
    """Where that would be otherwise."""
    text: str
    plan: PlanSummaryAnswer
    part_less: float
    """So much less time the whole takes, 0 to 1."""


class FinishAnswer(Answer):
    """When the whole training would be over, one way of doing it."""

    model_config = with_examples(FINISH_EXAMPLE)

    chips: tuple[str, ...]
    text: str
    plan: PlanSummaryAnswer
    starts_now: bool
    starts: EstimateAnswer | None
    """When it would start, where it would wait."""
    earliest: Moment | None
    latest: Moment | None


class PlannedPoolAnswer(Answer):
    """Free chips that were planned with."""

    model_config = with_examples(POOL_EXAMPLE)

    name: str
    chip: str
    vendor: str
    nodes: int
    chips_per_node: int
    tflops: float
    is_estimate: bool
    """Nobody measured the rate."""
    node_gbit_s: float


class LeftOutAnswer(Answer):
    """Free chips that no plan was made with."""

    model_config = with_examples(LEFT_OUT_EXAMPLE)

    pool: str
    chip: str
    why: Literal["precision", "rate", "pools"]
    text: str


class RefusalAnswer(Answer):
    """Why there is no plan."""

    model_config = with_examples(
        {
            "why": "does_not_fit",
            "text": "It does not fit: 12.5 GiB are missing on each h100-sxm. 16 devices would do.",
            "missing_bytes": 13421772800,
            "enough_devices": 16,
        }
    )

    why: Literal["bad_problem", "no_precision", "does_not_fit", "limits_forbid", "too_slow"]
    text: str
    missing_bytes: int | None = None
    """On one device, in the plan that comes nearest to fitting."""
    enough_devices: int | None = None
    """So many would do."""


class TrialAnswer(Answer):
    """Which plan of a recurring job to run next, after what runs took."""

    model_config = with_examples(TRIAL_EXAMPLE)

    text: str
    next: int | None
    """Place in `plans`; null where no run is worth it any more."""
    best: int | None
    """Place in `tried` of the quickest; null where none ran."""


class PlansAnswer(Answer):
    """The best plans for a training on what is free now, as of a change number; or why there is none."""

    model_config = with_examples(
        {
            "text": "4 h100-sxm and 4 ascend-910b2: 1.6 s a step (1.5 to 1.8), 40,960 tokens/s.",
            "plans": [PLAN_EXAMPLE],
            "refusal": None,
            "comparisons": [COMPARISON_EXAMPLE],
            "faster": [FASTER_EXAMPLE],
            "finishes": [FINISH_EXAMPLE],
            "earlier": None,
            "trial": TRIAL_EXAMPLE,
            "offered": [POOL_EXAMPLE],
            "left_out": [LEFT_OUT_EXAMPLE],
            "profiles_used": 0,
            "was_known": False,
            "change": 4711,
            "age_s": 0.02,
        }
    )

    text: str
    plans: tuple[PlanAnswer, ...] = Field(description="The best first; none where `refusal` says why.")
    refusal: RefusalAnswer | None
    comparisons: tuple[ComparisonAnswer, ...]
    """Each vendor alone, layers in proportion to what chips do, and the same layers on each stage."""
    faster: tuple[FasterAnswer, ...]
    """What would help most first."""
    finishes: tuple[FinishAnswer, ...]
    """Where `steps` are stated: now on the best plan, or later on one chip type; the one that is over first leads."""
    earlier: PlanSummaryAnswer | None
    """The plan of before on what is free now; null where it has no place any more, or none was given."""
    trial: TrialAnswer | None
    """Null where nothing was `tried` yet: the first plan is then the one to try."""
    offered: tuple[PlannedPoolAnswer, ...]
    left_out: tuple[LeftOutAnswer, ...]
    profiles_used: int
    """So many measured layers of the family were known."""
    was_known: bool
    """It was planned before on the same chips."""
    change: int
    age_s: float
