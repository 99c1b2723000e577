"""Scripts of a user's own: `medley_runtime run`, and what they say with `medley_runtime.job`."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.builders.eventually import eventually
from tests.builders.runtime import (
    Json,
    WorkerApi,
    gang_documents,
    launch_document,
    running_gang,
    serving,
    with_checkpoints,
)

TRAINING = """
import sys, time
from medley_runtime import job

latest = job.latest_checkpoint()
first = int((latest / "step").read_text()) if latest else 0
print("from", first, flush=True)
for step in range(first + 1, 100_000):
    time.sleep(0.005)
    job.report(step, loss=1 / step)
    if job.should_checkpoint():
        with job.new_checkpoint(step) as folder:
            (folder / "step").write_text(str(step))
    if job.should_stop():
        print("stopped at", step, flush=True)
        sys.exit(job.STOPPED)
    if len(sys.argv) > 1 and step == first + int(sys.argv[1]):
        break
"""
GANG = """
import sys, warnings; warnings.simplefilter("ignore")
import torch.distributed as dist
from medley_runtime import job
dist.init_process_group("gloo")
for step in range(1, 1_000_000):
    dist.barrier()
    if job.should_checkpoint():
        print("saves", step, flush=True)
    if job.should_stop():
        sys.exit(job.STOPPED)
"""


def run(*argv: str) -> Json:
    return {"kind": "command", "argv": [sys.executable, "-m", "medley_runtime", "run", "--", *argv]}


def python(*argv: str) -> Json:
    return {"kind": "command", "argv": [sys.executable, *argv]}


def alone(script: Path, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script without Medley."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEDLEY_")}
    command = [sys.executable, "-m", "medley_runtime", "run", "--", sys.executable, str(script), *argv]
    return subprocess.run(
        command, env={**clean, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def script(folder: Path, text: str) -> Path:
    path = folder / "script.py"
    path.write_text(text)
    return path


def test_outside_of_medley_the_same_line_runs_alone_and_what_the_script_says_does_nothing(tmp_path: Path) -> None:
    checking = "import os; print(os.environ['RANK'], os.environ['WORLD_SIZE'], bool(os.environ['MASTER_PORT']))\n"
    done = alone(script(tmp_path, checking + TRAINING), "3", WORLD_SIZE="1")

    assert (done.returncode, done.stdout.splitlines()) == (0, ["0 1 True", "from 0"])
    assert done.stderr == ""


def test_a_command_that_is_missing_or_not_found_says_so() -> None:
    command = [sys.executable, "-m", "medley_runtime", "run"]
    usage = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    unknown = subprocess.run([*command, "--", "no-such"], capture_output=True, text=True, timeout=60, check=False)

    assert (usage.returncode, unknown.returncode) == (2, 127)
    assert "usage: python -m medley_runtime run -- COMMAND" in usage.stderr
    assert "'no-such' was not found" in unknown.stderr


def test_a_script_that_knows_nothing_of_medley_beats_and_ends_as_it_likes(tmp_path: Path) -> None:
    says = "import os, time; print(os.environ['RANK'], os.environ['MEDLEY_JOB'], flush=True)"
    text = f"{says}; time.sleep(0.3); os._exit(7)"
    with serving(WorkerApi()) as api:
        document = launch_document(api_url=api.url, program=run(sys.executable, str(script(tmp_path, text))))
        with running_gang(tmp_path, [document]) as workers:
            assert workers[0].wait() == 7

    assert workers[0].output == "0 job-1\n"
    assert api.heartbeats[0]["reports"] == 0
    assert api.heartbeats[0]["memory_mib"] >= 0


def test_a_script_that_is_killed_takes_its_runner_with_it_by_the_same_signal(tmp_path: Path) -> None:
    text = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    with serving(WorkerApi()) as api:
        document = launch_document(api_url=api.url, program=run(sys.executable, str(script(tmp_path, text))))
        with running_gang(tmp_path, [document]) as workers:
            assert workers[0].wait() == -signal.SIGSEGV


def own_training(folder: Path, api: WorkerApi, program: Json, **changes: Any) -> Json:
    return launch_document(**{**with_checkpoints(folder / "kept"), "api_url": api.url, "program": program, **changes})


def test_a_script_reports_saves_stops_and_resumes(tmp_path: Path) -> None:
    path = str(script(tmp_path, TRAINING))
    with serving(WorkerApi()) as api:
        for number, program in enumerate((run(sys.executable, path), python(path)), start=1):
            enough = len(api.checkpoints) + 2  # from its first question on it may be asked to stop
            with running_gang(tmp_path, [own_training(tmp_path, api, program, attempt_number=number)]) as workers:
                eventually(lambda: "from" in workers[0].output, within_s=30)
                eventually(lambda wanted=enough: len(api.checkpoints) >= wanted, within_s=30)  # type: ignore[misc]
                workers[0].process.terminate()
                assert workers[0].wait() == 143
            stopped = int(workers[0].output.split("stopped at ")[1])
            assert api.checkpoints[-1] == stopped
        last = own_training(tmp_path, api, python(path, "2"), attempt_number=3)
        with running_gang(tmp_path, [last]) as workers:
            assert workers[0].wait() == 0

    assert workers[0].output == f"from {stopped}\n"
    assert api.progress[-1]["step"] == stopped + 2
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_loop_that_ends_well_although_it_was_asked_to_stop_has_not_succeeded(tmp_path: Path) -> None:
    hears = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))"
    text = f"{hears}; print('up', flush=True); signal.pause()"
    with serving(WorkerApi()) as api:
        document = launch_document(api_url=api.url, program=run(sys.executable, str(script(tmp_path, text))))
        with running_gang(tmp_path, [document]) as workers:
            eventually(lambda: workers[0].output == "up\n", within_s=30)
            workers[0].process.terminate()
            assert workers[0].wait() == 143


def test_all_ranks_of_a_script_save_and_stop_at_the_same_step(tmp_path: Path) -> None:
    with serving(WorkerApi()) as api:
        own = {**with_checkpoints(tmp_path / "kept", world_size=2), "program": python(str(script(tmp_path, GANG)))}
        own.pop("world_size")
        with running_gang(tmp_path, gang_documents(2, **own, api_url=api.url)) as workers:
            eventually(lambda: all(worker.output.count("saves") > 1 for worker in workers), within_s=60)
            workers[1].process.terminate()
            assert [worker.wait() for worker in workers] == [143, 143]

    assert workers[0].output == workers[1].output
