"""What is kept as JSON text: the parts of the model that are only ever read whole."""

from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from scheduler.core.model.change import KIND_OF, ChangeBody
from scheduler.core.model.job import JobSpec
from scheduler.core.model.node import ForeignUse
from scheduler.core.model.reason import PlacementNote
from scheduler.core.model.topology import Topology

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
NOTES: Document[tuple[PlacementNote, ...]] = Document(tuple[PlacementNote, ...])
TOPOLOGY: Document[Topology] = Document(Topology)
PAIRS: Document[tuple[tuple[str, str], ...]] = Document(tuple[tuple[str, str], ...])
SLOTS: Document[tuple[int, ...]] = Document(tuple[int, ...])
WORDS: Document[tuple[str, ...]] = Document(tuple[str, ...])


_BODIES: dict[str, Document[ChangeBody]] = {kind: Document(body) for body, kind in KIND_OF.items()}


def storable(text: str, limit: int) -> str:
    """Return what a cluster said as both databases can keep it: cut, without NUL characters and broken surrogates."""
    return text[:limit].replace("\0", "\ufffd").encode(errors="replace").decode()


def encode_body(body: ChangeBody) -> tuple[str, str]:
    """Return a change's kind, such as `group-placed`, and its body as JSON text."""
    kind = KIND_OF[type(body)]
    return kind, _BODIES[kind].encode(body)


def decode_body(kind: str, text: str) -> ChangeBody:
    """Return the body of a change. Raises KeyError where no body is of that kind."""
    return _BODIES[kind].decode(text)
