from scheduler.core.model.sharing.queue import Queue
from scheduler.core.queueing.dues.shares import shares_due
from scheduler.core.queueing.tree import QueueTree


def test_what_a_queue_is_due_is_divided_among_those_in_it_by_weight() -> None:
    tree = QueueTree([Queue("org", weight=3), Queue("other"), Queue("a", "org"), Queue("b", "org", weight=2)])
    assert shares_due(tree) == {"org": 0.75, "other": 0.25, "a": 0.25, "b": 0.5}
    assert shares_due(QueueTree()) == {}
