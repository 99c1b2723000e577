"""What one replay came to, as the authors count it."""

from collections.abc import Sequence
from statistics import fmean

COLUMNS = (100, 130)
"""Percent of the cluster's devices that arrived at which the allocation is looked at."""


def allocated_percent(
    arrived_milli: Sequence[int], held_milli: Sequence[int], capacity_milli: int, column: int
) -> float:
    """Return the mean allocation in percent, of all arrivals whose load rounds to a percentage.

    Every allocation is rounded to hundredths of a percent first, and loads to whole ones. Where no load rounds to it,
    as with few large pods, the last arrival before counts.
    """
    found: list[float] = []
    last = 0.0
    for arrived, held in zip(arrived_milli, held_milli, strict=True):
        load = round(100 * arrived / capacity_milli)
        if load > column:
            break
        last = round(100 * held / capacity_milli, 2)
        if load == column:
            found.append(last)
    return fmean(found) if found else last
