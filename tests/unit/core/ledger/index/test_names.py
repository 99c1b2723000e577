from scheduler.core.ledger.index.inventory import Inventory
from scheduler.core.ledger.index.names import MOST_FRESH, Names
from scheduler.core.ledger.states.leftover import Leftover
from scheduler.core.ledger.states.node_entry import NodeEntry
from tests.builders.core import make_node


class Place:
    """A state that nodes are in, and another one that they go to."""

    def __init__(self, *names: str) -> None:
        inventory = Inventory()
        self.here: Leftover = inventory.kind(make_node()).empty
        self.elsewhere: Leftover = inventory.kind(make_node(pods=1)).empty
        self._root = inventory.root("mixed")
        self._entries: dict[str, NodeEntry] = {}
        self.names = Names(self._entries, self.here)
        for name in names:
            self.come(name)

    def come(self, name: str) -> None:
        if name not in self._entries:
            self._entries[name] = NodeEntry(name, "", self._root, self.elsewhere)
        self._entries[name].leftover = self.here
        self.names.count += 1
        self.names.fresh.append(name)

    def go(self, name: str) -> None:
        self._entries[name].leftover = self.elsewhere
        self.names.count -= 1

    def vanish(self, name: str) -> None:
        self.go(name)
        del self._entries[name]


def test_the_first_nodes_come_in_the_order_of_their_names_however_they_came() -> None:
    names = Place("c", "a", "d", "b").names
    assert names.first(1) == ["a"]
    assert names.first(3) == ["a", "b", "c"]
    assert names.first(9) == ["a", "b", "c", "d"]
    assert names.first(0) == []


def test_the_least_name_is_the_first_one_and_empty_where_there_is_none() -> None:
    place = Place("c", "a", "b")
    assert [place.names.least(), place.names.least()] == ["a", "a"]
    place.go("a")
    assert place.names.least() == "b"
    place.come("a")
    assert (place.names.least(), place.names.first(3)) == ("a", ["a", "b", "c"])
    for name in "abc":
        place.go(name)
    assert place.names.least() == ""


def test_looking_takes_nothing_away() -> None:
    names = Place("b", "a", "c").names
    assert [names.first(2), names.first(2), names.first(3)] == [["a", "b"], ["a", "b"], ["a", "b", "c"]]


def test_a_node_that_went_or_vanished_is_no_longer_named() -> None:
    place = Place("a", "b", "c")
    place.go("a")
    assert place.names.first(1) == ["b"]
    place.vanish("b")
    assert place.names.first(2) == ["c"]


def test_a_node_that_came_back_is_named_once() -> None:
    place = Place("a", "b")
    assert place.names.first(2) == ["a", "b"]
    for _ in range(3):
        place.go("a")
        place.come("a")
    assert place.names.first(2) == ["a", "b"]
    assert place.names.first(1) == ["a"]


def test_names_are_right_when_many_stale_ones_were_swept_out() -> None:
    place = Place(*"dcba")
    for _ in range(200):
        place.go("b")
        place.come("b")
    place.go("c")
    assert place.names.first(4) == ["a", "b", "d"]
    assert place.names.first(1) == ["a"]


def test_forgetting_stale_names_forgets_no_node_that_is_here() -> None:
    place = Place(*"dcba")
    assert place.names.first(2) == ["a", "b"]
    place.go("a")
    place.come("e")
    place.come("d")
    place.names.forget_stale()
    assert place.names.fresh == []
    assert place.names.first(9) == ["b", "c", "d", "e"]


def test_nobody_is_named_where_nobody_is() -> None:
    place = Place("a")
    place.go("a")
    assert (place.names.first(1), place.names.first(5)) == ([], [])


def test_the_limit_of_waiting_names_is_small_beside_a_cluster() -> None:
    assert MOST_FRESH <= 1_000
