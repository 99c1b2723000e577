"""What was decided about attempts in this process; bounded, and made again by whoever decided it after a restart."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

from scheduler.core.model.identifiers import AttemptId
from scheduler.ports.cluster import StartFailed

MOST_KEPT = 50_000
"""So many attempts of each standing; the oldest are dropped."""

_Kept = TypeVar("_Kept")


class _Bounded(Generic[_Kept]):
    def __init__(self) -> None:
        self._kept: OrderedDict[AttemptId, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, attempt: AttemptId, value: _Kept) -> None:
        with self._lock:
            self._kept[attempt] = value
            self._kept.move_to_end(attempt)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def get(self, attempt: AttemptId) -> _Kept | None:
        with self._lock:
            return self._kept.get(attempt)

    def drop(self, attempt: AttemptId) -> None:
        with self._lock:
            self._kept.pop(attempt, None)


class Standings:
    """Which attempts may start no more, and which are of no interest any more. For any thread."""

    def __init__(self) -> None:
        self._graces: _Bounded[int] = _Bounded()
        self._forgotten: _Bounded[bool] = _Bounded()
        self._refused: _Bounded[StartFailed] = _Bounded()
        self._ours: _Bounded[bool] = _Bounded()

    def bar(self, attempt: AttemptId, grace_s: int) -> None:
        """Let nothing of an attempt start any more, and end what runs within the shortest grace ever given."""
        earlier_s = self._graces.get(attempt)
        self._graces.keep(attempt, grace_s if earlier_s is None else min(grace_s, earlier_s))

    def is_barred(self, attempt: AttemptId) -> bool:
        """Say whether an attempt was asked to stop."""
        return self._graces.get(attempt) is not None

    def grace_s(self, attempt: AttemptId) -> int | None:
        """Return the grace of an attempt that was asked to stop, None of any other."""
        return self._graces.get(attempt)

    def forget(self, attempt: AttemptId) -> None:
        """Let an attempt be seen no more."""
        self._forgotten.keep(attempt, value=True)
        self._ours.drop(attempt)

    def is_forgotten(self, attempt: AttemptId) -> bool:
        """Say whether an attempt is to be seen no more."""
        return self._forgotten.get(attempt) is not None

    def refuse(self, attempt: AttemptId, why: StartFailed) -> None:
        """Remember why an attempt was not started: it is never tried again, only cleared away."""
        self._refused.keep(attempt, why)

    def refusal(self, attempt: AttemptId) -> StartFailed | None:
        """Return why an attempt was not started, None of any other."""
        return self._refused.get(attempt)

    def begin(self, attempt: AttemptId) -> None:
        """Remember that this process starts an attempt."""
        self._ours.keep(attempt, value=True)

    def is_begun(self, attempt: AttemptId) -> bool:
        """Say whether this process starts or started an attempt, and nobody wanted it stopped or refused since."""
        is_over = self.is_barred(attempt) or self.is_forgotten(attempt) or self.refusal(attempt) is not None
        return self._ours.get(attempt) is not None and not is_over


class AttemptTurns:
    """Lets one thread at a time work on an attempt."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._taken: set[AttemptId] = set()

    def take(self, attempt: AttemptId, *, timeout_s: float) -> bool:
        """Wait for the turn, and say whether it came in time; then `give_back` has to follow."""
        with self._condition:
            if not self._condition.wait_for(lambda: attempt not in self._taken, timeout_s):
                return False
            self._taken.add(attempt)
            return True

    def give_back(self, attempt: AttemptId) -> None:
        """Let the next one work on the attempt."""
        with self._condition:
            self._taken.discard(attempt)
            self._condition.notify_all()

    def is_taken(self, attempt: AttemptId) -> bool:
        """Say whether somebody works on the attempt."""
        with self._condition:
            return attempt in self._taken
