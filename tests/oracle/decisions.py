"""Decisions as values that can be compared, however they were come by."""

from collections.abc import Iterable
from dataclasses import replace

from scheduler.core.model.decision import Decision, GivenPlace, Placed


def spelt_out(decisions: Iterable[Decision]) -> list[Decision]:
    """Return decisions with their places rank by rank."""
    return [
        replace(decision, place=GivenPlace(decision.allocations, decision.notes))
        if isinstance(decision, Placed)
        else decision
        for decision in decisions
    ]
