"""The JSON Schema of job files, for editors: what a field means, which there are, and which values they take."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from api.schemas.job_request import JobRequest

DIALECT = GenerateJsonSchema.schema_dialect
"""Which JSON Schema it is."""


def job_schema() -> dict[str, Any]:
    """Return the schema of job files.

    Every job that the API accepts fits it. What several fields must agree on is said by the API alone.
    """
    schema = JobRequest.model_json_schema()
    _leave_out_titles(schema)
    return {"$schema": DIALECT, "title": "A job of Medley", **schema}


def _leave_out_titles(part: Any) -> None:
    """Take away the names that are made of fields and classes, which say nothing that is not there already."""
    if isinstance(part, list):
        for one in part:
            _leave_out_titles(one)
    elif isinstance(part, dict):
        if isinstance(part.get("title"), str):
            del part["title"]
        for key, one in part.items():
            if key not in ("examples", "default"):
                _leave_out_titles(one)
