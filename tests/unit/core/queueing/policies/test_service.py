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


def test_what_is_not_known_to_have_been_elsewhere_counts_for_each_chip_type() -> None:
    service = Service()
    service.recall([("g", 20.0, 40.0)])
    service.add("g", 5.0, 1, "h100")
    assert (service.seconds_on("g", "h100"), service.seconds_on("g", "t4")) == (25.0, 20.0)
    service.forget(["g"])
    assert service.seconds_on("g", "h100") == 0.0
