from datetime import timedelta

from scheduler.core.queueing.rounds.edges import edge_of
from tests.builders.core import NOON


def test_edges_are_where_they_are_whoever_counts() -> None:
    assert edge_of(NOON, 360) == NOON
    assert edge_of(NOON + timedelta(seconds=359.9), 360) == NOON
    assert edge_of(NOON + timedelta(seconds=360), 360) == NOON + timedelta(seconds=360)
    assert edge_of(NOON - timedelta(seconds=1), 360) == NOON - timedelta(seconds=360)
