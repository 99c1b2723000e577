"""Pages with only the fields that somebody asked for."""

from typing import TypeVar, get_args

from pydantic import BaseModel

from api.problems import Code, FieldError, refuse
from api.schemas.queries import SparsePage
from api.schemas.text import Answer
from api.text.words import nearest

PageAnswer = TypeVar("PageAnswer", bound=Answer)


def sparse(page: PageAnswer, fields: str | None) -> PageAnswer | SparsePage:
    """Return a page as it is, or its items with these fields alone. Raises Refusal for one that they do not have."""
    if fields is None:
        return page
    model: type[BaseModel] = get_args(type(page).model_fields["items"].annotation)[0]
    wanted = fields.split(",")
    for field in wanted:
        if field not in model.model_fields:
            near = nearest(field, model.model_fields)
            next_step = f"did you mean `{near}`?" if near else f"known here: {', '.join(model.model_fields)}"
            error = FieldError("/query/fields", f"items have no field {field}")
            raise refuse(Code.INVALID_REQUEST, f"fields: {error.detail}", next_step, error)
    found = page.model_dump(mode="json", include={"items": {"__all__": set(wanted)}, "next": True})
    return SparsePage.model_validate(found)


def wants(fields: str | None, field: str) -> bool:
    """Say whether a field is to be shown, so that what is not need not be worked out."""
    return fields is None or field in fields.split(",")
