"""The comparison itself: pure, level-triggered, the same answer for the same picture."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import STRENGTH
from scheduler.core.model.attempt import SeenWorker, WorkerPhase, WorkerRecord
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.reconciling.actions import Action, Forget, Report, Start, Stop, WantedAttempt
from scheduler.core.reconciling.causes import ALIVE, Cause, complete, strongest
from scheduler.core.reconciling.resizing import advance_resize

_NOT_READY = frozenset({WorkerPhase.PENDING, WorkerPhase.UNREADY})

_CLUSTERS_DOING = frozenset({StopReason.LOST, StopReason.NODE_REJECTED, StopReason.DISRUPTED})
"""Reasons that excuse what the other workers of a gang did."""

STRAY_GRACE_S = 10
"""Grace for a worker whose attempt is closed: it should not exist, but may still be writing something."""


class Comparison:
    """The same comparison again and again: who was as he should be is looked at anew once something of him is new."""

    def __init__(self) -> None:
        self._quiet: dict[AttemptId, tuple[WantedAttempt, list[SeenWorker]]] = {}
        """Attempts of which nothing was to be done, with what was wanted and seen of them then."""

    def actions(self, wanted: Iterable[WantedAttempt], seen: Iterable[SeenWorker]) -> tuple[Action, ...]:
        """Return what `reconcile` does. An attempt costs next to nothing while it is wanted by the same object."""
        workers: defaultdict[AttemptId, list[SeenWorker]] = defaultdict(list)
        for worker in seen:
            workers[worker.key.attempt].append(worker)
        wanted_by_id = {attempt.attempt: attempt for attempt in wanted}
        quiet, self._quiet = self._quiet, {}
        actions: list[Action] = []
        for name in sorted(wanted_by_id.keys() | workers.keys()):
            known, found = wanted_by_id.get(name), workers.get(name, [])
            if known is None:
                actions.append(_clear_away(name, found))
                continue
            before = quiet.get(name)
            is_as_before = before is not None and before[0] is known and before[1] == found
            if not is_as_before and (news := _advance(known, _by_rank(known, found))):
                actions += news
            else:
                self._quiet[name] = known, found
        return tuple(actions)


def reconcile(wanted: Iterable[WantedAttempt], seen: Iterable[SeenWorker]) -> tuple[Action, ...]:
    """Return what to do so that what is seen becomes what is wanted, in order of attempt ids.

    Workers of another generation than the wanted one are not counted. A worker of an attempt that is not wanted
    is stopped while it lives and forgotten once its attempt has wholly ended.
    """
    return Comparison().actions(wanted, seen)


def _clear_away(attempt: AttemptId, found: Sequence[SeenWorker]) -> Action:
    if any(worker.record.phase in ALIVE for worker in found):
        return Stop(attempt, STRAY_GRACE_S)
    return Forget(attempt)


def _by_rank(wanted: WantedAttempt, found: Sequence[SeenWorker]) -> dict[int, WorkerRecord]:
    if wanted.resize is not None:  # no two workers of an attempt have the same number
        return {worker.key.rank: worker.record for worker in found}
    current = (worker for worker in found if worker.generation == wanted.generation)
    return {worker.key.rank: worker.record for worker in current if worker.key.rank < wanted.ranks}


def _advance(wanted: WantedAttempt, seen: Mapping[int, WorkerRecord]) -> list[Action]:
    if wanted.state is State.STOPPING:
        return _finish_stopping(wanted, seen)
    if wanted.resize is not None and wanted.resize.is_under_way:
        return advance_resize(wanted, wanted.resize, seen)
    records = complete(wanted.workers, seen)
    is_cut_short = wanted.state is State.PLACED and len(seen) < wanted.ranks
    cause = strongest(seen.values() if is_cut_short else records) or _end_of_server(wanted, records)
    if is_cut_short and cause is None:
        return [Start(wanted.attempt)]
    if cause is not None:
        return [_stopping(wanted, cause, records)]
    event = _progress(wanted.state, records)
    return [] if event is None else [Report(wanted.attempt, wanted.generation, event, None, records)]


def _finish_stopping(wanted: WantedAttempt, seen: Mapping[int, WorkerRecord]) -> list[Action]:
    stop = Stop(wanted.attempt, wanted.grace_s)
    excuse = strongest(seen.values(), among=_CLUSTERS_DOING)
    if excuse is not None and _is_news(wanted, excuse[0]):
        return [stop, _stopping(wanted, excuse, complete(wanted.workers, seen))]
    if any(record.phase in ALIVE for record in seen.values()):
        return [stop]
    # The stop is asked for even where nothing lives: it keeps what was never started from starting later. Where no
    # worker was ever seen, none is reported: they are not lost, they never were.
    records = complete(wanted.workers, seen) if seen else ()
    return [stop, Report(wanted.attempt, wanted.generation, Event.GONE, None, records)]


def _is_news(wanted: WantedAttempt, reason: StopReason) -> bool:
    return wanted.stop_reason is not None and STRENGTH[reason] > STRENGTH[wanted.stop_reason]


def _stopping(wanted: WantedAttempt, cause: Cause, records: tuple[WorkerRecord, ...]) -> Report:
    reason, detail = cause
    return Report(wanted.attempt, wanted.generation, Event.STOP, reason, records, detail)


def _end_of_server(wanted: WantedAttempt, records: Sequence[WorkerRecord]) -> Cause | None:
    """Return why to end a server of which a worker ended well: it was to run on."""
    if wanted.serves and any(record.phase is WorkerPhase.EXITED for record in records):
        return StopReason.SERVER_ENDED, None
    return None


def _progress(state: State, records: Sequence[WorkerRecord]) -> Event | None:
    """Return the furthest event these workers, none of which failed, bring to an attempt in `state`."""
    phases = {record.phase for record in records}
    if phases == {WorkerPhase.EXITED}:
        return Event.ALL_SUCCEEDED
    if not phases & _NOT_READY:
        return Event.ALL_READY if state is not State.RUNNING else None
    if state is State.RUNNING and WorkerPhase.UNREADY in phases:
        return Event.NOT_READY
    return Event.WORKERS_CREATED if state is State.PLACED else None
