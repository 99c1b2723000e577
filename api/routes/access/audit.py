"""The audit trail: who changed what, and whether nobody changed that."""

import json
import re
from typing import Annotated

from fastapi import APIRouter, Query

from api.answers.sparse import sparse
from api.schemas.people.audit import AuditCheckAnswer, AuditEntryAnswer, AuditObject, AuditPage, AuditQuery
from api.schemas.queries import SparsePage
from api.web.cursors import cut_page, decode_cursor
from api.web.dependencies import Caller, Context
from api.web.guarded_route import GuardedRoute
from scheduler.core.model.access.audit import AuditEntry
from scheduler.ports.records.audit import AuditFilter

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@router.get("", operation_id="list_audit_entries")
def list_audit_entries(
    context: Context, caller: Caller, query: Annotated[AuditQuery, Query()]
) -> AuditPage | SparsePage:
    """List who changed what, newest first; a tenant's administrator sees what was done to that tenant's things."""
    if query.tenant is not None and not caller.may_see(query.tenant):
        return AuditPage(items=(), next=None)
    kind, _, name = (query.object or "").partition("/")
    where = AuditFilter(
        tenant=caller.tenant or query.tenant,
        actor=query.actor,
        operation=query.operation,
        object_kind=kind or None,
        object_name=name or None,
        since=query.since,
        until=query.until,
    )
    before = decode_cursor(query.cursor, _NUMBER)
    found = context.audit.entries(where, before=None if before is None else int(before), limit=query.limit + 1)
    page, following = cut_page(found, query.limit, lambda entry: str(entry.number))
    return sparse(AuditPage(items=tuple(_answer(entry) for entry in page), next=following), query.fields)


@router.get("/check", operation_id="check_audit_trail")
def check_audit_trail(context: Context) -> AuditCheckAnswer:
    """Say whether every entry is as it was written, and follows the one before it. Takes seconds on a long trail."""
    found = context.audit.check()
    return AuditCheckAnswer(
        is_whole=found.first_broken is None,
        entries=found.entries,
        first_broken=found.first_broken,
        last=found.last,
        last_sha256=found.last_sha256,
    )


def _answer(entry: AuditEntry) -> AuditEntryAnswer:
    return AuditEntryAnswer(
        number=entry.number,
        at=entry.at,
        actor=entry.actor,
        token_id=entry.token_id,
        tenant=entry.tenant,
        operation=entry.operation,
        object=AuditObject(kind=entry.object_kind, name=entry.object_name),
        before=None if entry.before is None else json.loads(entry.before),
        after=None if entry.after is None else json.loads(entry.after),
        outcome=entry.outcome.value,
        request_id=entry.request_id,
        previous_sha256=entry.previous_sha256,
        sha256=entry.sha256,
    )
