"""Users: the people tokens may belong to."""

from fastapi import APIRouter

from api.answers.access import user_answer
from api.problems import Code, FieldError, refuse
from api.schemas.access import UserAnswer, UserBody, UserPage
from api.web.cursors import NAME_KEY, cut_page, decode_cursor
from api.web.dependencies import Caller, Context, Page
from api.web.failures import unknown_reference
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT
from scheduler.ports.directory import AlreadyExists, DoesNotExist

router = APIRouter(prefix="/v1/users", tags=["access"], route_class=GuardedRoute)


@router.get("", operation_id="list_users")
def list_users(context: Context, caller: Caller, page: Page) -> UserPage:
    """List users by name; a tenant's administrator sees those of that tenant."""
    after = decode_cursor(page.cursor, NAME_KEY)
    found = context.directory.users(tenant=caller.tenant, after=after, limit=page.limit + 1)
    items, following = cut_page(found, page.limit, lambda user: user.name)
    return UserPage(items=tuple(user_answer(user) for user in items), next=following)


@router.post("", operation_id="create_user", status_code=201, responses=CONFLICT)
def create_user(body: UserBody, context: Context) -> UserAnswer:
    """Create a user, of one tenant or of none."""
    try:
        return user_answer(context.directory.create_user(body.name, body.tenant, context.clock.now()))
    except AlreadyExists:
        error = FieldError("/name", "a user of that name exists")
        raise refuse(Code.ALREADY_EXISTS, f"There is a user {body.name} already.", None, error) from None
    except DoesNotExist:
        raise unknown_reference("/tenant", f"tenant {body.tenant}") from None
