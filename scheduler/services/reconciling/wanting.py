"""What is wanted on one cluster, as the comparison with its workers takes it."""

from collections.abc import Mapping, Sequence

from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.attempt import FIRST_GENERATION
from scheduler.core.model.identifiers import AttemptId, ClusterName
from scheduler.core.reconciling.actions import WantedAttempt, WantedResize
from scheduler.services.follow_changes import FollowedState

Wants = tuple[Mapping[AttemptId, LiveAttempt], Sequence[WantedAttempt]]
"""The attempts on the cluster, and what is wanted of each."""


class Wanting:
    """Worked out once for each change of the feed; of an attempt that is as it was, the same object is told again."""

    def __init__(self, cluster: ClusterName, followed: FollowedState) -> None:
        self._prefix = f"{cluster}/"
        self._followed = followed
        self._at: tuple[SchedulerState, int] | None = None
        """The state that was looked at last, and the change that it stood at."""
        self._live: dict[AttemptId, LiveAttempt] = {}
        self._wanted: dict[AttemptId, WantedAttempt] = {}

    def now(self) -> Wants:
        """Return what is wanted by what was followed so far; not to be changed."""
        prefix, known = self._prefix, self._live
        with self._followed.hold() as state:
            at = (state, self._followed.change)
            if self._at != at:
                self._live = {
                    name: live for name, live in state.live.items() if live.allocations[0].node.startswith(prefix)
                }
                self._at = at
        if self._live is not known:
            wanted = self._wanted
            self._wanted = {
                name: wanted[name] if known.get(name) is live else _wanted_of(live) for name, live in self._live.items()
            }
        return self._live, list(self._wanted.values())


def _wanted_of(attempt: LiveAttempt) -> WantedAttempt:
    return WantedAttempt(
        attempt=attempt.attempt,
        generation=attempt.generation,
        state=attempt.group.state,
        ranks=len(attempt.allocations),
        grace_s=attempt.job.spec.grace_s,
        stop_reason=attempt.group.stop_reason,
        serves=attempt.job.spec.serves,
        resize=_wanted_resize(attempt),
    )


def _wanted_resize(live: LiveAttempt) -> WantedResize | None:
    if live.generation == FIRST_GENERATION:
        return None
    return WantedResize(
        workers=tuple(held.worker for held in live.allocations),
        newcomers=tuple(held.worker for held in live.allocations if held.since == live.generation),
        surplus=tuple(held.worker for held in live.resizing.surplus),
        is_called=live.resizing.called == live.generation,
        has_met=live.resizing.met == live.generation,
    )
