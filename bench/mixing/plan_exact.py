"""Whether the search finds what there is: small random problems, against every plan that there is."""

from random import Random

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.mixing.every_plan import best_of
from bench.mixing.small_problems import small_problem
from bench.report import Limit, Measurement
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.search.bottleneck import bottleneck_of
from scheduler.core.mixing.search.finding import leads
from scheduler.core.mixing.search.found import NoPlanError
from scheduler.core.mixing.search.shaping.cuts import cuts_of
from scheduler.core.mixing.search.shaping.table import table_of

CASES = 1_000
TOLERANCE = 0.02
ROUNDING = 1e-9
REQUIRED = (
    Limit("bottleneck_wrong", "==", 0),
    Limit("beyond_two_percent", "==", 0),
    Limit("refused_wrongly", "==", 0),
)


def measure(cases: int = CASES) -> Measurement:
    """Run the benchmark on problems of the seeds 0, 1, ..."""
    wrong = beyond = refused = unfit = 0
    excess = [0.0]
    for seed in range(cases):
        problem = small_problem(Random(seed))
        best, found_s = best_of(problem), found_step_s(problem)
        wrong += not _is_same(bottleneck_s(problem), best.steady_s)
        unfit += best.step_s == float("inf")
        refused += (found_s == float("inf")) != (best.step_s == float("inf"))
        if best.step_s < float("inf") > found_s:
            excess.append(found_s / best.step_s - 1)
            beyond += excess[-1] > TOLERANCE
        if seed % 100 == 99:  # noqa: PLR2004 - a line for every hundred
            say(f"plan_exact: {seed + 1} of {cases}, {wrong} bottlenecks and {beyond} steps wrong")
    figures = {
        "cases": float(cases),
        "unfit_cases": float(unfit),
        "bottleneck_wrong": float(wrong),
        "beyond_two_percent": float(beyond),
        "refused_wrongly": float(refused),
        "worst_excess_percent": 100 * max(excess),
        "mean_excess_percent": 100 * sum(excess) / len(excess),
    }
    return Measurement(figures, {"unit_ns": unit_ns()}, required=REQUIRED)


def found_step_s(problem: Problem) -> float:
    """Return the step of the best plan by the search, by the same formula; infinite where it finds none."""
    try:
        return leads(problem)[0].step_s
    except NoPlanError:
        return float("inf")


def bottleneck_s(problem: Problem) -> float:
    """Return the shortest time that a busiest stage takes for all micro-batches, over all ways of cutting the batch."""
    table = table_of(problem, problem.pools)
    cuts = cuts_of(table)
    found = [(bottleneck_of(table, cuts, cut), int(count)) for cut, count in enumerate(cuts.count)]
    return min((each.busy_s * count for each, count in found if each is not None), default=float("inf"))


def _is_same(one_s: float, other_s: float) -> bool:
    return one_s == other_s or abs(one_s - other_s) <= ROUNDING * other_s
