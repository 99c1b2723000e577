"""A plan in the options of Megatron-LM, whose pipelines are of one chip type and one tensor-parallel degree."""

from collections.abc import Sequence
from itertools import groupby

from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.launching.flags import (
    Flags,
    batch_arguments,
    model_arguments,
    runs_ahead,
    too_few_positions,
)
from scheduler.core.mixing.plan import Plan


def megatron_flags(plan: Plan, training: Training) -> Flags:
    """Return the options of Megatron-LM (core 0.13 and later) for a plan, or why there are none.

    Where recomputation is not the same on all stages it is switched on for all: what fits then fits a fortiori.
    """
    if hindrances := (*_hindrances(plan), *too_few_positions(training)):
        return Flags((), hindrances)
    degree = plan.stages[0].tensor_parallel
    recomputing = sum(stage.recomputes for stage in plan.stages)
    mixed = 0 < recomputing < len(plan.stages)
    remark = f"only {recomputing} of {len(plan.stages)} stages need recomputation, and it has one option for all"
    return Flags(
        (
            *model_arguments(training),
            *("--tensor-model-parallel-size", str(degree)),
            *(("--sequence-parallel",) if training.sequence_parallel and degree > 1 else ()),
            *("--pipeline-model-parallel-size", str(len(plan.stages))),
            *(() if len(plan.stages) == 1 else ("--pipeline-model-parallel-layout", pipeline_layout(plan))),
            *(RECOMPUTE_ALL if recomputing else ()),
            *batch_arguments(plan, training),
        ),
        remarks=(*((remark,) if mixed else ()), *runs_ahead(plan)),
    )


RECOMPUTE_ALL = (
    *("--recompute-granularity", "full"),
    *("--recompute-method", "uniform"),
    *("--recompute-num-layers", "1"),
)


def pipeline_layout(plan: Plan) -> str:
    """Return the layers of each stage in Megatron-LM's own grammar, such as `Et*5|(t*6|)*3t*4L`.

    `E` is the embedding, `t` a layer, `L` the head with the loss, `|` ends a stage, and `*n` repeats the letter or
    the brackets before it (`PipelineParallelLayerLayout.parse_str_to_list` of megatron.core.transformer).
    """
    counts = [stage.layers for stage in plan.stages]
    if len(counts) == 1:
        return f"E{_layers(counts[0])}L"
    return f"E{_layers(counts[0])}|{_between(counts[1:-1])}{_layers(counts[-1])}L"


def _between(counts: Sequence[int]) -> str:
    parts = []
    for count, alike in groupby(counts):
        times = len(list(alike))
        parts.append(f"({_layers(count)}|)*{times}" if times > 1 else f"{_layers(count)}|")
    return "".join(parts)


def _layers(count: int) -> str:
    return "t" if count == 1 else f"t*{count}"


def _hindrances(plan: Plan) -> list[str]:
    found = []
    if len(chips := {stage.chip for stage in plan.stages}) > 1:
        found.append(f"its pipelines are of one chip type, and this one has {', '.join(sorted(chips))}")
    if len(degrees := {stage.tensor_parallel for stage in plan.stages}) > 1:
        sizes = ", ".join(str(degree) for degree in sorted(degrees))
        found.append(f"it has one tensor-parallel degree for all stages, and this plan has {sizes}")
    return found
