"""What makes a gang elastic: so few workers that will do, and how far apart its sizes are."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from api.schemas.placement import MOST_WORKERS, WorkerCount, whole
from api.schemas.text import Body, with_examples
from scheduler.core.model.job import MOST_SIZES
from scheduler.core.model.resources import Elastic

_OTHERWISE = {
    "alternatives": (),
    "roles": (),
    "spread": None,
    "apart": None,
    "exclusive": False,
    "array": None,
}
"""What an elastic job cannot have, each with how it is left out."""

_MIX = "cannot be given with a mix, which says exactly how many workers go on each chip type"

WorkersStep = Annotated[int, whole(1, MOST_WORKERS)]


class WorkersRange(Body):
    """How many workers an elastic job may have; the same as `workers`, `min_workers` and `workers_step`."""

    model_config = with_examples({"min": 2, "max": 8, "step": 2})

    min: WorkerCount
    max: WorkerCount
    step: WorkersStep = Field(default=1, description="Its sizes are so far apart: as many workers as fill a node, say.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError("min must not be above max")
        return self


def with_plain_workers(asked: Any) -> Any:
    """Return a request with a range of workers as the fields that it is short for; any other as it is."""
    given = asked.get("workers") if isinstance(asked, Mapping) else None
    if not isinstance(given, Mapping) or not given.keys() <= {"min", "max", "step"}:
        return asked
    least, most = given.get("min"), given.get("max")
    if not isinstance(least, int) or not isinstance(most, int) or least > most:
        return asked
    step = {"workers_step": given["step"]} if "step" in given else {}
    return {"min_workers": least, **step, **asked, "workers": most}


def check_elastic(least: int | None, given: Mapping[str, Any]) -> int | None:
    """Return how few workers will do. Raises ValueError where the rest of the request does not go with it."""
    if least is None or "workers" not in given:
        return least
    workers, step = given["workers"] or 0, given.get("workers_step", 1)
    if least > workers:
        raise ValueError(f"must not be above workers, which is {workers}")
    if isinstance(given.get("chips"), Mapping):
        raise ValueError(_MIX)  # noqa: TRY004 - of the right type, and not of the right kind
    for name, absent in _OTHERWISE.items():
        if given.get(name, absent) != absent:
            raise ValueError(
                f"cannot be given together with {name}: an elastic gang has one role, and goes where it fits"
            )
    if "topology" in given and given["topology"].require is not None:
        raise ValueError(
            "cannot be given together with topology.require: who comes later may be anywhere in the cluster"
        )
    if (workers - least) % step:
        raise ValueError(f"is not a whole number of steps of {step} below workers, which is {workers}")
    if (workers - least) // step >= MOST_SIZES:
        raise ValueError(f"makes more than {MOST_SIZES} sizes; give a larger workers_step")
    return least


def to_elastic(least: int | None, step: int) -> Elastic | None:
    """Return what makes a gang elastic; None for one of a fixed size."""
    return None if least is None else Elastic(least, step)
