from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.model.asking.suppositions import AddNodes
from scheduler.core.supposing.rehearsing import MOST_LOOKED_AT, rehearse
from tests.builders.core import NOON, make_job, make_node, make_state
from tests.unit.core.deciding.backfilling.test_beside import kept


def test_of_a_long_queue_only_the_first_are_compared() -> None:
    jobs = tuple(make_job(number, workers=9) for number in range(1, MOST_LOOKED_AT + 3))
    rehearsed = rehearse(make_state(make_node(), jobs=jobs), [AddNodes("h100", 1)], NOON, rules=Rules())
    assert rehearsed.before is not None
    assert len(rehearsed.before.scene.waiters) == MOST_LOOKED_AT
    assert rehearsed.waiting == MOST_LOOKED_AT + 2


def test_who_starts_then_waits_no_more_and_has_no_room_kept() -> None:
    rehearsed = rehearse(kept(), [AddNodes("h100", 1)], NOON, rules=Rules())
    assert len(rehearsed.taken.placed) == 1
    assert rehearsed.after.scene.waiters == ()
    assert rehearsed.after.scene.kept == ()


def test_a_job_is_tried_on_what_is_left_by_those_who_start() -> None:
    state = make_state(make_node(), jobs=(make_job(1, workers=16),))
    job = make_job(2, workers=8)
    assert rehearse(state, [], NOON, rules=Rules(), job=job).trial.prospect.places  # type: ignore[union-attr]
    tried = rehearse(state, [AddNodes("h100", 1)], NOON, rules=Rules(), job=job).trial
    assert tried is not None
    assert not tried.prospect.places
