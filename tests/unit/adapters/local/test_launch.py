import json
from dataclasses import replace
from pathlib import Path

from scheduler.adapters.local.launch import Runtime, launch_documents, prepare_worker, worker_environment
from scheduler.adapters.local.supervisor.records import Plan
from scheduler.core.model.job import ArrayMember, ReferenceTraining
from scheduler.ports.cluster import GangOrder
from tests.builders.cluster import ATTEMPT, order

CHECKPOINTS = Path("/data/checkpoints/job-1")
RUNTIME = Runtime.of(
    ("/opt/python/bin/python", "-m", "medley_runtime"), {"PATH": "/usr/bin", "SECRET": "x", "TZ": "UTC"}
)


def prepared(folder: Path, given: GangOrder) -> None:
    prepare_worker(folder, given, 0, RUNTIME, document=launch_documents(given, CHECKPOINTS)[0])


def test_a_worker_is_told_who_it_is() -> None:
    document = launch_documents(order("wait", workers=2), CHECKPOINTS)[1]

    assert document == {
        "version": 3,
        "job": "0a1b2c3d4e5f6g7h",
        "job_name": "test",
        "tenant": "demo",
        "attempt": ATTEMPT,
        "attempt_number": 1,
        "generation": 1,
        "rank": 1,
        "world_size": 2,
        "node": "test/n1",
        "chip": "h100-sxm",
        "torch_device": "cuda",
        "devices": [1],
        "devices_are_simulated": True,
        "api_url": "http://127.0.0.1:8080",
        "token": "a-token",
        "grace_s": 10,
        "program": {"kind": "command", "argv": ["wait"]},
        "roles": {"worker": {"world_size": 2}},
        "role": "worker",
        "role_rank": 1,
        "program_rank": 1,
        "checkpoints": {"folder": "/data/checkpoints/job-1", "interval_s": 300, "keep": 2},
    }


def test_the_reference_training_is_told_its_numbers() -> None:
    given = order()
    program = ReferenceTraining(60, 8, 64, 64, 2, 2, 0.003, 1)
    spec = replace(given.job.spec, program=program)

    document = launch_documents(replace(given, job=replace(given.job, spec=spec)), CHECKPOINTS)[0]

    assert document["program"] == {
        "kind": "reference-training",
        "steps": 60,
        "batch": 8,
        "sequence": 64,
        "width": 64,
        "layers": 2,
        "heads": 2,
        "learning_rate": 0.003,
        "seed": 1,
    }


def test_the_environment_is_an_allow_list_with_the_jobs_own_on_top() -> None:
    environment = worker_environment(Path("/d/0"), RUNTIME, {"LANG": "de_DE", "EPOCHS": "3"})

    assert environment == {
        "PATH": "/opt/python/bin:/usr/bin",
        "HOME": "/d/0/scratch",
        "LANG": "de_DE",
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
        "EPOCHS": "3",
        "MEDLEY_LAUNCH": "/d/0/launch.json",
    }


def test_the_launch_document_is_for_the_worker_only(tmp_path: Path) -> None:
    prepared(tmp_path / "0", order("print", "é\n€"))

    path = tmp_path / "0" / "launch.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["program"]["argv"] == ["print", "é\n€"]


def test_one_of_an_array_finds_its_number_in_its_environment(tmp_path: Path) -> None:
    given = order("wait")
    spec = replace(given.job.spec, array=ArrayMember("a1", "sweep", 3, 10))

    prepared(tmp_path / "0", replace(given, job=replace(given.job, spec=spec)))

    found = Plan.read(str(tmp_path / "0")).environment
    numbers = {name: value for name, value in found.items() if name.startswith("MEDLEY_ARRAY")}
    assert numbers == {"MEDLEY_ARRAY_ID": "a1", "MEDLEY_ARRAY_INDEX": "3", "MEDLEY_ARRAY_COUNT": "10"}


def test_the_plan_survives_every_character(tmp_path: Path) -> None:
    given = order("wait")
    spec = replace(given.job.spec, environment=(("A", "x=\n€ 'y'"), ("EMPTY", "")), time_limit_s=5, grace_s=3)

    prepared(tmp_path / "0", replace(given, job=replace(given.job, spec=spec)))

    plan = Plan.read(str(tmp_path / "0"))
    assert plan.argv == ["/opt/python/bin/python", "-m", "medley_runtime"]
    assert (plan.environment["A"], plan.environment["EMPTY"]) == ("x=\n€ 'y'", "")
    assert (plan.limits.memory_mib, plan.limits.time_limit_s, plan.limits.grace_s) == (4096, 5, 3)
