import pytest

from scheduler.core.model.sharing.queue import MOST_DEPTH, BadTree, Queue
from scheduler.core.queueing.tree import BadWeight, CycleInQueues, ForeignParent, QueueTree, UnknownParent

RESEARCH = Queue("research")
VISION = Queue("vision", parent="research", tenant="vision")
URGENT = Queue("vision-urgent", parent="vision", tenant="vision")
SALES = Queue("sales", tenant="sales")


def test_a_queue_knows_all_that_it_is_in_and_all_that_is_in_it() -> None:
    tree = QueueTree((URGENT, SALES, VISION, RESEARCH))
    assert tree.path("vision-urgent") == ("vision-urgent", "vision", "research")
    assert tree.path("sales") == ("sales",)
    assert tree.children(None) == ("research", "sales")
    assert tree.children("research") == ("vision",)
    assert tree.children("vision-urgent") == ()
    with pytest.raises(KeyError):
        tree.path("nobody")


@pytest.mark.parametrize(
    ("queues", "error", "said"),
    [
        ((VISION,), UnknownParent, "vision is in research, and there is no such queue"),
        ((Queue("a", parent="a"),), CycleInQueues, "a is within itself: a in a"),
        ((Queue("a", parent="b"), Queue("b", parent="a")), CycleInQueues, "a is within itself: a in b in a"),
        ((Queue("a", parent="x"), Queue("x", parent="y"), Queue("y", parent="x")), CycleInQueues, "x in y in x"),
        ((Queue("a", weight=0),), BadWeight, "the weight of queue a is 0; it is 1 to 1000"),
        ((Queue("a", weight=1_001),), BadWeight, "the weight of queue a is 1001"),
    ],
)
def test_what_is_no_tree_is_refused_by_name(queues: tuple[Queue, ...], error: type[BadTree], said: str) -> None:
    with pytest.raises(error, match=said):
        QueueTree(queues)


def test_a_tree_has_no_more_levels_than_anybody_can_follow() -> None:
    chain = [Queue("q0"), *(Queue(f"q{level}", parent=f"q{level - 1}") for level in range(1, MOST_DEPTH + 1))]
    assert len(QueueTree(chain[:-1]).path(f"q{MOST_DEPTH - 1}")) == MOST_DEPTH
    with pytest.raises(BadTree, match=f"q{MOST_DEPTH} is {MOST_DEPTH + 1} levels deep"):
        QueueTree(chain)


def test_of_two_queues_of_one_name_the_later_one_counts() -> None:
    tree = QueueTree((SALES, Queue("sales", tenant="sales", weight=5)))
    assert tree.queues["sales"].weight == 5
    assert tree.children(None) == ("sales",)


def test_all_queues_in_a_tenants_are_that_tenants() -> None:
    own, inner = Queue("a", tenant="a"), Queue("inner", "a", "a")
    assert QueueTree([own, inner]).path("inner") == ("inner", "a")
    for tenant in ("b", None):
        with pytest.raises(ForeignParent, match="inner would be"):
            QueueTree([own, Queue("inner", "a", tenant)])
