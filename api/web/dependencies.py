"""What routes ask for: the context, who is calling, ids in the path, pages."""

from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request

from api.context import ApiContext
from api.schemas.queries import PageQuery
from api.schemas.text import ID_PATTERN, NAME_PATTERN, PERSON_PATTERN
from scheduler.core.model.tenant import Principal
from scheduler.services.access.attempt_tokens import AttemptClaim

JobPath = Annotated[str, Path(pattern=ID_PATTERN, description="The job's id.", examples=["01jd3v9k2m0a7b4c"])]
OtherJob = Annotated[str, Query(pattern=ID_PATTERN, description="The other job's id.", examples=["01jd3v9k2m0a7b4b"])]
TokenPath = Annotated[str, Path(pattern=ID_PATTERN, description="The token's id.", examples=["01jd3v9k2m0a7b4c"])]
UserPath = Annotated[str, Path(pattern=PERSON_PATTERN, max_length=63, examples=["ada"])]
TenantPath = Annotated[str, Path(pattern=NAME_PATTERN, max_length=63, examples=["demo"])]
ChipPath = Annotated[str, Path(pattern=NAME_PATTERN, max_length=63, examples=["h100-sxm"])]
FamilyPath = Annotated[str, Path(pattern=NAME_PATTERN, max_length=63, examples=["resnet"])]
ClusterPath = Annotated[str, Path(pattern=NAME_PATTERN, max_length=63, examples=["mixed"])]
AttemptPath = Annotated[
    str, Path(pattern=r"^[0-9a-z]{16}-g[0-9]{1,4}-a[0-9]{1,6}$", examples=["01jd3v9k2m0a7b4c-g0-a1"])
]


async def _context(request: Request) -> ApiContext:
    context = request.app.state.context
    if not isinstance(context, ApiContext):
        raise TypeError("the application has no context")
    actor = request.state.actor
    return context if actor is None else context.acting(actor)


async def _principal(request: Request) -> Principal:
    caller = request.state.caller
    if not isinstance(caller, Principal):
        raise TypeError("this route is not open to principals")
    return caller


async def _claim(request: Request, attempt: AttemptPath) -> AttemptClaim:
    caller = request.state.caller
    if not isinstance(caller, AttemptClaim) or caller.attempt != attempt:
        raise TypeError("this route is not open to this attempt")
    return caller


Context = Annotated[ApiContext, Depends(_context)]
"""What it writes is in the caller's name."""
Caller = Annotated[Principal, Depends(_principal)]
Claim = Annotated[AttemptClaim, Depends(_claim)]
"""The attempt of the path, as its token proves it."""

Page = Annotated[PageQuery, Query()]
