"""Gangs that can do with fewer workers."""

from dataclasses import replace

import pytest

from scheduler.core.deciding.elastic.shrinking import may_be_resized, shrunk
from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.model.attempt import Resizing
from scheduler.core.model.decision import ResizeCause
from scheduler.core.model.group import State
from scheduler.core.model.job import Wish
from scheduler.core.model.resources import Elastic
from tests.builders.core import NOON, make_allocation, make_group, make_job

ELASTIC = make_job(1, workers=4)
ELASTIC = replace(ELASTIC, spec=replace(ELASTIC.spec, elastic=Elastic(2)))
HELD = tuple(make_allocation((rank,), rank=rank) for rank in range(4))
LIVE = LiveAttempt("a", make_group(ELASTIC, State.RUNNING), ELASTIC, 1, HELD, NOON)


def test_a_gang_goes_on_with_its_first_ranks() -> None:
    decision = shrunk(LIVE, 2, ResizeCause.OTHERS)
    assert (decision.generation, decision.allocations, decision.version) == (2, HELD[:2], LIVE.group.version)


@pytest.mark.parametrize(
    "live",
    [
        pytest.param(replace(LIVE, group=make_group(ELASTIC, State.STARTING)), id="does not run yet"),
        pytest.param(replace(LIVE, group=make_group(ELASTIC, State.STOPPING)), id="is being stopped"),
        pytest.param(replace(LIVE, job=replace(ELASTIC, wish=Wish.STOP)), id="is to stop"),
        pytest.param(replace(LIVE, job=make_job(1, workers=4)), id="has a fixed size"),
        pytest.param(replace(LIVE, generation=2), id="has not met yet"),
        pytest.param(replace(LIVE, resizing=Resizing(surplus=HELD[3:])), id="has workers that are too many"),
    ],
)
def test_a_gang_that_cannot_be_resized_now_gives_nothing(live: LiveAttempt) -> None:
    assert not may_be_resized(live)
