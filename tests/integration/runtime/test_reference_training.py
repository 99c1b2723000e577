import re
import signal
from contextlib import ExitStack
from pathlib import Path

from tests.builders.eventually import eventually
from tests.builders.runtime import (
    RunningWorker,
    WorkerApi,
    gang_documents,
    launch_document,
    reference_training,
    running_gang,
    serving,
)

LOSS_BAR = 2.8
"""Five seeds ended between 2.43 and 2.47, from above 5.5."""
ENDLESS = reference_training(steps=10_000_000)


def digests(worker: RunningWorker) -> list[str]:
    return re.findall(r"^rank \d weights sha256=([0-9a-f]{16})$", worker.output, re.MULTILINE)


def test_four_workers_learn_together_and_end_with_the_same_weights(tmp_path: Path) -> None:
    with serving(WorkerApi()) as api:
        documents = gang_documents(4, api_url=api.url, program=reference_training())
        with running_gang(tmp_path, documents) as workers:
            codes = [worker.wait() for worker in workers]

    assert codes == [0, 0, 0, 0]
    assert [len(digests(worker)) for worker in workers] == [1, 1, 1, 1]
    assert len({digests(worker)[0] for worker in workers}) == 1
    first, last = api.progress[0], api.progress[-1]
    assert (first["step"], last["step"], last["steps"]) == (1, 60, 60)
    assert first["loss"] > 5.4
    assert last["loss"] < LOSS_BAR
    assert last["tokens_per_s"] > 0
    assert "Warning" not in "".join(worker.output for worker in workers)
    assert workers[1].output.splitlines()[0] == "rank 1 of 4 on mixed/nvidia-1: h100-sxm, simulated on CPU"


def test_all_ranks_without_a_program_of_their_own_learn_together(tmp_path: Path) -> None:
    roles = {
        "worker": {"world_size": 2},
        "launcher": {"world_size": 1, "program": {"kind": "command", "argv": ["sh", "-c", "echo beside $WORLD_SIZE"]}},
        "reader": {"world_size": 1},
    }
    gang = {"version": 2, "world_size": 4, "roles": roles, "program": reference_training(steps=3)}
    places = [("worker", 0, 0), ("worker", 1, 1), ("launcher", 0, 0), ("reader", 0, 2)]
    with serving(WorkerApi()) as api:
        documents = [
            launch_document(**gang, api_url=api.url, rank=rank, role=role, role_rank=in_role, program_rank=in_program)
            for rank, (role, in_role, in_program) in enumerate(places)
        ]
        documents[3] |= {"chip": None, "torch_device": "cpu", "devices": []}
        with running_gang(tmp_path, documents) as workers:
            codes = [worker.wait() for worker in workers]

    assert codes == [0, 0, 0, 0], [worker.output for worker in workers]
    assert len({digests(workers[rank])[0] for rank in (0, 1, 3)}) == 1
    assert workers[2].output == "beside 4\n"
    assert workers[3].output.splitlines()[0] == "rank 2 of 3 on mixed/nvidia-1: CPU"


def test_a_lone_trainer_with_a_command_beside_it_tells_where_it_is(tmp_path: Path) -> None:
    command = {"kind": "command", "argv": ["sh", "-c", "echo at $MASTER_ADDR"]}
    roles = {"worker": {"world_size": 1}, "launcher": {"world_size": 1, "program": command}}
    gang = {"version": 2, "world_size": 2, "roles": roles, "role_rank": 0, "program_rank": 0}
    with serving(WorkerApi()) as api:
        documents = [
            launch_document(**gang, api_url=api.url, rank=rank, role=role, program=reference_training(steps=3))
            for rank, role in enumerate(roles)
        ]
        with running_gang(tmp_path, documents) as workers:
            codes = [worker.wait() for worker in workers]

    assert codes == [0, 0], [worker.output for worker in workers]
    assert workers[1].output == "at 127.0.0.1\n"


def test_the_same_seed_gives_the_same_weights_and_a_lone_worker_needs_no_rendezvous(tmp_path: Path) -> None:
    with serving(WorkerApi()) as api:
        document = launch_document(api_url=api.url, program=reference_training(steps=3))
        with running_gang(tmp_path, [document, document]) as workers:
            assert [worker.wait() for worker in workers] == [0, 0]

    assert digests(workers[0]) == digests(workers[1])
    assert not any("rendezvous" in request for request in api.requests)


def test_when_a_worker_is_killed_the_others_end_and_say_why(tmp_path: Path) -> None:
    with serving(WorkerApi()) as api:
        documents = gang_documents(3, api_url=api.url, program=ENDLESS)
        with running_gang(tmp_path, documents) as workers:
            eventually(lambda: bool(api.progress), within_s=60)
            workers[1].process.kill()
            codes = [workers[rank].wait(30) for rank in (0, 2)]

    assert codes == [1, 1]
    for rank in (0, 2):
        assert "most likely another worker has ended" in workers[rank].output
        assert "Traceback" not in workers[rank].output


def test_a_worker_that_is_asked_to_end_does_so_whatever_it_waits_for(tmp_path: Path) -> None:
    with serving(WorkerApi()) as api:
        documents = gang_documents(2, api_url=api.url, program=ENDLESS)
        with running_gang(tmp_path, documents[:1]) as workers:  # rank 1 never comes
            eventually(lambda: bool(api.address), within_s=60)
            workers[0].process.send_signal(signal.SIGTERM)
            code = workers[0].wait(5)

    assert code == 143
    assert "rank 0 was asked to end (SIGTERM)" in workers[0].output


def test_workers_wait_for_an_api_that_comes_up_later(tmp_path: Path) -> None:
    with serving(WorkerApi()) as gone:
        url = gone.url
    documents = gang_documents(2, api_url=url, program=reference_training(steps=2))
    with running_gang(tmp_path, documents) as workers:
        eventually(lambda: all("trying on" in worker.output for worker in workers), within_s=60)
        with serving(WorkerApi(), int(url.rpartition(":")[2])) as api:
            assert [worker.wait() for worker in workers] == [0, 0]

    assert [report["step"] for report in api.progress][-1] == 2


def test_a_training_goes_on_while_the_api_is_restarted(tmp_path: Path) -> None:
    api = WorkerApi()
    with ExitStack() as stack:
        with serving(api):
            documents = gang_documents(2, api_url=api.url, program=reference_training(steps=150))
            workers = stack.enter_context(running_gang(tmp_path, documents))
            eventually(lambda: bool(api.progress), within_s=60)
        seen = len(api.progress)
        with serving(api, int(api.url.rpartition(":")[2])):
            assert [worker.wait() for worker in workers] == [0, 0]

    assert len(api.progress) > seen
    assert api.progress[-1]["step"] == 150


def test_a_closed_attempt_ends_the_workers_before_and_during_the_training(tmp_path: Path) -> None:
    with serving(WorkerApi(is_closed=True)) as api:
        documents = gang_documents(2, api_url=api.url, program=ENDLESS)
        with running_gang(tmp_path, documents) as workers:
            assert [worker.wait() for worker in workers] == [4, 4]

    with serving(WorkerApi()) as api:
        document = launch_document(api_url=api.url, program=ENDLESS)
        with running_gang(tmp_path, [document]) as workers:
            eventually(lambda: bool(api.progress), within_s=60)
            api.is_closed = True
            assert workers[0].wait() == 4

    assert "attempt-1 was cancelled" in workers[0].output


def test_a_real_device_that_is_missing_ends_the_worker_with_its_name(tmp_path: Path) -> None:
    document = launch_document(devices_are_simulated=False, torch_device="npu", program=ENDLESS)
    with running_gang(tmp_path, [document]) as workers:
        assert workers[0].wait() == 1

    assert "needs torch_npu" in workers[0].output
