from scheduler.core.model.asking.grounds import QueueShare


def test_a_queue_of_twice_the_weight_is_due_twice_the_share() -> None:
    assert QueueShare("a", 0.5, 2).rank == QueueShare("b", 0.25, 1).rank
