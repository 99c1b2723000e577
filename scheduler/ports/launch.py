"""What workers are told: the launch document, version 1, which `medley_runtime` reads whatever the cluster is.

A worker's document is the gang's fields, its rank's fields, `rank`, `token` and `devices_are_simulated`. A cluster may
write one document for all ranks, with the ranks' fields in a list `ranks`, and tell each worker rank and token apart.
"""

import dataclasses

from scheduler.core.model.job import CommandProgram, Program
from scheduler.ports.cluster import GangOrder

LAUNCH_VERSION = 1


def gang_fields(order: GangOrder) -> dict[str, object]:
    """Return what all workers of a gang are told alike."""
    return {
        "version": LAUNCH_VERSION,
        "job": order.job.id,
        "job_name": order.job.spec.name,
        "tenant": order.job.tenant,
        "attempt": order.attempt,
        "attempt_number": order.number,
        "generation": order.generation,
        "world_size": len(order.allocations),
        "api_url": order.api_url,
        "grace_s": order.job.spec.grace_s,
        "program": program_fields(order.job.spec.program),
    }


def rank_fields(order: GangOrder, rank: int) -> dict[str, object]:
    """Return what differs from rank to rank."""
    allocation = order.allocations[rank]
    return {
        "node": allocation.node,
        "chip": allocation.chip,
        "torch_device": order.torch_devices[rank],
        "devices": list(allocation.slots),
    }


def program_fields(program: Program) -> dict[str, object]:
    """Return what a worker is to do."""
    if isinstance(program, CommandProgram):
        return {"kind": "command", "argv": list(program.argv)}
    return {"kind": "reference-training"} | dataclasses.asdict(program)
