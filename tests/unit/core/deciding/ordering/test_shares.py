import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.ordering.shares import Shares, capacity_of
from scheduler.core.deciding.parts.tally import CapacityCount
from scheduler.core.model.sharing.queue import Queue
from scheduler.core.queueing.tree import QueueTree
from tests.builders.core import NOON, seconds_after_noon

TREE = QueueTree((Queue("top"), Queue("a", parent="top", weight=3), Queue("b", parent="top"), Queue("c", parent="b")))


class Held:
    """A tree of queues of which a test says what each holds, with all that is in it."""

    def __init__(self, **milli: int) -> None:
        self.milli = milli

    def path(self, name: str) -> tuple[str, ...]:
        return TREE.path(name)

    def children(self, name: str) -> tuple[str, ...]:
        return TREE.children(name)

    def weight(self, name: str) -> int:
        return TREE.queues[name].weight

    def held_by(self, name: str) -> dict[str, int]:
        return {chip: self.milli[f"{name}_{chip}"] for chip in CAPACITY if f"{name}_{chip}" in self.milli}


CAPACITY = {"h100": 10_000, "t4": 100_000}


def test_the_chip_type_of_which_a_queue_has_most_is_its_share() -> None:
    shares = Shares(Held(a_h100=2_000, a_t4=50_000), half_life_s=0.0)
    assert shares.share("a", CAPACITY, NOON) == 0.5
    assert shares.share("b", CAPACITY, NOON) == 0.0
    assert shares.share("b", {}, NOON) == 0.0


def test_what_is_directly_in_a_queue_is_what_its_children_do_not_hold() -> None:
    shares = Shares(Held(b_h100=6_000, c_h100=4_000), half_life_s=0.0)
    assert shares.own_share("b", CAPACITY, NOON) == 0.2


def test_what_was_held_lately_counts_nine_tenths_and_is_forgotten_by_half_lives() -> None:
    held = Held(a_h100=10_000)
    shares = Shares(held, half_life_s=120.0)
    shares.note("a", ["h100"], NOON)
    assert shares.share("a", CAPACITY, NOON) == 0.1
    assert shares.share("a", CAPACITY, seconds_after_noon(120)) == pytest.approx(0.55)
    held.milli.clear()
    shares.note("a", ["h100"], seconds_after_noon(120))
    assert shares.share("a", CAPACITY, seconds_after_noon(120)) == pytest.approx(0.45)
    assert shares.share("a", CAPACITY, seconds_after_noon(240)) == pytest.approx(0.225)


def test_what_is_noted_of_a_queue_counts_for_all_that_it_is_in() -> None:
    held = Held(c_h100=10_000, b_h100=10_000, top_h100=10_000)
    shares = Shares(held, half_life_s=120.0)
    shares.note("c", ["h100"], NOON)
    later = seconds_after_noon(120)
    assert [shares.share(name, CAPACITY, later) for name in ("top", "b", "c")] == pytest.approx([0.55] * 3)


def test_history_from_before_the_start_is_taken_in_for_queues_and_those_they_are_in() -> None:
    shares = Shares(Held(), half_life_s=120.0)
    shares.recall([("a", "h100", 2_000.0), ("c", "h100", 4_000.0)], NOON)
    assert shares.share("top", CAPACITY, NOON) == pytest.approx(0.54)
    assert shares.share("b", CAPACITY, NOON) == pytest.approx(0.36)
    assert shares.share("b", CAPACITY, seconds_after_noon(120)) == pytest.approx(0.18)


def test_what_a_share_is_made_of_is_told_by_the_chip_type_that_decides() -> None:
    held = Held(a_h100=1_000, a_t4=50_000)
    shares = Shares(held, half_life_s=120.0)
    shares.recall([("a", "h100", 8_000.0), ("a", "t4", 10_000.0)], NOON)
    made = shares.made_of("a", CAPACITY, NOON)
    assert made[1:] == ("h100", 0.1, 0.8)
    assert made.share == pytest.approx(0.1 * 0.1 + 0.9 * 0.8)
    assert made.share == shares.share("a", CAPACITY, NOON)
    assert shares.made_of("b", CAPACITY, NOON) == (0.0, None, 0.0, 0.0)


def test_with_no_half_life_only_what_is_held_now_is_told() -> None:
    shares = Shares(Held(a_h100=2_000), half_life_s=0.0)
    assert shares.made_of("a", CAPACITY, NOON) == (0.2, "h100", 0.2, 0.0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(sorted(CAPACITY)), st.integers(0, 100_000))))
def test_what_a_share_is_made_of_is_always_of_that_share(lately: list[tuple[str, str, int]]) -> None:
    shares = Shares(Held(a_h100=3_000, c_t4=7_000, b_t4=7_000), half_life_s=120.0)
    shares.recall([(queue, chip, float(milli)) for queue, chip, milli in lately], NOON)
    later = seconds_after_noon(77)
    for name in TREE.queues:
        made = shares.made_of(name, CAPACITY, later)
        assert made.share == shares.share(name, CAPACITY, later)
        assert made.share == pytest.approx(0.1 * made.held + 0.9 * made.recent)


def test_capacity_is_what_all_clusters_have_and_never_nothing() -> None:
    counts = [CapacityCount("east", "h100", 6, 2, 1), CapacityCount("west", "h100", 8, 0, 0)]
    assert capacity_of([*counts, CapacityCount("west", "t4", 0, 0, 4)]) == {"h100": 16_000, "t4": 1_000}
