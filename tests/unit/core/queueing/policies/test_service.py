from scheduler.core.queueing.policies.service import Service


def test_what_groups_held_adds_up_until_they_are_over() -> None:
    service = Service()
    service.add("g", 10.0, 8)
    service.add("g", 5.0, 2)
    service.add("g", -3.0, 2)
    assert service.of("g") == (15.0, 90.0)
    service.forget(["g", "nobody"])
    assert service.of("g") == (0.0, 0.0)


def test_what_was_before_is_taken_in() -> None:
    service = Service()
    service.recall([("g", 20.0, 40.0)])
    service.add("g", 1.0, 1)
    assert service.of("g") == (21.0, 41.0)
