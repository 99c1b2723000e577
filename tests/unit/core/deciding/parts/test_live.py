from dataclasses import replace

import pytest

from scheduler.core.deciding.parts.live import LiveAttempt, LiveAttempts
from scheduler.core.ledger.changes import AlreadyHeld
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import FIRST_GENERATION, Checkpoint
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import attempt_id
from scheduler.core.model.job import Wish
from tests.builders.core import (
    NOON,
    devices_free,
    make_allocation,
    make_group,
    make_job,
    make_ledger,
    make_node,
    seconds_after_noon,
)

JOB = make_job(1, labels=(("service", "search"),))
GROUP = replace(make_group(JOB, State.RUNNING), attempts=1)
ATTEMPT = attempt_id(GROUP.id, 1)
HELD = (make_allocation((0, 1)),)
CHECKPOINT = Checkpoint(40, NOON)


def live_on(ledger: Ledger) -> LiveAttempts:
    live = LiveAttempts(ledger)
    live.hold(LiveAttempt(ATTEMPT, GROUP, JOB, FIRST_GENERATION, HELD, NOON))
    return live


def beside_a_search(live: LiveAttempts) -> set[str]:
    return live.neighbours.with_labels(JOB.tenant, JOB.spec.labels)


def test_what_an_attempt_holds_is_taken_from_the_ledger_until_it_is_released() -> None:
    ledger = make_ledger(make_node())
    live = live_on(ledger)
    assert (devices_free(ledger), live.by_id[ATTEMPT].allocations) == (6, HELD)
    live.release(live.by_id[ATTEMPT])
    assert (devices_free(ledger), live.by_id) == (8, {})


def test_others_keep_apart_from_it_for_as_long_as_it_holds_something() -> None:
    live = live_on(make_ledger(make_node()))
    assert beside_a_search(live) == {ATTEMPT}
    live.release(live.by_id[ATTEMPT])
    assert beside_a_search(live) == set()


def test_what_the_ledger_refuses_is_not_live() -> None:
    live = live_on(make_ledger(make_node()))
    before = dict(live.by_id)
    with pytest.raises(AlreadyHeld):
        live.hold(LiveAttempt(ATTEMPT, GROUP, JOB, FIRST_GENERATION, HELD, NOON))
    assert live.by_id == before


def test_it_follows_its_job_its_group_and_its_checkpoints() -> None:
    live = live_on(make_ledger(make_node()))
    stopped, stopping = replace(JOB, wish=Wish.STOP), replace(GROUP, state=State.STOPPING)
    live.put_job(ATTEMPT, stopped)
    live.put_group(live.by_id[ATTEMPT], stopping, seconds_after_noon(5))
    live.keep_checkpoint(ATTEMPT, CHECKPOINT)
    live.keep_checkpoint(ATTEMPT, None)
    now = live.by_id[ATTEMPT]
    assert (now.job, now.group, now.checkpoint) == (stopped, stopping, CHECKPOINT)
    assert now.since == seconds_after_noon(5)


def test_what_was_handed_out_stays_as_it_was() -> None:
    live = live_on(make_ledger(make_node()))
    before = live.by_id[ATTEMPT]
    live.keep_checkpoint(ATTEMPT, CHECKPOINT)
    assert before.checkpoint is None


def test_news_of_an_attempt_that_holds_nothing_has_no_effect() -> None:
    live = LiveAttempts(make_ledger())
    live.keep_checkpoint(ATTEMPT, CHECKPOINT)
    live.put_job(ATTEMPT, JOB)
    assert live.by_id == {}
