"""Queues, and what they are due and may have."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.answers.sharing.queues import queue_answer, queue_of, queue_quota_answer, quota_of
from api.answers.sparse import sparse
from api.context import ApiContext
from api.problems import Refusal
from api.routes.sharing.refusals import sharing_refused
from api.schemas.queries import SparsePage
from api.schemas.sharing.queues import (
    QueueAnswer,
    QueueBody,
    QueuePage,
    QueueQuotaAnswer,
    QueueQuotaBody,
    QueueQuotaPage,
)
from api.schemas.text import NAME_PATTERN
from api.web.cursors import NAME_KEY, decode_cursor, page_of_whole
from api.web.dependencies import Caller, Context, Page
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.failures import not_found
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT, HAS_CHANGED
from scheduler.core.model.sharing.queue import Queue, QueueName
from scheduler.core.model.tenant import Principal

router = APIRouter(prefix="/v1/queues", tags=["access"], route_class=GuardedRoute)

QueuePath = Annotated[str, Path(pattern=NAME_PATTERN, max_length=63, examples=["demo"])]
ResourcePath = Annotated[
    str,
    Path(
        pattern=NAME_PATTERN,
        max_length=63,
        description="A chip type, a group of chip types, or `compute`.",
        examples=["h100-sxm"],
    ),
]


@router.get("", operation_id="list_queues")
def list_queues(context: Context, caller: Caller, page: Page) -> QueuePage | SparsePage:
    """List queues by name: a tenant's roles see their own and those that belong to no tenant."""
    after = decode_cursor(page.cursor, NAME_KEY)
    seen = [queue for queue in context.queues.queues() if may_see(caller, queue)]
    items, following = page_of_whole(seen, after, page.limit, lambda queue: queue.name)
    return sparse(QueuePage(items=tuple(map(queue_answer, items)), next=following), page.fields)


@router.get("/{queue}", operation_id="show_queue")
def show_queue(queue: QueuePath, context: Context, caller: Caller, response: Response) -> QueueAnswer:
    """Show a queue, with its ETag."""
    found = _seen(context, caller, queue)
    response.headers["ETag"] = etag_of(found)
    return queue_answer(found)


@router.put("/{queue}", operation_id="set_queue", responses=HAS_CHANGED | CONFLICT)
def set_queue(
    queue: QueuePath, body: QueueBody, context: Context, response: Response, *, if_match: IfMatch = None
) -> QueueAnswer:
    """Add a queue, or let it be another one; jobs that wait in it, and what they hold, stay in it."""
    wanted = queue_of(queue, body)
    with sharing_refused("tenant", "/tenant"):
        context.queues.set_queue(wanted, context.clock.now(), guarded_by(if_match))
    response.headers["ETag"] = etag_of(wanted)
    return queue_answer(wanted)


@router.delete("/{queue}", operation_id="remove_queue", status_code=204, responses=HAS_CHANGED | CONFLICT)
def remove_queue(queue: QueuePath, context: Context, *, if_match: IfMatch = None) -> Response:
    """Remove a queue that no job and no other queue is in, with its quotas."""
    with sharing_refused("queue"):
        context.queues.remove_queue(queue, context.clock.now(), guarded_by(if_match))
    return Response(status_code=204)


@router.get("/{queue}/quotas", operation_id="list_queue_quotas")
def list_queue_quotas(queue: QueuePath, context: Context, caller: Caller, page: Page) -> QueueQuotaPage | SparsePage:
    """List what a queue is due and may have, by resource. Of what is not listed nothing is guaranteed or limited."""
    after = decode_cursor(page.cursor, NAME_KEY)
    found = context.queues.quotas(_seen(context, caller, queue).name)
    items, following = page_of_whole(found, after, page.limit, lambda quota: quota.resource)
    return sparse(QueueQuotaPage(items=tuple(map(queue_quota_answer, items)), next=following), page.fields)


@router.get("/{queue}/quotas/{resource}", operation_id="show_queue_quota")
def show_queue_quota(
    queue: QueuePath, resource: ResourcePath, context: Context, caller: Caller, response: Response
) -> QueueQuotaAnswer:
    """Show what a queue is due and may have of a resource, with its ETag."""
    quotas = context.queues.quotas(_seen(context, caller, queue).name)
    found = next((quota for quota in quotas if quota.resource == resource), None)
    if found is None:
        raise Refusal(not_found("quota"))
    response.headers["ETag"] = etag_of(found)
    return queue_quota_answer(found)


@router.put("/{queue}/quotas/{resource}", operation_id="set_queue_quota", responses=HAS_CHANGED)
def set_queue_quota(
    queue: QueuePath,
    resource: ResourcePath,
    body: QueueQuotaBody,
    context: Context,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> QueueQuotaAnswer:
    """Say what a queue is due and may have of a resource; what it holds above that already it keeps."""
    quota = quota_of(queue, resource, body)
    with sharing_refused("queue or resource"):
        context.queues.set_quota(quota, context.clock.now(), guarded_by(if_match))
    response.headers["ETag"] = etag_of(quota)
    return queue_quota_answer(quota)


@router.delete("/{queue}/quotas/{resource}", operation_id="lift_queue_quota", status_code=204, responses=HAS_CHANGED)
def lift_queue_quota(
    queue: QueuePath, resource: ResourcePath, context: Context, *, if_match: IfMatch = None
) -> Response:
    """Remove what was said of a queue and a resource."""
    with sharing_refused("quota"):
        context.queues.lift_quota(queue, resource, context.clock.now(), guarded_by(if_match))
    return Response(status_code=204)


def may_see(caller: Principal, queue: Queue) -> bool:
    """Say whether a queue exists for a caller."""
    return queue.tenant is None or caller.may_see(queue.tenant)


def _seen(context: ApiContext, caller: Principal, name: QueueName) -> Queue:
    found = context.queues.queue(name)
    if found is None or not may_see(caller, found):
        raise Refusal(not_found("queue"))
    return found
