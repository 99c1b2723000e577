"""What workers are told: the launch document, which `medley_runtime` reads whatever the cluster is.

A worker's document is the gang's fields, its rank's fields, `rank`, `token` and `devices_are_simulated`. A cluster may
write one document for all ranks, with the ranks' fields in a list `ranks`, and tell each worker rank and token apart.

Version 1 is a gang of one role on whole devices. Version 2 says what a runtime that knows only that would get wrong:
that ranks have roles, and programs by role; that a rank has a share of a device, or none and so no chip. Version 3 is
version 2 with `checkpoints`, where the cluster has a place for them: a runtime that does not know it would begin a
retry anew, without a word. Version 4 is version 3, `checkpoints` maybe null, with `serving` for rank 0 of a server: a
runtime that does not know it would listen elsewhere than it is asked. Version 5 is version 4 of a gang that may go on
with more or fewer workers: a runtime that does not know it would not follow.
"""

import dataclasses
from collections import Counter

from scheduler.core.model.attempt import Allocation
from scheduler.core.model.job import CommandProgram, Program, ReferenceServing
from scheduler.core.model.resources import MAIN_ROLE
from scheduler.ports.cluster import GangOrder

PLAIN_VERSION = 1
ROLES_VERSION = 2
CHECKPOINTS_VERSION = 3
SERVING_VERSION = 4
ELASTIC_VERSION = 5
EVERYWHERE = "0.0.0.0"  # noqa: S104 - of a worker that has an address of its own


def gang_fields(order: GangOrder, *, checkpoints: str | None, served: str | None = None) -> dict[str, object]:
    """Return what all workers of a gang are told alike.

    `served`: the folder of the training whose checkpoints a reference server serves.
    `checkpoints`: the folder in which they find and leave what outlives them, None where there is none.
    """
    is_plain = _is_plain(order, checkpoints)
    spec = order.job.spec
    kept = None
    if checkpoints is not None:
        kept = {"folder": checkpoints, "interval_s": spec.checkpoint_interval_s, "keep": spec.checkpoints_kept}
    return (
        {
            "version": _version(order, checkpoints=checkpoints),
            "job": order.job.id,
            "job_name": order.job.spec.name,
            "tenant": order.job.tenant,
            "attempt": order.attempt,
            "attempt_number": order.number,
            "generation": order.generation,
            "world_size": len(order.allocations),
            "api_url": order.api_url,
            "grace_s": order.job.spec.grace_s,
            "program": program_fields(order.job.spec.program, served=served),
        }
        | ({} if is_plain else {"roles": _roles(order)})
        | ({} if order.job.traceparent is None else {"traceparent": order.job.traceparent})
        | ({} if kept is None and not _may_lack_checkpoints(order) else {"checkpoints": kept})
    )


def ranks_fields(order: GangOrder, *, checkpoints: str | None) -> list[dict[str, object]]:
    """Return, by rank, what differs from rank to rank."""
    plain = [_place_fields(order, allocation) for allocation in order.allocations]
    if _is_plain(order, checkpoints):
        return plain
    with_own_program = _own_programs(order).keys()
    in_role: Counter[str] = Counter()
    in_program: Counter[str] = Counter()
    found = []
    for fields, allocation in zip(plain, order.allocations, strict=True):
        role = allocation.role
        # All that run the job's program do so together, whatever their roles.
        company = role if role in with_own_program else MAIN_ROLE
        found.append(fields | {"role": role, "role_rank": in_role[role], "program_rank": in_program[company]})
        in_role[role] += 1
        in_program[company] += 1
    return found


def serving_fields(order: GangOrder, *, host: str = EVERYWHERE, port: int | None = None) -> dict[str, object]:
    """Return what rank 0 of a server is told beside: where it listens, and at which path it says that it is ready."""
    serving = order.job.spec.serving
    if serving is None:
        return {}
    path = serving.readiness_path
    return {"serving": {"host": host, "port": port or serving.port, "readiness_path": path}}


def program_fields(program: Program, *, served: str | None = None) -> dict[str, object]:
    """Return what a worker is to do; `served` is where the checkpoints are that a reference server serves."""
    if isinstance(program, CommandProgram):
        return {"kind": "command", "argv": list(program.argv)}
    if isinstance(program, ReferenceServing):
        return {"kind": "reference-serving", "folder": served, "seed": program.seed}
    return {"kind": "reference-training"} | dataclasses.asdict(program)


def _version(order: GangOrder, *, checkpoints: str | None) -> int:
    if order.job.spec.elastic is not None:
        return ELASTIC_VERSION
    if order.job.spec.serves:
        return SERVING_VERSION
    if checkpoints is not None:
        return CHECKPOINTS_VERSION
    return PLAIN_VERSION if _is_plain(order, checkpoints) else ROLES_VERSION


def _is_plain(order: GangOrder, checkpoints: str | None) -> bool:
    if _may_lack_checkpoints(order):
        return False
    return checkpoints is None and all(one.role == MAIN_ROLE and one.devices for one in order.allocations)


def _may_lack_checkpoints(order: GangOrder) -> bool:
    """Say whether the document has to say that there are none, where there are none."""
    return order.job.spec.serves or order.job.spec.elastic is not None


def _own_programs(order: GangOrder) -> dict[str, Program]:
    return {role.name: role.program for role in order.job.spec.roles if role.program is not None}


def _roles(order: GangOrder) -> dict[str, object]:
    """Return each role's size, and its program where that is not the job's."""
    programs = _own_programs(order)
    sizes = Counter(allocation.role for allocation in order.allocations)
    return {
        role: {"world_size": size} | ({"program": program_fields(programs[role])} if role in programs else {})
        for role, size in sizes.items()
    }


def _place_fields(order: GangOrder, allocation: Allocation) -> dict[str, object]:
    fields: dict[str, object] = {
        "node": allocation.node,
        "chip": allocation.chip,
        "torch_device": order.torch_devices[allocation.rank],
        "devices": list(allocation.slots),
    }
    if allocation.counted:
        fields["device_count"] = allocation.devices
    if allocation.share_milli:
        fields |= {"share_milli": allocation.share_milli, "share_memory_mib": allocation.share_memory_mib}
    return fields
