import pytest

from api.text.stops import eviction_text, stop_advice, stop_text
from scheduler.core.model.group import StopReason
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.sharing.eviction import Eviction, EvictionCause

JOB = JobId("01jd3v9k2m0a7b4c")


def test_every_stop_has_a_sentence_of_its_own() -> None:
    texts = [stop_text(reason) for reason in StopReason]
    assert all(texts)
    assert len(set(texts)) == len(texts)


def test_advice_is_given_where_the_user_can_do_something() -> None:
    without = {reason for reason in StopReason if stop_advice(reason, JOB) is None}
    assert without == {
        StopReason.PREEMPTED,
        StopReason.REPLACED,
        StopReason.NODE_REJECTED,
        StopReason.DISRUPTED,
        StopReason.SCALED_DOWN,
        StopReason.CANCELLED,
    }


def test_commands_in_advice_can_be_typed_as_they_are() -> None:
    said = [advice for reason in StopReason if (advice := stop_advice(reason, JOB)) and "medley logs" in advice]
    assert said
    assert all(f"`medley logs {JOB}`" in advice for advice in said)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1, "about 1 second "), (90, "about 90 seconds "), (600, "about 10 minutes "), (9_000, "hours ")],
)
def test_how_much_work_a_preemption_costs_is_told_roughly(seconds: float, told: str) -> None:
    assert told in eviction_text(Eviction("a-g0", "beta", EvictionCause.RECLAIM, 0, 0, 8_000, seconds))


def test_who_ran_on_room_that_is_kept_is_told_for_whom_it_was_needed() -> None:
    text = eviction_text(Eviction("a-g0", "beta", EvictionCause.TIME_UP, 0, 0, 8_000, 60))
    assert text.startswith("stopped for job a of tenant beta, for which the room is kept that it overtook on, and now")


def test_who_takes_back_what_is_its_own_is_told_so() -> None:
    text = eviction_text(Eviction("a-g0", "beta", EvictionCause.RECLAIM, 0, 0, 8_000, 60))
    assert text.startswith("stopped for job a of tenant beta, to which these devices are guaranteed; ")
