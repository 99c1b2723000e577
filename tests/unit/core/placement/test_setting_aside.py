import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.node import NodeState
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Apart
from scheduler.core.placement.setting_aside import kept_apart, set_aside
from tests.builders.core import devices_free, make_allocation, make_hold, make_ledger, make_node, room_for
from tests.builders.placing import ask


@pytest.fixture
def ledger() -> Ledger:
    return make_ledger(
        make_node("a", {"h100": 1}, topology=((RACK, "r1"), ("zone", "z1"))),
        make_node("b", {"h100": 2}, topology=((RACK, "r1"), ("zone", "z1"))),
        make_node("c", {"h100": 4}, topology=((RACK, "r2"), ("zone", "z1"))),
        make_node("d", {"h100": 8}, topology=((RACK, "r3"), ("zone", "z2"))),
        make_node("e", {"h100": 16}),
        make_node("f", {"h100": 32}, cluster="west"),
    )


@pytest.mark.parametrize(
    ("level", "nodes", "left"),
    [
        (NODE, ("mixed/a",), 30),
        (NODE, ("mixed/a", "mixed/e"), 14),
        (RACK, ("mixed/a",), 28),
        (RACK, ("mixed/a", "mixed/b", "mixed/d"), 20),
        ("zone", ("mixed/b",), 24),
        (CLUSTER, ("mixed/b",), 0),
        (RACK, ("mixed/e",), 15),
        (NODE, (), 31),
        (CLUSTER, ("west/f",), 31),
        (NODE, ("mixed/unknown",), 31),
    ],
)
def test_the_domains_in_which_the_nodes_stand_take_no_work_until_the_block_ends(
    level: str, nodes: tuple[str, ...], left: int, ledger: Ledger
) -> None:
    before = ledger.digest()
    with set_aside(ledger, "mixed", level, nodes):
        assert devices_free(ledger) == left
        assert devices_free(ledger, cluster="west") == 32
    assert devices_free(ledger) == 31
    assert ledger.digest() == before


def test_everything_is_as_before_even_where_the_block_is_left_by_an_error(ledger: Ledger) -> None:
    before = ledger.digest()
    with pytest.raises(LookupError), set_aside(ledger, "mixed", RACK, ("mixed/a",)):
        raise LookupError
    assert ledger.digest() == before


def test_what_runs_on_a_node_that_is_set_aside_keeps_running(ledger: Ledger) -> None:
    ledger.apply(make_hold("a1", make_allocation((0, 1), node="mixed/c")))
    with set_aside(ledger, "mixed", NODE, ("mixed/c",)):
        assert ledger.has_hold("a1")
    assert devices_free(ledger) == 29


def test_a_node_that_is_gone_stays_gone() -> None:
    ledger = make_ledger(make_node("a", rack="r1", state=NodeState.GONE), make_node("b", rack="r1"))
    with set_aside(ledger, "mixed", NODE, ("mixed/a",)):
        assert ledger.nodes_gone() == ("mixed/a",)
        assert devices_free(ledger) == 8


def test_only_a_gang_that_wants_to_be_apart_sees_less(ledger: Ledger) -> None:
    near, apart = ask(1), ask(1, apart=Apart(RACK, (("app", "web"),)))
    demand = near.options[0].parts[0].demand
    for request, left in ((near, 31), (apart, 28)):
        with kept_apart(ledger, "mixed", request, ("mixed/b",)):
            assert room_for(ledger, demand) == left
