"""The reference server as a process: it listens, becomes ready, goes on with texts, and ends as it is asked to."""

import http.client
import json
import re
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.builders.eventually import eventually
from tests.builders.runtime import RunningWorker, WorkerApi, launch_document, reference_training, running_gang, serving

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def document(port: int, *, folder: Path | None = None, **changes: Any) -> dict[str, Any]:
    program = {"kind": "reference-serving", "folder": None if folder is None else str(folder), "seed": 1}
    own = {"role": "worker", "role_rank": 0, "program_rank": 0, "roles": {"worker": {"world_size": 1}}}
    listens = {"serving": {"host": HOST, "port": port, "readiness_path": "/health"}}
    return launch_document(version=4, checkpoints=None, program=program, **own, **listens, **changes)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def ready(port: int, worker: RunningWorker) -> bool:
    assert worker.process.poll() is None, worker.output
    try:
        return ask(port, "GET", "/health") == (200, {"ready": True})
    except OSError:
        return False


def test_it_is_ready_with_fresh_weights_answers_and_ends_cleanly(tmp_path: Path) -> None:
    port = free_port()
    with running_gang(tmp_path, [document(port)]) as (worker,):
        eventually(lambda: ready(port, worker), within_s=60, what="the server is ready")
        assert ask(port, "GET", "/ready") == (200, {"ready": True})
        assert ask(port, "GET", "/") == (200, {"job": "first", "attempt": "attempt-1", "weights": "fresh"})
        status, answer = ask(port, "POST", "/generate", {"prompt": "Once", "tokens": 5, "seed": 3})
        assert (status, answer["tokens"], answer["weights"]) == (200, 5, "fresh")
        assert ask(port, "POST", "/generate", {"prompt": "Once", "tokens": 5, "seed": 3})[1] == answer
        for bad in ({}, {"prompt": 1}, {"prompt": "", "tokens": 0}, {"prompt": "", "tokens": 257}, [1], "x"):
            assert ask(port, "POST", "/generate", bad)[0] == 400
        assert ask(port, "GET", "/other")[0] == 404
        worker.process.send_signal(signal.SIGTERM)
        assert worker.wait() == 0
    assert "asked to end (SIGTERM); finishing what was begun" in worker.output
    assert "all requests were answered" in worker.output


def test_it_serves_the_newest_checkpoint_of_a_training(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    with serving(WorkerApi()) as api:
        training = launch_document(
            version=3,
            api_url=api.url,
            program=reference_training(steps=10_000_000, sequence=32),
            roles={"worker": {"world_size": 1}},
            role="worker",
            role_rank=0,
            program_rank=0,
            checkpoints={"folder": str(shelf), "interval_s": 1, "keep": 2},
        )
        with running_gang(made(tmp_path / "training"), [training]) as (trainer,):
            eventually(lambda: re.search(r"saved step", trainer.output), within_s=60, what="a checkpoint is saved")
            trainer.process.send_signal(signal.SIGTERM)
            trainer.wait()
    saved = re.findall(r"saved step (\d+)", trainer.output)[-1]
    port = free_port()
    with running_gang(made(tmp_path / "server"), [document(port, folder=shelf)]) as (worker,):
        eventually(lambda: ready(port, worker), within_s=60, what="the server is ready")
        assert ask(port, "GET", "/")[1]["weights"] == f"step {saved}"
        worker.process.send_signal(signal.SIGTERM)
        assert worker.wait() == 0


@pytest.mark.parametrize("is_taken", [False, True])
def test_what_it_cannot_do_without_ends_it_with_a_word(tmp_path: Path, is_taken: bool) -> None:  # noqa: FBT001
    empty = tmp_path / "empty"
    empty.mkdir()
    with socket.create_server((HOST, 0)) as taken:
        port = int(taken.getsockname()[1]) if is_taken else free_port()
        with running_gang(tmp_path, [document(port, folder=empty)]) as (worker,):
            assert worker.wait() == (6 if is_taken else 5)
    said = "nothing can listen on" if is_taken else "there is no checkpoint to serve in"
    assert said in worker.output
