"""What places are judged by: what the operator said, the catalogue, and the jobs that came."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from scheduler.core.deciding.options import find_place
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import ChipDefined, GroupMoved, JobSubmitted
from scheduler.core.model.chip import ChipType
from scheduler.core.model.group import State
from scheduler.core.model.job import AnyOf, Choice, Job
from scheduler.core.model.node import Cluster, Node
from scheduler.core.placement.placement import GangPlace
from scheduler.core.placement.scoring.configuration import DEFAULT_SCORING, Scoring
from scheduler.core.placement.scoring.job_mix import FIRST_MIX, JobMix, WorkerKind
from scheduler.core.placement.scoring.weights import Weights
from tests.builders.core import as_change, make_group, make_job, make_node, make_shape

NODES = (make_node("a", {"fast": 8}), make_node("b", {"slow": 8}), make_node("c", {"vague": 8}))
CHIP_VALUE_ALONE = Weights(closeness=0.0, node=0.0, headroom=0.0)


def make_chip(name: str, rate: float | None, *, measured: float | None = None) -> ChipType:
    return ChipType(name, "Vendor", name, 1024, rate, measured, None, None, None, "cuda", "NCCL")


CHIPS = (make_chip("fast", 900.0), make_chip("slow", 400.0, measured=90.0), make_chip("vague", None))


def make_state(
    *nodes: Node,
    chips: tuple[ChipType, ...] = CHIPS,
    scoring: Scoring = DEFAULT_SCORING,
    jobs: Sequence[Job] = (),
) -> SchedulerState:
    return SchedulerState.from_parts(
        clusters=[Cluster("mixed", "local")],
        nodes=nodes,
        jobs=jobs,
        groups=[make_group(job) for job in jobs],
        attempts=[],
        chips=chips,
        scoring=scoring,
    )


def indifferent(number: int = 1) -> Job:
    return make_job(number, AnyOf(("fast", "slow", "vague")), choice=Choice.BEST)


def chip_taken(state: SchedulerState) -> str | None:
    job = indifferent()
    state.apply(as_change(JobSubmitted(job, (make_group(job),))))
    place = find_place(state, state.request(job.id))
    assert isinstance(place, GangPlace)
    return place.allocations[0].chip


def test_the_least_valuable_chip_type_is_the_best_one_for_who_does_not_mind() -> None:
    by_rate, by_wish = Scoring(CHIP_VALUE_ALONE), Scoring(CHIP_VALUE_ALONE, {"vague": 0.9, "slow": 0.5, "fast": 0.1})
    assert chip_taken(make_state(*NODES, scoring=by_rate)) == "vague"
    assert chip_taken(make_state(*NODES[:2], scoring=by_rate)) == "slow"
    assert chip_taken(make_state(*NODES, scoring=by_wish)) == "fast"


def test_headroom_for_inference_is_left_free_where_it_can_be() -> None:
    headroom_alone = Weights(closeness=0.0, node=0.0, chip_value=0.0)
    assert chip_taken(make_state(*NODES, scoring=Scoring(headroom_alone, headroom_devices={"fast": 8}))) == "slow"


def test_a_chip_type_that_is_defined_anew_is_valued_anew() -> None:
    state = make_state(*NODES[:2], scoring=Scoring(CHIP_VALUE_ALONE))
    state.apply(as_change(ChipDefined(make_chip("slow", 400.0, measured=9_000.0))))
    assert state.placer.worth.values == {"fast": pytest.approx(0.1), "slow": 1.0}
    assert chip_taken(state) == "fast"


def test_states_that_value_chip_types_differently_have_different_digests() -> None:
    followed, built = make_state(*NODES, chips=()), make_state(*NODES)
    assert followed.digest() != built.digest()
    for chip in CHIPS:
        followed.apply(as_change(ChipDefined(chip)))
    assert followed.chips == built.chips
    assert followed.digest() == built.digest()


def where_it_goes(state: SchedulerState, number: int) -> str:
    job = make_job(number, "fast", shape=make_shape(1))
    state.apply(as_change(JobSubmitted(job, (make_group(job),))))
    place = find_place(state, state.request(job.id))
    assert isinstance(place, GangPlace)
    return place.allocations[0].node


def test_in_which_order_jobs_are_loaded_does_not_change_what_is_learnt() -> None:
    """Between two doublings as well: twelve workers are loaded, and eight of them would be enough."""
    jobs = [make_job(number, "fast", shape=make_shape(number // 6)) for number in range(12)]
    one_way, other_way = (make_state(*NODES, jobs=order)._expectations.mix.mix for order in (jobs, jobs[::-1]))
    assert one_way == other_way
    assert [share for _, share in one_way.shares] == [0.5, 0.5]


def test_a_state_that_learnt_earlier_differs_from_one_built_now_in_nothing_that_is_compared() -> None:
    """They learn from the same jobs, and look at them at other times: jobs of which one kind is over by now."""
    over, *living = [make_job(number, "fast", workers=FIRST_MIX, shape=make_shape(number)) for number in (1, 2)]
    followed = make_state(*NODES)
    for job in (over, *living):
        followed.apply(as_change(JobSubmitted(job, (make_group(job),))))
    cancelled = replace(make_group(over), state=State.CANCELLED, version=2)
    followed.apply(as_change(GroupMoved(cancelled, None)))
    built = make_state(*NODES, jobs=living)
    assert (len(followed._expectations.mix.mix.shares), len(built._expectations.mix.mix.shares)) == (2, 1)
    assert followed._expectations.mix.counts == built._expectations.mix.counts
    assert followed.digest() == built.digest()


def test_a_mix_that_is_given_counts_from_the_first_job_on_and_stays() -> None:
    """Whole nodes of two devices are wanted: one with an odd one over is the place for a single worker."""
    nodes = (make_node("a", {"fast": 2}), make_node("b", {"fast": 3}))
    pairs = JobMix(((WorkerKind(0, 1000, 2, ()), 1.0),))
    given = make_state(*nodes, scoring=Scoring(Weights(tightest_fit=0.0, slant=0.0), job_mix=pairs))
    unknown = make_state(*nodes)
    assert where_it_goes(unknown, 1) == "mixed/a"
    assert {where_it_goes(given, number) for number in range(1, 20)} == {"mixed/b"}
