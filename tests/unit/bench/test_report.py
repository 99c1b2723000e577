"""The form of a benchmark's answer."""

import json

import pytest

from bench.report import Limit, Measurement, document, exit_status


def run(*, goal: float, required: float) -> dict[str, object]:
    measurement = Measurement(
        figures={"p50_ms": 2.0},
        calibrators={"unit_ns": 60.0},
        goals=(Limit("p50_ms", "<=", goal),),
        required=(Limit("p50_ms", "<=", required),),
    )
    return document("sample", measurement, 1.23456)


def test_a_run_is_one_json_object_with_its_figures_and_verdicts() -> None:
    judged = json.loads(json.dumps(run(goal=1.0, required=3.0)))
    assert judged["bench"] == "sample"
    assert judged["figures"] == {"p50_ms": 2.0}
    assert judged["calibrators"] == {"unit_ns": 60.0}
    assert judged["goals"] == [{"figure": "p50_ms", "op": "<=", "limit": 1.0, "holds": False}]
    assert judged["required"] == [{"figure": "p50_ms", "op": "<=", "limit": 3.0, "holds": True}]
    assert judged["seconds"] == 1.2


@pytest.mark.parametrize(("goal", "required", "status"), [(3, 3, 0), (1, 3, 3), (3, 1, 4), (1, 1, 4)])
def test_a_missed_requirement_outweighs_a_missed_goal(goal: float, required: float, status: int) -> None:
    assert exit_status(run(goal=goal, required=required)) == status
