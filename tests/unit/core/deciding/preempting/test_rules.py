from dataclasses import replace
from datetime import timedelta

from scheduler.core.deciding.preempting.rules import MOST_DOUBLINGS, Rules, Scope
from tests.builders.core import make_group, make_job, make_node
from tests.builders.preempting import Contended


def test_an_attempt_is_left_alone_twice_as_long_after_each_preemption_up_to_a_bound() -> None:
    cluster = Contended(make_node())
    cluster.run(make_job())
    (live,) = cluster.state.live.values()
    rules = Rules(min_run_s=60)
    for times, minutes in ((0, 1), (1, 2), (3, 8), (MOST_DOUBLINGS, 64), (99, 64)):
        again = replace(live, group=replace(make_group(make_job()), preemptions=times))
        assert rules.protected_until(again) == live.since + timedelta(minutes=minutes)


def test_priorities_count_among_the_jobs_of_a_tenant_or_everywhere() -> None:
    assert Rules(Scope.TENANT).realm(make_job(tenant="beta")) == "beta"
    assert Rules(Scope.EVERYWHERE).realm(make_job(tenant="beta")) is None
