"""Room that is kept, from the leader's pass into the database, the feed and the next leader."""

from dataclasses import replace
from pathlib import Path

from scheduler.core.deciding.passes import Passes
from scheduler.core.model.change import ReservationDropped, ReservationMade
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import group_id
from scheduler.services.cancel_job import cancel_job
from scheduler.services.decide_once import Decider
from scheduler.services.follow_changes import FollowedState
from tests.builders.stage import Stage, make_spec, stage


def lead(scene: Stage) -> None:
    """Let somebody lead that keeps room at once."""
    scene.lead()
    journal, lead = scene.storage.journal, scene.current_lead
    scene.decider = Decider(
        scene.followed, journal, scene.clock, scene.wake_up, lead=lead, passes=Passes(reserve_after_s=0)
    )


def test_what_is_kept_is_known_to_every_process_stays_over_a_takeover_and_ends_with_the_start(tmp_path: Path) -> None:
    with stage(tmp_path) as scene:
        lead(scene)
        running = scene.submit(make_spec(workers=6, time_limit_s=600))
        scene.turn()
        large = scene.submit(make_spec(workers=8))
        scene.turn()
        elsewhere = FollowedState(scene.storage.views, scene.clock)
        (promise,) = scene.storage.views.snapshot().promises
        with elsewhere.hold() as state:
            assert state.promised == {group_id(large, 0): promise}
        changes = scene.storage.views.last_change()
        scene.turn()
        assert scene.storage.views.last_change() == changes, "what stands is not written again"

        lead(scene)
        small = scene.submit(replace(make_spec(workers=1), name="small"))
        scene.turn()
        assert scene.job(small).state is State.QUEUED
        assert scene.storage.views.snapshot().promises == (promise,)

        cancel_job(scene.storage.journal, scene.clock, job=running, tenant=None, by="somebody")
        scene.turn()
        scene.turn()
        assert scene.job(large).state is not State.QUEUED
        assert scene.storage.views.snapshot().promises == ()
        elsewhere.follow()
        with elsewhere.hold() as state:
            assert state.promised == {}
        told = [change.body for change in scene.storage.views.changes_after(0, limit=999, job=large)]
        assert [type(body) for body in told if isinstance(body, ReservationMade | ReservationDropped)] == [
            ReservationMade,
            ReservationDropped,
        ]
