"""Hearing attempts without flooding the database, and missing those that fall silent or stand still."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.core.model.attempt import Progress
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import AttemptId
from scheduler.ports.journal import Rejected
from scheduler.services.access.attempt_tokens import AttemptClaim
from scheduler.services.heartbeats.hearing import CLOSEST_S, Heard, Hearing, Said, wanted_pause_s
from scheduler.services.heartbeats.watching import LONGEST_COUNTED_S, LOOK_INTERVAL_S, Watch
from tests.builders.database import NOON
from tests.builders.stage import Stage, make_spec, stage

QUIET = Said(reports=0, memory_mib=None, device_memory_mib=None, checkpoint_step=None, progress=None)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened
        opened.reconciler.close()


@pytest.fixture
def hearing(scene: Stage) -> Hearing:
    return Hearing(scene.storage.journal, scene.clock, scene.followed)


class Watched:
    """A watch over a stage, looking at its interval for as long as a test wants."""

    def __init__(self, scene: Stage, hearing: Hearing) -> None:
        self.scene, self.hearing, self.is_deaf = scene, hearing, False
        self.watch = Watch(
            scene.storage.views,
            scene.followed,
            scene.storage.journal,
            clock=scene.clock,
            lead=scene.current_lead,
            can_hear=lambda: not self.is_deaf,
        )
        self.watch.look()

    def pass_by(self, seconds: float, attempt: AttemptId | None = None, said: Said = QUIET) -> None:
        """Let time pass; an attempt that is given beats all the while."""
        for _ in range(int(seconds / LOOK_INTERVAL_S)):
            self.scene.clock.advance(LOOK_INTERVAL_S)
            if attempt is not None:
                self.hearing.hear(AttemptClaim(attempt, 1), said)
            self.watch.look()


def running(scene: Stage, **limits: int | None) -> tuple[str, AttemptId]:
    job = scene.submit(replace(make_spec(retries=1), silence_limit_s=60, stall_limit_s=300, **limits))  # type: ignore[arg-type]
    scene.turn()
    assert scene.job(job).state is State.RUNNING
    return job, scene.job(job).attempts[-1].id


def step(number: int, steps: int = 60) -> Said:
    return replace(QUIET, reports=number, progress=Progress(number, steps, 1.0, 5.0, at=NOON))


def test_heartbeats_are_wanted_the_more_seldom_the_more_attempts_there_are() -> None:
    assert [wanted_pause_s(count) for count in (0, 100, 3_000, 60_000, 10**9)] == [0.5, 0.5, 15, 300, 600]


def test_what_comes_sooner_than_it_is_wanted_is_not_kept(scene: Stage, hearing: Hearing) -> None:
    _, attempt = running(scene)
    claim = AttemptClaim(attempt, 1)
    before = scene.storage.views.last_change()
    answers = []
    for _ in range(1_000):
        scene.clock.advance(0.001)
        answers.append(hearing.hear(claim, QUIET))

    assert answers[0] == Heard(is_kept=True, next_s=0.5)
    kept = [answer for answer in answers if isinstance(answer, Heard) and answer.is_kept]
    assert len(kept) <= 4
    assert [sign.beats for sign in scene.storage.views.life_signs()] == [len(kept)]
    assert scene.storage.views.last_change() == before


def test_news_is_kept_sooner_but_not_without_bound(scene: Stage, hearing: Hearing) -> None:
    _, attempt = running(scene)
    kept = 0
    for number in range(1_000):
        scene.clock.advance(0.01)
        heard = hearing.hear(AttemptClaim(attempt, 1), replace(QUIET, checkpoint_step=number))
        kept += isinstance(heard, Heard) and heard.is_kept
    assert kept <= 10 / CLOSEST_S + 1
    assert isinstance(hearing.hear(AttemptClaim(attempt, 1), step(60)), Heard)


def test_an_attempt_that_is_over_is_told_so(scene: Stage, hearing: Hearing) -> None:
    _, attempt = running(scene)
    assert isinstance(hearing.hear(AttemptClaim(attempt, 2), QUIET), Rejected)


def test_an_attempt_that_never_beat_is_let_be(scene: Stage, hearing: Hearing) -> None:
    job, _ = running(scene)
    Watched(scene, hearing).pass_by(1_000)
    assert scene.job(job).state is State.RUNNING


def test_an_attempt_whose_heartbeats_stop_is_ended_and_tried_again(scene: Stage, hearing: Hearing) -> None:
    job, attempt = running(scene)
    watched = Watched(scene, hearing)
    watched.pass_by(120, attempt)
    assert scene.job(job).state is State.RUNNING
    watched.pass_by(60)
    assert scene.job(job).state is State.RUNNING
    watched.pass_by(10)
    view = scene.job(job)
    assert (view.state, view.attempts[-1].stop_reason) == (State.STOPPING, StopReason.SILENT)
    assert "its latest heartbeat came 65 s before" in (view.refusal or "")
    scene.turn()
    scene.turn()
    assert scene.job(job).groups[0].failures == 1


def test_an_attempt_that_lives_and_stands_still_is_ended(scene: Stage, hearing: Hearing) -> None:
    job, attempt = running(scene)
    watched = Watched(scene, hearing)
    watched.pass_by(400, attempt, step(1))
    assert scene.job(job).attempts[-1].stop_reason is StopReason.STALLED


@pytest.mark.parametrize("said", [QUIET, replace(QUIET, reports=1)], ids=["reports nothing", "may stand still"])
def test_who_promised_no_progress_or_may_stand_still_is_let_be(scene: Stage, hearing: Hearing, said: Said) -> None:
    job = scene.submit(replace(make_spec(), stall_limit_s=None if said.reports else 300))
    scene.turn()
    Watched(scene, hearing).pass_by(2_000, scene.job(job).attempts[-1].id, said)
    assert scene.job(job).state is State.RUNNING


def test_a_server_that_could_not_hear_holds_it_against_nobody(scene: Stage, hearing: Hearing) -> None:
    job, attempt = running(scene)
    watched = Watched(scene, hearing)
    watched.pass_by(10, attempt)
    watched.is_deaf = True
    watched.pass_by(1_000)
    watched.is_deaf = False
    scene.clock.advance(3_600)  # a step that hung, or a machine that slept
    watched.watch.look()
    assert LONGEST_COUNTED_S < 60
    assert scene.job(job).state is State.RUNNING
    Watched(scene, hearing).pass_by(30)  # and one that was started anew
    assert scene.job(job).state is State.RUNNING
