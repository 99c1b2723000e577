"""Decisions as values that can be compared, however they were come by."""

from collections.abc import Iterable
from dataclasses import replace

from scheduler.core.model.decision import Decision, Effect, GivenPlace, Placed


def spelt_out(decisions: Iterable[Decision | Effect]) -> list[Decision | Effect]:
    """Return decisions with their places rank by rank, without what they rest on."""
    return [
        replace(decision, place=GivenPlace(decision.allocations, decision.notes), grounds=None)
        if isinstance(decision, Placed)
        else decision
        for decision in decisions
    ]
