"""Where a node stands: an ordered list of levels, from the smallest domain to the largest."""

from dataclasses import dataclass

RACK = "rack"


@dataclass(frozen=True, slots=True)
class Topology:
    """The domains of one node, such as (("rack", "r1"), ("zone", "z1")); domains are named within their cluster."""

    domains: tuple[tuple[str, str], ...] = ()

    def domain(self, level: str) -> str | None:
        """Return the node's domain at a level, None where the node names none."""
        for name, domain in self.domains:
            if name == level:
                return domain
        return None
