"""What nothing can be planned with."""

from dataclasses import replace
from math import nan
from typing import Any

import pytest

from scheduler.core.mixing.asked.pools import Link
from scheduler.core.mixing.asked.problem import Constraints, Problem, Runtime
from scheduler.core.mixing.asked.profiles import LayerProfile, ProfileKey, Profiles
from scheduler.core.mixing.asked.shape import Experts
from scheduler.core.mixing.asked.training import Precision
from scheduler.core.mixing.search.checking import usable_pools
from scheduler.core.mixing.search.found import Bad, BadProblem, NoPlanError, NoPrecision
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of
from tests.builders.searching import two_pools

SHAPE = "training.shape."


def shaped(**said: Any) -> Problem:
    return problem_of(training=training_of(replace(SMALL, **said)))


def refusal_of(problem: Problem) -> object:
    with pytest.raises(NoPlanError) as refused:
        usable_pools(problem)
    return refused.value.refusal


@pytest.mark.parametrize("rate", [0.0, -1.0, nan, float("inf")])
def test_a_rate_must_be_more_than_zero(rate: float) -> None:
    refusal = refusal_of(problem_of(pool_of("odd", flops_per_s=rate)))
    assert isinstance(refusal, BadProblem)
    assert (refusal.fault, refusal.where) == (Bad.NOT_POSITIVE, "odd.flops_per_s")


@pytest.mark.parametrize(
    ("problem", "where"),
    [
        (problem_of(training=training_of(global_batch=0)), "training.global_batch"),
        (problem_of(training=training_of(replace(SMALL, layers=0))), "training.shape.layers"),
        (problem_of(constraints=Constraints(most_chips=0)), "constraints.most_chips"),
        (two_pools(links={frozenset(("quick", "slow")): Link(0.0)}), "link quick - slow"),
    ],
)
def test_the_figure_is_named(problem: Problem, where: str) -> None:
    refusal = refusal_of(problem)
    assert isinstance(refusal, BadProblem)
    assert refusal.where == where


@pytest.mark.parametrize(
    ("problem", "fault", "where"),
    [
        (problem_of(pool_of("odd", nodes=-1)), Bad.NEGATIVE, "odd.nodes"),
        (problem_of(pool_of("odd", reserved_bytes=nan)), Bad.NEGATIVE, "odd.reserved_bytes"),
        (
            two_pools(links={frozenset(("quick", "slow")): Link(1e9, latency_s=nan)}),
            Bad.NEGATIVE,
            "latency quick - slow",
        ),
        (
            problem_of(training=training_of(replace(SMALL, learnt_positions=-1))),
            Bad.NEGATIVE,
            SHAPE + "learnt_positions",
        ),
        (
            problem_of(profiles=Profiles(1, {ProfileKey("chip-a", 1, 1): LayerProfile(1.0, 2.0, head_s=nan)})),
            Bad.NEGATIVE,
            "profile chip-a",
        ),
        (problem_of(runtime=Runtime(blocking_share=nan)), Bad.NO_SHARE, "runtime.blocking_share"),
        (problem_of(runtime=Runtime(memory_share=1.1)), Bad.NO_SHARE, "runtime.memory_share"),
        (
            problem_of(training=training_of(replace(SMALL, experts=Experts(0, 0)))),
            Bad.NOT_POSITIVE,
            SHAPE + "experts.count",
        ),
        (shaped(experts=Experts(2, 3)), Bad.MORE_ACTIVE_THAN_EXPERTS, SHAPE + "experts.active"),
    ],
)
def test_what_may_be_zero_or_is_a_share_is_checked_as_well(problem: Problem, fault: Bad, where: str) -> None:
    refusal = refusal_of(problem)
    assert isinstance(refusal, BadProblem)
    assert (refusal.fault, refusal.where) == (fault, where)


def test_heads_must_divide_the_hidden_width() -> None:
    refusal = refusal_of(problem_of(training=training_of(replace(SMALL, heads=7))))
    assert isinstance(refusal, BadProblem)
    assert refusal.fault is Bad.HEADS_DO_NOT_DIVIDE


@pytest.mark.parametrize("width", [1000, 3 * 128, 2 * SMALL.hidden])
def test_heads_share_whole_heads_of_keys_and_values_evenly(width: int) -> None:
    shape = replace(SMALL, hidden=1024, heads=8, key_value_width=width)
    refusal = refusal_of(problem_of(training=training_of(shape)))
    assert refusal == BadProblem(Bad.NO_KEY_VALUE_HEADS, SHAPE + "key_value_width", width)


def test_names_of_pools_are_all_different_and_links_know_them() -> None:
    assert refusal_of(problem_of(pool_of("a"), pool_of("a"))) == BadProblem(Bad.SAME_NAME, "a")
    lost = problem_of(pool_of("a"), links={frozenset(("a", "b")): Link(1e9)})
    assert refusal_of(lost) == BadProblem(Bad.UNKNOWN_POOL, "b")


def test_pools_without_the_precision_are_left_out() -> None:
    old = pool_of("old", precisions=frozenset({Precision.FP16}))
    assert [pool.name for pool in usable_pools(problem_of(old, pool_of("new")))] == ["new"]
    assert refusal_of(problem_of(old)) == NoPrecision("bf16", ("chip-old",))


def test_empty_pools_are_no_pools() -> None:
    assert refusal_of(problem_of(pool_of(nodes=0))) == BadProblem(Bad.NO_POOL, "pools")
