"""What must hold of a plan, whoever wrote it down."""

from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.filing.values import BadValue
from scheduler.core.mixing.plan import Plan, Stage


def check_plan(plan: Plan, training: Training) -> None:
    """Raise BadValue, with a pointer into the plan, where it contradicts itself or is for another training."""
    if not plan.stages:
        raise BadValue("/stages", "must have at least one stage")
    if len(plan.boundaries) != len(plan.stages) - 1:
        raise BadValue("/boundaries", f"must be one fewer than the {len(plan.stages)} stages")
    for name in ("data_parallel", "micro_batch", "micro_batches"):
        if getattr(plan, name) < 1:
            raise BadValue(f"/{name}", "must be at least 1")
    planned = plan.data_parallel * plan.micro_batch * plan.micro_batches
    if planned != training.global_batch:
        raise BadValue("/micro_batches", f"make {planned} sequences a step, and {training.global_batch} are asked for")
    first_layer = 0
    for number, stage in enumerate(plan.stages):
        _check_stage(stage, first_layer, f"/stages/{number}")
        first_layer += stage.layers
    if first_layer != training.shape.layers:
        raise BadValue("/stages", f"have {first_layer} layers, and the model has {training.shape.layers}")
    _check_times(plan)


def _check_times(plan: Plan) -> None:
    for number, boundary in enumerate(plan.boundaries):
        if boundary.transfer_s < 0 or boundary.extra_warm_up < 0:
            raise BadValue(f"/boundaries/{number}", "must have nothing below 0")
    if plan.prediction.step_s <= 0:
        raise BadValue("/prediction/step_s", "must be above 0")


def _check_stage(stage: Stage, first_layer: int, pointer: str) -> None:
    if stage.first_layer != first_layer:
        raise BadValue(f"{pointer}/first_layer", f"must be {first_layer}, after the stages before it")
    for name in ("layers", "tensor_parallel"):
        if getattr(stage, name) < 1:
            raise BadValue(f"{pointer}/{name}", "must be at least 1")
    for name in ("forward_s", "backward_s", "gradient_sync_s", "update_s"):
        if getattr(stage, name) < 0:
            raise BadValue(f"{pointer}/{name}", "must not be below 0")
