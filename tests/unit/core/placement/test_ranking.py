"""The states of nodes by score. What is scored is a state, never a node, and each only once."""

import pytest

from scheduler.core.ledger.index.room import Room
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import Demand, demand_of
from scheduler.core.ledger.states.leftover import Left
from scheduler.core.placement.ranking import Ranking, Scores, squashed
from scheduler.core.placement.scoring.scorer import Scorer
from scheduler.core.placement.scoring.terms import Weighted
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node
from tests.builders.placing import ONE_DEVICE

DEMAND = demand_of("h100", ONE_DEVICE)


class FewestDevices:
    """A term that counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, demand: Demand, before: Left, after: Left) -> float:
        del demand, before
        self.calls += 1
        return -float(after.free[0])


def room_of(ledger: Ledger) -> Room:
    pool = ledger.inventory.pools["mixed", "h100"][None, False]
    return pool.room(ledger.inventory.fit(DEMAND))


def rank(ledger: Ledger) -> tuple[Ranking, FewestDevices]:
    term = FewestDevices()
    scores = Scores(ledger.inventory.fit(DEMAND), Scorer([Weighted(term, 1.0)]))
    return Ranking(ledger.inventory.entries, room_of(ledger), scores), term


def best(ledger: Ledger, ranking: Ranking) -> list[str]:
    room_of(ledger)
    entry = ranking.best()
    return [] if entry is None else entry.leftover.names.first(2)


def test_the_best_state_is_first_and_among_equals_the_one_with_the_first_name() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 4}), make_node("c", {"h100": 2}), make_node("b", {"h100": 2}, cpu_milli=7)
    )
    ranking, _ = rank(ledger)
    assert best(ledger, ranking) == ["mixed/b"]


def test_states_that_nodes_come_to_and_leave_are_ranked_as_they_are_now() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4}), make_node("b", {"h100": 3}))
    ranking, _ = rank(ledger)
    assert best(ledger, ranking) == ["mixed/b"]
    release = ledger.apply(make_hold("a1", make_allocation((0, 1), node="mixed/a")))
    assert best(ledger, ranking) == ["mixed/a"]
    ledger.apply(make_hold("a2", make_allocation((2, 3), node="mixed/a")))
    assert best(ledger, ranking) == ["mixed/b"]
    ledger.apply(make_hold("a3", make_allocation((0, 1, 2), node="mixed/b")))
    assert best(ledger, ranking) == []
    ledger.apply(release)
    assert best(ledger, ranking) == ["mixed/a"]


def test_a_thousand_alike_nodes_are_scored_once_and_a_state_they_come_back_to_is_not_scored_again() -> None:
    ledger = make_ledger(*(make_node(f"n{number:03}") for number in range(1_000)))
    ranking, term = rank(ledger)
    assert best(ledger, ranking) == ["mixed/n000", "mixed/n001"]
    assert term.calls == 1
    for _ in range(5):
        release = ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/n500")))
        assert best(ledger, ranking) == ["mixed/n500"]
        ledger.apply(release)
        assert best(ledger, ranking) == ["mixed/n000", "mixed/n001"]
    assert term.calls == 2


def test_states_without_room_are_never_scored() -> None:
    ledger = make_ledger(make_node("a"), make_node("b", {"h100": 0}))
    ranking, term = rank(ledger)
    assert [state.names.first(1) for state in ranking.states()] == [["mixed/a"]]
    assert term.calls == 1


def test_a_drawn_node_is_any_of_those_with_room_each_once() -> None:
    ledger = make_ledger(make_node("c"), make_node("a"), make_node("b", {"h100": 2}), make_node("d", {"h100": 0}))
    ranking, _ = rank(ledger)
    drawn = [ranking.any(lambda below, number=number: number % below) for number in range(3)]  # type: ignore[misc]
    assert sorted(node or "" for node in drawn) == ["mixed/a", "mixed/b", "mixed/c"]
    ledger.apply(make_hold("a1", *(make_allocation((0, 1), node=f"mixed/{name}") for name in "b")))
    room_of(ledger)
    assert ranking.any(lambda _below: 0) == "mixed/a"


def test_where_nobody_has_room_nothing_is_drawn() -> None:
    ranking, _ = rank(make_ledger(make_node("a", {"h100": 0})))
    assert ranking.any(lambda _below: 0) is None


def test_nodes_are_filled_in_the_order_of_their_room_and_only_then_of_their_score() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4}), make_node("b", {"h100": 3}))
    scores = Scores(ledger.inventory.fit(DEMAND), Scorer([Weighted(FewestDevices(), 1_000_000.0)]))
    four, three = (ledger.inventory.entries[f"mixed/{name}"].leftover for name in "ab")
    assert scores[three] > scores[four]
    assert scores.fill_order[four] < scores.fill_order[three]


@pytest.mark.parametrize("score", [-1e9, -3.0, -0.1, 0.0, 0.1, 3.0, 1e9])
def test_any_score_is_squashed_to_between_0_and_1_in_its_order(score: float) -> None:
    assert 0 < squashed(score) < 1
    assert squashed(score) < squashed(score + max(1.0, abs(score)))
    assert squashed(0.0) == 0.5


def test_a_state_that_was_left_before_it_was_ranked_is_ranked_when_a_node_comes_to_it_again() -> None:
    ledger = make_ledger(make_node("a", {"h100": 8}), make_node("b", {"h100": 4}))
    ranking, _ = rank(ledger)
    assert best(ledger, ranking) == ["mixed/b"]
    hold = make_hold("a1", make_allocation((0, 1, 2, 3, 4), node="mixed/a"))
    ledger.apply(ledger.apply(hold))
    assert best(ledger, ranking) == ["mixed/b"]
    ledger.apply(hold)
    assert best(ledger, ranking) == ["mixed/a"]
