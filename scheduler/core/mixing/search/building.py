"""A plan from what was decided of it, with exact costs; and its times for the formula and the simulation."""

from collections import defaultdict
from dataclasses import dataclass, replace

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.boundaries import transfer_s, transport
from scheduler.core.mixing.costs import embedding_costs, head_costs, is_measured, layer_costs
from scheduler.core.mixing.counting import model_flops
from scheduler.core.mixing.memory import in_flight, memory_use
from scheduler.core.mixing.pipeline import PipelineTimes
from scheduler.core.mixing.plan import Boundary, Plan, Prediction, Stage
from scheduler.core.mixing.simulating import repeating
from scheduler.core.mixing.syncing import gradient_sync_s, update_s
from scheduler.core.mixing.timing import step_s

MEASURED_ERROR = 0.10
"""Relative, of predictions against measured steps of mixed pipelines: see docs/benchmarks.md, `predict_sailor`."""
ESTIMATED_ERROR = 0.5
"""Where a rate was taken from a data sheet: these are off by up to half."""


@dataclass(frozen=True, slots=True)
class StageLayout:
    """What is decided of one stage."""

    pool: str
    layers: int
    tensor_parallel: int
    recomputes: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """All that is decided of a plan: the rest follows from the problem."""

    data_parallel: int
    micro_batch: int
    """Sequences."""
    stages: tuple[StageLayout, ...]
    extra_warm_up: tuple[int, ...]
    """Per boundary."""


def layout_of(plan: Plan) -> Layout:
    """Return what was decided of a plan."""
    return Layout(
        plan.data_parallel,
        plan.micro_batch,
        tuple(StageLayout(stage.pool, stage.layers, stage.tensor_parallel, stage.recomputes) for stage in plan.stages),
        tuple(boundary.extra_warm_up for boundary in plan.boundaries),
    )


def devices_of(layout: Layout) -> dict[str, int]:
    """Return how many devices of each pool all replicas take."""
    taken: dict[str, int] = defaultdict(int)
    for stage in layout.stages:
        taken[stage.pool] += stage.tensor_parallel * layout.data_parallel
    return taken


def built(problem: Problem, layout: Layout) -> Plan:
    """Return the plan of a layout, predicted by formula. It may exceed memory: see `fits`.

    Raises KeyError for a pool that the problem does not have.
    """
    pools = {pool.name: pool for pool in problem.pools}
    stages = tuple(_stage(problem, pools, layout, index) for index in range(len(layout.stages)))
    in_one_node = {pool for pool, taken in devices_of(layout).items() if taken <= pools[pool].chips_per_node}
    boundaries = tuple(
        Boundary(
            transport(pools[before.pool], pools[after.pool]),
            transfer_s(
                problem,
                pools[before.pool],
                pools[after.pool],
                micro_batch=layout.micro_batch,
                in_one_node=before.pool in in_one_node,
            ),
            extra,
        )
        for before, after, extra in zip(layout.stages[:-1], layout.stages[1:], layout.extra_warm_up, strict=True)
    )
    micro_batches = problem.training.global_batch // (layout.data_parallel * layout.micro_batch)
    unpredicted = Prediction(1.0, 1.0, 1.0, is_simulated=False, ideal_s=1.0, tokens_per_s=1.0, flops_utilisation=1.0)
    plan = Plan(layout.data_parallel, layout.micro_batch, micro_batches, stages, boundaries, unpredicted)
    return _predicted(problem, plan, step_s(times_of(problem, plan)), is_simulated=False)


def simulated(problem: Problem, plan: Plan) -> Plan:
    """Return the plan with what the event simulation of its schedule says."""
    return _predicted(problem, plan, repeating.step_s(times_of(problem, plan)), is_simulated=True)


def times_of(problem: Problem, plan: Plan) -> PipelineTimes:
    """Return a plan's times for the formula and the simulation."""
    return PipelineTimes(
        micro_batches=plan.micro_batches,
        forward_s=tuple(stage.forward_s for stage in plan.stages),
        backward_s=tuple(stage.backward_s for stage in plan.stages),
        transfer_s=tuple(boundary.transfer_s for boundary in plan.boundaries),
        extra_warm_up=tuple(boundary.extra_warm_up for boundary in plan.boundaries),
        gradient_sync_s=tuple(stage.gradient_sync_s for stage in plan.stages),
        update_s=tuple(stage.update_s for stage in plan.stages),
        blocking_share=problem.runtime.blocking_share,
    )


def fits(plan: Plan) -> bool:
    """Say whether every stage keeps within the memory of its devices."""
    return all(stage.memory.total <= stage.memory.limit for stage in plan.stages)


def has_places(problem: Problem, plan: Plan) -> bool:
    """Say whether the nodes of each pool have devices for all tensor-parallel groups of a plan, each group on one node.

    Larger groups are placed first, each on the first node with room. Raises KeyError for a pool that there is not.
    """
    pools = {pool.name: pool for pool in problem.pools}
    free = {stage.pool: [pools[stage.pool].chips_per_node] * pools[stage.pool].nodes for stage in plan.stages}
    for stage in sorted(plan.stages, key=lambda stage: -stage.tensor_parallel):
        nodes, size = free[stage.pool], stage.tensor_parallel
        left = plan.data_parallel
        for node, devices in enumerate(nodes):
            placed = min(left, devices // size)
            nodes[node] -= placed * size
            left -= placed
        if left:
            return False
    return True


def _stage(problem: Problem, pools: dict[str, ChipPool], layout: Layout, index: int) -> Stage:
    decided = layout.stages[index]
    pool, degree, size = pools[decided.pool], decided.tensor_parallel, layout.micro_batch
    is_first, is_last = index == 0, index == len(layout.stages) - 1
    layer = layer_costs(problem, pool, tensor_parallel=degree, micro_batch=size, recomputes=decided.recomputes)
    embedding = embedding_costs(problem, pool, tensor_parallel=degree, micro_batch=size)
    head = head_costs(problem, pool, tensor_parallel=degree, micro_batch=size)
    ends = ([embedding] if is_first else []) + ([head] if is_last else [])
    owned = [embedding] if is_first and is_last and problem.training.shape.ties_embeddings else ends
    parameters = decided.layers * layer.parameters + sum(end.parameters for end in owned)
    micro_batches = problem.training.global_batch // (layout.data_parallel * size)
    held = in_flight(index, len(layout.stages), micro_batches, layout.extra_warm_up)
    kept_bytes = decided.layers * layer.activation_bytes + sum(end.activation_bytes for end in ends)
    return Stage(
        pool=pool.name,
        chip=pool.chip,
        first_layer=sum(stage.layers for stage in layout.stages[:index]),
        layers=decided.layers,
        tensor_parallel=degree,
        recomputes=decided.recomputes,
        forward_s=decided.layers * layer.forward_s + sum(end.forward_s for end in ends),
        backward_s=decided.layers * layer.backward_s + sum(end.backward_s for end in ends),
        gradient_sync_s=gradient_sync_s(
            problem, pool, tensor_parallel=degree, data_parallel=layout.data_parallel, parameters=parameters
        ),
        update_s=update_s(problem, pool, parameters=parameters, data_parallel=layout.data_parallel),
        memory=memory_use(
            problem,
            pool,
            parameters=parameters,
            data_parallel=layout.data_parallel,
            activations=held * kept_bytes,
            logits=sum(end.logits_bytes for end in ends),
        ),
        is_estimate=not is_measured(problem, pool),
    )


def _predicted(problem: Problem, plan: Plan, took_s: float, *, is_simulated: bool) -> Plan:
    training = problem.training
    peaks = {pool.name: pool.flops_per_s for pool in problem.pools}
    peak = sum(peaks[stage.pool] * stage.tensor_parallel for stage in plan.stages) * plan.data_parallel
    error = ESTIMATED_ERROR if any(stage.is_estimate for stage in plan.stages) else MEASURED_ERROR
    prediction = Prediction(
        step_s=took_s,
        low_s=took_s * (1 - error),
        high_s=took_s * (1 + error),
        is_simulated=is_simulated,
        ideal_s=_ideal_s(problem, plan),
        tokens_per_s=training.global_batch * training.sequence / took_s,
        flops_utilisation=model_flops(training) / (took_s * peak),
    )
    return replace(plan, prediction=prediction)


def _ideal_s(problem: Problem, plan: Plan) -> float:
    """Return a step of devices that compute all the time, at the rates that layers have on them with all kept."""
    pools = {pool.name: pool for pool in problem.pools}
    speed, work = 0.0, float(problem.training.shape.layers)
    for index, stage in enumerate(plan.stages):
        pool, degree = pools[stage.pool], stage.tensor_parallel
        layer = layer_costs(problem, pool, tensor_parallel=degree, micro_batch=plan.micro_batch, recomputes=False)
        layer_s = layer.forward_s + layer.backward_s
        speed += 1 / layer_s
        for here, costs in ((0, embedding_costs), (len(plan.stages) - 1, head_costs)):
            if index == here:
                end = costs(problem, pool, tensor_parallel=degree, micro_batch=plan.micro_batch)
                work += (end.forward_s + end.backward_s) / layer_s
    return plan.micro_batches * work / speed
