"""The audit trail: who changed what, from what to what, and when. Each entry seals the one before it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from scheduler.core.model.identifiers import TenantName

FIRST_SEAL = "0" * 64
"""What the first entry of all follows."""
MOST_STATE_BYTES = 4096
"""Of what is kept of a thing before or after a change."""

State = Mapping[str, Any]
"""A thing's fields, as JSON can hold them. Never a secret, nor the hash of one."""


class Outcome(StrEnum):
    """What became of a call."""

    DONE = "done"
    DENIED = "denied"
    """Somebody known asked for what their token does not open."""


@dataclass(frozen=True, slots=True)
class Actor:
    """In whose name something is written, and what they called."""

    name: str
    token_id: str | None
    """None for whoever runs the server's own commands."""
    tenant: TenantName | None
    operation: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Act:
    """What was done to one thing."""

    kind: str
    """The kind: token, user, tenant, quota, chip, throughput, profile, job, or for a denied call the operation."""
    name: str
    tenant: TenantName | None
    """Whose thing it is; None where it is nobody's."""
    at: datetime
    before: State | None = None
    """None where it was not there."""
    after: State | None = None
    """None where it is not there any more."""
    outcome: Outcome = Outcome.DONE


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail."""

    number: int
    at: datetime
    actor: str
    token_id: str | None
    tenant: TenantName | None
    operation: str
    object_kind: str
    object_name: str
    before: str | None
    """JSON text, bounded."""
    after: str | None
    outcome: Outcome
    request_id: str
    previous_sha256: str
    sha256: str

    def is_genuine(self) -> bool:
        """Say whether the entry is as it was when it was sealed."""
        return self.sha256 == _seal(self)


def make_entry(number: int, previous_sha256: str, actor: Actor, act: Act) -> AuditEntry:
    """Return the entry that follows the one with that seal."""
    draft = AuditEntry(
        number=number,
        at=act.at.astimezone(UTC),
        actor=actor.name,
        token_id=actor.token_id,
        tenant=act.tenant,
        operation=actor.operation,
        object_kind=act.kind,
        object_name=act.name,
        before=_text(act.before),
        after=_text(act.after),
        outcome=act.outcome,
        request_id=actor.request_id,
        previous_sha256=previous_sha256,
        sha256="",
    )
    fields = {name: getattr(draft, name) for name in AuditEntry.__slots__}
    return AuditEntry(**{**fields, "sha256": _seal(draft)})


def _seal(entry: AuditEntry) -> str:
    """Return the SHA-256 of all the entry's fields but the seal itself, the seal before it among them."""
    parts = [
        entry.previous_sha256,
        str(entry.number),
        entry.at.isoformat(timespec="microseconds"),
        entry.actor,
        entry.token_id,
        entry.tenant,
        entry.operation,
        entry.object_kind,
        entry.object_name,
        entry.before,
        entry.after,
        str(entry.outcome),
        entry.request_id,
    ]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


def _text(state: State | None) -> str | None:
    if state is None:
        return None
    text = json.dumps(state, sort_keys=True, ensure_ascii=False, default=_plain, separators=(",", ":"))
    size = len(text.encode(errors="replace"))
    if size > MOST_STATE_BYTES:
        return json.dumps({"left_out": f"{size} bytes", "sha256": hashlib.sha256(text.encode()).hexdigest()})
    return text


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in an audit entry")
