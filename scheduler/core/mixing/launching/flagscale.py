"""A plan in the options of FlagScale, whose pipelines may be of several chip types."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.launching.flags import (
    Flags,
    batch_arguments,
    model_arguments,
    runs_ahead,
    too_few_positions,
)
from scheduler.core.mixing.launching.megatron import RECOMPUTE_ALL
from scheduler.core.mixing.plan import Plan, Stage, Transport


@dataclass(frozen=True, slots=True)
class Mesh:
    """Stages that stand next to each other on one chip type with one tensor-parallel degree."""

    chip: str
    tensor_parallel: int
    data_parallel: int
    stages: int

    @property
    def numbers(self) -> tuple[int, int, int, int, int]:
        """Tensor, context, expert, data and pipeline parallel degrees: the order of `hetero_process_meshes`."""
        return (self.tensor_parallel, 1, 1, self.data_parallel, self.stages)


def flagscale_flags(plan: Plan, training: Training) -> Flags:
    """Return the options of FlagScale's heterogeneous training for a plan, or why there are none.

    `--hetero-current-device-type` is the one option that differs from node to node; it is left to whoever starts
    them, as `$CHIP`. Rules: `FSTrainArguments.pre_validate_args` and `post_validate_args` of FlagScale.
    """
    meshes = tuple(meshes_of(plan))
    if hindrances := (*_hindrances(meshes, training), *too_few_positions(training)):
        return Flags((), hindrances)
    goes_through_hosts = any(boundary.transport is Transport.HOST for boundary in plan.boundaries)
    has_tensor_parallel = any(mesh.tensor_parallel > 1 for mesh in meshes)
    return Flags(
        (
            *model_arguments(training),
            *("--tensor-model-parallel-size", str(meshes[0].tensor_parallel)),
            *(("--sequence-parallel",) if training.sequence_parallel and has_tensor_parallel else ()),
            *("--pipeline-model-parallel-size", str(len(plan.stages))),
            "--enable-hetero",
            *("--hetero-pipeline-layer-split", *(str(stage.layers) for stage in plan.stages)),
            *("--hetero-process-meshes", *(str(number) for mesh in meshes for number in mesh.numbers)),
            *("--hetero-device-types", *(mesh.chip for mesh in meshes)),
            *("--hetero-current-device-type", "$CHIP"),
            *(("--hetero-use-cpu-communication",) if goes_through_hosts else ()),
            *_recomputation(plan),
            *batch_arguments(plan, training),
        ),
        remarks=runs_ahead(plan),
    )


def meshes_of(plan: Plan) -> Iterator[Mesh]:
    """Yield the meshes of a plan, in the order of the pipeline."""
    for (chip, degree), alike in groupby(plan.stages, key=lambda stage: (stage.chip, stage.tensor_parallel)):
        yield Mesh(chip, degree, plan.data_parallel, len(list(alike)))


def _recomputation(plan: Plan) -> tuple[str, ...]:
    """Return which stages recompute: by stage, for all micro-batches of a step."""
    recomputing = [stage.recomputes for stage in plan.stages]
    if not any(recomputing):
        return ()
    if all(recomputing):
        return RECOMPUTE_ALL
    return (
        *RECOMPUTE_ALL,
        *("--recompute-granularity-per-stage-micro-batch", *_by_stage(plan, lambda stage: int(stage.recomputes))),
        *("--recompute-method-per-stage-micro-batch", *_by_stage(plan, lambda _: 0)),
        *("--recompute-num-layers-per-stage-micro-batch", *_by_stage(plan, lambda _: 1)),
    )


def _by_stage(plan: Plan, value: Callable[[Stage], int]) -> Iterator[str]:
    """Yield `[stages, micro-batches, value]` for each run of stages that have the same one."""
    for said, alike in groupby(plan.stages, key=value):
        yield f"[{len(list(alike))},{plan.micro_batches},{said}]"


def _hindrances(meshes: tuple[Mesh, ...], training: Training) -> Iterator[str]:
    first, last = meshes[0].tensor_parallel, meshes[-1].tensor_parallel
    if training.shape.ties_embeddings and first != last:
        yield (
            "tied embeddings need the same tensor-parallel degree on the first and the last stage, "
            f"and these have {first} and {last}"
        )
