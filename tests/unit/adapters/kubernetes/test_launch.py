import json
from dataclasses import replace
from pathlib import Path

import pytest
from medley_runtime.launch import Checkpoints, Command, Company, Launch, read_launch

from scheduler.adapters.kubernetes.launch import gang_document, rank_variables
from scheduler.adapters.local.launch import launch_documents
from scheduler.core.model.attempt import Allocation
from scheduler.ports.cluster import GangOrder
from tests.builders.blueprints import with_spec
from tests.builders.cluster import counted, order, with_launcher, with_shares

FOLDER = "/medley/checkpoints"


def mixed_gang() -> GangOrder:
    given = order("echo", "größe", workers=2)
    other = replace(given.allocations[1], node="test/n2", chip="mlu590", slots=(4, 5))
    return replace(given, allocations=(given.allocations[0], other), torch_devices=("cuda", "mlu"))


@pytest.mark.parametrize(
    "given",
    [
        mixed_gang(),
        with_launcher(mixed_gang()),
        with_launcher(mixed_gang(), "launch"),
        with_shares(order("echo", workers=2), share_milli=500, share_memory_mib=1024),
    ],
    ids=["plain", "one more role", "one with its own program", "shares"],
)
def test_the_runtime_reads_what_it_reads_on_a_local_cluster(tmp_path: Path, given: GangOrder) -> None:
    (tmp_path / "gang.json").write_text(gang_document(given, devices_are_simulated=True, checkpoints=FOLDER))
    (tmp_path / "token").write_text(given.token)

    for rank in range(len(given.allocations)):
        (tmp_path / "whole.json").write_text(json.dumps(launch_documents(given, Path(FOLDER))[rank]))
        variables = rank_variables(rank) | {
            "MEDLEY_LAUNCH": str(tmp_path / "gang.json"),
            "MEDLEY_TOKEN_FILE": str(tmp_path / "token"),
        }
        assert read_launch(variables) == read_launch({"MEDLEY_LAUNCH": str(tmp_path / "whole.json")})


def read_by_rank(folder: Path, given: GangOrder) -> list[Launch]:
    """Return what the runtime of each rank reads."""
    (folder / "gang.json").write_text(gang_document(given, devices_are_simulated=True))
    (folder / "token").write_text(given.token)
    places = {"MEDLEY_LAUNCH": str(folder / "gang.json"), "MEDLEY_TOKEN_FILE": str(folder / "token")}
    return [read_launch(rank_variables(rank) | places) for rank in range(len(given.allocations))]


def test_a_gang_of_one_role_on_whole_devices_is_told_what_a_runtime_of_before_knows() -> None:
    assert json.loads(gang_document(mixed_gang(), devices_are_simulated=True))["version"] == 1
    later = (with_launcher(mixed_gang()), with_shares(order("wait"), share_milli=1, share_memory_mib=1))
    assert [json.loads(gang_document(one, devices_are_simulated=True))["version"] for one in later] == [2, 2]


def test_a_place_for_checkpoints_is_told_in_a_version_that_a_runtime_of_before_refuses(tmp_path: Path) -> None:
    given = mixed_gang()
    document = gang_document(given, devices_are_simulated=True, checkpoints=FOLDER)
    (tmp_path / "gang.json").write_text(document)
    (tmp_path / "token").write_text(given.token)
    places = {"MEDLEY_LAUNCH": str(tmp_path / "gang.json"), "MEDLEY_TOKEN_FILE": str(tmp_path / "token")}

    launch = read_launch(rank_variables(1) | places)

    assert json.loads(document)["version"] == 3
    assert launch.checkpoints == Checkpoints(FOLDER, interval_s=300, keep=2)
    assert (launch.role, launch.in_program) == ("worker", Company(1, 2))


def test_each_rank_learns_its_role_and_with_whom_it_works(tmp_path: Path) -> None:
    together = read_by_rank(tmp_path, with_launcher(mixed_gang()))
    apart = read_by_rank(tmp_path, with_launcher(mixed_gang(), "launch"))

    assert [launch.role for launch in together] == ["worker", "worker", "launcher"]
    assert [launch.in_role for launch in together] == [Company(0, 2), Company(1, 2), Company(0, 1)]
    assert [launch.in_program for launch in together] == [Company(0, 3), Company(1, 3), Company(2, 3)]
    assert [launch.in_program for launch in apart] == [Company(0, 2), Company(1, 2), Company(0, 1)]
    assert [launch.program for launch in apart] == [Command(("echo", "größe"))] * 2 + [Command(("launch",))]
    assert {launch.world_size for launch in (*together, *apart)} == {3}


def test_each_rank_learns_what_it_holds(tmp_path: Path) -> None:
    share = with_shares(order("wait"), share_milli=250, share_memory_mib=8192)
    first, none = read_by_rank(tmp_path, with_launcher(counted(order("wait"))))
    (part,) = read_by_rank(tmp_path, share)

    assert (first.devices, first.device_count, first.chip) == ((), 1, "h100-sxm")
    assert (none.devices, none.device_count, none.chip, none.torch_device) == ((), 0, None, "cpu")
    assert (part.devices, part.device_count, part.share_milli, part.share_memory_mib) == ((0,), 0, 250, 8192)


def test_the_token_is_not_in_the_document() -> None:
    given = replace(order("wait"), token="mda_hidden")

    assert "mda_hidden" not in gang_document(given, devices_are_simulated=False)


def test_devices_are_real_unless_the_configuration_says_otherwise() -> None:
    assert json.loads(gang_document(order("wait"), devices_are_simulated=False))["devices_are_simulated"] is False


def test_the_largest_gang_with_the_longest_names_fits_a_config_map() -> None:
    workers = 1024
    node = f"{'c' * 63}/{'.'.join(['n' * 63] * 4)[:253]}"
    allocations = tuple(Allocation(rank, node, "h" * 63, tuple(range(900, 964)), 1000, 4096) for rank in range(workers))
    given = with_spec(order("a" * 250_000), workers=workers)
    plain = replace(given, allocations=allocations, torch_devices=("cuda",) * workers)
    in_role = tuple(replace(one, slots=(), counted=64, role="r" * 63) for one in allocations)
    with_role = replace(plain, allocations=in_role)

    for gang in (plain, with_role):
        assert len(gang_document(gang, devices_are_simulated=False).encode()) < 1024 * 1024
