"""Which plan of a recurring job to run next, after what runs of it took so far."""

from collections.abc import Sequence

from scheduler.core.mixing.plan import Plan
from scheduler.core.mixing.search.building import layout_of
from scheduler.core.mixing.trials import Tried, candidate_of, next_trial
from scheduler.services.planning.asked import WORTH_A_RUN, Trial, TriedPlan


def trial_of(plans: Sequence[Plan], tried: Sequence[TriedPlan]) -> Trial | None:
    """Return which of the plans to try next; None where nothing was tried.

    What was tried and is none of these plans counts as well: plans like it are wrong by the like.
    """
    if not tried:
        return None
    candidates = [candidate_of(plan) for plan in plans]
    places = {layout_of(plan): place for place, plan in enumerate(plans)}
    runs: list[Tried] = []
    for one in tried:
        place = places.setdefault(layout_of(one.plan), len(candidates))
        if place == len(candidates):
            candidates.append(candidate_of(one.plan))
        runs.append(Tried(place, one.measured_s))
    ran = [(one.measured_s, number) for number, one in enumerate(tried) if one.measured_s is not None]
    return Trial(next_trial(candidates, runs, least_gain=WORTH_A_RUN), min(ran)[1] if ran else None)
