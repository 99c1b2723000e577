from dataclasses import replace

from scheduler.core.model.group import FAILURES, FINAL, HOLDING, Budget, FailureClass, State, StopReason
from tests.builders.core import make_group, make_job


def test_a_state_holds_devices_or_is_final_or_is_queued_and_never_two_of_these() -> None:
    assert HOLDING.isdisjoint(FINAL)
    assert set(State) - HOLDING - FINAL == {State.QUEUED}


def test_placing_a_group_makes_the_attempt_after_the_latest() -> None:
    group = replace(make_group(make_job()), attempts=2)
    assert group.latest_attempt == f"{group.id}-a2"
    assert group.next_attempt == f"{group.id}-a3"


def test_every_stop_reason_has_its_class_its_budget_and_a_sentence_of_its_own() -> None:
    assert list(FAILURES) == list(StopReason)
    sentences = [failure.sentence for failure in FAILURES.values()]
    assert all(sentences)
    assert len(set(sentences)) == len(StopReason)


def test_a_job_pays_for_its_own_failures_and_never_for_the_clusters() -> None:
    for reason, failure in FAILURES.items():
        if failure.failure_class in (FailureClass.INFRASTRUCTURE, FailureClass.DISRUPTED):
            assert failure.budget is Budget.NONE, reason
        if failure.failure_class in (FailureClass.USER, FailureClass.PROGRAM):
            assert failure.budget is not Budget.NONE, reason
