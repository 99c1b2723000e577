from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import (
    LONGEST_BACK_OFF_S,
    STEADY_S,
    STRENGTH,
    TABLE,
    RetryRule,
    Verdict,
    apply_event,
    back_off_s,
)
from scheduler.core.model.group import AT_ONCE, FAILURES, FINAL, HOLDING, WISHES, Budget, Group, State, StopReason
from tests.builders.core import NOON, make_group, make_job

COSTING = {budget: sorted(reason for reason in StopReason if FAILURES[reason].budget is budget) for budget in Budget}
NO_RETRY = RetryRule(0)
EVERY_PAIR = list(product(State, Event))


def group_in(state: State) -> Group:
    group = make_group(make_job(), state)
    return replace(group, stop_reason=StopReason.LOST) if state is State.STOPPING else group


def after(group: Group, event: Event, *, reason: StopReason | None = None, retries: int = 0) -> Group:
    moved = apply_event(group, event, reason=reason, rule=RetryRule(retries), now=NOON)
    assert isinstance(moved, Group)
    return moved


@pytest.mark.parametrize(("state", "event"), EVERY_PAIR)
def test_every_state_has_an_answer_to_every_event(state: State, event: Event) -> None:
    group = group_in(state)
    answer = apply_event(group, event, reason=StopReason.CANCELLED, rule=NO_RETRY, now=NOON)
    following = TABLE[state][event]
    if isinstance(following, Verdict):
        assert answer is following
    else:
        assert isinstance(answer, Group)
        assert answer.version == group.version + 1
        assert (answer.id, answer.job_id, answer.index) == (group.id, group.job_id, group.index)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_leaves_a_final_state_but_a_replica_that_is_wanted_again(state: State) -> None:
    leaving = {event for event, following in TABLE[state].items() if not isinstance(following, Verdict)}
    assert leaving == (set() if state is State.SUCCEEDED else {Event.REVIVE})


def test_a_replica_that_is_wanted_again_begins_with_a_clean_slate() -> None:
    retired = replace(group_in(State.CANCELLED), attempts=3, failures=2, stop_reason=StopReason.SCALED_DOWN)
    revived = after(retired, Event.REVIVE)
    assert (revived.state, revived.attempts, revived.failures) == (State.QUEUED, 3, 0)
    assert (revived.stop_reason, revived.not_before) == (None, None)


def test_a_server_that_is_not_ready_any_more_starts_until_it_is_again() -> None:
    unready = after(group_in(State.RUNNING), Event.NOT_READY)
    assert unready.state is State.STARTING
    assert after(unready, Event.ALL_READY).state is State.RUNNING


@pytest.mark.parametrize("reason", [StopReason.WORKER_FAILED, StopReason.SERVER_ENDED, StopReason.LOST])
def test_a_server_is_started_again_for_ever_and_later_each_time(reason: StopReason) -> None:
    group = group_in(State.STOPPING)
    for failures in range(1, 20):
        stopping = replace(group, state=State.STOPPING, stop_reason=reason, attempts=failures)
        moved = apply_event(stopping, Event.GONE, rule=RetryRule(None), now=NOON)
        assert isinstance(moved, Group)
        group = moved
        assert (group.state, group.failures) == (State.QUEUED, failures)
        assert group.not_before == NOON + timedelta(seconds=back_off_s(failures))


def test_a_server_that_ran_for_long_begins_its_back_off_anew() -> None:
    stopping = replace(group_in(State.STOPPING), stop_reason=StopReason.WORKER_FAILED, attempts=9, failures=9)
    moved = apply_event(stopping, Event.GONE, rule=RetryRule(None, ready_s=STEADY_S), now=NOON)
    assert isinstance(moved, Group)
    assert (moved.failures, moved.not_before) == (1, NOON + timedelta(seconds=1))


@pytest.mark.parametrize("state", sorted(set(State) - {State.QUEUED}))
def test_only_a_queued_group_is_placed_or_refused(state: State) -> None:
    assert TABLE[state][Event.PLACE] is Verdict.ILLEGAL
    assert TABLE[state][Event.REFUSE] is Verdict.ILLEGAL


@pytest.mark.parametrize("state", sorted(HOLDING - {State.STOPPING}))
def test_devices_are_never_freed_without_proof_while_workers_may_run(state: State) -> None:
    assert TABLE[state][Event.GONE] is Verdict.ILLEGAL
    assert TABLE[state][Event.STOP] is State.STOPPING


def test_placing_counts_an_attempt_and_forgets_the_last_ones_end() -> None:
    retried = replace(group_in(State.QUEUED), attempts=1, failures=1, stop_reason=StopReason.LOST, not_before=NOON)
    placed = after(retried, Event.PLACE)
    assert (placed.state, placed.attempts, placed.failures) == (State.PLACED, 2, 1)
    assert (placed.stop_reason, placed.not_before) == (None, None)


def test_a_stop_without_a_reason_is_an_error() -> None:
    with pytest.raises(ValueError, match="reason"):
        apply_event(group_in(State.RUNNING), Event.STOP, rule=NO_RETRY, now=NOON)


def test_a_stopping_group_without_a_reason_cannot_end() -> None:
    with pytest.raises(ValueError, match="stop reason"):
        apply_event(make_group(make_job(), State.STOPPING), Event.GONE, rule=NO_RETRY, now=NOON)


@pytest.mark.parametrize("reason", StopReason)
def test_a_queued_group_is_stopped_by_its_user_alone(reason: StopReason) -> None:
    answer = apply_event(group_in(State.QUEUED), Event.STOP, reason=reason, rule=NO_RETRY, now=NOON)
    if reason in WISHES:
        assert isinstance(answer, Group)
        assert answer.state is State.CANCELLED
    else:
        assert answer is Verdict.IGNORED


@pytest.mark.parametrize(("first", "second"), list(product(StopReason, StopReason)))
def test_a_stop_reason_is_replaced_by_a_stronger_one_only(first: StopReason, second: StopReason) -> None:
    stopping = after(group_in(State.RUNNING), Event.STOP, reason=first)
    answer = apply_event(stopping, Event.STOP, reason=second, rule=NO_RETRY, now=NOON)
    if STRENGTH[second] > STRENGTH[first]:
        assert isinstance(answer, Group)
        assert (answer.state, answer.stop_reason) == (State.STOPPING, second)
    else:
        assert answer is Verdict.IGNORED


@pytest.mark.parametrize("reason", sorted(AT_ONCE))
def test_a_preempted_or_replaced_group_queues_again_at_once_and_is_charged_nothing(reason: StopReason) -> None:
    preempted = replace(group_in(State.STOPPING), stop_reason=reason, failures=1)
    queued = after(preempted, Event.GONE)
    assert (queued.state, queued.failures, queued.not_before) == (State.QUEUED, 1, None)


@pytest.mark.parametrize("reason", [reason for reason in COSTING[Budget.NONE] if reason not in AT_ONCE])
def test_what_the_cluster_did_costs_no_retry_but_is_tried_ever_more_slowly(reason: StopReason) -> None:
    stopped = replace(group_in(State.STOPPING), stop_reason=reason, attempts=4)
    queued = after(stopped, Event.GONE)
    assert (queued.state, queued.failures) == (State.QUEUED, 0)
    assert queued.not_before == NOON + timedelta(seconds=back_off_s(4))


@pytest.mark.parametrize("reason", COSTING[Budget.ALL])
def test_what_costs_all_is_never_retried(reason: StopReason) -> None:
    ended = after(replace(group_in(State.STOPPING), stop_reason=reason), Event.GONE, retries=10)
    assert ended.state is (State.CANCELLED if reason in WISHES else State.FAILED)
    assert (ended.stop_reason, ended.failures) == (reason, 0)


@pytest.mark.parametrize("reason", COSTING[Budget.RETRIES])
def test_a_failure_is_retried_as_often_as_the_job_allows(reason: StopReason) -> None:
    group = group_in(State.STOPPING)
    for failures in (1, 2):
        group = after(replace(group, state=State.STOPPING, stop_reason=reason), Event.GONE, retries=2)
        assert (group.state, group.failures) == (State.QUEUED, failures)
        assert group.not_before == NOON + timedelta(seconds=back_off_s(failures))
    failed = after(replace(group, state=State.STOPPING, stop_reason=reason), Event.GONE, retries=2)
    assert (failed.state, failed.failures, failed.stop_reason) == (State.FAILED, 3, reason)


def test_the_back_off_doubles_and_has_a_ceiling() -> None:
    assert [back_off_s(failures) for failures in range(1, 11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert back_off_s(10**9) == LONGEST_BACK_OFF_S
    assert back_off_s(0) == 1
