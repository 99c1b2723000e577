"""What each queue is due of all there is, by weights."""

from collections.abc import Mapping

from scheduler.core.model.sharing.queue import QueueName
from scheduler.core.queueing.tree import QueueTree


def shares_due(tree: QueueTree) -> Mapping[QueueName, float]:
    """Return the part of the whole, 0 to 1, that each queue is due: its parent's, divided among siblings by weight."""
    due: dict[QueueName, float] = {}
    within: list[tuple[QueueName | None, float]] = [(None, 1.0)]
    while within:
        parent, part = within.pop()
        children = tree.children(parent)
        weights = sum(tree.queues[name].weight for name in children)
        for name in children:
            due[name] = part * tree.queues[name].weight / weights
            within.append((name, due[name]))
    return due
