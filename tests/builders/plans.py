"""Training plans made by hand, for tests of what is done with one."""

from dataclasses import replace
from typing import Any

from scheduler.core.mixing.asked.problem import Runtime
from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.filing.plan_file import PlanFile
from scheduler.core.mixing.plan import Boundary, MemoryUse, Plan, Prediction, Stage, Transport

GIB = 1 << 30


def a_shape(**changes: Any) -> ModelShape:
    """Return a small model of 8 layers."""
    shape = ModelShape("small", 8, 1024, 16, 1024, 4096, 32_000)
    return replace(shape, **changes)


def a_training(**changes: Any) -> Training:
    """Return a training of the small model by batches of 32 sequences."""
    return replace(Training(a_shape(), 32, 2048), **changes)


def a_memory(**changes: Any) -> MemoryUse:
    """Return what a stage takes of devices of 64 GiB."""
    memory = MemoryUse(2 * GIB, 4 * GIB, 12 * GIB, 10 * GIB, GIB, 4 * GIB, 57 * GIB)
    return replace(memory, **changes)


def a_stage(first_layer: int, layers: int, **changes: Any) -> Stage:
    """Return a stage on four h100-sxm, two to a layer."""
    stage = Stage(
        pool="mixed/h100-sxm-81920-x8",
        chip="h100-sxm",
        first_layer=first_layer,
        layers=layers,
        tensor_parallel=2,
        recomputes=False,
        forward_s=0.01 * layers,
        backward_s=0.02 * layers,
        gradient_sync_s=0.05,
        update_s=0.01,
        memory=a_memory(),
        is_estimate=False,
    )
    return replace(stage, **changes)


def on_another_vendor(first_layer: int, layers: int, **changes: Any) -> Stage:
    """Return a stage on ascend-910b2."""
    other = {"pool": "mixed/ascend-910b2-65536-x8", "chip": "ascend-910b2", "is_estimate": True}
    return a_stage(first_layer, layers, **(other | changes))


def a_plan(**changes: Any) -> Plan:
    """Return a plan of two stages of two vendors, 5 and 3 layers, in two replicas."""
    plan = Plan(
        data_parallel=2,
        micro_batch=2,
        micro_batches=8,
        stages=(a_stage(0, 5), on_another_vendor(5, 3)),
        boundaries=(Boundary(Transport.HOST, 0.004, 1),),
        prediction=Prediction(1.6, 1.5, 1.8, True, 1.2, 40_960.0, 0.41),
    )
    return replace(plan, **changes)


def a_plan_of_one_vendor(*layers: int, **changes: Any) -> Plan:
    """Return a plan of stages of the same chip type with so many layers each."""
    stages = tuple(a_stage(sum(layers[:place]), count, **changes) for place, count in enumerate(layers))
    return a_plan(stages=stages, boundaries=tuple(Boundary(Transport.VENDOR, 0.001, 0) for _ in layers[1:]))


def a_plan_file(**changes: Any) -> PlanFile:
    """Return the file of the plan of two vendors."""
    return replace(PlanFile(a_training(), Runtime(), a_plan(), "The next best takes 1.8 s a step."), **changes)
