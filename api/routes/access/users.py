"""Users: the people tokens may belong to."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers.access import user_answer
from api.answers.sparse import sparse
from api.problems import Code, FieldError, Refusal, refuse
from api.schemas.access import UserAnswer, UserBody, UserChangeBody, UserPage
from api.schemas.queries import SparsePage
from api.web.cursors import NAME_KEY, cut_page, decode_cursor
from api.web.dependencies import Caller, Context, Page, UserPath
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.failures import not_found, unknown_reference
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT, HAS_CHANGED
from scheduler.core.model.tenant import User
from scheduler.ports.directory import AlreadyExists, DoesNotExist
from scheduler.services.access.change_user import RoleWithoutTenant, UserChange, check_role
from scheduler.services.access.change_user import change_user as write_change
from scheduler.services.access.grant_access import GrantRefused

router = APIRouter(prefix="/v1/users", tags=["access"], route_class=GuardedRoute)


@router.get("", operation_id="list_users")
def list_users(context: Context, caller: Caller, page: Page) -> UserPage | SparsePage:
    """List users by name; a tenant's administrator sees those of that tenant."""
    after = decode_cursor(page.cursor, NAME_KEY)
    found = context.directory.users(tenant=caller.tenant, after=after, limit=page.limit + 1)
    items, following = cut_page(found, page.limit, lambda user: user.name)
    return sparse(UserPage(items=tuple(user_answer(user) for user in items), next=following), page.fields)


@router.post("", operation_id="create_user", status_code=201, responses=CONFLICT)
def create_user(body: UserBody, context: Context) -> UserAnswer:
    """Create a user, of one tenant or of none."""
    user = User(body.name, body.tenant, context.clock.now(), body.role)
    try:
        check_role(user)
        return user_answer(context.directory.create_user(user))
    except RoleWithoutTenant as error:
        raise _unfit(error) from None
    except AlreadyExists:
        taken = FieldError("/name", "a user of that name exists")
        raise refuse(Code.ALREADY_EXISTS, f"There is a user {body.name} already.", None, taken) from None
    except DoesNotExist:
        raise unknown_reference("/tenant", f"tenant {body.tenant}") from None


@router.get("/{user}", operation_id="show_user")
def show_user(user: UserPath, context: Context, caller: Caller, response: Response) -> UserAnswer:
    """Show a user, with their ETag; a tenant's administrator sees those of that tenant."""
    found = context.directory.user(user)
    if found is None or caller.tenant not in (None, found.tenant):
        raise Refusal(not_found("user"))
    response.headers["ETag"] = etag_of(found)
    return user_answer(found)


@router.patch("/{user}", operation_id="change_user", responses=HAS_CHANGED)
def change_user(
    user: UserPath,
    body: UserChangeBody,
    context: Context,
    caller: Caller,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> UserAnswer:
    """Change a user's tenant or role, disable them, or take that back.

    Tokens that are more than their user may be, or of another tenant, and all of a disabled user open nothing.
    """
    change = UserChange(body.tenant, body.role, body.is_disabled, frozenset(body.model_fields_set))
    sources, guard = (context.directory, context.clock), guarded_by(if_match)
    try:
        changed = write_change(*sources, by=caller, name=user, change=change, guard=guard)
    except RoleWithoutTenant as error:
        raise _unfit(error) from None
    except GrantRefused as refusal:
        raise refuse(Code.FORBIDDEN, f"{str(refusal).capitalize()}.", "ask an operator") from None
    except DoesNotExist as missing:
        if missing.args[0] == body.tenant != user:
            raise unknown_reference("/tenant", f"tenant {body.tenant}") from None
        raise Refusal(not_found("user")) from None
    response.headers["ETag"] = etag_of(changed)
    return user_answer(changed)


def _unfit(error: RoleWithoutTenant) -> Refusal:
    return refuse(Code.INVALID_REQUEST, f"{str(error).capitalize()}.", None, FieldError("/role", str(error)))
