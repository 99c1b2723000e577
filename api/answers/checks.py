"""What a check of the scheduler found."""

from collections.abc import Sequence

from api.schemas.service import SchedulerCheckAnswer
from api.text.capacity_errors import capacity_error_text
from api.text.words import count
from scheduler.ports.views import MOST_CAPACITY_ERRORS, CapacityError
from scheduler.services.questions.check_state import MOST_DIFFERENCES, StateCheck


def scheduler_check_answer(check: StateCheck, errors: Sequence[CapacityError]) -> SchedulerCheckAnswer:
    """Return how memory compares with the database, and what the database's own counters get wrong."""
    return SchedulerCheckAnswer(
        change=check.change,
        is_ok=check.is_equal and not errors,
        is_equal=check.is_equal,
        digest_in_memory=check.digest_in_memory,
        digest_of_database=check.digest_of_database,
        differences=check.differences,
        capacity_errors=tuple(map(capacity_error_text, errors)),
        text=f"{_state_text(check)} {_counters_text(len(errors))}",
        next=_next_step(check, has_errors=bool(errors)),
    )


def _state_text(check: StateCheck) -> str:
    if check.is_equal:
        return f"At change {check.change} the state in memory is what the database holds."
    parts = _so_many(len(check.differences), MOST_DIFFERENCES, "part")
    return f"At change {check.change} the state in memory differs from the database in {parts}."


def _counters_text(number: int) -> str:
    if not number:
        return "The database's counters are what live attempts hold."
    places = _so_many(number, MOST_CAPACITY_ERRORS, "place")
    return f"The database's counters differ from what live attempts hold in {places}."


def _so_many(number: int, most: int, noun: str) -> str:
    """Return the number, which is a lower bound where it is the most that is listed."""
    return f"at least {count(number, noun)}" if number >= most else count(number, noun)


def _next_step(check: StateCheck, *, has_errors: bool) -> str | None:
    if not check.is_equal:
        return "restart this server: it then loads its state anew; and report what is listed here"
    if has_errors:
        return "report what is listed here: it is a fault of Medley's, or of a hand that changed the database"
    return None
