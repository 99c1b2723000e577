"""Why one plan is before another."""

import pytest

from scheduler.core.mixing.search.building import built
from scheduler.core.mixing.search.finding import leads
from scheduler.core.mixing.search.found import Part
from scheduler.core.mixing.search.reasoning import parts_of, why_not
from tests.builders.searching import two_pools


def test_the_parts_make_the_step() -> None:
    problem = two_pools()
    plan = built(problem, leads(problem)[0].layout)
    assert sum(parts_of(problem, plan).values()) == pytest.approx(plan.prediction.step_s)


def test_the_parts_that_differ_make_the_difference() -> None:
    problem = two_pools()
    plans = tuple(built(problem, lead.layout) for lead in leads(problem)[:2])
    why = why_not(problem, plans)
    assert why is not None
    assert sum(why.parts_s.values()) == pytest.approx(why.longer_s)
    assert why.parts_s[why.part] == max(why.parts_s.values())


def test_an_only_plan_needs_no_reason() -> None:
    problem = two_pools()
    assert why_not(problem, (built(problem, leads(problem)[0].layout),)) is None
    assert set(parts_of(problem, built(problem, leads(problem)[0].layout))) == set(Part)
