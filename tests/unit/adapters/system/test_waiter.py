"""A waiter can be woken alone."""

from scheduler.adapters.system.wake_up import InProcessWakeUp


def test_a_hint_to_one_waiter_is_kept_for_it_and_not_heard_by_the_others() -> None:
    wake_up = InProcessWakeUp()
    calls: list[str] = []
    wake_up.listen(lambda: calls.append("heard"))
    one, other = wake_up.waiter(), wake_up.waiter()

    one.hint()
    one.hint()

    assert one.wait(0) is True
    assert one.wait(0) is False
    assert other.wait(0) is False
    assert calls == []
