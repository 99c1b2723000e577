"""Bounded texts and numbers that the schemas are made of."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
ID_PATTERN = r"^[0-9a-z]{16}$"
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidirectional overrides among them), surrogate, private and unassigned characters; line breaks."""


def _has_nothing_hidden(text: str) -> str:
    if any(unicodedata.category(character) in HIDDEN_CATEGORIES for character in text):
        raise ValueError("must not contain control, direction or other invisible characters")
    if text != text.strip():
        raise ValueError("must not begin or end with a space")
    return text


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=63)]
"""Lower-case letters, digits and dashes, such as a job's, tenant's or chip type's."""

NodeName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][-._a-zA-Z0-9]*$", max_length=253)]
Identifier = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
"""An id that Medley gave."""

PersonName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][-._@a-zA-Z0-9]*$", max_length=63)]
PlainText = Annotated[str, StringConstraints(min_length=1, max_length=63), AfterValidator(_has_nothing_hidden)]
"""Visible characters of any script."""

LabelText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]+$", max_length=63)]
Argument = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=4096)]
"""Anything but NUL."""

Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$", min_length=1, max_length=512)]
Limit = Annotated[int, Field(ge=1, le=200, description="The most items of one page.")]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Moment = Annotated[AwareDatetime, PlainSerializer(_utc, return_type=str, when_used="json")]
"""RFC 3339 in UTC, to the microsecond."""


class Body(BaseModel):
    """What a client sends: fields that are not known are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Answer(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(frozen=True)
