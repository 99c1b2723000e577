"""Trainings that save themselves, are killed or asked to end, and resume."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.builders.eventually import eventually
from tests.builders.runtime import (
    Json,
    RunningWorker,
    WorkerApi,
    gang_documents,
    reference_training,
    running_gang,
    serving,
    with_checkpoints,
)

STEPS = 250
PROGRAM = reference_training(steps=STEPS, seed=5)
ENDLESS = reference_training(steps=10_000_000)


def documents(folder: Path, api: WorkerApi, world_size: int = 2, **changes: Any) -> list[Json]:
    given = {"program": PROGRAM, **with_checkpoints(folder, world_size=world_size), **changes}
    given.pop("world_size")
    return gang_documents(world_size, **given, api_url=api.url)


def run_to_the_end(folder: Path, api: WorkerApi, wanted: list[Json]) -> RunningWorker:
    with running_gang(folder, wanted) as workers:
        codes = [worker.wait(120) for worker in workers]
    assert codes == [0] * len(wanted), [worker.output for worker in workers]
    return workers[0]


def digest(worker: RunningWorker) -> str:
    found = re.search(r"weights sha256=([0-9a-f]{16})$", worker.output, re.MULTILINE)
    assert found, worker.output
    return found[1]


def whole(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name.startswith("step-"))


def test_a_killed_training_resumes_where_it_was_saved_and_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with serving(WorkerApi()) as api:
        undisturbed = run_to_the_end(tmp_path, api, gang_documents(2, program=PROGRAM, api_url=api.url))
        undisturbed_digest, undisturbed_loss = digest(undisturbed), api.progress[-1]["loss"]
    with serving(WorkerApi()) as api:
        given = documents(kept, api, attempt_number=1, program=reference_training(steps=STEPS, seed=5))
        with running_gang(tmp_path, given) as workers:
            eventually(lambda: bool(api.checkpoints), within_s=60)
            workers[1].process.kill()
            assert workers[0].wait() == 1
    assert api.checkpoints
    with serving(WorkerApi()) as api:
        resumed = run_to_the_end(tmp_path, api, documents(kept, api, attempt_number=2))

    found = re.search(r"^resuming from step (\d+), saved by attempt 1$", resumed.output, re.MULTILINE)
    assert found
    assert api.progress[0]["step"] == int(found[1]) + 1
    assert api.progress[-1]["loss"] == pytest.approx(undisturbed_loss, abs=1e-6)
    assert digest(resumed) == undisturbed_digest


def test_a_training_that_is_asked_to_end_saves_first_and_goes_on_with_another_number_of_workers(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with serving(WorkerApi()) as api:
        with running_gang(tmp_path, documents(kept, api, program=ENDLESS, attempt_number=1)) as workers:
            eventually(lambda: len(api.progress) > 1, within_s=60)
            workers[0].process.terminate()  # the other ranks hear of it from this one
            codes = [worker.wait(30) for worker in workers]
        assert codes == [143, 143], [worker.output for worker in workers]
        assert "rank 0 was asked to end (SIGTERM); saving first" in workers[0].output
        (step,) = re.findall(r"rank 0 saved step (\d+) and ends", workers[0].output)
        assert api.checkpoints[-1] == int(step)
    with serving(WorkerApi()) as api:
        longer = reference_training(steps=int(step) + 5)
        other = run_to_the_end(tmp_path, api, documents(kept, api, 3, attempt_number=2, program=longer))

    assert f"resuming from step {step}, saved by attempt 1" in other.output


def test_a_training_that_cannot_save_in_time_ends_within_its_grace(tmp_path: Path) -> None:
    with serving(WorkerApi()) as api:
        given = documents(tmp_path / "kept", api, program=ENDLESS, grace_s=1)
        with running_gang(tmp_path, given) as workers:
            eventually(lambda: len(api.progress) > 1, within_s=60)
            workers[1].process.send_signal(19)  # it stands still, and so does all that rank 0 waits for
            workers[0].process.terminate()
            code = workers[0].wait(5)

    assert code == 143
    assert "could not save within its grace of 1 s" in workers[0].output


def test_no_more_are_kept_than_the_job_says_and_nothing_half_written(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    left = kept / ".partial-step-000000000001-attempt-1.1"
    left.mkdir(parents=True)
    with serving(WorkerApi()) as api:
        given = documents(kept, api, 1, program=ENDLESS, attempt_number=2)
        with running_gang(tmp_path, given) as workers:
            eventually(lambda: len(api.checkpoints) > 3, within_s=60)
            workers[0].process.terminate()
            assert workers[0].wait(30) == 143

    assert len(whole(kept)) == 2
    assert not left.exists()


def test_a_place_that_vanishes_or_cannot_be_written_to_stops_no_training(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with serving(WorkerApi()) as api, running_gang(tmp_path, documents(kept, api, 1, program=ENDLESS)) as workers:
        eventually(lambda: bool(api.checkpoints), within_s=60)
        eventually(lambda: _is_now_a_file(kept), within_s=60)
        eventually(lambda: "a checkpoint was not saved" in workers[0].output, within_s=30)
        kept.unlink()
        before = len(api.checkpoints)
        eventually(lambda: len(api.checkpoints) > before, within_s=30)

    told = workers[0].output.count("a checkpoint was not saved")
    assert told in (1, 2), "a row of failures is told once, and what was being saved when the place went is another one"
    assert "Traceback" not in workers[0].output


def _is_now_a_file(folder: Path) -> bool:
    """Put a file in the place of a folder in which somebody else writes meanwhile, and may make it again."""
    with suppress(FileNotFoundError):
        folder.rename(folder.with_name(f"moved-{len(list(folder.parent.iterdir()))}"))
    with suppress(IsADirectoryError):
        folder.write_text("no folder any more")
    return folder.is_file()


def test_damaged_checkpoints_are_passed_over_for_older_ones(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with serving(WorkerApi()) as api:
        with running_gang(tmp_path, documents(kept, api, 1, program=ENDLESS, attempt_number=1)) as workers:
            eventually(lambda: len(api.checkpoints) > 1, within_s=60)
            workers[0].process.kill()
            workers[0].wait()
        older, newer = whole(kept)
        for part in (kept / newer).glob("*.distcp"):
            part.write_bytes(b"")
        step = int(older.split("-")[1])
        shorter = reference_training(steps=step + 2)
        worker = run_to_the_end(tmp_path, api, documents(kept, api, 1, attempt_number=2, program=shorter))
        assert f"{newer} cannot be read" in worker.output
        assert f"resuming from step {step}, saved by attempt 1" in worker.output

        for entry in kept.iterdir():
            (entry / ".metadata").write_bytes(b"")
        anew = run_to_the_end(
            tmp_path, api, documents(kept, api, 1, attempt_number=3, program=reference_training(steps=2))
        )
    assert "no checkpoint can be read, so the training begins anew" in anew.output


def test_a_checkpoint_of_another_model_is_not_mistaken_for_ones_own(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with serving(WorkerApi()) as api:
        with running_gang(tmp_path, documents(kept, api, 1, program=ENDLESS)) as workers:
            eventually(lambda: bool(api.checkpoints), within_s=60)
            workers[0].process.kill()
            workers[0].wait()
        with running_gang(tmp_path, documents(kept, api, 1, program=reference_training(width=32))) as others:
            code = others[0].wait()

    assert code == 1
    assert "is a checkpoint of another model" in others[0].output
