"""A pipeline in numbers, from the planner's own costs of what a stage consists of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.boundaries import transfer_s
from scheduler.core.mixing.costs import embedding_costs, head_costs, layer_costs
from scheduler.core.mixing.memory import in_flight, memory_use
from scheduler.core.mixing.pipeline import PipelineTimes
from scheduler.core.mixing.plan import MemoryUse
from scheduler.core.mixing.syncing import gradient_sync_s, update_s
from scheduler.core.mixing.timing import step_s

Form = Callable[[PipelineTimes], float]
"""What makes the time of a step of a pipeline."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was measured: stages in the order of the pipeline, on a pool and of so many layers each."""

    problem: Problem
    pools: tuple[ChipPool, ...]
    layers: tuple[int, ...]
    tensor_parallel: int
    data_parallel: int
    micro_batch: int
    syncing: tuple[ChipPool, ...] = ()
    """Per stage: the slowest of all its replicas, where these are on several pools."""

    @property
    def stages(self) -> int:
        """How many there are."""
        return len(self.pools)

    @property
    def micro_batches(self) -> int:
        """Of a step and replica."""
        return self.problem.training.global_batch // (self.micro_batch * self.data_parallel)


@dataclass(frozen=True, slots=True)
class StageCosts:
    """Of one stage: seconds of a micro-batch, and what a device of it holds."""

    forward_s: float
    backward_s: float
    parameters: int
    activation_bytes: int
    logits_bytes: int


def stage_costs(run: Run, stage: int) -> StageCosts:
    """Return what the planner says of a stage: its layers, and the embedding or the head."""
    asked = {"tensor_parallel": run.tensor_parallel, "micro_batch": run.micro_batch}
    layer = layer_costs(run.problem, run.pools[stage], **asked, recomputes=False)
    ends = []
    if stage == 0:
        ends.append(embedding_costs(run.problem, run.pools[stage], **asked))
    if stage == run.stages - 1:
        ends.append(head_costs(run.problem, run.pools[stage], **asked))
    count = run.layers[stage]
    return StageCosts(
        count * layer.forward_s + sum(end.forward_s for end in ends),
        count * layer.backward_s + sum(end.backward_s for end in ends),
        count * layer.parameters + sum(end.parameters for end in ends),
        count * layer.activation_bytes + sum(end.activation_bytes for end in ends),
        sum(end.logits_bytes for end in ends),
    )


def pipeline_of(run: Run, *, blocking_share: float = 0.0, shares_network: bool = True) -> PipelineTimes:
    """Return the times of one replica. Without sharing, each rank of a node has the node's network to itself."""
    costs = [stage_costs(run, stage) for stage in range(run.stages)]
    return PipelineTimes(
        run.micro_batches,
        tuple(cost.forward_s for cost in costs),
        tuple(cost.backward_s for cost in costs),
        tuple(transfer_s(run.problem, a, b, micro_batch=run.micro_batch) for a, b in pairwise(run.pools)),
        (0,) * (run.stages - 1),
        tuple(_sync_s(run, stage, cost, shares_network=shares_network) for stage, cost in enumerate(costs)),
        tuple(
            update_s(run.problem, pool, parameters=cost.parameters, data_parallel=run.data_parallel)
            for pool, cost in zip(run.pools, costs, strict=True)
        ),
        blocking_share,
    )


def memory_of(run: Run) -> list[MemoryUse]:
    """Return what each stage takes of its devices under plain 1F1B."""
    found = []
    for stage, pool in enumerate(run.pools):
        cost = stage_costs(run, stage)
        held = in_flight(stage, run.stages, run.micro_batches, (0,) * (run.stages - 1))
        found.append(
            memory_use(
                run.problem,
                pool,
                parameters=cost.parameters,
                data_parallel=run.data_parallel,
                activations=held * cost.activation_bytes,
                logits=cost.logits_bytes,
            )
        )
    return found


def slowest_replica_s(
    replicas: Sequence[Run], *, form: Form = step_s, blocking_share: float = 0.0, shares_network: bool = True
) -> float:
    """Return the step of runs that are each other's replicas, each with chips and links of its own."""
    return max(form(pipeline_of(run, blocking_share=blocking_share, shares_network=shares_network)) for run in replicas)


def slowest_stage_step_s(times: PipelineTimes, *, sends: bool = False) -> float:
    """Return the step by the form of Metis, AMP and SAILOR: the period is that of the slowest stage.

    Where it `sends`, the transfer to the next stage is counted with the stage.
    """
    behind_s: Sequence[float] = (*times.transfer_s, 0.0) if sends else (0.0,) * times.stages
    period_s = max(busy_s + after_s for busy_s, after_s in zip(times.busy_s, behind_s, strict=True))
    once_s = sum(times.busy_s) + 2 * sum(times.transfer_s)
    return (times.micro_batches - 1) * period_s + once_s + max(times.gradient_sync_s) + max(times.update_s)


def _sync_s(run: Run, stage: int, cost: StageCosts, *, shares_network: bool) -> float:
    pool = (run.syncing or run.pools)[stage]
    whole_s = gradient_sync_s(
        run.problem,
        pool,
        tensor_parallel=run.tensor_parallel,
        data_parallel=run.data_parallel,
        parameters=cost.parameters,
    )
    is_in_a_node = run.data_parallel * run.tensor_parallel <= pool.chips_per_node
    return whole_s if shares_network or is_in_a_node else whole_s / run.tensor_parallel
