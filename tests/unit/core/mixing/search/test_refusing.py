"""Why there is no plan, and what would do."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.asked.problem import Constraints, Problem
from scheduler.core.mixing.search import refusing
from scheduler.core.mixing.search.building import Layout
from scheduler.core.mixing.search.exploring import Effort, explored
from scheduler.core.mixing.search.found import MOST_GROWTH, DoesNotFit, LimitsForbid
from scheduler.core.mixing.search.refusing import why_nothing
from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.table import Table
from tests.builders.mixing import pool_of, problem_of, training_of


def refusal_of(problem: Problem) -> DoesNotFit | LimitsForbid:
    return why_nothing(problem, problem.pools)


def test_missing_bytes_are_those_of_the_fullest_device() -> None:
    tight = refusal_of(problem_of(pool_of(memory_bytes=1_200_000_000)))
    tighter = refusal_of(problem_of(pool_of(memory_bytes=1_150_000_000)))
    assert isinstance(tight, DoesNotFit)
    assert isinstance(tighter, DoesNotFit)
    assert tighter.missing_bytes - tight.missing_bytes == 45_000_000  # nine tenths of what is less


def test_more_nodes_would_do() -> None:
    single = problem_of(pool_of(nodes=1, chips_per_node=1, memory_bytes=1_700_000_000))
    refusal = refusal_of(single)
    assert isinstance(refusal, DoesNotFit)
    assert refusal.enough_devices is not None
    enough = replace(single, pools=(replace(single.pools[0], nodes=refusal.enough_devices),))
    assert isinstance(refusal_of(enough), LimitsForbid)  # there is a plan, so memory is no reason


def test_no_number_of_devices_would_do() -> None:
    refusal = refusal_of(problem_of(pool_of(memory_bytes=1_112_000_000)))
    assert isinstance(refusal, DoesNotFit)
    assert refusal.enough_devices is None


def test_what_no_number_of_devices_would_do_takes_one_search_more(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []

    def counted(table: Table, cuts: Cuts, *, effort: Effort) -> list[tuple[Layout, float]]:
        searched.append(table.pools[0].nodes)
        return explored(table, cuts, effort=effort)

    monkeypatch.setattr(refusing, "explored", counted)
    problem = problem_of(pool_of(memory_bytes=1_112_000_000))
    assert refusal_of(problem).enough_devices is None  # type: ignore[union-attr]
    assert searched.count(MOST_GROWTH * problem.pools[0].nodes) == 1
    assert set(searched) == {problem.pools[0].nodes, MOST_GROWTH * problem.pools[0].nodes}


def test_recomputing_would_do() -> None:
    kept = training_of(sequence=4_000, global_batch=64, may_recompute=False)
    refusal = refusal_of(problem_of(pool_of(nodes=1, chips_per_node=1, memory_bytes=3_200_000_000), training=kept))
    assert isinstance(refusal, DoesNotFit)
    assert refusal.would_fit_recomputing


def test_limits_are_told_from_memory() -> None:
    refusal = refusal_of(problem_of(pool_of(memory_bytes=1_700_000_000), constraints=Constraints(most_chips=1)))
    assert isinstance(refusal, LimitsForbid)
    assert refusal.without.devices > 1
