import signal
import sys
from pathlib import Path

import pytest

from tests.builders.eventually import eventually
from tests.builders.runtime import WorkerApi, gang_documents, launch_document, running_gang, serving


def command(*argv: str) -> dict[str, object]:
    return {"kind": "command", "argv": list(argv)}


def test_two_workers_see_one_meeting_point_and_their_own_ranks(tmp_path: Path) -> None:
    script = "echo $RANK $WORLD_SIZE $LOCAL_RANK $MASTER_ADDR:$MASTER_PORT $MEDLEY_CHIP $COLOUR"
    with serving(WorkerApi()) as api:
        documents = gang_documents(2, api_url=api.url, program=command("sh", "-c", script))
        with running_gang(tmp_path, documents, COLOUR="blue", RANK="9") as workers:
            assert [worker.wait() for worker in workers] == [0, 0]

    assert [worker.output for worker in workers] == [f"{rank} 2 0 {api.address} h100-sxm blue\n" for rank in (0, 1)]


def test_a_lone_worker_needs_no_api(tmp_path: Path) -> None:
    document = launch_document(program=command("sh", "-c", "echo $RANK $WORLD_SIZE $MASTER_ADDR; test $MASTER_PORT"))
    with running_gang(tmp_path, [document]) as workers:
        assert workers[0].wait() == 0

    assert workers[0].output == "0 1 127.0.0.1\n"


def test_exit_code_and_signals_are_the_commands_own(tmp_path: Path) -> None:
    failing = launch_document(program=command("sh", "-c", "exit 42"))
    trapping = launch_document(
        program=command("sh", "-c", "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done")
    )
    with running_gang(tmp_path, [failing, trapping]) as workers:
        assert workers[0].wait() == 42
        eventually(lambda: workers[1].output == "up\n", within_s=60)
        workers[1].process.send_signal(signal.SIGTERM)
        assert workers[1].wait() == 7

    assert workers[1].output == "up\nbye\n"


def test_a_broken_pipe_ends_a_program_as_it_does_in_a_shell(tmp_path: Path) -> None:
    document = launch_document(program=command("sh", "-c", "yes | head -n 1"))
    with running_gang(tmp_path, [document]) as workers:
        assert workers[0].wait() == 0

    assert workers[0].output == "y\n"


def test_torch_is_not_imported_for_a_command(tmp_path: Path) -> None:
    document = launch_document(program=command("true"))
    with running_gang(tmp_path, [document], PYTHONVERBOSE="1") as workers:
        assert workers[0].wait() == 0

    assert "import 'medley_runtime.user_command'" in workers[0].output
    assert "import 'torch" not in workers[0].output


@pytest.mark.parametrize(
    ("changes", "want_code", "want_text"),
    [
        ({"version": 9}, 2, "version is 9"),
        ({"program": command("no-such-program")}, 127, "'no-such-program' was not found"),
        ({"program": command("/")}, 126, "'/' cannot be executed"),
    ],
)
def test_what_cannot_start_says_so_in_one_line(
    tmp_path: Path, changes: dict[str, object], want_code: int, want_text: str
) -> None:
    with running_gang(tmp_path, [launch_document(**changes)]) as workers:
        assert workers[0].wait() == want_code

    assert want_text in workers[0].output
    assert workers[0].output.startswith("medley_runtime: ")
    assert workers[0].output.count("\n") == 1


def test_a_users_own_process_group_can_be_built_from_the_variables(tmp_path: Path) -> None:
    program = tmp_path / "sum.py"
    program.write_text(
        "import warnings; warnings.simplefilter('ignore')\n"
        "import torch, torch.distributed as dist\n"
        "dist.init_process_group('gloo')\n"
        "ones = torch.ones(1)\n"
        "dist.all_reduce(ones)\n"
        "print('sum', int(ones))\n"
        "dist.destroy_process_group()\n"
    )
    with serving(WorkerApi()) as api:
        documents = gang_documents(2, api_url=api.url, program=command(sys.executable, str(program)))
        with running_gang(tmp_path, documents) as workers:
            codes = [worker.wait() for worker in workers]

    assert codes == [0, 0]
    assert all(worker.output.endswith("sum 2\n") for worker in workers)
