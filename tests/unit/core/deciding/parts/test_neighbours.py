from scheduler.core.deciding.parts.neighbours import Neighbours
from tests.builders.core import make_job

SERVING, BLUE = ("app", "serving"), ("colour", "blue")


def make_neighbours() -> Neighbours:
    neighbours = Neighbours()
    neighbours.place(make_job(1, labels=(SERVING,)), "a1")
    neighbours.place(make_job(2, labels=(SERVING, BLUE)), "a2")
    neighbours.place(make_job(3, labels=(SERVING, BLUE), tenant="beta"), "b1")
    neighbours.place(make_job(4), "a3")
    return neighbours


def test_neighbours_are_those_of_the_tenant_with_all_of_the_labels() -> None:
    neighbours = make_neighbours()
    assert neighbours.with_labels("alpha", [SERVING]) == {"a1", "a2"}
    assert neighbours.with_labels("alpha", [BLUE, SERVING]) == {"a2"}
    assert neighbours.with_labels("beta", [SERVING]) == {"b1"}
    assert neighbours.with_labels("alpha", [("app", "training")]) == set()


def test_without_labels_nobody_is_meant() -> None:
    assert make_neighbours().with_labels("alpha", []) == set()


def test_who_left_is_no_neighbour_any_more() -> None:
    neighbours = make_neighbours()
    neighbours.leave(make_job(2, labels=(SERVING, BLUE)), "a2")
    assert neighbours.with_labels("alpha", [SERVING]) == {"a1"}
    assert neighbours.with_labels("alpha", [BLUE]) == set()
    neighbours.leave(make_job(2, labels=(SERVING, BLUE)), "a2")
    assert neighbours.with_labels("alpha", [SERVING]) == {"a1"}


def test_what_was_looked_up_is_not_what_is_kept() -> None:
    neighbours = make_neighbours()
    neighbours.with_labels("alpha", [SERVING]).clear()
    assert neighbours.with_labels("alpha", [SERVING]) == {"a1", "a2"}
