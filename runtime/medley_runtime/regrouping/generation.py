"""Which generation a gang is called to, and a worker's place in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from medley_runtime.api_client import ApiClient, ApiRefused, ApiUnreachable, Patience, Request
from medley_runtime.endings import Left, RendezvousFailed
from medley_runtime.launch import Company, Launch

REGROUPED_VARIABLE = "MEDLEY_REGROUPED"
"""`GENERATION:WORLD_SIZE` of a command that was started anew: its launch document is as old as its worker."""
ASKING_LIMIT_S = 60.0
ANSWER_LIMIT_S = 5.0
PAUSE_S = 0.2


def next_launch(launch: Launch, client: ApiClient, limit_s: float = ASKING_LIMIT_S) -> Launch:
    """Return the launch of this worker in the generation that its gang was called to.

    Raises Left where it has no place there, RendezvousFailed where none is called in time, AttemptClosed.
    """
    path = f"/v1/attempts/{quote(launch.attempt, safe='')}/generation"
    deadline = time.monotonic() + limit_s
    while True:
        remaining_s = max(deadline - time.monotonic(), 0.0)
        try:
            answer = client.call(Request("GET", path, {}), Patience(remaining_s, ANSWER_LIMIT_S))
        except (ApiUnreachable, ApiRefused) as error:
            raise RendezvousFailed(f"rank {launch.rank} could not ask how the gang goes on: {error}") from error
        generation, world_size = answer.get("generation"), answer.get("world_size")
        if isinstance(generation, int) and isinstance(world_size, int) and generation > launch.generation:
            return as_of(launch, generation, world_size)
        if time.monotonic() >= deadline:  # a process of the server that is behind another one says what was
            raise RendezvousFailed(f"the gang was called to no other generation within {limit_s:g} s")
        time.sleep(PAUSE_S)


def as_of(launch: Launch, generation: int, world_size: int) -> Launch:
    """Return a worker's launch as one of another generation. Raises Left where that has no such rank."""
    if launch.rank >= world_size:
        raise Left(f"rank {launch.rank} leaves: its gang goes on with {world_size}, as generation {generation}")
    company = Company(launch.rank, world_size)
    return replace(launch, generation=generation, world_size=world_size, in_role=company, in_program=company)


def regrouped(launch: Launch, environment: Mapping[str, str]) -> Launch:
    """Return the launch of a command that was started anew, as it says; of any other as it is."""
    generation, _, world_size = environment.get(REGROUPED_VARIABLE, "").partition(":")
    if not (generation.isdecimal() and world_size.isdecimal()):
        return launch
    return as_of(launch, int(generation), int(world_size))
