"""Groups of chip types, and what share each queue has."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.answers.sharing.queues import chip_group_answer, share_answer
from api.answers.sparse import sparse
from api.problems import Refusal
from api.routes.sharing.queues import may_see
from api.routes.sharing.refusals import sharing_refused
from api.schemas.queries import SparsePage
from api.schemas.sharing.queues import ChipGroupAnswer, ChipGroupBody, ChipGroupPage
from api.schemas.sharing.shares import SharePage
from api.schemas.text import NAME_PATTERN
from api.web.cursors import NAME_KEY, decode_cursor, page_of_whole
from api.web.dependencies import Caller, Context, Page
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.failures import not_found
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT, HAS_CHANGED
from scheduler.core.model.sharing.queue import ChipGroup
from scheduler.services.questions.show_shares import show_shares

router = APIRouter(prefix="/v1", tags=["access"], route_class=GuardedRoute)

GroupPath = Annotated[str, Path(pattern=NAME_PATTERN, max_length=63, examples=["hopper"])]


@router.get("/shares", operation_id="list_shares")
def list_shares(context: Context, caller: Caller, page: Page) -> SharePage | SparsePage:
    """List what each queue is due, holds and held lately, by name; a tenant's roles see what they see of the queues."""
    after = decode_cursor(page.cursor, NAME_KEY)
    shares = show_shares(context.followed, context.clock.now())
    seen = [share for share in shares.items if may_see(caller, share.queue)]
    items, following = page_of_whole(seen, after, page.limit, lambda share: share.queue.name)
    answers = tuple(map(share_answer, items))
    return sparse(SharePage(items=answers, next=following, change=shares.change, age_s=shares.age_s), page.fields)


@router.get("/chip-groups", operation_id="list_chip_groups")
def list_chip_groups(context: Context, page: Page) -> ChipGroupPage | SparsePage:
    """List the groups of chip types that quotas may count together, by name."""
    after = decode_cursor(page.cursor, NAME_KEY)
    items, following = page_of_whole(context.queues.chip_groups(), after, page.limit, lambda group: group.name)
    return sparse(ChipGroupPage(items=tuple(map(chip_group_answer, items)), next=following), page.fields)


@router.get("/chip-groups/{group}", operation_id="show_chip_group")
def show_chip_group(group: GroupPath, context: Context, response: Response) -> ChipGroupAnswer:
    """Show a group of chip types, with its ETag."""
    found = next((one for one in context.queues.chip_groups() if one.name == group), None)
    if found is None:
        raise Refusal(not_found("group of chip types"))
    response.headers["ETag"] = etag_of(found)
    return chip_group_answer(found)


@router.put("/chip-groups/{group}", operation_id="set_chip_group", responses=HAS_CHANGED | CONFLICT)
def set_chip_group(
    group: GroupPath, body: ChipGroupBody, context: Context, response: Response, *, if_match: IfMatch = None
) -> ChipGroupAnswer:
    """Add a group of chip types, or let it have others."""
    wanted = ChipGroup(group, tuple(sorted(set(body.chips))))
    with sharing_refused("chip type", "/chips"):
        context.queues.set_chip_group(wanted, context.clock.now(), guarded_by(if_match))
    response.headers["ETag"] = etag_of(wanted)
    return chip_group_answer(wanted)


@router.delete(
    "/chip-groups/{group}", operation_id="remove_chip_group", status_code=204, responses=HAS_CHANGED | CONFLICT
)
def remove_chip_group(group: GroupPath, context: Context, *, if_match: IfMatch = None) -> Response:
    """Remove a group of chip types that no quota counts."""
    with sharing_refused("group of chip types"):
        context.queues.remove_chip_group(group, context.clock.now(), guarded_by(if_match))
    return Response(status_code=204)
