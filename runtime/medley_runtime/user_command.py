"""The user's command: it takes this process's place, so that signals, exit code and output are its own."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import NoReturn

from medley_runtime.endings import CommandNotExecutable, CommandNotFound
from medley_runtime.launch import Command, Launch

LOOPBACK = "127.0.0.1"


def start_command(launch: Launch, command: Command, environment: Mapping[str, str]) -> NoReturn:
    """Become the command, with the gang's variables in its environment.

    Raises CommandNotFound, CommandNotExecutable, and what the rendezvous raises.
    """
    become(command.argv, {**environment, **command_variables(launch)})


def command_variables(launch: Launch) -> dict[str, str]:
    """Return the gang's variables, and where its process group meets. Raises what the rendezvous raises."""
    host, port = _meeting_point(launch)
    return {**gang_variables(launch), "MASTER_ADDR": host, "MASTER_PORT": str(port)}


def become(argv: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    """Become a program. Raises CommandNotFound, CommandNotExecutable."""
    # Python ignores these two, and a program inherits what is ignored: a pipe of the user's would then never end.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    name = argv[0]
    try:
        os.execvpe(name, list(argv), dict(variables))  # noqa: S606 - no shell is the point
    except (FileNotFoundError, NotADirectoryError) as error:
        next_step = "check the job's command, and that the worker's environment has the program"
        raise CommandNotFound(f"the command {name!r} was not found ({error.strerror}); {next_step}") from error
    except (OSError, ValueError) as error:
        next_step = "check that it has the execute permission and, if a script, a first line such as #!/bin/sh"
        raise CommandNotExecutable(f"the command {name!r} cannot be executed ({error}); {next_step}") from error


def gang_variables(launch: Launch) -> dict[str, str]:
    """Return what a program needs to know of its place in the gang.

    A worker has its devices to itself and is the only one that sees them, so its local rank is always 0 of 1.
    """
    return {
        "RANK": str(launch.rank),
        "WORLD_SIZE": str(launch.world_size),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "MEDLEY_JOB": launch.job,
        "MEDLEY_JOB_NAME": launch.job_name,
        "MEDLEY_TENANT": launch.tenant,
        "MEDLEY_ATTEMPT": launch.attempt,
        "MEDLEY_ATTEMPT_NUMBER": str(launch.attempt_number),
        "MEDLEY_GENERATION": str(launch.generation),
        "MEDLEY_RANK": str(launch.rank),
        "MEDLEY_WORLD_SIZE": str(launch.world_size),
        "MEDLEY_NODE": launch.node,
        "MEDLEY_ROLE": launch.role,
        "MEDLEY_ROLE_RANK": str(launch.in_role.rank),
        "MEDLEY_ROLE_WORLD_SIZE": str(launch.in_role.world_size),
        "MEDLEY_CHIP": launch.chip or "",
        "MEDLEY_TORCH_DEVICE": launch.torch_device,
        "MEDLEY_DEVICES": ",".join(str(device) for device in launch.devices),
        "MEDLEY_DEVICE_COUNT": str(launch.device_count),
        "MEDLEY_DEVICES_ARE_SIMULATED": str(int(launch.devices_are_simulated)),
        "MEDLEY_API_URL": launch.api_url,
        **({} if launch.checkpoints is None else {"MEDLEY_CHECKPOINTS": launch.checkpoints.folder}),
        **_share_variables(launch),
        **({"TRACEPARENT": launch.traceparent} if launch.traceparent else {}),
    }


def _share_variables(launch: Launch) -> dict[str, str]:
    if not launch.share_milli:
        return {}
    return {
        "MEDLEY_DEVICE_SHARE_MILLI": str(launch.share_milli),
        "MEDLEY_DEVICE_SHARE_MEMORY_MIB": str(launch.share_memory_mib),
    }


def _meeting_point(launch: Launch) -> tuple[str, int]:
    """Return MASTER_ADDR and MASTER_PORT. The port is free now; the user's program is the one to bind it."""
    if launch.world_size == 1:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            return LOOPBACK, int(probe.getsockname()[1])
    # Only a gang pays for these imports.
    from medley_runtime.api_client import ApiClient  # noqa: PLC0415
    from medley_runtime.output import warn_line  # noqa: PLC0415
    from medley_runtime.rendezvous import Address, ask_address, listen, own_host, register_address  # noqa: PLC0415

    client = ApiClient(launch.api_url, launch.token, warn_line)
    if launch.rank > 0:
        address = ask_address(launch, client)
        return address.host, address.port
    host = own_host(launch.api_url)
    with listen(host) as listener:
        address = Address(host, int(listener.getsockname()[1]))
        register_address(launch, client, address)
    return address.host, address.port
