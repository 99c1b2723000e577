"""Moves of jobs that run, in a sentence."""

from api.text.words import count, listed
from scheduler.core.model.asking.moves import Move
from scheduler.core.model.identifiers import TenantName

_MINUTE_S = 60


def move_text(move: Move, you: TenantName | None) -> str:
    """Return what would be moved where and at what cost, without a full stop."""
    whom = f"job {move.job}" if you in (None, move.tenant) else f"a job of tenant {move.tenant}"
    way = f"from {listed(move.leaves, 'and')} to {listed(move.goes_to, 'and')}"
    costs = f"costs about {count(max(1, round(move.cost_device_s / _MINUTE_S)), 'chip-minute')}"
    if move.is_allowed:
        return f"{whom} moved {way}, which {costs}"
    return f"{whom} moved {way}, which {costs} and is not done by itself: its job does not say `movable: true`"
