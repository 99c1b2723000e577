import pytest

from scheduler.core.ledger.changes import Overcommitted, Release
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node


def test_a_refusal_says_which_node_lacks_how_much_of_what() -> None:
    ledger = make_ledger(make_node(cpu_milli=1_500))
    hold = make_hold("a1", make_allocation((0,)), make_allocation((1,)))
    with pytest.raises(Overcommitted, match="cpu") as refused:
        ledger.apply(hold)
    error = refused.value
    assert (error.node, error.resource, error.asked, error.free) == ("mixed/n1", "cpu", 2_000, 1_500)


def test_an_attempt_that_holds_nothing_is_named_in_the_refusal() -> None:
    with pytest.raises(KeyError) as refused:
        make_ledger().apply(Release("a1"))
    assert refused.value.args == ("a1",)
