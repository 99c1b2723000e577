"""Where a node stands, and how near to each other or apart workers are to stand."""

from dataclasses import dataclass

RACK = "rack"
NODE = "node"
"""The smallest level: every node is a domain of its own."""
CLUSTER = "cluster"
"""The largest level: one domain, which holds all nodes of a cluster."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The domains of one node, such as (("rack", "r1"), ("zone", "z1")), from the smallest to the largest level.

    Domains are named within their cluster. Neither `node` nor `cluster` is among the levels: every node has both.
    """

    domains: tuple[tuple[str, str], ...] = ()

    def domain(self, level: str) -> str | None:
        """Return the node's domain at a level, None where the node names none."""
        for name, domain in self.domains:
            if name == level:
                return domain
        return None


@dataclass(frozen=True, slots=True)
class Closeness:
    """How near to each other the workers of a gang are to be."""

    required: str | None = None
    """The level of which one domain must hold all of them; None: the cluster is near enough."""
    preferred: tuple[str, ...] | None = None
    """The levels that are tried, in this order, before any domain that is allowed is taken; None: every level there
    is, the smallest first."""


ANYWHERE_CLOSE = Closeness()
"""As close together as there is room, however far apart that is."""


@dataclass(frozen=True, slots=True)
class Spread:
    """No domain of a level holds more than so many workers of the gang."""

    level: str
    most: int
    """At least 1."""


@dataclass(frozen=True, slots=True)
class Apart:
    """No domain of a level is shared with a worker of the same tenant whose job has all of these labels."""

    level: str
    labels: tuple[tuple[str, str], ...]
    """At least one."""
