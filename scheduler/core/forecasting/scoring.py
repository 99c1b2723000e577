"""What past estimates say of present ones: a record for each basis, and ranges that are as wide as it has to be."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

from scheduler.core.model.waiting.estimate import StartBasis
from scheduler.core.model.waiting.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from scheduler.core.model.waiting.estimate import Estimate
    from scheduler.core.model.waiting.score import Score

ENOUGH = 20
"""With fewer scores a record says too little to change what is told."""
WIDEST = 8.0
"""No edge of a range is moved to more times its distance, or a smaller part of it: a day of nonsense ends."""
_FIRM = frozenset({StartBasis.FREE, StartBasis.PROMISED})
"""What is free now is free, and a promise is kept: no record makes them vaguer."""


def records_of(scores: Iterable[Score]) -> dict[StartBasis, Record]:
    """Return how right estimates were, by what they rested on; a basis of which nothing is scored is absent."""
    by_basis: dict[StartBasis, list[Score]] = {}
    for score in scores:
        by_basis.setdefault(score.told.basis, []).append(score)
    return {basis: _record(by_basis[basis]) for basis in StartBasis if basis in by_basis}


def _record(scores: list[Score]) -> Record:
    return Record(
        scored=len(scores),
        half_within=_quantile([max(score.ratio, 1 / score.ratio) for score in scores], 0.5),
        in_range=sum(score.is_in_range for score in scores) / len(scores),
        sooner=min(1.0, _quantile([score.waited_s / score.soonest_s for score in scores], 0.1)),
        later=max(1.0, _quantile([score.waited_s / score.longest_s for score in scores], 0.9)),
    )


def widened(estimate: Estimate, records: Mapping[StartBasis, Record], now: datetime) -> Estimate:
    """Return an estimate with the record of its basis, and a range within which four in five of its kind started."""
    record = records.get(estimate.basis)
    if record is None or record.scored < ENOUGH:
        return estimate
    if estimate.basis in _FIRM:
        return replace(estimate, record=record)
    earliest = now + _times(estimate.earliest - now, max(record.sooner, 1 / WIDEST))
    latest = now + _times(estimate.latest - now, min(record.later, WIDEST))
    return replace(estimate, earliest=earliest, latest=latest, record=record)


def _times(distance: timedelta, factor: float) -> timedelta:
    return max(distance * 0, distance * factor)


def _quantile(values: list[float], part: float) -> float:
    """Return the smallest of the values that is no less than a part of them."""
    return sorted(values)[max(0, ceil(part * len(values)) - 1)]
