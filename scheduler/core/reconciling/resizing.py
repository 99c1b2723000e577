"""A gang on its way to its next generation: who comes, who is called, who goes."""

from collections.abc import Mapping

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import ResizeStep, WorkerPhase, WorkerRecord
from scheduler.core.model.group import StopReason
from scheduler.core.reconciling.actions import (
    Action,
    Advance,
    Dismiss,
    Report,
    Start,
    Stop,
    WantedAttempt,
    WantedResize,
)
from scheduler.core.reconciling.causes import ALIVE, Cause, are_done, complete, strongest

_OF_THE_WAY = frozenset({StopReason.WORKER_FAILED, StopReason.SERVER_ENDED})
"""What the others of a gang that comes apart end with, whatever was the matter with it."""


def advance_resize(wanted: WantedAttempt, resize: WantedResize, seen: Mapping[int, WorkerRecord]) -> list[Action]:
    """Return what to do for an attempt that runs, and is on its way to another generation.

    Who stays goes on working meanwhile; where one of them fails, the gang ends, and goes on from its checkpoint in the
    next attempt. Where they end well before they have met those who come, the work is done.
    """
    stays = [number for number in resize.workers if number not in resize.newcomers]
    staying = complete(stays, seen)
    if are_done(staying):
        return _finish(wanted, resize, seen, staying)
    come = {number: seen[number] for number in resize.newcomers if number in seen}
    cause = strongest((*staying, *come.values()))
    if cause is not None:
        return [_stopping(wanted, resize, cause, complete(resize.workers, seen))]
    if not resize.is_called:
        if len(come) < len(resize.newcomers):
            return [Start(wanted.attempt)]
        is_ready = all(record.phase is WorkerPhase.RUNNING for record in come.values())
        called = Advance(wanted.attempt, wanted.generation, ResizeStep.CALLED, tuple(come.values()))
        return [called] if is_ready else []
    return _let_go(wanted, resize, seen)


def everybody_gone(seen: Mapping[int, WorkerRecord]) -> bool:
    """Say whether nobody of an attempt lives, of whatever generation."""
    return not any(record.phase in ALIVE for record in seen.values())


def _let_go(wanted: WantedAttempt, resize: WantedResize, seen: Mapping[int, WorkerRecord]) -> list[Action]:
    """See off the workers that are too many: they end by themselves, and are ended once nobody needs them any more."""
    left = tuple(number for number in resize.surplus if number in seen and seen[number].phase in ALIVE)
    if resize.surplus and not left:
        return [Advance(wanted.attempt, wanted.generation, ResizeStep.FREED, complete(resize.surplus, seen))]
    return [Dismiss(wanted.attempt, left, wanted.grace_s)] if left and resize.has_met else []


def _finish(
    wanted: WantedAttempt, resize: WantedResize, seen: Mapping[int, WorkerRecord], staying: tuple[WorkerRecord, ...]
) -> list[Action]:
    """End those that the work was done without, and report the end once they are gone."""
    stop = Stop(wanted.attempt, wanted.grace_s)
    others = {number: seen[number] for number in (*resize.newcomers, *resize.surplus) if number in seen}
    if not everybody_gone(others):
        return [stop]
    done = Report(wanted.attempt, wanted.generation, Event.ALL_SUCCEEDED, None, staying, is_after_stop=True)
    return [stop, done]


def _stopping(wanted: WantedAttempt, resize: WantedResize, cause: Cause, records: tuple[WorkerRecord, ...]) -> Report:
    reason, detail = cause
    if reason in _OF_THE_WAY and resize.is_called and not resize.has_met:
        reason = StopReason.RESIZE_FAILED
        said = f": {detail}" if detail else ""
        detail = f"it came apart on its way to {len(resize.workers)} workers, generation {wanted.generation}{said}"
    known = tuple(record for record in records if record.rank not in resize.newcomers or record.phase in ALIVE)
    return Report(wanted.attempt, wanted.generation, Event.STOP, reason, known, detail)
