"""The audit trail as the API shows it."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from api.schemas.queries import PageQuery
from api.schemas.text import OPERATION_PATTERN, Answer, Moment, Name, PrincipalName, TrailObject, with_examples

ENTRY_EXAMPLE: dict[str, Any] = {
    "number": 42,
    "at": "2026-01-01T00:00:00.000000Z",
    "actor": "ada",
    "token_id": "01jd3v9k2m0a7b4c",
    "tenant": "demo",
    "operation": "set_quota",
    "object": {"kind": "quota", "name": "demo/h100-sxm"},
    "before": {"tenant": "demo", "chip": "h100-sxm", "devices": 32},
    "after": {"tenant": "demo", "chip": "h100-sxm", "devices": 64},
    "outcome": "done",
    "request_id": "0123456789abcdef0123456789abcdef",
    "previous_sha256": "0" * 64,
    "sha256": "5f" * 32,
}


class AuditQuery(PageQuery):
    """Which entries; what is not given means any."""

    actor: PrincipalName | None = Field(default=None, description="Who did it, or `server`.")
    operation: Annotated[str, Field(pattern=OPERATION_PATTERN, max_length=63)] | None = Field(
        default=None, description="An operation of this API."
    )
    object: TrailObject | None = Field(
        default=None, description="What it was done to: a kind such as `token`, or a kind and a name, `token/ID`."
    )
    tenant: Name | None = Field(default=None, description="For roles that see more than one.")
    since: AwareDatetime | None = Field(default=None, description="This moment or later.")
    until: AwareDatetime | None = Field(default=None, description="Before this moment.")


class AuditObject(Answer):
    """What something was done to."""

    model_config = with_examples({"kind": "quota", "name": "demo/h100-sxm"})

    kind: str
    name: str


class AuditEntryAnswer(Answer):
    """One line of the audit trail."""

    model_config = with_examples(ENTRY_EXAMPLE)

    number: int
    at: Moment
    actor: str
    token_id: str | None
    tenant: str | None
    operation: str
    object: AuditObject
    before: dict[str, Any] | None
    """Null where it was not there."""
    after: dict[str, Any] | None
    """Null where it is not there any more."""
    outcome: Literal["done", "denied"]
    request_id: str
    previous_sha256: str
    sha256: str
    """Seals all of the entry, the seal before it included."""


class AuditPage(Answer):
    """Entries, newest first."""

    model_config = with_examples({"items": [ENTRY_EXAMPLE], "next": None})

    items: tuple[AuditEntryAnswer, ...]
    next: str | None


class AuditCheckAnswer(Answer):
    """Whether the trail is whole."""

    model_config = with_examples(
        {"is_whole": True, "entries": 42, "first_broken": None, "last": 42, "last_sha256": "5f" * 32}
    )

    is_whole: bool
    entries: int
    first_broken: int | None
    """The number of the first entry that was changed, or that does not follow the one before it."""
    last: int
    last_sha256: str
    """Kept elsewhere, it shows later that nothing up to it was cut off or made anew."""
