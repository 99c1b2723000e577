"""Kinds of volumes that an operator offers to tenants by name."""

from dataclasses import dataclass

from scheduler.core.model.identifiers import TenantName


@dataclass(frozen=True, slots=True)
class ClaimVolume:
    """A persistent volume claim in the namespace of the tenant's pods."""

    claim: str


@dataclass(frozen=True, slots=True)
class ScratchVolume:
    """Room of a worker's own, gone with it."""

    size_mib: int
    is_in_memory: bool = False
    """Counts against the worker's memory."""


@dataclass(frozen=True, slots=True)
class NfsVolume:
    """A directory of an NFS server. Restricted Pod Security does not let pods have one."""

    server: str
    path: str


@dataclass(frozen=True, slots=True)
class VolumeClass:
    """What tenants get by a name."""

    name: str
    source: ClaimVolume | ScratchVolume | NfsVolume
    is_read_only: bool = False
    """Whatever a job asks for."""
    tenants: tuple[TenantName, ...] | None = None
    """Who may use it; None: everybody."""
