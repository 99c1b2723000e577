from scheduler.core.queueing.gains import Gains


def test_only_what_came_after_a_change_is_told_newest_first() -> None:
    gains: Gains[str] = Gains()
    for number, key in enumerate(("a", "b", "c"), start=1):
        gains.note(key, number)
    assert list(gains.since(0)) == ["c", "b", "a"]
    assert list(gains.since(2)) == ["c"]
    assert list(gains.since(3)) == []


def test_what_comes_again_is_told_once_by_its_latest_change() -> None:
    gains: Gains[str] = Gains()
    gains.note("a", 1)
    gains.note("b", 2)
    gains.note("a", 3)
    assert list(gains.since(0)) == ["a", "b"]
    assert list(gains.since(2)) == ["a"]


def test_what_is_forgotten_is_told_no_more() -> None:
    gains: Gains[str] = Gains()
    gains.note("a", 1)
    gains.forget("a")
    gains.forget("a")
    assert list(gains.since(0)) == []
