"""The transition table. Nothing else in Medley says which state follows which."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.group import AT_ONCE, FAILURES, WISHES, Budget, Group, State, StopReason


class Verdict(StrEnum):
    """What an event means to a group where it does not move it."""

    IGNORED = "ignored"
    """Legal and without effect: late or repeated news."""
    ILLEGAL = "illegal"
    """Must not happen; the write that carries it is refused."""


IGNORED, ILLEGAL = Verdict.IGNORED, Verdict.ILLEGAL

TABLE: dict[State, dict[Event, State | Verdict]] = {
    State.QUEUED: {
        Event.PLACE: State.PLACED,
        Event.REFUSE: State.FAILED,
        Event.WORKERS_CREATED: IGNORED,
        Event.ALL_READY: IGNORED,
        Event.NOT_READY: IGNORED,
        Event.ALL_SUCCEEDED: IGNORED,
        Event.STOP: State.CANCELLED,
        Event.GONE: IGNORED,
        Event.RESIZE: ILLEGAL,
        Event.REVIVE: IGNORED,
    },
    State.PLACED: {
        Event.PLACE: ILLEGAL,
        Event.REFUSE: ILLEGAL,
        Event.WORKERS_CREATED: State.STARTING,
        Event.ALL_READY: State.RUNNING,
        Event.NOT_READY: IGNORED,
        Event.ALL_SUCCEEDED: State.SUCCEEDED,
        Event.STOP: State.STOPPING,
        Event.GONE: ILLEGAL,
        Event.RESIZE: ILLEGAL,
        Event.REVIVE: IGNORED,
    },
    State.STARTING: {
        Event.PLACE: ILLEGAL,
        Event.REFUSE: ILLEGAL,
        Event.WORKERS_CREATED: IGNORED,
        Event.ALL_READY: State.RUNNING,
        Event.NOT_READY: IGNORED,
        Event.ALL_SUCCEEDED: State.SUCCEEDED,
        Event.STOP: State.STOPPING,
        Event.GONE: ILLEGAL,
        Event.RESIZE: ILLEGAL,
        Event.REVIVE: IGNORED,
    },
    State.RUNNING: {
        Event.PLACE: ILLEGAL,
        Event.REFUSE: ILLEGAL,
        Event.WORKERS_CREATED: IGNORED,
        Event.ALL_READY: IGNORED,
        Event.NOT_READY: State.STARTING,
        Event.ALL_SUCCEEDED: State.SUCCEEDED,
        Event.STOP: State.STOPPING,
        Event.GONE: ILLEGAL,
        Event.RESIZE: State.RUNNING,
        Event.REVIVE: IGNORED,
    },
    State.STOPPING: {
        Event.PLACE: ILLEGAL,
        Event.REFUSE: ILLEGAL,
        Event.WORKERS_CREATED: IGNORED,
        Event.ALL_READY: IGNORED,
        Event.NOT_READY: IGNORED,
        Event.ALL_SUCCEEDED: IGNORED,
        Event.STOP: State.STOPPING,
        Event.GONE: State.QUEUED,
        Event.RESIZE: ILLEGAL,
        Event.REVIVE: IGNORED,
    },
    State.SUCCEEDED: {
        Event.PLACE: ILLEGAL,
        Event.REFUSE: ILLEGAL,
        Event.WORKERS_CREATED: IGNORED,
        Event.ALL_READY: IGNORED,
        Event.NOT_READY: IGNORED,
        Event.ALL_SUCCEEDED: IGNORED,
        Event.STOP: IGNORED,
        Event.GONE: IGNORED,
        Event.RESIZE: ILLEGAL,
        Event.REVIVE: ILLEGAL,
    },
    State.FAILED: {
        Event.PLACE: ILLEGAL,
        Event.REFUSE: ILLEGAL,
        Event.WORKERS_CREATED: IGNORED,
        Event.ALL_READY: IGNORED,
        Event.NOT_READY: IGNORED,
        Event.ALL_SUCCEEDED: IGNORED,
        Event.STOP: IGNORED,
        Event.GONE: IGNORED,
        Event.RESIZE: ILLEGAL,
        Event.REVIVE: State.QUEUED,
    },
    State.CANCELLED: {
        Event.PLACE: ILLEGAL,
        Event.REFUSE: ILLEGAL,
        Event.WORKERS_CREATED: IGNORED,
        Event.ALL_READY: IGNORED,
        Event.NOT_READY: IGNORED,
        Event.ALL_SUCCEEDED: IGNORED,
        Event.STOP: IGNORED,
        Event.GONE: IGNORED,
        Event.RESIZE: ILLEGAL,
        Event.REVIVE: State.QUEUED,
    },
}
"""STOPPING x GONE says QUEUED here; `after_stop` says which of QUEUED, FAILED and CANCELLED it is."""

STRENGTH: dict[StopReason, int] = {reason: rank for rank, reason in enumerate(StopReason)}
"""Stop reasons are declared weakest first."""

FIRST_BACK_OFF_S = 1
LONGEST_BACK_OFF_S = 300
STEADY_S = 600
"""A server that was ready for so long begins its back-off anew."""


@dataclass(frozen=True, slots=True)
class RetryRule:
    """What a job allows after a failed attempt."""

    retries: int | None
    """None: a server is started again however often it ends, later each time, while it never runs for long."""
    ready_s: float = 0.0
    """How long ago its latest attempt became ready; 0 where it never was."""

    @property
    def was_steady(self) -> bool:
        """Whether it ran for so long that its failures before that are forgotten."""
        return self.ready_s >= STEADY_S


def apply_event(
    group: Group, event: Event, *, reason: StopReason | None = None, rule: RetryRule, now: datetime
) -> Group | Verdict:
    """Return the group after an event, its version raised by one, or the verdict where it does not move.

    `reason` is needed by STOP alone. A STOP with a reason no stronger than the present one is ignored.
    """
    following = TABLE[group.state][event]
    if isinstance(following, Verdict):
        return following
    of = (group.id, group.job_id, group.index, following, group.version + 1)  # spelt out: for each change of the feed
    if event is Event.PLACE:
        return Group(*of, group.attempts + 1, group.failures, None, None, group.preemptions)
    stays = (group.stop_reason, group.not_before, group.preemptions)
    moved = Group(*of, group.attempts, group.failures, *stays)
    if event is Event.STOP:
        return _stopped(group, moved, reason)
    if event is Event.REVIVE:
        return replace(moved, failures=0, stop_reason=None, not_before=None)
    if event is Event.GONE:
        return _after_stop(moved, rule, now)
    return moved


def back_off_s(failures: int) -> int:
    """Return the seconds to wait after so many failures: 1, 2, 4 ... at most 300."""
    return int(min(FIRST_BACK_OFF_S << min(max(failures - 1, 0), 16), LONGEST_BACK_OFF_S))


def _stopped(group: Group, moved: Group, reason: StopReason | None) -> Group | Verdict:
    if reason is None:
        raise ValueError("a stop needs a reason")
    if group.state is State.QUEUED and reason not in WISHES:
        return Verdict.IGNORED
    present = group.stop_reason if group.state is State.STOPPING else None
    if present is not None and STRENGTH[reason] <= STRENGTH[present]:
        return Verdict.IGNORED
    preemptions = group.preemptions + (reason is StopReason.PREEMPTED)
    return replace(moved, stop_reason=reason, not_before=None, preemptions=preemptions)


def _after_stop(moved: Group, rule: RetryRule, now: datetime) -> Group:
    reason = moved.stop_reason
    if reason is None:
        raise ValueError("a stopping group has a stop reason")
    match FAILURES[reason].budget:
        case Budget.ALL:
            return replace(moved, state=State.CANCELLED if reason in WISHES else State.FAILED)
        case Budget.NONE if reason in AT_ONCE:
            return replace(moved, state=State.QUEUED)
        case Budget.NONE | Budget.RETRIES if rule.retries is None:
            charged = replace(moved, failures=1 if rule.was_steady else moved.failures + 1)
            return _queued(charged, not_before=now + timedelta(seconds=back_off_s(charged.failures)))
        case Budget.NONE:
            return _queued(moved, not_before=now + timedelta(seconds=back_off_s(moved.attempts)))
        case Budget.RETRIES:
            charged = replace(moved, failures=moved.failures + 1)
            if rule.retries is not None and charged.failures > rule.retries:
                return replace(charged, state=State.FAILED)
            return _queued(charged, not_before=now + timedelta(seconds=back_off_s(charged.failures)))


def _queued(group: Group, *, not_before: datetime) -> Group:
    return replace(group, state=State.QUEUED, not_before=not_before)
