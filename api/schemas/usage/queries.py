"""Which span of time, told apart by what."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from api.schemas.queries import PageQuery
from api.schemas.text import Body, Name, PrincipalName
from scheduler.core.model.group import FINAL, State

SECONDS_PER_MINUTE = 60
LONGEST_STEP_S = 31 * 86_400
MOST_DAYS = 366
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2200, 1, 1, tzinfo=UTC)

Format = Annotated[
    Literal["json", "csv"] | None,
    Field(description="CSV also comes with the header `Accept: text/csv`; this wins over the header."),
]


class SpanQuery(Body):
    """A span of time; without one it is the last day."""

    since: AwareDatetime | None = Field(
        default=None, alias="from", description="Beginning, with its zone; a day before the end if absent."
    )
    until: AwareDatetime | None = Field(default=None, alias="to", description="End, which is not in it; now if absent.")

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        for moment in (self.since, self.until):
            if moment is not None and not FIRST_MOMENT <= moment <= LAST_MOMENT:
                raise ValueError("from and to must lie between the years 2000 and 2200")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("from must come before to")
        return self

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the span of time that is meant."""
        until = self.until or now
        return self.since or until - timedelta(days=1), until


class SeriesQuery(SpanQuery):
    """Which series."""

    step: Annotated[int, Field(ge=SECONDS_PER_MINUTE, le=LONGEST_STEP_S, multiple_of=SECONDS_PER_MINUTE)] = Field(
        default=900, description="Seconds that each point is an average of: a multiple of 60."
    )
    by: Literal["total", "pool", "cluster", "chip", "tenant"] = Field(
        default="pool", description="What each line is of; a pool is one chip type of one cluster."
    )
    tenant: Name | None = Field(default=None, description="Count only what this tenant holds.")


class UsageQuery(SpanQuery):
    """Which accounts."""

    by: Annotated[list[Literal["tenant", "user", "chip", "day"]], Field(max_length=4)] = Field(
        default=["tenant", "chip"], description="What accounts are told apart by; days are in UTC."
    )
    tenant: Name | None = Field(default=None, description="For roles that see more than one.")
    format: Format = None


class HistoryQuery(PageQuery, SpanQuery):
    """Which finished jobs; without `from` from the first one on."""

    tenant: Name | None = Field(default=None, description="For roles that see more than one.")
    user: PrincipalName | None = Field(default=None, description="Who submitted them.")
    state: Annotated[list[Literal["succeeded", "failed", "cancelled"]], Field(max_length=len(FINAL))] | None = None
    format: Format = None

    @property
    def states(self) -> frozenset[State] | None:
        """The states as the model has them."""
        return None if self.state is None else frozenset(State(state) for state in self.state)
