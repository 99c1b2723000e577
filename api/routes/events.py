"""Server-sent events: everything the caller may see, or one job until it ends."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.job_reading import find_job
from api.schemas.queries import MOST_CHANGE, EventQuery
from api.streaming.change_events import ChangeEvents
from api.streaming.event_stream import EventStream
from api.web.callers import still_admitted
from api.web.dependencies import Caller, Context, JobPath
from api.web.guarded_route import GuardedRoute

router = APIRouter(prefix="/v1", tags=["jobs"], route_class=GuardedRoute)

EVENT_EXAMPLE = (
    'id: 1204\nevent: group-moved\ndata: {"number":1204,"at":"2026-01-01T00:00:00.000000Z","tenant":"demo",'
    '"job":"01jd3v9k2m0a7b4c","kind":"group-moved","state":"running","text":"all its workers run","data":{}}\n\n'
)
LastEventHeader = Annotated[
    int | None,
    Header(alias="Last-Event-ID", ge=0, le=MOST_CHANGE, description="The last event seen; wins over `after`."),
]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, each with the change number as its id, its kind, and an EventAnswer as JSON in `data`. "
        "A comment comes every 15 seconds while nothing happens. The stream ends soon after its token does.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EVENT_EXAMPLE}},
    }
}


@router.get("/events", operation_id="follow_events", status_code=200, response_class=EventStream, responses=STREAM)
async def follow_events(
    request: Request,
    context: Context,
    caller: Caller,
    *,
    query: Annotated[EventQuery, Query()],
    last_event: LastEventHeader = None,
) -> EventStream:
    """Follow all that the caller may see, from now on or from where it stopped; the stream does not end."""
    streams = request.app.state.streams
    events = ChangeEvents(context, streams, caller, still_admitted(context, request))
    start = query.after if last_event is None else last_event
    return EventStream(events.of_everything(start), streams, caller.tenant)


@router.get(
    "/jobs/{job}/events",
    operation_id="follow_job_events",
    status_code=200,
    response_class=EventStream,
    responses=STREAM,
)
async def follow_job_events(
    job: JobPath,
    request: Request,
    context: Context,
    caller: Caller,
    *,
    query: Annotated[EventQuery, Query()],
    last_event: LastEventHeader = None,
) -> EventStream:
    """Follow one job from its beginning, or from where the reader stopped; ends with the event `end`."""
    view = await run_in_threadpool(find_job, context, caller, job)
    streams = request.app.state.streams
    events = ChangeEvents(context, streams, caller, still_admitted(context, request))
    start = last_event if last_event is not None else query.after
    return EventStream(events.of_job(view.job.id, start or 0), streams, caller.tenant)
