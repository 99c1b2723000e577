"""Gangs of commands of one's own that go on with other workers: they are started anew beside the process that stays."""

import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.builders.eventually import eventually
from tests.builders.runtime import (
    Json,
    RunningWorker,
    WorkerApi,
    gang_documents,
    running_gang,
    serving,
    with_checkpoints,
)

LEFT = 7
SCRIPT = """
import os, sys, time
import torch.distributed as dist
from medley_runtime import job

dist.init_process_group("gloo")
size = dist.get_world_size()
latest = job.latest_checkpoint()
first = int((latest / "step").read_text()) if latest else 0
print("rank", dist.get_rank(), "of", size, "from", first, flush=True)
for step in range(first + 1, 1_000_000):
    time.sleep(0.005)
    dist.barrier()
    job.report(step, loss=1 / step)
    if job.should_checkpoint():
        with job.new_checkpoint(step) as folder:
            if dist.get_rank() == 0:
                (folder / "step").write_text(str(step))
    if job.should_stop():
        sys.exit(job.STOPPED)
"""


def documents(
    kept: Path, api: WorkerApi, program: Json, *, generation: int, world_size: int, **changes: Any
) -> list[Json]:
    given = with_checkpoints(kept, interval_s=600, world_size=world_size)
    given.pop("world_size")
    one = {**given, "version": 5, "generation": generation, "attempt_number": 1, "program": program, **changes}
    return gang_documents(world_size, **one, api_url=api.url)


def generations_heard(api: WorkerApi) -> list[int]:
    return list(dict.fromkeys(beat["generation"] for beat in api.heartbeats))


def losses(api: WorkerApi, generation: int) -> list[float]:
    beats = [beat["progress"] for beat in api.heartbeats if beat["generation"] == generation]
    return [report["loss"] for report in beats if report is not None]


def left(worker: RunningWorker) -> None:
    assert worker.wait(60) == LEFT, worker.output
    assert re.search(r"rank \d leaves: its gang goes on with 1, as generation 2", worker.output)


def test_a_script_goes_on_with_one_of_its_two_workers_and_with_two_again(tmp_path: Path) -> None:
    kept, path = tmp_path / "kept", tmp_path / "script.py"
    path.write_text(SCRIPT)
    program: Json = {"kind": "command", "argv": [sys.executable, str(path)]}
    with serving(WorkerApi()) as api, ExitStack() as stack:
        two = documents(kept, api, program, generation=1, world_size=2)
        workers = stack.enter_context(running_gang(tmp_path, two))
        eventually(lambda: len(losses(api, 1)) > 2, within_s=90)
        api.called = (2, 1)
        left(workers[1])
        eventually(lambda: len(losses(api, 2)) > 2, within_s=90)
        (tmp_path / "later").mkdir()
        later = documents(kept, api, program, generation=3, world_size=2)[1:]
        new = stack.enter_context(running_gang(tmp_path / "later", later))
        api.called = (3, 2)
        eventually(lambda: len(losses(api, 3)) > 2, within_s=90)
        assert all(worker.process.poll() is None for worker in (workers[0], *new))
    assert generations_heard(api) == [1, 2, 3]
    steps = [report["step"] for report in api.progress]
    assert steps == sorted(steps)
    first, second, third = (losses(api, generation) for generation in (1, 2, 3))
    assert second[0] < first[0]
    assert third[0] < first[0]
    assert re.findall(r"rank 0 of (\d) from", workers[0].output) == ["2", "1", "2"]
