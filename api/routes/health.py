"""The process itself: is it alive, is it ready. Every process of Medley answers this."""

from dataclasses import replace

from fastapi import APIRouter

from api.problems import Code, FieldError, Refusal, unavailable
from api.schemas.service import AliveAnswer, CheckAnswer, ReadyAnswer
from api.web.dependencies import Context
from api.web.guarded_route import GuardedRoute
from api.web.openapi import NOT_NOW

router = APIRouter(tags=["service"], route_class=GuardedRoute)


@router.get("/livez", operation_id="is_alive")
async def is_alive() -> AliveAnswer:
    """Say that the process answers; asks nothing else."""
    return AliveAnswer(status="alive")


@router.get("/readyz", operation_id="is_ready", responses=NOT_NOW)
def is_ready(context: Context) -> ReadyAnswer:
    """Say whether everything works that requests need; 503 with what does not."""
    checks = context.readiness()
    missing = [check for check in checks if check.is_required and not check.is_ok]
    if missing:
        failing = tuple(FieldError(f"/checks/{check.name}", check.detail) for check in missing)
        detail = "; ".join(f"{check.name}: {check.detail}" for check in missing)
        raise Refusal(replace(unavailable(Code.NOT_READY, f"{detail}."), errors=failing, next="try again"))
    answers = tuple(CheckAnswer(name=check.name, is_ok=check.is_ok, detail=check.detail) for check in checks)
    return ReadyAnswer(status="ready", checks=answers)
