"""The scheduler itself: whether it decides on what is stored."""

from fastapi import APIRouter

from api.answers.checks import scheduler_check_answer
from api.schemas.service import SchedulerCheckAnswer
from api.web.dependencies import Context
from api.web.guarded_route import GuardedRoute
from scheduler.services.questions.check_state import check_state

router = APIRouter(prefix="/v1/scheduler", tags=["service"], route_class=GuardedRoute)


@router.get("/check", operation_id="check_scheduler")
def check_scheduler(context: Context) -> SchedulerCheckAnswer:
    """Compare this server's state in memory with the database, and the database's counters with what is held.

    Takes seconds on a large fleet; deciding goes on meanwhile.
    """
    return scheduler_check_answer(check_state(context.followed, context.views), context.views.capacity_errors())
