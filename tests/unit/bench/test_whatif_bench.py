"""The benchmark of what-if, at a size that takes no time."""

import pytest

from bench.queueing import whatif
from bench.queueing.whatif import Size


def test_all_that_runs_on_drained_nodes_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "unit_cpu_ns", lambda: 50.0)
    measured = whatif.measure(Size(nodes=20, waiting=40, drained=4, runs=1))
    assert measured.figures["leaving"] == 4
    assert {"units", "held_units"} <= set(measured.figures)
