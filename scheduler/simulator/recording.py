"""One short name for all that was decided and became of it: equal exactly where two runs did the same."""

import hashlib
from datetime import datetime

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import Change, GroupMoved, GroupPlaced

_LINES_AT_ONCE = 256


class Digest:
    """Follows the changes of a simulation."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._lines: list[str] = []
        self._at: datetime | None = None
        self._at_text = ""

    def follow(self, change: Change, _state: SchedulerState) -> None:
        """Take in a placement with what each worker holds, or what else became of a gang, and when."""
        body = change.body
        if change.at is not self._at:
            self._at, self._at_text = change.at, str(change.at)
        if isinstance(body, GroupPlaced):
            held = (f"{one.node}:{one.chip}:{one.slots}:{one.counted}:{one.share_milli}" for one in body.allocations)
            self._lines.append(f"{self._at_text} {body.attempt} {' '.join(held)}\n")
        elif isinstance(body, GroupMoved):
            self._lines.append(f"{self._at_text} {body.group.id} {body.group.state} {body.group.stop_reason}\n")
        if len(self._lines) >= _LINES_AT_ONCE:
            self._take_in()

    def hexdigest(self) -> str:
        """Return the SHA-256 of all so far, in hex."""
        self._take_in()
        return self._hash.hexdigest()

    def _take_in(self) -> None:
        self._hash.update("".join(self._lines).encode())
        self._lines.clear()
