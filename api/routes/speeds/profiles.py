"""How long layers of families' models take on each chip type: measured, and editable by operators."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.answers.fleet import profile_answer
from api.answers.sparse import sparse
from api.problems import Refusal
from api.schemas.queries import SparsePage
from api.schemas.usage.profiles import LayerTimes, ProfileAnswer, ProfilePage
from api.web.cursors import PROFILE_KEY, decode_cursor, page_of_whole
from api.web.dependencies import Caller, ChipPath, Context, FamilyPath, Page, TenantPath
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.failures import not_found
from api.web.guarded_route import GuardedRoute
from api.web.openapi import HAS_CHANGED
from scheduler.core.model.measuring.layers import LayerProfile, Profile, ProfileKey
from scheduler.core.model.measuring.throughput import JobFamily

DegreePath = Annotated[int, Path(ge=1, le=4_096, examples=[8])]
BatchPath = Annotated[int, Path(ge=1, le=65_536, examples=[2])]
_ONE = "/{tenant}/{family}/{chip}/{tensor_parallel}/{micro_batch}"


@dataclass(frozen=True, slots=True)
class _Place:
    """What the path names."""

    family: JobFamily
    key: ProfileKey


async def _place(
    tenant: TenantPath, family: FamilyPath, chip: ChipPath, tensor_parallel: DegreePath, micro_batch: BatchPath
) -> _Place:
    return _Place(JobFamily(tenant, family), ProfileKey(chip, tensor_parallel, micro_batch))


PlaceOfPath = Annotated[_Place, Depends(_place)]

router = APIRouter(prefix="/v1/profiles", tags=["fleet"], route_class=GuardedRoute)


@router.get("", operation_id="list_profiles")
def list_profiles(context: Context, caller: Caller, query: Page) -> ProfilePage | SparsePage:
    """List how long layers of families' models take; a tenant's roles see their own tenant's."""
    after = decode_cursor(query.cursor, PROFILE_KEY)
    page, following = page_of_whole(context.profiles.all(caller.tenant), after, query.limit, _key)
    return sparse(ProfilePage(items=tuple(map(profile_answer, page)), next=following), query.fields)


@router.get(_ONE, operation_id="show_profile")
def show_profile(place: PlaceOfPath, context: Context, caller: Caller, *, response: Response) -> ProfileAnswer:
    """Show how long a layer of a family's model takes, with its ETag."""
    is_seen = caller.tenant in (None, place.family.tenant)
    found = context.profiles.get(place.family, place.key) if is_seen else None
    if found is None:
        raise Refusal(not_found("profile"))
    response.headers["ETag"] = etag_of(found)
    return profile_answer(found)


@router.put(_ONE, operation_id="set_profile", responses=HAS_CHANGED)
def set_profile(
    place: PlaceOfPath, body: LayerTimes, context: Context, *, response: Response, if_match: IfMatch = None
) -> ProfileAnswer:
    """Say how long a layer of a family's model takes for one micro-batch, whatever is measured."""
    if context.directory.chip(place.key.chip) is None:
        raise Refusal(not_found("chip type"))
    if context.directory.tenant(place.family.tenant) is None:
        raise Refusal(not_found("tenant"))
    times, guard = LayerProfile(**body.model_dump()), guarded_by(if_match)
    said = context.profiles.set(place.family, place.key, times, context.clock.now(), guard)
    response.headers["ETag"] = etag_of(said)
    return profile_answer(said)


@router.delete(_ONE, operation_id="remove_profile", status_code=204, responses=HAS_CHANGED)
def remove_profile(place: PlaceOfPath, context: Context, *, if_match: IfMatch = None) -> Response:
    """Forget what was said and what was measured: it is learnt anew."""
    now, guard = context.clock.now(), guarded_by(if_match)
    if not context.profiles.remove(place.family, place.key, now, guard):
        raise Refusal(not_found("profile"))
    return Response(status_code=204)


def _key(one: Profile) -> str:
    degree, batch = one.key.tensor_parallel, one.key.micro_batch
    return f"{one.family.tenant}/{one.family.name}/{one.key.chip}/{degree:05}/{batch:05}"
