"""The planner over the followed state: the best cluster, what is ready ahead, and what is remembered."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.catalogue import MODELS
from scheduler.core.mixing.search.found import DoesNotFit
from scheduler.services.planning import plan_training
from scheduler.services.planning.asked import Asked, Trial, TriedPlan, UnknownName
from scheduler.services.planning.offer import offers_of
from scheduler.services.planning.plan_training import TrainingPlanner, losses_of
from scheduler.services.planning.problems import question_of
from tests.builders.api import ApiWorld, open_world

ASKED = Asked(Training(MODELS["gpt2-medium"], 64, 1024), "demo")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with open_world(tmp_path_factory.mktemp("planning")) as opened:
        yield opened


def a_planner(world: ApiWorld, **changes: Any) -> TrainingPlanner:
    return TrainingPlanner(world.context.followed, **changes)


def test_a_question_is_searched_once(world: ApiWorld) -> None:
    planner = a_planner(world, in_background=False)
    first, second = planner.plan(ASKED), planner.plan(ASKED)
    assert (first.was_known, second.was_known) == (False, True)
    assert [one.file.plan for one in first.plans] == [one.file.plan for one in second.plans]


def test_why_there_is_no_plan_is_searched_once_as_well(world: ApiWorld) -> None:
    planner = a_planner(world, in_background=False)
    asked = replace(ASKED, training=Training(MODELS["llama3-405b"], 64, 1024))
    first, second = planner.plan(asked), planner.plan(asked)
    assert isinstance(first.refusal, DoesNotFit)
    assert (first.was_known, second.was_known) == (False, True)
    assert second.refusal == first.refusal


def test_no_more_plans_are_told_than_are_asked_for(world: ApiWorld) -> None:
    answered = a_planner(world, in_background=False).plan(replace(ASKED, plans=1))
    assert len(answered.plans) == 1
    assert answered.why is None


def test_plans_for_the_loss_of_nodes_are_ready_before_they_are_lost(world: ApiWorld) -> None:
    planner = a_planner(world)
    planner.plan(ASKED)
    with world.context.followed.hold() as state:
        (offer,) = offers_of(state, "demo")
    losses = losses_of(question_of(ASKED, offer).problem)
    assert sorted(sum(pool.nodes for pool in one.pools) for one in losses) == [2, 2, 3, 3]
    planner.finish_readying()
    assert all(planner.is_ready_for(one) for one in losses)
    planner.close()


def test_a_fault_in_the_background_is_logged(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_problem: Problem) -> list[Problem]:
        raise RuntimeError("it is broken")

    monkeypatch.setattr(plan_training, "losses_of", fail)
    planner = a_planner(world)
    assert planner.plan(ASKED).plans
    with pytest.raises(RuntimeError):
        planner.finish_readying()
    planner.close()
    assert "plans for the loss of nodes could not be made ready" in caplog.text
    assert "it is broken" in caplog.text


def test_without_waiting_nothing_is_compared_with_it(world: ApiWorld) -> None:
    assert a_planner(world, in_background=False).plan(replace(ASKED, steps=100)).finishes == ()


def test_after_a_run_it_is_said_which_plan_to_try_next(world: ApiWorld) -> None:
    planner, asked = a_planner(world, in_background=False), replace(ASKED, plans=5)
    first = planner.plan(asked)
    plans = [one.file.plan for one in first.plans]
    assert first.trial is None
    assert len(plans) > 1
    slow = TriedPlan(plans[0], 3 * plans[0].prediction.step_s)
    trial = planner.plan(replace(asked, tried=(slow,))).trial
    assert trial is not None
    assert trial.best == 0
    assert trial.next in range(1, len(plans))
    runs = tuple(TriedPlan(plan, plan.prediction.step_s) for plan in plans)
    assert planner.plan(replace(asked, tried=runs)).trial == Trial(next=None, best=0)
    failed = tuple(TriedPlan(plan, None) for plan in plans)
    assert planner.plan(replace(asked, tried=failed)).trial == Trial(next=None, best=None)


def test_a_run_of_a_plan_that_is_none_of_the_best_counts_as_well(world: ApiWorld) -> None:
    planner = a_planner(world, in_background=False)
    (best,) = (one.file.plan for one in planner.plan(replace(ASKED, plans=1)).plans)
    other = replace(best, micro_batch=2 * best.micro_batch)
    quick = planner.plan(replace(ASKED, plans=1, tried=(TriedPlan(other, best.prediction.step_s / 100),))).trial
    assert quick == Trial(next=None, best=0)
    slow = planner.plan(replace(ASKED, plans=1, tried=(TriedPlan(other, 100 * best.prediction.step_s),))).trial
    assert slow == Trial(next=0, best=0)


def test_what_is_named_and_is_not_there_is_refused_by_its_kind(world: ApiWorld) -> None:
    planner = a_planner(world, in_background=False)
    with pytest.raises(UnknownName, match="there is no chip type h900") as caught:
        planner.plan(replace(ASKED, chips=("h100-sxm", "h900")))
    assert caught.value.known == ["h100-sxm", "mi300x"]
    with pytest.raises(UnknownName, match="there is no cluster east"):
        planner.plan(replace(ASKED, cluster="east"))
