"""Why a gang could not run even if nothing else did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.reason import most_binding_first
from scheduler.core.placement.reasons.shortage import option_shortages
from scheduler.core.placement.room.fitting import can_never_fit

if TYPE_CHECKING:
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.reason import Reason
    from scheduler.core.placement.request import GangRequest


def reasons_why_never(ledger: Ledger, request: GangRequest) -> tuple[Reason, ...]:
    """Return why no option would fit into any cluster it may use, if nothing ran and no node refused work.

    None where one would. The quota, which an operator can raise at any time, does not count.
    """
    if not can_never_fit(ledger, request):
        return ()
    return most_binding_first(
        lacking for option in request.least for lacking in option_shortages(ledger, request, option)
    )
