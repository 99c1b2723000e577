"""What is kept as JSON text: the parts of the model that are only ever read whole."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from scheduler.core.model.asking.grounds import Grounds
from scheduler.core.model.change import KIND_OF, ChangeBody, QueueQuotaLifted, QueueQuotaSet
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.job import JobSpec
from scheduler.core.model.measuring.layers import LayerProfile
from scheduler.core.model.node import ForeignUse
from scheduler.core.model.reason import PlacementNote
from scheduler.core.model.sharing.eviction import Eviction, GivenTo
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import Topology
from scheduler.core.model.waiting.promise import Promise

T = TypeVar("T")


class Document(Generic[T]):
    """One type of the model as JSON text, both ways without loss."""

    def __init__(self, kind: Any) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)

    def encode(self, value: T) -> str:
        """Return the value as JSON text."""
        return self._adapter.dump_json(value).decode()

    def decode(self, text: str) -> T:
        """Return the value that was encoded. Raises ValueError where the text is no such value."""
        return self._adapter.validate_json(text)


JOB_SPEC: Document[JobSpec] = Document(JobSpec)
FOREIGN_USE: Document[ForeignUse] = Document(ForeignUse)
EVICTION: Document[Eviction] = Document(Eviction)
GIVEN_TO: Document[GivenTo] = Document(GivenTo)
NOTES: Document[tuple[PlacementNote, ...]] = Document(tuple[PlacementNote, ...])
LAYER_PROFILE: Document[LayerProfile] = Document(LayerProfile)
GROUNDS: Document[Grounds] = Document(Grounds)
TOPOLOGY: Document[Topology] = Document(Topology)
PROMISE: Document[Promise] = Document(Promise)
PAIRS: Document[tuple[tuple[str, str], ...]] = Document(tuple[tuple[str, str], ...])
SLOTS: Document[tuple[int, ...]] = Document(tuple[int, ...])
WORDS: Document[tuple[str, ...]] = Document(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class _TenantQuota:
    """The most devices of a chip type that a tenant may hold, as it was kept before there were queues."""

    tenant: TenantName
    chip: ChipName
    devices: int


@dataclass(frozen=True, slots=True)
class _QuotaSet:
    quota: _TenantQuota


@dataclass(frozen=True, slots=True)
class _QuotaLifted:
    tenant: TenantName
    chip: ChipName


_BODIES: dict[str, Document[ChangeBody]] = {kind: Document(body) for body, kind in KIND_OF.items()}
_OLD_QUOTA_SET: Document[_QuotaSet] = Document(_QuotaSet)
_OLD_QUOTA_LIFTED: Document[_QuotaLifted] = Document(_QuotaLifted)


def storable(text: str, limit: int) -> str:
    """Return what a cluster said as both databases can keep it: cut, without NUL characters and broken surrogates."""
    return text[:limit].replace("\0", "\ufffd").encode(errors="replace").decode()


def encode_body(body: ChangeBody) -> tuple[str, str]:
    """Return a change's kind, such as `group-placed`, and its body as JSON text."""
    kind = KIND_OF[type(body)]
    return kind, _BODIES[kind].encode(body)


def decode_body(kind: str, text: str) -> ChangeBody:
    """Return the body of a change, old ones as what they mean today. Raises KeyError where none is of that kind."""
    match kind:
        case "quota-set":
            quota = _OLD_QUOTA_SET.decode(text).quota
            return QueueQuotaSet(QueueQuota(quota.tenant, quota.chip, limit=quota.devices))
        case "quota-lifted":
            lifted = _OLD_QUOTA_LIFTED.decode(text)
            return QueueQuotaLifted(lifted.tenant, lifted.chip)
    return _BODIES[kind].decode(text)
