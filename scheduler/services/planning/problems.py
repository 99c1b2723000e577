"""From what is asked and what is free to questions for the planner, one per cluster."""

from dataclasses import dataclass, replace
from itertools import combinations

from scheduler.core.mixing.asked.pools import ChipPool, Link
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.profiles import Profiles
from scheduler.core.mixing.boundaries import link_between
from scheduler.core.mixing.chips import pool_of
from scheduler.services.planning.asked import Asked, LeftOut, TooMany
from scheduler.services.planning.offer import Offer

NO_PROFILES = Profiles()
MOST_POOLS = 6
"""So many pools are planned with: those with most compute."""

EVEN_BATCH = 64
"""Batches that are multiples of it can be cut into replicas and micro-batches of most sizes."""
MOST_LARGER = 1.25
"""A batch that is larger by more is another training."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the planner is asked of one cluster."""

    problem: Problem
    """It may have no pool."""
    left_out: tuple[LeftOut, ...]


def question_of(asked: Asked, offer: Offer, profiles: Profiles = NO_PROFILES) -> Question:
    """Return the question about what one cluster offers."""
    pools: list[ChipPool] = []
    left_out: list[LeftOut] = []
    for free in offer.free:
        found = pool_of(free, asked.training.precision, asked.stated)
        if isinstance(found, ChipPool):
            pools.append(found)
        else:
            left_out.append(LeftOut(free.name, free.chip.name, found))
    pools.sort(key=lambda pool: (-pool.chips * pool.flops_per_s, pool.name))
    left_out += [LeftOut(pool.name, pool.chip, TooMany.POOLS) for pool in pools[MOST_POOLS:]]
    problem = replace(_problem(asked, tuple(pools[:MOST_POOLS])), profiles=profiles)
    return Question(problem, tuple(left_out))


def with_pools(problem: Problem, asked: Asked, *pools: ChipPool) -> Problem:
    """Return the same question about other pools."""
    return replace(problem, pools=pools, links=_links(asked, pools))


def _problem(asked: Asked, pools: tuple[ChipPool, ...]) -> Problem:
    return Problem(
        training=asked.training,
        pools=pools,
        links=_links(asked, pools),
        constraints=asked.constraints,
        runtime=asked.runtime,
    )


def _links(asked: Asked, pools: tuple[ChipPool, ...]) -> dict[frozenset[str], Link]:
    """Return the links that were stated: those between vendors."""
    stated = asked.between_vendors_bytes_per_s
    if stated is None:
        return {}
    return {
        frozenset((one.name, other.name)): Link(
            min(stated, one.node_link_bytes_per_s, other.node_link_bytes_per_s), goes_through_hosts=True
        )
        for one, other in combinations(pools, 2)
        if one.vendor != other.vendor
    }


def with_direct_links(problem: Problem) -> Problem:
    """Return the question as it would be if no device had to send through hosts."""
    links = {
        frozenset((one.name, other.name)): replace(link_between(problem, one, other), goes_through_hosts=False)
        for one, other in combinations(problem.pools, 2)
    }
    return replace(problem, links=links)


def with_faster_networks(problem: Problem, times: float) -> Problem:
    """Return the question as it would be if the networks of all nodes, and what was stated, were so much faster."""
    pools = tuple(replace(pool, node_link_bytes_per_s=pool.node_link_bytes_per_s * times) for pool in problem.pools)
    links = {pair: replace(link, bytes_per_s=link.bytes_per_s * times) for pair, link in problem.links.items()}
    return replace(problem, pools=pools, links=links)


def with_nodes(problem: Problem, name: str, more: int) -> Problem | None:
    """Return the question with so many nodes more, or fewer, in one pool; None where no pool would be left."""
    pools = tuple(
        replace(pool, nodes=pool.nodes + more) if pool.name == name else pool
        for pool in problem.pools
        if pool.name != name or pool.nodes + more > 0
    )
    return replace(problem, pools=pools) if pools else None


def with_even_batch(problem: Problem) -> Problem | None:
    """Return the question about the next batch that can be cut well; None where the batch can be already."""
    batch = problem.training.global_batch
    even = -(-batch // EVEN_BATCH) * EVEN_BATCH
    if even == batch or even > MOST_LARGER * batch:
        return None
    return replace(problem, training=replace(problem.training, global_batch=even))
