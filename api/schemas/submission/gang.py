"""What must hold of a gang as a whole: how large it may be, among how many choices, and how far spread.

Where it does not, ValueError is raised, with what to do as its text.
"""

from collections.abc import Mapping, Sequence
from math import prod

from api.schemas.placement import (
    MOST_OPTIONS,
    MOST_WORKERS,
    AlternativeRequest,
    NamedChips,
    RoleRequest,
    SpreadRequest,
    types_of,
)
from scheduler.core.model.topology import CLUSTER, NODE


def workers_of_mix(mix: Mapping[str, int], workers: int | None) -> int:
    """Return how many workers a mix has, beside which `workers` may say the same or nothing."""
    total = sum(mix.values())
    if total > MOST_WORKERS:
        raise ValueError(f"the mix has {total} workers; at most {MOST_WORKERS} make a gang")
    if workers not in (None, total):
        raise ValueError(f"must be {total}, the sum of the mix, or left out")
    return total


def sizes(workers: int, alternatives: Sequence[AlternativeRequest], roles: Sequence[RoleRequest]) -> list[int]:
    """Return how many workers the gang may have: with the job's own size, and with each alternative."""
    more = sum(role.workers for role in roles)
    return [workers + more, *((other.workers or workers) + more for other in alternatives)]


def check_size(workers: int, alternatives: Sequence[AlternativeRequest], roles: Sequence[RoleRequest]) -> None:
    """Let no gang have too many workers, all roles counted."""
    largest = max(sizes(workers, alternatives, roles))
    if largest > MOST_WORKERS:
        raise ValueError(f"the gang has {largest} workers with all roles; at most {MOST_WORKERS} make one")


def check_choices(
    chips: NamedChips, alternatives: Sequence[AlternativeRequest], roles: Sequence[RoleRequest] = ()
) -> None:
    """Let there be no more choices than are looked at."""
    own = 1 if isinstance(chips, dict) else len(types_of(chips))
    main = own + sum(len(types_of(other.chips)) or own for other in alternatives)
    choices = main * prod(max(1, len(types_of(role.chips))) for role in roles)
    if choices > MOST_OPTIONS:
        raise ValueError(
            f"all chip types in all pairings are {choices} choices; at most {MOST_OPTIONS} are allowed: "
            "name fewer chip types in chips, alternatives or roles"
        )


def check_spread(spread: SpreadRequest, *, smallest: int, required: str | None) -> None:
    """Let no gang be spread that is to be within one domain; `smallest` is the least that it may have as workers."""
    if smallest <= spread.most or (spread.level != CLUSTER and required not in (NODE, spread.level)):
        return
    where = f"topology.require asks for one {required}" if spread.level != CLUSTER else "a gang is in one cluster"
    raise ValueError(
        f"at most {spread.most} of {smallest} workers per {spread.level} cannot be, for {where}: "
        "spread over a smaller level, or allow more"
    )
