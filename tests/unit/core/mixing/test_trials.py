"""Which plan of a recurring job to try next, and when trying is over."""

from random import Random

from scheduler.core.mixing.plan import MemoryUse, Plan, Prediction, Stage
from scheduler.core.mixing.trials import Candidate, Tried, candidate_of, next_trial

STAGE = Stage(
    "a", "h100", 0, 4, 4, recomputes=False, forward_s=0.1, backward_s=0.2, gradient_sync_s=0.0, update_s=0.0,
    memory=MemoryUse(1, 1, 1, 1, 1, 1, 9), is_estimate=False,
)  # fmt: skip
PREDICTION = Prediction(7.5, 7.0, 8.0, is_simulated=True, ideal_s=6.0, tokens_per_s=100.0, flops_utilisation=0.4)
PLAN = Plan(8, 2, 4, (STAGE, STAGE), (), PREDICTION)


def candidates(*predicted_s: float, apart: float = 1.0) -> list[Candidate]:
    """Return plans along a line, each so many units from the last."""
    return [Candidate(each_s, (apart * place,)) for place, each_s in enumerate(predicted_s)]


def until_it_ends(plans: list[Candidate], measured: list[float | None]) -> list[int]:
    """Return the places that were tried, in order."""
    tried: list[Tried] = []
    while (place := next_trial(plans, tried)) is not None:
        tried.append(Tried(place, measured[place]))
    return [one.place for one in tried]


def test_the_first_is_the_one_that_is_predicted_to_be_best() -> None:
    assert next_trial(candidates(3.0, 1.0, 2.0), []) == 1
    assert next_trial(candidates(2.0, 2.0), []) == 0
    assert next_trial([], []) is None


def test_where_all_is_as_predicted_and_the_rest_is_far_off_one_run_is_enough() -> None:
    assert until_it_ends(candidates(1.0, 5.0, 6.0), [1.0, 5.0, 6.0]) == [0]


def test_plans_that_are_predicted_alike_are_tried_one_after_the_other() -> None:
    plans = candidates(1.0, 1.01, 1.02, 9.0, apart=8.0)
    assert until_it_ends(plans, [1.0, 1.0, 1.0, 9.0]) == [0, 1, 2]


def test_what_a_plan_is_wrong_by_others_like_it_are_wrong_by_too() -> None:
    plans = [Candidate(1.0, (0.0,)), Candidate(1.02, (0.1,)), Candidate(1.2, (30.0,)), Candidate(1.2, (30.0,))]
    tried = [Tried(0, 2.0)]
    assert next_trial(plans, tried) == 2
    assert next_trial(plans, [*tried, Tried(2, 3.0)]) != 3


def test_what_all_are_wrong_by_alike_makes_none_of_them_worth_a_run() -> None:
    plans = candidates(1.0, 3.0, 4.0)
    assert until_it_ends(plans, [2.0, 6.0, 8.0]) == [0]


def test_what_did_not_run_is_not_tried_again() -> None:
    plans = candidates(1.0, 2.0, 3.0)
    assert next_trial(plans, [Tried(0, None)]) == 1
    assert next_trial(plans, [Tried(0, None), Tried(1, None), Tried(2, None)]) is None


def test_no_plan_is_tried_twice_and_the_end_comes() -> None:
    random = Random(1)
    for _ in range(20):
        plans = candidates(*(random.uniform(1.0, 1.2) for _ in range(8)), apart=3.0)
        tried = until_it_ends(plans, [random.uniform(1.0, 2.0) for _ in plans])
        assert len(set(tried)) == len(tried) <= len(plans)


def test_the_unit_of_time_says_nothing() -> None:
    plans, measured = candidates(1.0, 1.05, 1.3, 1.1, apart=4.0), [1.4, 1.1, 1.2, 1.3]
    scaled = [Candidate(1e-3 * plan.predicted_s, plan.features) for plan in plans]
    in_milliseconds: list[float | None] = [1e-3 * each_s for each_s in measured]
    assert until_it_ends(plans, list(measured)) == until_it_ends(scaled, in_milliseconds)


def test_a_plan_is_a_candidate_by_its_degrees() -> None:
    assert candidate_of(PLAN) == Candidate(7.5, (2.0, 1.0, 3.0, 1.0))
