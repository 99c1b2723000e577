"""What everybody who drives a cluster works with."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from threading import Event
from typing import TypeVar

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.driving.observing import Members
from scheduler.adapters.kubernetes.driving.standings import AttemptTurns, Standings
from scheduler.adapters.kubernetes.driving.writing import Writing
from scheduler.adapters.kubernetes.identity import Identity
from scheduler.adapters.kubernetes.nodes import Inventory
from scheduler.adapters.kubernetes.reflector import Reflector
from scheduler.adapters.kubernetes.views import MapView, PodView
from scheduler.core.model.identifiers import AttemptId
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterUnavailable, StartFailed

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Scene:
    """One cluster: what is known of it, and the means to act on it."""

    configuration: ClusterConfiguration
    identity: Identity
    clock: Clock
    writing: Writing
    writers: Executor
    """The threads that write many objects at once."""
    pods: Reflector[PodView]
    owners: Mapping[str, Reflector[MapView]]
    """The owners of attempts, by namespace."""
    inventory: Inventory
    members: Members
    standings: Standings
    turns: AttemptTurns = field(default_factory=AttemptTurns)
    closing: Event = field(default_factory=Event)

    def owner(self, namespace: str, attempt: AttemptId) -> MapView | None:
        """Return the owner of an attempt if it is ours and stays, as far as the watch knows."""
        owners = self.owners.get(namespace)
        found = None if owners is None else owners.get(f"{namespace}/{attempt}")
        return found if found is not None and self.is_ours(found) and not found.is_going else None

    def is_ours(self, owner: MapView) -> bool:
        """Say whether we made the owner of an attempt."""
        return self.identity.is_our_map(owner, self.configuration.owner.kind)

    def each(self, items: Iterable[_Item], act: Callable[[_Item], None]) -> None:
        """Do something with every item, many at once, and no more once one failed; returns when nothing is under way.

        Raises StartFailed if any did, else ClusterUnavailable if any did.
        """
        failed = Event()

        def attempt(item: _Item) -> StartFailed | ClusterUnavailable | None:
            if failed.is_set():
                return None
            try:
                act(item)
            except (StartFailed, ClusterUnavailable) as failure:
                failed.set()
                return failure
            return None

        try:
            outcomes = list(self.writers.map(attempt, items))
        except RuntimeError as error:
            if self.closing.is_set():
                raise ClusterUnavailable("the connection to the cluster is being closed") from error
            raise
        failures = [failure for failure in outcomes if failure is not None]
        for failure in sorted(failures, key=lambda failure: not isinstance(failure, StartFailed)):
            raise failure
