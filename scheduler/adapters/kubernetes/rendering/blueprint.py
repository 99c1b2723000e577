"""All that the objects of one attempt are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate, Toleration
from scheduler.adapters.kubernetes.identity import Identity
from scheduler.core.model.attempt import FIRST_GENERATION
from scheduler.ports.cluster import GangOrder


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of the node that a rank goes to."""

    node: str
    """Its name in the cluster."""
    resource: str | None
    """What it counts the devices of the rank's chip type as, such as `example.com/gpu`; None for a rank without any."""
    labels: Mapping[str, str]
    tolerations: tuple[Toleration, ...] = ()
    """What a rank without devices has to put up with there."""


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

    @property
    def told_by(self) -> str:
        """The name of what the pods of its generation are told by: a launch document and a token."""
        attempt, generation = self.order.attempt, self.order.generation
        return attempt if generation == FIRST_GENERATION else f"{attempt}-gen{generation}"

    @property
    def ranks(self) -> dict[int, int]:
        """The ranks of the workers that are to be started, by their numbers."""
        return {one.worker: one.rank for one in self.order.to_start}

    def pool(self, rank: int) -> PoolTemplate:
        """Return the template of a rank's pod."""
        return self.configuration.pool(self.order.allocations[rank].chip, self.places[rank].labels)

    def tolerations(self, rank: int) -> tuple[Toleration, ...]:
        """Return what a rank's pod puts up with: for its devices, or for being there without any."""
        place, template = self.places[rank], self.pool(rank)
        if place.resource is None:
            return tuple(dict.fromkeys((*template.tolerations, *place.tolerations)))
        return self.configuration.tolerations(place.resource, template)
