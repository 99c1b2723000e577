import json
from pathlib import Path
from typing import Any

import pytest
from medley_runtime.endings import BadLaunch
from medley_runtime.launch import Checkpoints, Command, Company, ReferenceTraining, parse_launch, read_launch

from tests.builders.runtime import TOKEN, launch_document, reference_training, with_checkpoints, with_roles


def test_a_document_with_a_command_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "launch.json"
    path.write_text(json.dumps(launch_document(program={"kind": "command", "argv": ["python", "train.py"]})))

    launch = read_launch({"MEDLEY_LAUNCH": str(path)})

    assert launch.program == Command(("python", "train.py"))
    assert (launch.attempt, launch.generation, launch.rank, launch.world_size) == ("attempt-1", 7, 0, 1)
    assert launch.devices == (2, 3)
    assert launch.devices_are_simulated is True


def test_a_document_with_the_reference_training_is_read_whole() -> None:
    launch = parse_launch(launch_document(program=reference_training(steps=5, learning_rate=1)))

    want = ReferenceTraining(5, 8, 64, 64, 2, 2, 1.0, 1)
    assert launch.program == want


def test_fields_of_a_later_server_are_left_alone() -> None:
    assert parse_launch(launch_document(queue="night")).job == "job-1"


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(parse_launch(launch_document()))


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"version": 6}, "version is 6, and this runtime knows 1 to 5"),
        ({"chip": None}, "chip is None, and str is wanted"),
        ({"device_count": -1}, "device_count is -1, and at least 0"),
        ({"version": True}, "version is True"),
        ({"rank": "0"}, "rank is '0', and int is wanted"),
        ({"rank": 1}, "ranks 0 to 0"),
        ({"rank": -1}, "ranks 0 to 0"),
        ({"world_size": 0}, "world_size is 0"),
        ({"world_size": True}, "world_size is True"),
        ({"devices": [0, "1"]}, "a list of int is wanted"),
        ({"devices_are_simulated": 1}, "bool is wanted"),
        ({"program": []}, "dict is wanted"),
        ({"program": {}}, "program.kind is missing"),
        ({"program": {"kind": "script"}}, "program.kind is 'script'"),
        ({"program": {"kind": "command", "argv": []}}, "program.argv names no program"),
        ({"program": {"kind": "command", "argv": [1]}}, "a list of str is wanted"),
        ({"program": reference_training(steps=0)}, "program.steps is 0"),
        ({"program": reference_training(heads=3)}, "cannot be shared out evenly"),
        ({"program": reference_training(learning_rate=0)}, "a number above 0 is wanted"),
        ({"program": reference_training(learning_rate=None)}, "a number above 0 is wanted"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], want: str) -> None:
    with pytest.raises(BadLaunch, match=want):
        parse_launch(launch_document(**changes))


@pytest.mark.parametrize("name", sorted(launch_document()))
def test_every_field_must_be_there(name: str) -> None:
    document = launch_document()
    del document[name]

    with pytest.raises(BadLaunch, match=f"{name} is missing"):
        parse_launch(document)


def test_a_place_for_checkpoints_is_read(tmp_path: Path) -> None:
    launch = parse_launch(launch_document(**with_checkpoints(tmp_path, interval_s=60, keep=3)))

    assert launch.checkpoints == Checkpoints(str(tmp_path), 60, 3)
    assert parse_launch(launch_document(**with_checkpoints(tmp_path))).in_program == Company(0, 1)
    assert parse_launch(launch_document(**{**with_checkpoints(tmp_path), "checkpoints": None})).checkpoints is None


@pytest.mark.parametrize(
    ("place", "want"),
    [
        ([], "dict is wanted"),
        ({"folder": "here", "interval_s": 1, "keep": 1}, "an absolute path is wanted"),
        ({"folder": "/x", "interval_s": 0, "keep": 1}, "checkpoints.interval_s is 0"),
        ({"folder": "/x", "interval_s": 1}, "checkpoints.keep is missing"),
    ],
)
def test_a_place_for_checkpoints_that_is_none_is_named(tmp_path: Path, place: object, want: str) -> None:
    with pytest.raises(BadLaunch, match=want):
        parse_launch(launch_document(**{**with_checkpoints(tmp_path), "checkpoints": place}))


def test_no_variable_no_file_and_no_json_each_say_so(tmp_path: Path) -> None:
    garbled = tmp_path / "garbled.json"
    garbled.write_text("{")

    for environment, want in (
        ({}, "MEDLEY_LAUNCH is not set"),
        ({"MEDLEY_LAUNCH": str(tmp_path / "none")}, "No such file"),
        ({"MEDLEY_LAUNCH": str(garbled)}, "garbled.json cannot be read"),
    ):
        with pytest.raises(BadLaunch, match=want):
            read_launch(environment)


def test_a_gang_without_roles_is_one_company() -> None:
    launch = parse_launch(launch_document(rank=1, world_size=4))

    assert (launch.role, launch.in_role, launch.in_program) == ("worker", Company(1, 4), Company(1, 4))
    assert (launch.device_count, launch.share_milli, launch.share_memory_mib) == (2, 0, 0)


def test_devices_that_the_cluster_picks_are_a_number() -> None:
    launch = parse_launch(launch_document(devices=[], device_count=8))

    assert (launch.devices, launch.device_count) == ((), 8)


def test_a_share_of_a_device_is_no_whole_device() -> None:
    launch = parse_launch(launch_document(**with_roles(), devices=[3], share_milli=250, share_memory_mib=8192))

    assert (launch.devices, launch.device_count) == ((3,), 0)
    assert (launch.share_milli, launch.share_memory_mib) == (250, 8192)


def test_a_worker_without_devices_has_no_chip() -> None:
    launch = parse_launch(launch_document(**with_roles(), chip=None, torch_device="cpu", devices=[]))

    assert (launch.chip, launch.device_count) == (None, 0)


def test_a_role_without_a_program_of_its_own_does_what_the_job_does_with_the_others() -> None:
    launch = parse_launch(launch_document(**with_roles("reader", rank=4, role_rank=0, program_rank=3)))

    assert launch.program == Command(("true",))
    assert (launch.rank, launch.world_size) == (4, 5)
    assert (launch.role, launch.in_role, launch.in_program) == ("reader", Company(0, 1), Company(3, 4))


def test_a_role_with_a_program_of_its_own_does_that_alone() -> None:
    launch = parse_launch(launch_document(**with_roles("launcher", rank=3, role_rank=0, program_rank=0)))

    assert launch.program == Command(("launch", "--all"))
    assert (launch.role, launch.in_role, launch.in_program) == ("launcher", Company(0, 1), Company(0, 1))


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"role": "driver"}, r"role is 'driver', which is not among the roles \(worker, launcher, reader\)"),
        ({"roles": {"worker": 3}}, "roles.worker is not a JSON object"),
        ({"roles": {"worker": {}}}, "roles.worker.world_size is missing"),
        ({"roles": {"worker": {"world_size": 5, "program": {"kind": "x"}}}}, "roles.worker.program.kind is 'x'"),
        ({"roles": {"worker": {"world_size": 5, "program": reference_training()}}}, "a gang trains one model"),
        ({"role_rank": 3}, "role_rank 3 or program_rank 0 is not below"),
        ({"program_rank": 4}, "role_rank 0 or program_rank 4 is not below"),
    ],
)
def test_what_is_wrong_with_roles_is_named(changes: dict[str, Any], want: str) -> None:
    with pytest.raises(BadLaunch, match=want):
        parse_launch(launch_document(**{**with_roles(), **changes}))


def gang(folder: Path, **changes: Any) -> dict[str, str]:
    """Write a gang's document and a token, and return the environment of its rank 1."""
    whole = launch_document(world_size=2)
    own = {name: whole.pop(name) for name in ("node", "chip", "torch_device", "devices")}
    del whole["rank"], whole["token"]
    other = {**own, "node": "mixed/amd-1", "chip": "mi300x", "devices": [5]}
    (folder / "gang.json").write_text(json.dumps({**whole, "ranks": [own, other], **changes}))
    (folder / "token").write_text(f"{TOKEN}\n")
    return {
        "MEDLEY_LAUNCH": str(folder / "gang.json"),
        "MEDLEY_RANK": "1",
        "MEDLEY_TOKEN_FILE": str(folder / "token"),
    }


def test_a_gangs_document_is_read_as_one_workers(tmp_path: Path) -> None:
    environment = gang(tmp_path)

    launch = read_launch(environment)
    first = read_launch({**environment, "MEDLEY_RANK": "0"})

    assert (launch.rank, launch.node, launch.chip, launch.devices) == (1, "mixed/amd-1", "mi300x", (5,))
    assert (first.rank, first.node, first.devices) == (0, "mixed/nvidia-1", (2, 3))
    assert launch.token == first.token == TOKEN


def test_a_workers_own_document_needs_no_further_variables(tmp_path: Path) -> None:
    path = tmp_path / "launch.json"
    path.write_text(json.dumps(launch_document()))

    assert read_launch({"MEDLEY_LAUNCH": str(path), "MEDLEY_RANK": "7"}).rank == 0


@pytest.mark.parametrize("rank", ["", "2", "-1", "+1", "1.0", " 1", "01e", "\u0661", "9" * 5000])
def test_a_rank_that_the_document_lacks_is_named(tmp_path: Path, rank: str) -> None:
    environment = {**gang(tmp_path), "MEDLEY_RANK": rank}

    with pytest.raises(BadLaunch, match=r"MEDLEY_RANK is .*, and the document has 2 ranks, from 0"):
        read_launch(environment)


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"ranks": {}}, "ranks is {}, and list is wanted"),
        ({"ranks": []}, "world_size is 2, and the document has 0 ranks"),
        ({"ranks": [{}, 1]}, r"ranks\[1\] is not a JSON object"),
        ({"ranks": [{}, {}]}, "node is missing"),
        ({"world_size": 3}, "world_size is 3, and the document has 2 ranks"),
        ({"version": 6}, "version is 6"),
    ],
)
def test_what_is_wrong_with_a_gangs_document_is_named(tmp_path: Path, changes: dict[str, Any], want: str) -> None:
    environment = gang(tmp_path, **changes)

    with pytest.raises(BadLaunch, match=want):
        read_launch(environment)


def test_a_token_that_cannot_be_read_says_so_and_is_not_shown(tmp_path: Path) -> None:
    environment = gang(tmp_path)
    without = {name: value for name, value in environment.items() if name != "MEDLEY_TOKEN_FILE"}

    with pytest.raises(BadLaunch, match="MEDLEY_TOKEN_FILE is not set"):
        read_launch(without)
    with pytest.raises(BadLaunch, match=r"the token in .* cannot be read: .*No such file"):
        read_launch({**environment, "MEDLEY_TOKEN_FILE": str(tmp_path / "none")})
    for content in (b"", b" \n", b"se\ncret", b"s\xc3\xa9cret", b"secret" * 1000):
        (tmp_path / "token").write_bytes(content)
        with pytest.raises(BadLaunch, match="holds no token") as caught:
            read_launch(environment)
        assert "cret" not in str(caught.value)


@pytest.mark.parametrize("document", [None, [], "launch", 1])
def test_anything_but_an_object_is_refused(document: object) -> None:
    with pytest.raises(BadLaunch, match="the whole is not a JSON object"):
        parse_launch(document)
