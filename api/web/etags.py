"""Entity tags of what people edit: who read a state changes that state, or nothing (RFC 9110, If-Match)."""

import hashlib
from typing import Annotated

from fastapi import Header

from api.problems import Code, FieldError, refuse
from api.schemas.text import IF_MATCH_PATTERN
from scheduler.ports.journal import Guard, unguarded

_TAG_DIGITS = 20

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=IF_MATCH_PATTERN,
        max_length=1200,
        description="The ETag of what you read: another state is left as it is, and answered with 412.",
    ),
]


def etag_of(state: object) -> str:
    """Return the tag of a value of the model: the same for equal values, in every process."""
    return f'"{hashlib.sha256(repr(state).encode()).hexdigest()[:_TAG_DIGITS]}"'


def guarded_by(if_match: str | None) -> Guard:
    """Return what lets a write pass only where the state that is there has one of these tags.

    It raises Refusal. No header lets every write pass, `*` those of what is there; a weak tag matches nothing.
    """
    if if_match is None:
        return unguarded
    wanted = {tag.strip() for tag in if_match.split(",")}

    def guard(present: object) -> None:
        is_wanted = present is not None if if_match == "*" else etag_of(present) in wanted
        if not is_wanted:
            now = "nothing" if present is None else etag_of(present)
            error = FieldError("/header/if-match", f"is not what is there now, which is {now}")
            next_step = "read it again, look at what changed, and decide anew"
            raise refuse(Code.HAS_CHANGED, "Somebody changed it since you read it.", next_step, error)

    return guard
