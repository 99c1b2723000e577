"""One step of a pipeline, against a simulation that takes one event at a time."""

import random
from itertools import pairwise

import pytest

from scheduler.core.mixing.pipeline import PipelineTimes
from scheduler.core.mixing.simulating.running import rounds_ahead, run

Event = tuple[str, int, int]


def pipeline(draw: random.Random, *, blocking_share: float = 0.0) -> PipelineTimes:
    stages = draw.randint(1, 7)
    return PipelineTimes(
        micro_batches=draw.randint(1, 20),
        forward_s=tuple(draw.random() for _ in range(stages)),
        backward_s=tuple(draw.random() for _ in range(stages)),
        transfer_s=tuple(2 * draw.random() for _ in range(stages - 1)),
        extra_warm_up=tuple(draw.randint(0, 3) for _ in range(stages - 1)),
        gradient_sync_s=(0.0,) * stages,
        update_s=(0.0,) * stages,
        blocking_share=blocking_share,
    )


def even(stages: int, micro_batches: int, transfer_s: float = 0.0, *, blocking_share: float = 0.0) -> PipelineTimes:
    return PipelineTimes(
        micro_batches=micro_batches,
        forward_s=(1.0,) * stages,
        backward_s=(2.0,) * stages,
        transfer_s=(transfer_s,) * (stages - 1),
        extra_warm_up=(0,) * (stages - 1),
        gradient_sync_s=(0.0,) * stages,
        update_s=(0.0,) * stages,
        blocking_share=blocking_share,
    )


def one_at_a_time(times: PipelineTimes) -> dict[Event, float]:
    """The ends of all events: each stage takes its next one as soon as what that needs has come."""
    queues = [order_of(times, stage) for stage in range(times.stages)]
    ends: dict[Event, float] = {}
    carried: dict[tuple[str, int], float] = {}
    free = [0.0] * times.stages
    while any(queues):
        for stage, queue in enumerate(queues):
            while queue:
                way, micro_batch = queue[0]
                before = stage - 1 if way == "forward" else stage + 1
                came_s = 0.0
                if 0 <= before < times.stages:
                    if (way, before, micro_batch) not in ends:
                        break
                    boundary = min(stage, before)
                    began_s = max(ends[way, before, micro_batch], carried.get((way, boundary), 0.0))
                    came_s = carried[way, boundary] = began_s + times.transfer_s[boundary]
                takes_s = (times.forward_s if way == "forward" else times.backward_s)[stage]
                free[stage] = ends[way, stage, micro_batch] = max(free[stage], came_s) + takes_s
                queue.pop(0)
    return ends


def order_of(times: PipelineTimes, stage: int) -> list[tuple[str, int]]:
    ahead = min(times.micro_batches, times.stages - stage + sum(times.extra_warm_up[stage:]))
    order = [("forward", micro_batch) for micro_batch in range(ahead)]
    for micro_batch in range(times.micro_batches):
        order.append(("backward", micro_batch))
        if ahead + micro_batch < times.micro_batches:
            order.append(("forward", ahead + micro_batch))
    return order


@pytest.mark.parametrize("seed", range(60))
def test_each_event_ends_when_it_does_one_at_a_time(seed: int) -> None:
    times = pipeline(random.Random(seed))
    timeline = run(times)
    for (way, stage, micro_batch), end_s in one_at_a_time(times).items():
        found = timeline.forward_end_s if way == "forward" else timeline.backward_end_s
        assert found[micro_batch, stage] == pytest.approx(end_s)


def test_an_even_pipeline_takes_its_micro_batches_and_its_filling() -> None:
    assert run(even(4, 8)).step_s == pytest.approx((8 + 4 - 1) * 3)


def test_a_stage_holds_what_1f1b_lets_it_hold() -> None:
    assert run(even(4, 8)).peak_in_flight == (4, 3, 2, 1)
    assert run(even(4, 2)).peak_in_flight == (2, 2, 2, 1)


@pytest.mark.parametrize("seed", range(40))
def test_extra_warm_ups_are_all_that_is_held_beyond(seed: int) -> None:
    times = pipeline(random.Random(seed))
    held = tuple(min(times.micro_batches, ahead) for ahead in rounds_ahead(times))
    assert run(times).peak_in_flight == held


def test_extra_warm_ups_hide_a_slow_boundary() -> None:
    plain = even(2, 40, transfer_s=1.5)
    warmed = PipelineTimes(40, plain.forward_s, plain.backward_s, (1.5,), (1,), (0.0,) * 2, (0.0,) * 2)
    assert run(plain).step_s == pytest.approx(40 * 4.5, rel=0.02)  # two micro-batches in a round trip of 9 s
    assert run(warmed).step_s < 40 * 3 + 9


def test_a_blocking_runtime_stands_still_while_it_sends() -> None:
    asked = even(2, 10, transfer_s=0.5)
    blocking, mixed = even(2, 10, 0.5, blocking_share=1.0), even(2, 10, 0.5, blocking_share=0.5)
    assert run(blocking).step_s == pytest.approx(9 * (3 + 1) + 6 + 1)
    assert run(mixed).step_s == pytest.approx((run(asked).step_s + run(blocking).step_s) / 2)


def test_the_step_ends_with_the_last_all_reduce_and_the_slowest_update() -> None:
    times = PipelineTimes(1, (1.0, 1.0), (1.0, 1.0), (0.0,), (0,), (0.0, 2.5), (0.25, 0.5))
    assert run(times).step_s == pytest.approx(3 + 2.5 + 0.5)  # the second stage is done with computing after 3 s


def test_spans_come_in_the_order_of_time() -> None:
    spans = list(run(even(2, 3)).spans(0))
    assert [(span.direction.value, span.micro_batch) for span in spans] == order_of(even(2, 3), 0)
    assert all(before.end_s <= after.start_s for before, after in pairwise(spans))
