"""Which levels of a topology are tried for a gang, and in which order."""

from functools import lru_cache

from scheduler.core.model.topology import CLUSTER, NODE, Closeness


@lru_cache(maxsize=1_024)
def levels_to_try(levels: tuple[str, ...], closeness: Closeness) -> tuple[str, ...]:
    """Return the preferred levels in the gang's order, then the largest that is allowed.

    `levels` are those of the cluster, smallest first, without `node` and `cluster`. Preferred levels that the cluster
    does not have, and those that the required one is within, say nothing and are left out. Empty where the cluster
    does not have the required level.
    """
    known = (NODE, *levels, CLUSTER)
    required = closeness.required or CLUSTER
    if required not in known:
        return ()
    allowed = known[: known.index(required)]
    preferred = allowed if closeness.preferred is None else [level for level in closeness.preferred if level in allowed]
    return (*dict.fromkeys(preferred), required)
