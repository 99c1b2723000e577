"""Plans of trainings over several chip types, asked over HTTP of what is free, and kept nowhere."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from scheduler.core.mixing.filing.plan_file import plan_schema, read_plan_file
from scheduler.core.model.tenant import Role
from scheduler.services.sync_inventory import InventorySync
from tests.builders.api import ApiWorld, chip_type, make_node, open_world

SMALL: dict[str, Any] = {"model": "gpt2-xl", "global_batch": 64, "sequence": 1024}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    """An API that is asked only: nothing in it changes."""
    with open_world(tmp_path_factory.mktemp("plans")) as opened:
        yield opened


def planned(world: ApiWorld, **changes: Any) -> Any:
    answer = world.client().post("/v1/plans", json=SMALL | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(world: ApiWorld, **changes: Any) -> Any:
    answer = world.client().post("/v1/plans", json=SMALL | changes)
    assert answer.status_code == 422, answer.text
    return answer.json()


def pointers(problem: Any) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]


def test_the_best_plan_comes_as_a_file_with_a_timeline_and_options(world: ApiWorld) -> None:
    found = planned(world)
    best = found["plans"][0]
    jsonschema_rs.validate(plan_schema(), best["plan"])
    file = read_plan_file(best["plan"])
    assert file.training.shape.layers == 48
    assert len(best["timeline"]["stages"]) == len(file.plan.stages)
    assert best["flagscale"]["arguments"] or best["flagscale"]["hindrances"]
    assert found["refusal"] is None
    steps = [one["plan"]["prediction"]["step_s"] for one in found["plans"]]
    assert steps == sorted(steps)


def test_simpler_ways_and_what_would_help_stand_beside_it(world: ApiWorld) -> None:
    found = planned(world)
    assert {one["way"] for one in found["comparisons"]} >= {"proportional", "even"}
    best_s = found["plans"][0]["plan"]["prediction"]["step_s"]
    for one in found["comparisons"]:
        assert one["plan"] is None or one["times_as_long"] == pytest.approx(one["plan"]["step_s"] / best_s)
    assert all(one["part_less"] > 0 for one in found["faster"])
    assert found["faster"] == sorted(found["faster"], key=lambda one: -one["part_less"])


def test_the_same_question_is_answered_from_memory(world: ApiWorld) -> None:
    first, second = planned(world, global_batch=96), planned(world, global_batch=96)
    assert (first["was_known"], second["was_known"]) == (False, True)
    assert first["plans"] == second["plans"]


def test_a_plan_keeps_to_its_chips_and_limits(world: ApiWorld) -> None:
    found = planned(world, chips=["mi300x"], limits={"devices": 3})
    devices = [one["plan"]["devices"] for one in found["plans"]]
    assert max(devices) <= 3
    assert {stage["chip"] for one in found["plans"] for stage in one["plan"]["stages"]} == {"mi300x"}


def test_one_free_chip_is_enough_where_the_model_fits_it(world: ApiWorld) -> None:
    best = planned(world, model="gpt2", limits={"devices": 1})["plans"][0]["plan"]
    assert (best["devices"], len(best["stages"])) == (1, 1)


def test_what_fits_nowhere_is_said_with_what_is_missing(world: ApiWorld) -> None:
    found = planned(world, model="llama3-405b", sequence=8192)
    assert found["plans"] == []
    assert found["refusal"]["why"] == "does_not_fit"
    assert found["refusal"]["missing_bytes"] > 1 << 30
    assert found["refusal"]["enough_devices"] > 32
    assert "does not fit into the memory of 32 devices" in found["text"]
    assert "devices would do" in found["text"]


def test_a_throughput_that_no_plan_reaches_is_said_with_the_best(world: ApiWorld) -> None:
    found = planned(world, limits={"tokens_per_s": 1e11})
    assert found["refusal"]["why"] == "too_slow"
    assert "No plan reaches 100,000,000,000 tokens/s. The best would be" in found["text"]


def test_of_a_stated_length_now_is_compared_with_later(world: ApiWorld) -> None:
    found = planned(world, steps=1000)
    assert found["finishes"][0]["starts_now"]
    ends = [one["latest"] for one in found["finishes"]]
    assert ends == sorted(ends)
    assert planned(world)["finishes"] == []


def test_a_plan_of_before_is_predicted_anew(world: ApiWorld) -> None:
    earlier = planned(world)["plans"][0]["plan"]
    assert planned(world, earlier=earlier)["earlier"]["step_s"] == pytest.approx(earlier["prediction"]["step_s"])
    assert planned(world, earlier=earlier, chips=["h100-sxm"], limits={"devices": 8})["earlier"] is None or (
        {stage["chip"] for stage in earlier["stages"]} == {"h100-sxm"}
    )


def test_runs_say_which_plan_is_worth_the_next_one(world: ApiWorld) -> None:
    found = planned(world)
    assert found["trial"] is None
    best = found["plans"][0]["plan"]
    trial = planned(world, tried=[{"plan": best, "step_s": 10 * best["prediction"]["step_s"]}])["trial"]
    assert trial["next"] in range(1, len(found["plans"]))
    assert trial["best"] == 0
    assert trial["text"].startswith(f"Plan {trial['next'] + 1} is worth a run. The quickest so far took ")
    failed = planned(world, tried=[{"plan": one["plan"], "step_s": None} for one in found["plans"]])["trial"]
    assert failed == {"next": None, "best": None, "text": "All of these plans were tried, and none ran."}
    assert pointers(refused(world, tried=[{"plan": {}, "step_s": 1}])) == ["/tried/0/plan"]
    assert pointers(refused(world, global_batch=32, tried=[{"plan": best, "step_s": 1}])) == ["/tried/0/plan/training"]
    assert pointers(refused(world, tried=[{"plan": best, "step_s": 0}])) == ["/tried/0/step_s"]


def test_a_plan_file_of_another_version_is_refused(world: ApiWorld) -> None:
    problem = refused(world, earlier={"format": "medley-plan", "version": 2})
    assert pointers(problem) == ["/earlier/version"]
    assert "plan files of version 1 are read here" in problem["detail"]


def test_a_plan_file_of_another_training_is_refused(world: ApiWorld) -> None:
    earlier = planned(world)["plans"][0]["plan"]
    assert pointers(refused(world, global_batch=32, earlier=earlier)) == ["/earlier/training"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"model": "gpt2-xxl"}, "/model"),
        ({"chips": ["h100-sxm", "h200"]}, "/chips/1"),
        ({"cluster": "nowhere"}, "/cluster"),
        ({"tflops": {"h200": 100}}, "/tflops/h200"),
        ({"tflops": {"h100-sxm": 0}}, "/tflops/h100-sxm"),
        ({"global_batch": 0}, "/global_batch"),
        ({"precision": "fp8"}, "/precision"),
        ({"model": {"layers": 4, "hidden": 100, "heads": 3, "feed_forward_width": 8, "vocabulary": 9}}, "/model/heads"),
        ({"model": {"layers": 513}}, "/model/layers"),
        ({"model": {"layers": 4}}, "/model/hidden"),
        ({"colour": 3}, "/colour"),
    ],
)
def test_what_cannot_be_planned_is_pointed_at(world: ApiWorld, changes: dict[str, Any], pointer: str) -> None:
    assert pointer in pointers(refused(world, **changes))


def test_a_name_that_is_nearly_one_is_hinted_at(world: ApiWorld) -> None:
    assert "did you mean gpt2-xl?" in refused(world, model="gpt2xl")["next"]


def test_an_unnamed_model_is_planned_by_its_shape(world: ApiWorld) -> None:
    shape = {"layers": 6, "hidden": 512, "heads": 8, "feed_forward_width": 2048, "vocabulary": 1000}
    best = planned(world, model=shape, limits={"devices": 2})["plans"][0]["plan"]
    assert best["training"]["shape"]["key_value_width"] == 512
    assert sum(stage["layers"] for stage in best["stages"]) == 6


def test_an_operator_plans_on_what_is_everybodys(world: ApiWorld) -> None:
    assert world.client(Role.OPERATOR).post("/v1/plans", json=SMALL).status_code == 200
    assert world.client(Role.VIEWER).post("/v1/plans", json=SMALL).status_code == 403


def test_what_runs_is_not_planned_with(tmp_path_factory: pytest.TempPathFactory) -> None:
    with open_world(tmp_path_factory.mktemp("held")) as held:
        held.submit(workers=2, devices_per_worker=8)
        held.step()
        found = planned(held, steps=100)
        assert [pool["chip"] for pool in found["offered"]] == ["mi300x"]
        later = [one for one in found["finishes"] if one["chips"] == ["h100-sxm"]]
        assert [one["starts_now"] for one in later] == [False]
        asked = SMALL | {"steps": 100}
        by_operator = held.client(Role.OPERATOR).post("/v1/plans", json=asked).json()
        assert [one["latest"] for one in by_operator["finishes"] if one["chips"] == ["h100-sxm"]] == [None]


def test_chips_whose_nodes_are_held_to_the_last_core_are_waited_for_as_well(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_world(tmp_path_factory.mktemp("full")) as full:
        full.submit(workers=2, devices_per_worker=8, cpu_milli=128_000)
        full.step()
        later = [one["chips"] for one in planned(full, steps=100)["finishes"] if not one["starts_now"]]
        assert later == [["h100-sxm"]]


@pytest.fixture(scope="module")
def scattered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    """Give a world with three of eight devices left on each node."""
    with open_world(tmp_path_factory.mktemp("scattered")) as opened:
        for chip in ("h100-sxm", "h100-sxm", "mi300x", "mi300x"):
            opened.submit(workers=1, devices_per_worker=5, chips=chip)
        opened.step()
        yield opened


BETWEEN_NODES = {"model": "llama2-7b", "global_batch": 4, "steps": 100, "network": {"node_gbit_s": 1}}


def test_only_what_is_free_can_start_now(scattered: ApiWorld) -> None:
    found = planned(scattered, **BETWEEN_NODES)
    assert {pool["chips_per_node"] for pool in found["offered"]} == {1}
    best_s = found["plans"][0]["plan"]["prediction"]["step_s"]
    assert all(one["plan"]["step_s"] >= best_s for one in found["finishes"] if one["starts_now"])


def test_what_is_waited_for_keeps_to_the_limits_as_well(scattered: ApiWorld) -> None:
    fast = BETWEEN_NODES | {"network": {"node_gbit_s": 200}}
    found = planned(scattered, **fast, limits={"devices": 3})
    assert [sum(one["plan"]["devices"].values()) for one in found["finishes"]] == [3] * len(found["finishes"])


def test_nothing_is_free_and_that_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    with open_world(tmp_path_factory.mktemp("none"), nodes=0) as none:
        assert planned(none)["text"] == "No such chip is free now."


def test_chips_without_the_precision_are_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    with open_world(tmp_path_factory.mktemp("old")) as old:
        directory, clock = old.context.directory, old.context.clock
        directory.define_chips([chip_type("v100-sxm-32")], clock.now())
        old.cluster.change_nodes([make_node("old-1", "v100-sxm-32")])
        InventorySync(directory, clock, old.cluster, kind="local").sync_once()
        found = planned(old, chips=["v100-sxm-32"])
        assert found["refusal"]["why"] == "no_precision"
        assert "has bf16: v100-sxm-32 does not" in found["text"]
        assert planned(old, chips=["v100-sxm-32"], precision="fp16")["plans"]


def test_measured_layers_of_a_family_count(world: ApiWorld) -> None:
    plain = planned(world, chips=["h100-sxm"], limits={"devices": 1, "micro_batch": 1})
    times = {"layer_forward_s": 0.01, "layer_backward_s": 0.02, "embedding_s": 0.0, "head_s": 0.01, "update_s": 0.0}
    place = "/v1/profiles/demo/xl/h100-sxm/1/1"
    assert world.client(Role.OPERATOR).put(place, json=times).status_code == 200
    measured = planned(world, chips=["h100-sxm"], limits={"devices": 1, "micro_batch": 1}, family="xl")
    assert (plain["profiles_used"], measured["profiles_used"]) == (0, 1)
    stage = measured["plans"][0]["plan"]["stages"][0]
    assert stage["forward_s"] == pytest.approx(48 * 0.01 + 0.01 / 3)
    assert not stage["is_estimate"]
