"""The benchmark of preemption, at a size that takes no time."""

import pytest

from bench.queueing import preempt
from bench.queueing.preempt import Size


def test_a_small_share_is_taken_back_whole_and_a_gang_finds_its_victims(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preempt, "unit_cpu_ns", lambda: 50.0)
    measured = preempt.measure(Size(nodes=4, gang_nodes=(70, 80), runs=1, gangs=2))
    assert measured.figures["reclaim_evicted"] == 32
    assert {"reclaim_units", "gang_1k_units", "gang_100k_units"} <= set(measured.figures)
