from collections import Counter

import pytest

from scheduler.core.model.sharing.queue import Queue
from scheduler.core.queueing.lines import FairLine, FirstComeLine
from scheduler.core.queueing.order import QueueKey
from scheduler.core.queueing.tree import QueueTree
from tests.builders.core import seconds_after_noon

TREE = QueueTree(
    (
        Queue("research"),
        Queue("vision", parent="research", tenant="vision"),
        Queue("vision-urgent", parent="vision", tenant="vision"),
        Queue("language", parent="research", tenant="language"),
        Queue("sales", tenant="sales"),
    )
)


def key(second: int) -> QueueKey:
    return (0, 0.0, seconds_after_noon(second), f"job{second:03}", 0)


class Shares:
    """What each queue holds, counted by the test; a line that is told of it."""

    def __init__(self) -> None:
        self.held: Counter[str] = Counter()
        self.line: FairLine[str] = FairLine(TREE, lambda name: (self.of(name),), lambda name: (self.held[name],))

    def of(self, name: str) -> float:
        return self.held[name] + sum(map(self.of, TREE.children(name)))

    def hand_out(self, devices: int = 1) -> list[str]:
        """Hand everything out; each item counts for its queue, which is how it begins."""
        found = []
        while (item := self.line.pop()) is not None:
            queue = item.partition("/")[0]
            self.held[queue] += devices
            self.line.changed(queue)
            found.append(item)
        return found


def test_who_came_first_is_next_whatever_the_queue() -> None:
    line: FirstComeLine[str] = FirstComeLine()
    for second, queue in ((3, "a"), (1, "b"), (2, "a")):
        line.push(queue, key(second), f"{queue}{second}")
    line.changed("a")
    assert [line.pop() for _ in range(4)] == ["b1", "a2", "a3", None]


def test_queues_that_ask_for_the_same_take_turns() -> None:
    shares = Shares()
    for second in range(3):
        for queue in ("vision", "language"):
            shares.line.push(queue, key(second), f"{queue}/{second}")
    assert shares.hand_out() == [f"{queue}/{second}" for second in range(3) for queue in ("language", "vision")]


def test_siblings_share_what_their_parent_is_due_and_not_what_each_would_be() -> None:
    shares = Shares()
    for second in range(4):
        for queue in ("vision", "language", "sales"):
            shares.line.push(queue, key(second), f"{queue}/{second}")
    first_eight = [item.partition("/")[0] for item in shares.hand_out()[:8]]
    assert Counter(first_eight) == {"sales": 4, "vision": 2, "language": 2}


def test_what_waits_in_a_queue_itself_is_ranked_among_the_queues_within_it() -> None:
    shares = Shares()
    shares.held["vision-urgent"] = 5
    for second in range(2):
        for queue in ("vision", "vision-urgent"):
            shares.line.push(queue, key(second), f"{queue}/{second}")
    assert shares.hand_out() == ["vision/0", "vision/1", "vision-urgent/0", "vision-urgent/1"]


def test_one_that_comes_later_to_a_queue_that_holds_less_goes_first() -> None:
    shares = Shares()
    shares.held["language"] = 3
    shares.line.push("language", key(1), "language/1")
    shares.line.push("sales", key(9), "sales/9")
    assert shares.line.pop() == "sales/9"
    shares.line.push("sales", key(10), "sales/10")
    shares.held["sales"] = 9
    shares.line.changed("sales")
    assert [shares.line.pop() for _ in range(3)] == ["language/1", "sales/10", None]


def test_news_of_a_queue_in_which_nobody_waits_changes_nothing() -> None:
    shares = Shares()
    shares.line.changed("vision")
    assert shares.line.pop() is None


def test_a_queue_that_is_not_in_the_tree_takes_nobody() -> None:
    with pytest.raises(KeyError):
        Shares().line.push("nobody", key(1), "item")


def test_lines_drop_whoever_is_not_wanted_any_more() -> None:
    waiting = [(queue, key(second), f"{queue}/{second}") for second in range(3) for queue in ("vision", "sales")]
    for line in (FirstComeLine(waiting), FairLine(TREE, lambda _: (0,), lambda _: (0,), waiting)):
        line.keep(lambda item: item != "sales/0" and not item.startswith("vision"))
        assert [line.pop() for _ in range(3)] == ["sales/1", "sales/2", None]
