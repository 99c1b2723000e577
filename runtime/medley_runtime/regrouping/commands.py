"""A command of one's own in an elastic job: this process stays beside it, and starts it anew in each generation.

To go on with other workers a program has to do no more than to end when it is asked to: rank 0's is asked by SIGTERM,
which `medley_runtime.job` tells all ranks at the same step; each saves and exits with `job.STOPPED`, and the program is
started anew, in its new place, to go on from its newest checkpoint.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Callable

from medley_runtime.api_client import ApiClient
from medley_runtime.launch import Command, Launch
from medley_runtime.output import print_line, warn_line
from medley_runtime.regrouping.generation import REGROUPED_VARIABLE, next_launch
from medley_runtime.run_command import STOPPED, Relay, end_as, watch
from medley_runtime.user_command import command_variables


def run_elastic(launch: Launch, command: Command, environment: Mapping[str, str]) -> int:
    """Run the command, again in each generation of the gang; return what this process is to exit with.

    Raises Left where a generation has no place for this rank, and what the rendezvous and the command's start raise.
    """
    relay = Relay()
    client = ApiClient(launch.api_url, launch.token, warn_line)
    while True:
        variables = {**environment, **command_variables(launch)}
        variables[REGROUPED_VARIABLE] = f"{launch.generation}:{launch.world_size}"
        code = watch(launch, list(command.argv), variables, relay, on_called=_asker(relay))
        if code != STOPPED or relay.has_stopped:
            return end_as(code, relay)
        launch = next_launch(launch, client)
        print_line(f"rank {launch.rank} goes on as one of {launch.world_size}, generation {launch.generation}")


def _asker(relay: Relay) -> Callable[[int], None]:
    def ask(generation: int) -> None:
        print_line(f"the gang is called to generation {generation}: the command is asked to save and to end")
        relay.tell(signal.SIGTERM)

    return ask
