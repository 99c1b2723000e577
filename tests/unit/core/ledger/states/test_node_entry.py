from scheduler.core.ledger.index.inventory import Inventory
from scheduler.core.ledger.states.node_entry import NodeEntry
from tests.builders.core import make_node


def test_of_a_new_node_nothing_is_held_and_no_device_is_shared() -> None:
    inventory = Inventory()
    empty = inventory.kind(make_node()).empty
    entry = NodeEntry("mixed/n1", "new", inventory.root("mixed"), empty)
    assert (entry.id, entry.note, entry.domain, entry.leftover) == ("mixed/n1", "new", inventory.root("mixed"), empty)
    assert (entry.held_mask, entry.shared) == (0, None)
