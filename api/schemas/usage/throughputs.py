"""How fast families of jobs are on each chip type."""

from typing import Annotated

from pydantic import Field

from api.schemas.text import Answer, Body, Moment, with_examples

_EXAMPLE = {
    "tenant": "demo",
    "family": "resnet",
    "chip": "h100-sxm",
    "units_per_s": 1200.0,
    "measured_per_s": 1150.5,
    "reports": 240,
    "set_per_s": 1200.0,
    "version": 7,
    "at": "2026-11-21T12:00:00.000000Z",
}


class ThroughputAnswer(Answer):
    """How fast jobs of a family are on one device of a chip type."""

    model_config = with_examples(_EXAMPLE)

    tenant: str
    family: str
    chip: str
    units_per_s: float
    """What counts: what an operator said, else what was measured. In units of what such jobs report, tokens mostly."""
    measured_per_s: float | None
    """What workers reported, newer reports counting more; null where none did."""
    reports: int
    set_per_s: float | None
    """What an operator said; null where nobody did."""
    version: int
    """From 1; grows with every change."""
    at: Moment
    """Of the latest change."""


class ThroughputPage(Answer):
    """Throughputs by tenant, family and chip type."""

    model_config = with_examples({"items": [_EXAMPLE], "next": None})

    items: tuple[ThroughputAnswer, ...]
    next: str | None
    """Cursor of the next page; null on the last one."""


class ThroughputBody(Body):
    """What an operator says of it."""

    model_config = with_examples({"units_per_s": 1200.0})

    units_per_s: Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]
    """Per device."""
