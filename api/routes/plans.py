"""Training plans over several chip types, without submitting anything."""

from fastapi import APIRouter

from api.answers.planning.asked import asked_of, unknown_name
from api.answers.planning.plans import plans_answer
from api.context import ApiContext
from api.schemas.planning.answer import PlansAnswer
from api.schemas.planning.request import PlanRequest
from api.web.dependencies import Caller, Context
from api.web.guarded_route import GuardedRoute
from scheduler.services.planning.asked import UnknownName
from scheduler.services.planning.plan_training import TrainingPlanner

router = APIRouter(prefix="/v1", route_class=GuardedRoute)


@router.post("/plans", operation_id="plan_training", tags=["jobs"])
def plan_training(request: PlanRequest, context: Context, caller: Caller) -> PlansAnswer:
    """Say which chips that are free now would train a model best and how fast, and what else there would be.

    Nothing is kept or submitted.
    """
    asked = asked_of(request, caller.tenant)
    try:
        answered = _planner(context).plan(asked)
    except UnknownName as error:
        raise unknown_name(error, request) from None
    return plans_answer(answered, asked, context.clock.now())


def _planner(context: ApiContext) -> TrainingPlanner:
    if context.planner is None:
        raise TypeError("a process that answers the public has a planner")
    return context.planner
