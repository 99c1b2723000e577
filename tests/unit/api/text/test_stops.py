from api.text.stops import stop_advice, stop_text
from scheduler.core.model.group import StopReason
from scheduler.core.model.identifiers import JobId

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
