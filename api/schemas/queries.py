"""Query parameters, one model per set: bounded, and unknown ones refused like unknown fields of a body."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.schemas.text import (
    FIELDS_PATTERN,
    ID_PATTERN,
    LABEL_PAIR_PATTERN,
    LOG_CURSOR_PATTERN,
    NODE_PATTERN,
    Answer,
    Body,
    Cursor,
    Limit,
    Name,
    PrincipalName,
)
from scheduler.core.model.group import State
from scheduler.core.model.job import MOST_REPLICAS

DEFAULT_LIMIT = 50
LONGEST_WAIT_S = 30.0
MOST_CHANGE = 2**62
MOST_LOG_BYTES_PER_RANK = 65_536
MOST_REPORTS = 1000
MOST_ROWS = 2000
MOST_NAMED_NODES = 100

ReplicaNumber = Annotated[
    int, Field(ge=0, lt=MOST_REPLICAS, description="Of an inference job; a training has one, number 0.")
]
AttemptNumber = Annotated[
    int, Field(ge=1, le=999_999_999, description="An attempt's number; the latest one if absent.")
]
ArrayId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
NodeText = Annotated[str, StringConstraints(pattern=NODE_PATTERN, max_length=317)]
WaitSeconds = Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)]


class SparsePage(Answer):
    """Items of which only some fields were asked for."""

    items: tuple[dict[str, Any], ...]
    next: str | None


class FieldsQuery(Body):
    """Which fields of each item."""

    fields: Annotated[str, StringConstraints(pattern=FIELDS_PATTERN, max_length=1000)] | None = Field(
        default=None, description="Only these fields of each item, separated by commas.", examples=["id,name,state"]
    )


class PlainPageQuery(Body):
    """Which page of a list."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = Field(default=None, description="`next` of the page before.")


class PageQuery(PlainPageQuery, FieldsQuery):
    """Which page of a list, and which fields of its items."""


class JobFilterQuery(Body):
    """Which jobs; what is not given means any."""

    state: Annotated[list[State], Field(max_length=len(State))] | None = None
    name: Name | None = None
    chip: Name | None = Field(default=None, description="Jobs that accept this chip type.")
    submitted_by: PrincipalName | None = Field(
        default=None, description="A user's name, or `token:NAME` for a token that belongs to no user."
    )
    label: Annotated[str, Field(pattern=LABEL_PAIR_PATTERN, examples=["team:vision"])] | None = None
    tenant: Name | None = Field(default=None, description="For roles that see more than one.")
    array: ArrayId | None = Field(default=None, description="Jobs of this array.")
    in_array: bool | None = Field(default=None, description="True: jobs of arrays; false: those of none.")

    @property
    def label_pair(self) -> tuple[str, str] | None:
        """The label as key and value."""
        if self.label is None:
            return None
        key, _, value = self.label.partition(":")
        return key, value


class JobQuery(PageQuery, JobFilterQuery):
    """Which jobs to list, and which page of them."""


class ArrayQuery(PageQuery, JobFilterQuery):
    """Which arrays to list, those that have such a job; and which page of them."""


class JobRowQuery(JobFilterQuery, FieldsQuery):
    """Which jobs to list in short, and which page of them: these pages are larger than others."""

    limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="The most items of one page.")] = 500
    cursor: Cursor | None = Field(
        default=None, description="`next` of the page before, which may be one of `GET /v1/jobs`."
    )


class NodeQuery(PageQuery):
    """Which nodes to list; what is not given means any."""

    cluster: Name | None = None
    chip: Name | None = None
    node: Annotated[list[NodeText], Field(max_length=MOST_NAMED_NODES)] | None = Field(
        default=None, description="Only these, as CLUSTER/NAME; may be given several times."
    )


class SubmitQuery(Body):
    """Whether to hold the answer to a submission."""

    wait: Literal["placed"] | None = Field(
        default=None, description="Hold the answer until the job is decided on, at most `wait_s` seconds."
    )
    wait_s: WaitSeconds = 10.0


class LogQuery(Body):
    """Which output to read."""

    rank: Annotated[int, Field(ge=0, le=1023)] | None = Field(default=None, description="One worker only.")
    attempt: AttemptNumber | None = None
    replica: ReplicaNumber = 0
    cursor: Annotated[str, Field(pattern=LOG_CURSOR_PATTERN, max_length=32_768)] | None = Field(
        default=None, description="`next` of the read before."
    )
    limit: Annotated[int, Field(ge=1, le=MOST_LOG_BYTES_PER_RANK)] = Field(
        default=MOST_LOG_BYTES_PER_RANK, description="Bytes per rank."
    )


class ProgressQuery(Body):
    """Which reports to list."""

    attempt: AttemptNumber | None = None
    replica: ReplicaNumber = 0
    limit: Annotated[int, Field(ge=1, le=MOST_REPORTS)] = 200


class EventQuery(Body):
    """Where a stream begins."""

    after: Annotated[int, Field(ge=0, le=MOST_CHANGE)] | None = Field(
        default=None, description="Send what came after this change number. 0: everything there is."
    )


class RendezvousQuery(Body):
    """Which generation asks, and how long it would wait."""

    generation: Annotated[int, Field(ge=1, le=999_999_999)]
    wait_s: WaitSeconds = 0.0
