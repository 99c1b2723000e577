"""From an order to the files of its workers: the launch document and the supervisor's plan."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scheduler.adapters.local.serving.ports import LOOPBACK
from scheduler.adapters.local.supervisor import records
from scheduler.ports.cluster import GangOrder
from scheduler.ports.launch import gang_fields, ranks_fields, serving_fields

_FALLBACK_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Runtime:
    """What every worker runs, and what it may know of the server's environment."""

    command: tuple[str, ...]
    """Such as (python, "-m", "medley_runtime"); finds its launch document by the variable MEDLEY_LAUNCH."""
    path: str
    language: str
    time_zone: str | None

    @classmethod
    def of(cls, command: tuple[str, ...], server_environment: Mapping[str, str]) -> "Runtime":
        """Take the few variables that a worker may see; the command's own folder comes first in its PATH."""
        path = server_environment.get("PATH", _FALLBACK_PATH)
        return cls(
            command=command,
            path=f"{Path(command[0]).parent}:{path}",
            language=server_environment.get("LANG", "C.UTF-8"),
            time_zone=server_environment.get("TZ"),
        )


def prepare_worker(folder: Path, order: GangOrder, rank: int, runtime: Runtime, *, document: dict[str, object]) -> None:
    """Write all that a supervisor needs to start one worker. May be repeated until the worker is started.

    `document` is the rank's of `launch_documents`.
    """
    for path in (folder, folder / records.OUTPUT, folder / records.SCRATCH):
        path.mkdir(mode=records.PRIVATE_FOLDER, exist_ok=True)
    records.write_whole(str(folder), records.LAUNCH, json.dumps(document, indent=1).encode())
    spec = order.job.spec
    limits = records.Limits(
        memory_mib=order.allocations[rank].memory_mib, time_limit_s=spec.time_limit_s, grace_s=spec.grace_s
    )
    environment = worker_environment(folder, runtime, dict(spec.variables))
    plan = records.Plan(list(runtime.command), environment, generation=order.generation, limits=limits)
    plan.write(str(folder))


def launch_documents(
    order: GangOrder, checkpoints: Path, *, served: Path | None = None, port: int | None = None
) -> list[dict[str, object]]:
    """Return what each worker is told, by rank. Their devices are simulated: they exist in the inventory file only.

    `served` is where the checkpoints are that a server serves, `port` is its own: all replicas share this machine's.
    """
    folder = str(checkpoints)
    read = None if served is None else str(served)
    gang = gang_fields(order, checkpoints=folder, served=read) | {"devices_are_simulated": True, "token": order.token}
    ranks = [gang | fields | {"rank": rank} for rank, fields in enumerate(ranks_fields(order, checkpoints=folder))]
    ranks[0] |= serving_fields(order, host=LOOPBACK, port=port)
    return ranks


def door_of(folder: str) -> tuple[int, str | None] | None:
    """Return port and readiness path of a worker, as it was told; None where it is no server. Raises OSError."""
    with open(f"{folder}/{records.LAUNCH}", "rb") as file:  # noqa: PTH123 - folders are strings here
        serving = json.load(file).get("serving")
    return None if serving is None else (int(serving["port"]), serving["readiness_path"])


def worker_environment(folder: Path, runtime: Runtime, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return a worker's whole environment: little of the server's, the job's, and where its launch document is.

    PYTHONUNBUFFERED: output shows when it is printed, and a killed worker's last lines are not lost in a buffer.
    """
    environment = {
        "PATH": runtime.path,
        "HOME": str(folder / records.SCRATCH),
        "LANG": runtime.language,
        "PYTHONUNBUFFERED": "1",
    }
    if runtime.time_zone is not None:
        environment["TZ"] = runtime.time_zone
    return environment | dict(wanted) | {"MEDLEY_LAUNCH": str(folder / records.LAUNCH)}
