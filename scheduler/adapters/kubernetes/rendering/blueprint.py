"""All that the objects of one attempt are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate
from scheduler.adapters.kubernetes.identity import Identity
from scheduler.ports.cluster import GangOrder


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of the node that a rank goes to."""

    node: str
    """Its name in the cluster."""
    resource: str
    """What it counts the devices of the rank's chip type as, such as `example.com/gpu`."""
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """An order, where its ranks go, and how the cluster wants its pods."""

    order: GangOrder
    places: tuple[Place, ...]
    """By rank."""
    configuration: ClusterConfiguration
    identity: Identity

    @property
    def namespace(self) -> str:
        """Where the attempt's objects live."""
        return self.configuration.namespace_of(self.order.job.tenant)

    def pool(self, rank: int) -> PoolTemplate:
        """Return the template of a rank's pod."""
        return self.configuration.pool(self.order.allocations[rank].chip, self.places[rank].labels)
