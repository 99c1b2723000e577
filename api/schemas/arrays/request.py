"""What makes a job an array of many."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from api.schemas.placement import whole
from api.schemas.serving.request import ServingRequest, of_a_training
from api.schemas.text import Body, with_examples
from scheduler.core.model.job import MOST_MEMBERS, ArrayWish, member_name

LONGEST_NAME = 63


class ArrayRequest(Body):
    """One submission for many alike jobs. Each finds its number, from 0, in MEDLEY_ARRAY_INDEX."""

    model_config = with_examples({"count": 100, "most_at_once": 8})

    count: Annotated[int, whole(1, MOST_MEMBERS)] = Field(description="How many jobs.")
    most_at_once: Annotated[int, whole(1, MOST_MEMBERS)] | None = Field(
        default=None, description="So many of them at most hold devices at one time; if absent, as many as fit."
    )

    def to_wish(self) -> ArrayWish:
        """Return what is wanted."""
        return ArrayWish(self.count, self.most_at_once)


class ArrayableRequest(ServingRequest):
    """What may be submitted once for many."""

    array: ArrayRequest | None = Field(
        default=None,
        description="Of a training: so many jobs like this one, all of them or none, named NAME-0, NAME-1 ...",
    )

    @property
    def jobs(self) -> int:
        """How many jobs it makes."""
        return 1 if self.array is None else self.array.count

    @field_validator("array")
    @classmethod
    def _of_trainings(cls, array: ArrayRequest | None, info: ValidationInfo) -> ArrayRequest | None:
        return of_a_training(array, info)

    @field_validator("name", check_fields=False)
    @classmethod
    def _has_room_for_a_number(cls, name: str, info: ValidationInfo) -> str:
        array = info.data.get("array")
        if array is not None and len(member_name(name, array.count - 1)) > LONGEST_NAME:
            raise ValueError(f"is too long: with the number of each job it must have at most {LONGEST_NAME} characters")
        return name
