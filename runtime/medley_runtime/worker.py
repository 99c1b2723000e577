"""A worker from its start to its exit code."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from medley_runtime.endings import Ending
from medley_runtime.launch import Command, ReferenceServing, read_launch
from medley_runtime.output import warn_line


def run(environment: Mapping[str, str]) -> int:
    """Do what the launch document says and return the exit code; a user's command that starts never returns."""
    try:
        launch = read_launch(environment)
        # What only one kind of program needs is imported for that kind: a command is to start within milliseconds.
        if isinstance(launch.program, Command) and launch.is_elastic:
            from medley_runtime.regrouping.commands import run_elastic  # noqa: PLC0415

            return run_elastic(launch, launch.program, environment)
        if isinstance(launch.program, Command):
            from medley_runtime.user_command import start_command  # noqa: PLC0415

            start_command(launch, launch.program, environment)
        if isinstance(launch.program, ReferenceServing):
            from medley_runtime.reference_serving.serving import serve  # noqa: PLC0415

            serve(launch, launch.program)
            return 0
        from medley_runtime.stop_signals import StopRequest  # noqa: PLC0415
        from medley_runtime.torch_loading import load_torch  # noqa: PLC0415

        stop = StopRequest(launch.rank, launch.grace_s)
        load_torch()
        from medley_runtime.reference_training.training import train  # noqa: PLC0415

        train(launch, launch.program, stop)
    except Ending as ending:
        warn_line(str(ending))
        return ending.exit_code
    except Exception:  # noqa: BLE001 - whatever it is, the log must have it and the exit code must be the documented one
        sys.excepthook(*sys.exc_info())
        return 1
    return 0
