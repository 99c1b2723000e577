"""What places are judged by, in the state that a server decides on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import ChipDefined
from scheduler.core.placement.scoring.configuration import Scoring
from scheduler.core.placement.scoring.weights import Weights
from scheduler.services.follow_changes import FollowedState
from scheduler.services.questions.check_state import check_state
from tests.builders.core import NOON, as_change
from tests.builders.database import make_chip
from tests.builders.stage import CHIP, Stage, stage

SCORING = Scoring(Weights(rarity=0.125), chip_values={"slow": 0.5}, headroom_devices={CHIP: 2})


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened


def is_judged_by_it(followed: FollowedState) -> bool:
    with followed.hold() as state:
        worth = state.placer.worth
        return (
            state.placer.weights == SCORING.weights
            and worth.headroom_devices == SCORING.headroom_devices
            and worth.values == {CHIP: 1.0, "slow": 0.5}
        )


def test_a_followed_state_judges_by_what_it_was_given(scene: Stage) -> None:
    assert is_judged_by_it(FollowedState(scene.storage.views, scene.clock, SCORING))


def test_a_state_that_is_loaded_anew_still_judges_by_it(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    followed = FollowedState(scene.storage.views, scene.clock, SCORING)
    before = followed.change
    scene.storage.directory.define_chips([make_chip("slow")], NOON)

    def refuse(*_: Any) -> None:
        raise ValueError("this does not apply")

    with monkeypatch.context() as patched, followed.hold() as old:
        patched.setattr(SchedulerState, "apply", refuse)
        followed.follow()
    with followed.hold() as new:
        assert new is not old
    assert followed.change > before
    assert is_judged_by_it(followed)


def test_a_chip_type_that_is_defined_while_the_server_runs_is_valued(scene: Stage) -> None:
    rates = {CHIP: make_chip(CHIP).planning_tflops, "swift": 10_000.0}
    scene.storage.directory.define_chips([make_chip("swift", measured_tflops=rates["swift"])], NOON)
    scene.followed.follow()
    with scene.followed.hold() as state:
        assert state.placer.worth.values == {
            CHIP: pytest.approx((rates[CHIP] or 0) / 10_000.0),
            "swift": 1.0,
        }
    assert check_state(scene.followed, scene.storage.views).is_equal


def test_a_check_names_a_chip_type_that_is_not_the_same(scene: Stage) -> None:
    with scene.followed.hold() as state:
        state.apply(as_change(ChipDefined(make_chip(CHIP, measured_tflops=1.0))))
    found = check_state(scene.followed, scene.storage.views)
    assert found.differences == (f"chip type {CHIP} is not the same",)
