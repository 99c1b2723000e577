"""Bounded texts and numbers that the schemas are made of."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

from scheduler.core.model.node import LONGEST_NOTE

NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
ID_PATTERN = r"^[0-9a-z]{16}$"
PERSON_PATTERN = r"^[a-zA-Z0-9][-._@a-zA-Z0-9]*$"
NODE_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}/[A-Za-z0-9][A-Za-z0-9._-]{0,252}$"
ANY_NODE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
LIKE_PATTERN = r"^[a-z0-9][a-z0-9./-]*$"
PLACE_PATTERN = r"^[A-Za-z0-9._/-]+=[A-Za-z0-9._/-]+$"
LABEL_PATTERN = r"^[A-Za-z0-9._/-]+$"
LABEL_VALUE_PATTERN = r"^[A-Za-z0-9._/-]*$"
LABEL_PAIR_PATTERN = r"^[A-Za-z0-9._/-]{1,63}:[A-Za-z0-9._/-]{1,63}$"
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
ARGUMENT_PATTERN = r"^[^\x00]*$"
CURSOR_PATTERN = r"^[A-Za-z0-9_-]*$"
FIELDS_PATTERN = r"^[a-z_0-9]{1,63}(,[a-z_0-9]{1,63}){0,63}$"
LOG_CURSOR_PATTERN = r"^[0-9][0-9.:]*$"
IF_MATCH_PATTERN = r'^(\*|(W/)?"[!#-~]{0,64}"( *, *(W/)?"[!#-~]{0,64}"){0,15})$'
KEY_PATTERN = r"^[!-~]([ -~]{0,198}[!-~])?$"
ADDRESS_PATTERN = r"^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}$"
IMAGE_PATTERN = r"^[a-z0-9][A-Za-z0-9._:@/-]*$"
OBJECT_PATTERN = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"
ENTRY_PATTERN = r"^[-._A-Za-z0-9]+$"
MOUNT_PATTERN = r"^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$"
TORCH_DEVICE_PATTERN = r"^[a-z][a-z0-9_]*$"
READINESS_PATTERN = r"^/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$"
PATH_PATTERN = r"^/([A-Za-z0-9._~!$&'()*+,;=:@%?#-][A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*)?$"
"""An address of this server: a second slash, or a backslash, would lead a browser to another one."""
VISIBLE_PATTERN = r"^[!-~]+$"
ID_TOKEN_PATTERN = r"^[A-Za-z0-9_.-]+$"  # noqa: S105 - a form, not a secret
OPERATION_PATTERN = r"^[a-z][a-z_]*$"
TRAIL_OBJECT_PATTERN = r"^[a-z]+(/[A-Za-z0-9][A-Za-z0-9._@/-]*)?$"
FORMS: Mapping[str, str] = MappingProxyType(
    {
        NAME_PATTERN: "must have lower-case letters, digits and dashes only, and begin and end with a letter or digit",
        ID_PATTERN: "must be an id: 16 lower-case letters and digits",
        PERSON_PATTERN: "must have letters, digits and - . _ @ only, and begin with a letter or digit",
        NODE_PATTERN: "must be CLUSTER/NAME",
        ANY_NODE_PATTERN: "must be CLUSTER/NAME, or the name of a node",
        LIKE_PATTERN: "must be the name of a pool or a chip type",
        PLACE_PATTERN: "must be LEVEL=DOMAIN, or KEY=VALUE of a label",
        LABEL_PATTERN: "must have letters, digits and . _ / - only, and at least one of them",
        LABEL_VALUE_PATTERN: "must have letters, digits and . _ / - only",
        LABEL_PAIR_PATTERN: "must be KEY:VALUE, each of 1 to 63 letters, digits and . _ / -",
        VARIABLE_PATTERN: "must have letters, digits and underscores only, and not begin with a digit",
        ARGUMENT_PATTERN: "must not contain the character NUL",
        CURSOR_PATTERN: "must be `next` of the page before",
        FIELDS_PATTERN: "must be names of fields, with commas between them",
        LOG_CURSOR_PATTERN: "must be `next` of the read before",
        IF_MATCH_PATTERN: 'must be *, or up to 16 ETags as they came, such as "5f2a", with commas between them',
        KEY_PATTERN: "must have 1 to 200 printable ASCII characters, and not begin or end with a space",
        ADDRESS_PATTERN: "must be HOST:PORT or [IPV6]:PORT",
        IMAGE_PATTERN: "must be an image such as team/training:2.1, in letters, digits and . _ : @ / -",
        OBJECT_PATTERN: "must have lower-case letters, digits, . and - only, and begin and end with a letter or digit",
        ENTRY_PATTERN: "must have letters, digits and - . _ only",
        MOUNT_PATTERN: "must be an absolute path of letters, digits and . _ -, in which no part begins with a dot",
        TORCH_DEVICE_PATTERN: "must have lower-case letters, digits and underscores only, and begin with a letter",
        READINESS_PATTERN: "must be a path such as /ready: a slash, and characters that need no escape",
        PATH_PATTERN: "must be a path of this server, such as /jobs, with one slash at its beginning",
        VISIBLE_PATTERN: "must have visible ASCII characters only",
        ID_TOKEN_PATTERN: "must be an ID token: three parts of letters, digits and - _, with dots between them",
        OPERATION_PATTERN: "must be the name of an operation: lower-case letters and underscores",
        TRAIL_OBJECT_PATTERN: "must be a kind such as `token`, or a kind and a name such as `token/ID`",
    }
)
"""What each pattern asks for, for people."""
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

PersonName = Annotated[str, StringConstraints(pattern=PERSON_PATTERN, max_length=63)]
PlainText = Annotated[str, StringConstraints(min_length=1, max_length=63), AfterValidator(_has_nothing_hidden)]
"""Visible characters of any script."""

Note = Annotated[str, StringConstraints(max_length=LONGEST_NOTE), AfterValidator(_has_nothing_hidden)]
"""One line for people; may be empty."""

PrincipalName = Annotated[str, StringConstraints(min_length=1, max_length=69), AfterValidator(_has_nothing_hidden)]
"""A user's name, or `token:` and the name of a token that belongs to no user."""

TrailObject = Annotated[str, StringConstraints(pattern=TRAIL_OBJECT_PATTERN, max_length=200)]
LabelText = Annotated[str, StringConstraints(pattern=LABEL_PATTERN, max_length=63)]
Argument = Annotated[str, StringConstraints(pattern=ARGUMENT_PATTERN, max_length=4096)]
"""Anything but NUL."""

Cursor = Annotated[str, StringConstraints(pattern=CURSOR_PATTERN, min_length=1, max_length=512)]
Limit = Annotated[int, Field(ge=1, le=200, description="The most items of one page.")]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Moment = Annotated[AwareDatetime, PlainSerializer(_utc, return_type=str, when_used="json")]
"""RFC 3339 in UTC, to the microsecond."""


class Body(BaseModel):
    """What a client sends: fields that are not known are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Answer(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(frozen=True)


def with_examples(*documents: dict[str, Any]) -> ConfigDict:
    """Return what a schema is configured with so that its documentation shows these."""
    return ConfigDict(json_schema_extra={"examples": list(documents)})
