"""Moves that would help a job that waits, as the API shows them."""

from collections.abc import Sequence

from api.schemas.waiting.moves import MoveAnswer
from api.text.waiting.moves import move_text
from scheduler.core.model.asking.moves import Move
from scheduler.core.model.identifiers import TenantName


def move_answers(moves: Sequence[Move], you: TenantName | None) -> tuple[MoveAnswer, ...]:
    """Return moves for a reader of a tenant; None: for one who may see all."""
    return tuple(
        MoveAnswer(
            text=move_text(move, you),
            job=move.job if you in (None, move.tenant) else None,
            tenant=move.tenant,
            leaves=move.leaves,
            goes_to=move.goes_to,
            devices_milli=move.devices_milli,
            cost_device_s=move.cost_device_s,
            is_allowed=move.is_allowed,
        )
        for move in moves
    )
