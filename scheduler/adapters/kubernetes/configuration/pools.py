"""Templates of pods per pool: what training on some nodes needs beyond the hardened default."""

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.adapters.kubernetes.configuration.rules import is_like
from scheduler.core.model.identifiers import ChipName

NOBODY = 65_532
"""The user and group that workers are by default."""


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint that pods of a pool put up with."""

    key: str
    value: str | None = None
    """None: whatever the taint's value is."""
    effect: str | None = None
    """`NoSchedule`, `PreferNoSchedule` or `NoExecute`; None: all of them."""

    def accepts(self, key: str, value: str, effect: str) -> bool:
        """Say whether a taint is tolerated, for however long."""
        return key == self.key and self.value in (None, value) and self.effect in (None, effect)


@dataclass(frozen=True, slots=True)
class PoolTemplate:
    """How pods on the nodes of a pool differ. The default is what restricted Pod Security asks for."""

    name: str = ""
    """For messages."""
    chips: tuple[ChipName, ...] = ()
    """Ranks on one of these chip types; empty: on any, and without devices."""
    labels: tuple[tuple[str, str], ...] = ()
    """Nodes that carry all of these; a `*` in a value stands for any text."""
    has_host_network: bool = False
    capabilities: tuple[str, ...] = ()
    """Added to none, such as `IPC_LOCK`."""
    resources: tuple[tuple[str, int], ...] = ()
    """Asked for by each worker beside its devices, such as (`rdma/hca`, 1)."""
    shared_memory_mib: int = 0
    """Of jobs that name none; 0 leaves /dev/shm to the container runtime."""
    run_as_user: int = NOBODY
    run_as_group: int = NOBODY
    fs_group: int = NOBODY
    is_root_filesystem_read_only: bool = True
    environment: tuple[tuple[str, str], ...] = ()
    """Under the job's own: a job's variable of the same name wins."""
    annotations: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    runtime_class: str | None = None

    def fits(self, chip: ChipName | None, labels: Mapping[str, str]) -> bool:
        """Say whether it is for ranks on `chip`, None for those without devices, of a node with these labels."""
        if self.chips and chip not in self.chips:
            return False
        return all(is_like(labels.get(key), value) for key, value in self.labels)


HARDENED = PoolTemplate()
"""For ranks that no pool is for."""
