"""What a cluster can give at all."""

import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.node import Cluster
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Closeness
from scheduler.core.placement.room.fitting import can_never_fit
from scheduler.core.placement.room.offers import gives_shares, is_possible_share, knows_levels, offers
from tests.builders.core import make_ledger, make_node
from tests.builders.placing import HALF_A_DEVICE, ask, two_racks


@pytest.fixture
def racks() -> Ledger:
    return two_racks()


def test_a_share_never_fits_where_no_cluster_can_share() -> None:
    counting = Cluster("mixed", "kubernetes", binds_devices=False)
    ledger = make_ledger(make_node(), clusters=(counting,))
    request = ask(1, shape=HALF_A_DEVICE)
    assert not offers(ledger, "mixed", request.options[0])
    assert offers(ledger, "mixed", ask(1).options[0])
    assert can_never_fit(ledger, request)


def test_a_cluster_of_which_nothing_was_said_gives_shares() -> None:
    assert gives_shares(make_ledger(make_node()), "mixed")
    able = Cluster("mixed", "local")
    unable = Cluster("mixed", "kubernetes", enforces_shares=False)
    assert gives_shares(make_ledger(clusters=(able,)), "mixed")
    assert not gives_shares(make_ledger(clusters=(unable,)), "mixed")


@pytest.mark.parametrize(
    ("shape", "is_possible"),
    [
        (WorkerShape(0, 0, 0, 1, 0), True),
        (WorkerShape(0, 0, 0, 999, 80_000), True),
        (WorkerShape(0, 0, 0, 1_000, 0), False),
        (WorkerShape(0, 0, 0, 0, 1), False),
        (WorkerShape(0, 0, 0, -1, 0), False),
        (WorkerShape(0, 0, 0, 1, -1), False),
        (WorkerShape(1, 0, 0, 1, 0), False),
    ],
)
def test_a_share_is_more_than_nothing_and_less_than_a_device_and_stands_alone(
    shape: WorkerShape, *, is_possible: bool
) -> None:
    assert is_possible_share(shape) is is_possible
    assert offers(make_ledger(make_node()), "mixed", ask(1, shape=shape).options[0]) is is_possible


def test_a_cluster_knows_its_own_levels_besides_node_and_cluster(racks: Ledger) -> None:
    known = [Closeness(level) for level in (NODE, RACK, CLUSTER, None)]
    assert all(knows_levels(racks.inventory, "mixed", ask(1, closeness=closeness)) for closeness in known)
    assert not knows_levels(racks.inventory, "mixed", ask(1, closeness=Closeness("zone")))
    assert knows_levels(racks.inventory, "mixed", ask(1, closeness=Closeness(preferred=("zone",))))
