"""A job that was submitted, as a request for another one like it."""

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.schemas.job_request import JobRequest

_GIVES_WAY: Mapping[str, tuple[str, ...]] = {
    "command": ("training",),
    "training": ("command",),
    "share": ("devices_per_worker",),
    "devices_per_worker": ("share",),
    "chips": ("workers", "alternatives"),
}
"""What of the old job cannot stay beside a field that is given anew."""


def clone_of(submitted: Mapping[str, Any], overrides: Mapping[str, Any]) -> JobRequest:
    """Return a request like what was submitted, with some fields otherwise; null leaves a field out.

    Raises RequestValidationError, as for a body that is what results.
    """
    wanted = dict(submitted)
    for field in overrides:
        for other in _GIVES_WAY.get(field, ()):
            if other not in overrides and (field != "chips" or _is_mix(overrides["chips"], submitted["chips"])):
                wanted.pop(other, None)
    wanted |= overrides
    body = {field: value for field, value in wanted.items() if value is not None}
    try:
        return JobRequest.model_validate(body)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(found, body=body) from None


def _is_mix(*chips: object) -> bool:
    return any(isinstance(one, Mapping) for one in chips)
