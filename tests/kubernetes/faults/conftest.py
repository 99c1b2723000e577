"""Worlds on the real control plane, with two nodes that KWOK plays, and on the fake API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.fake_api.server import FakeApi
from tests.kubernetes.faults.real import Bed, real_bed
from tests.kubernetes.faults.simulated import Simulated, fate, simulated
from tests.kubernetes.faults.world import World
from tests.kubernetes.testbed.control_plane import ControlPlane


@pytest.fixture
def bed(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Bed]:
    """Two nodes of 8 devices and a namespace on the real control plane; no Medley yet."""
    with real_bed(control_plane, namespace, tmp_path) as made:
        yield made


@pytest.fixture
def world(bed: Bed) -> World:
    """A running Medley that drives the bed's cluster."""
    return bed.world()


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Simulated]:
    """A fake API with two nodes, and a Medley that is yet to be started."""
    with FakeApi(schedules=True, script=fate) as api:
        made = simulated(api, tmp_path)
        try:
            yield made
        finally:
            made.medley.close()
