"""The order in which pods arrive."""

from collections import Counter
from random import Random

from bench.replay.arrivals import arrivals
from bench.replay.openb import Ask, Pod
from scheduler.core.model.resources import WorkerShape


def pods(count: int, *, devices: int = 1, milli: int = 1000) -> list[Pod]:
    ask = Ask(WorkerShape(devices, 100, 10), ("T4",))
    return [Pod(f"p{number:02}", ask, milli, devices * milli) for number in range(count)]


def test_the_whole_list_comes_first_in_the_order_that_the_seed_says() -> None:
    shuffled = pods(10)
    Random(42).shuffle(shuffled)
    assert arrivals(pods(10), 10_000, 42)[:10] == shuffled
    assert arrivals(pods(10), 10_000, 43)[:10] != shuffled
    assert arrivals(pods(10), 10_000, 42) == arrivals(pods(10), 10_000, 42)


def test_pods_are_drawn_with_replacement_until_130_percent_have_arrived() -> None:
    found = arrivals(pods(2), 100_000, 42)
    assert len(found) == 130
    assert min(Counter(pod.name for pod in found).values()) > 30


def test_of_a_pod_that_would_be_too_much_only_one_device_counts() -> None:
    assert len(arrivals(pods(1, devices=8), 10_000, 42)) == 2, "8 + 1 <= 13 < 16 + 1"


def test_a_list_that_asks_for_more_loses_random_pods_instead() -> None:
    found = arrivals(pods(20), 10_000, 42)
    assert len(found) == 13
    assert len({pod.name for pod in found}) == 13
    assert {pod.name for pod in found} != {pod.name for pod in arrivals(pods(20), 10_000, 43)}
