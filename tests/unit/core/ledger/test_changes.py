import pytest

from scheduler.core.ledger.changes import Overcommitted, Release, RemoveNode
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node


def test_a_refusal_says_which_node_lacks_how_much_of_what() -> None:
    ledger = make_ledger(make_node(cpu_milli=1_500))
    hold = make_hold("a1", make_allocation((0,)), make_allocation((1,)))
    with pytest.raises(Overcommitted, match="mixed/n1 has 1500 cpu free, 2000 asked") as refused:
        ledger.apply(hold)
    error = refused.value
    assert (error.node, error.resource, error.asked, error.free) == ("mixed/n1", "cpu", 2_000, 1_500)


@pytest.mark.parametrize(("change", "name"), [(Release("a1"), "a1"), (RemoveNode("mixed/n9"), "mixed/n9")])
def test_what_is_not_there_is_named_in_the_refusal(change: Release | RemoveNode, name: str) -> None:
    with pytest.raises(KeyError) as refused:
        make_ledger().apply(change)
    assert refused.value.args == (name,)
