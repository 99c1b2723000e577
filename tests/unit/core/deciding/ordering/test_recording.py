from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.asking.grounds import MOST_NAMED, Grounds
from scheduler.core.model.decision import Placed
from tests.builders.core import NOON, make_group, make_job, make_node, make_state


def grounds(state: SchedulerState) -> list[Grounds]:
    decisions = Passes().decide(state, NOON)
    found = [decision.grounds for decision in decisions if isinstance(decision, Placed)]
    assert None not in found
    return [each for each in found if each is not None]


def test_who_is_placed_in_its_turn_overtook_nobody() -> None:
    jobs = tuple(make_job(number) for number in range(1, 4))
    found = grounds(make_state(make_node(), jobs=jobs))
    assert [(each.standing.place, each.overtook, each.overtaken) for each in found] == [
        (1, 0, ()),
        (2, 0, ()),
        (3, 0, ()),
    ]


def test_whom_a_small_job_overtakes_is_counted_and_the_first_of_them_are_named() -> None:
    large = tuple(make_job(number, workers=8 + number) for number in range(1, 20))
    small = make_job(99)
    (found,) = grounds(make_state(make_node(), jobs=(*large, small)))
    assert found.overtook == 19
    assert found.overtaken == tuple(make_group(job).id for job in large[:MOST_NAMED])


def test_shares_are_noted_as_they_were_before_the_placement() -> None:
    jobs = (make_job(1, workers=4), make_job(2, workers=4, tenant="beta"))
    first, second = grounds(make_state(make_node(), jobs=jobs))
    assert [(share.queue, share.share) for share in first.standing.shares] == [("alpha", 0.0)]
    assert [(share.queue, share.share) for share in first.siblings] == [("beta", 0.0)]
    assert second.standing.shares[0].share == 0.0
    assert [(share.queue, share.share) for share in second.siblings] == [("alpha", 0.05)]
