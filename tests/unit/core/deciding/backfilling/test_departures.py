from datetime import timedelta

from scheduler.core.deciding.backfilling.departures import Departures, KnownEnds
from scheduler.core.deciding.backfilling.ends import ExpectedEnd
from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.model.job import AnyOf
from scheduler.core.model.waiting.promise import Basis
from tests.builders.core import NOON, make_job, make_node, seconds_after_noon
from tests.unit.core.deciding.backfilling.test_promises import GRACE_S, busy

RUNNING = {"n1": (4, 600), "n2": (8, 300), "n3": (8, 300)}
NODES = (make_node("n1"), make_node("n2"), make_node("n3"))
JOB = make_job(1, workers=8)


def test_what_leaves_is_told_moment_by_moment_with_whatever_else_changes_then() -> None:
    state = busy(*NODES, running=RUNNING, jobs=(JOB,))
    moments = Departures(state, KnownEnds(state, NOON)).moments(state.request(JOB.id), [seconds_after_noon(400)])
    assert [((at - NOON).total_seconds(), len(leaving)) for at, leaving in moments] == [
        (300 + GRACE_S, 2),
        (400, 0),
        (600 + GRACE_S, 1),
    ]


def test_who_is_on_nodes_that_a_gang_may_not_use_or_never_ends_is_not_told_of() -> None:
    elsewhere = make_job(1, workers=8, chips=AnyOf(("a800",)))
    state = busy(*NODES, running=RUNNING, jobs=(elsewhere,))
    assert not list(Departures(state, KnownEnds(state, NOON)).moments(state.request(elsewhere.id)))
    state = busy(*NODES, running=RUNNING, jobs=(JOB,))
    assert not list(Departures(state, lambda _: None).moments(state.request(JOB.id)))


def test_when_an_attempt_ends_is_asked_once_however_many_gangs_wait_for_it() -> None:
    asked: list[str] = []

    def ends(live: LiveAttempt) -> ExpectedEnd:
        asked.append(live.attempt)
        return ExpectedEnd(NOON + timedelta(seconds=9), Basis.LIMIT)

    state = busy(*NODES, running=RUNNING, jobs=(JOB,))
    departures = Departures(state, ends)
    for _ in range(3):
        assert len(list(departures.moments(state.request(JOB.id)))) == 1
    assert len(asked) == len(set(asked)) == 3
