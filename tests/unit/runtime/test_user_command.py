from pathlib import Path

import pytest
from medley_runtime.endings import CommandNotExecutable, CommandNotFound
from medley_runtime.launch import Command, parse_launch
from medley_runtime.user_command import gang_variables, start_command

from tests.builders.runtime import launch_document, with_roles

LAUNCH = parse_launch(launch_document())


def test_a_program_learns_its_place_in_the_gang() -> None:
    variables = gang_variables(parse_launch(launch_document(rank=2, world_size=4)))

    assert (variables["RANK"], variables["WORLD_SIZE"]) == ("2", "4")
    assert (variables["LOCAL_RANK"], variables["LOCAL_WORLD_SIZE"]) == ("0", "1")
    assert variables["MEDLEY_DEVICES"] == "2,3"
    assert variables["MEDLEY_CHIP"] == "h100-sxm"


def test_a_program_learns_its_role_and_its_devices() -> None:
    variables = gang_variables(parse_launch(launch_document(rank=2, world_size=4)))

    assert (variables["MEDLEY_ROLE"], variables["MEDLEY_DEVICE_COUNT"]) == ("worker", "2")
    assert (variables["MEDLEY_ROLE_RANK"], variables["MEDLEY_ROLE_WORLD_SIZE"]) == ("2", "4")
    assert not any(name.startswith("MEDLEY_DEVICE_SHARE") for name in variables)


def test_the_ranks_of_a_role_are_counted_apart_and_the_gangs_all_together() -> None:
    own = with_roles("reader", rank=4, role_rank=0, program_rank=3, chip=None, torch_device="cpu", devices=[])
    variables = gang_variables(parse_launch(launch_document(**own)))

    assert (variables["RANK"], variables["WORLD_SIZE"]) == ("4", "5")
    assert (variables["MEDLEY_ROLE"], variables["MEDLEY_ROLE_RANK"]) == ("reader", "0")
    assert variables["MEDLEY_ROLE_WORLD_SIZE"] == "1"
    assert (variables["MEDLEY_CHIP"], variables["MEDLEY_TORCH_DEVICE"]) == ("", "cpu")
    assert (variables["MEDLEY_DEVICES"], variables["MEDLEY_DEVICE_COUNT"]) == ("", "0")


def test_a_program_learns_its_share_of_a_device() -> None:
    own = with_roles(devices=[3], share_milli=250, share_memory_mib=8192)
    variables = gang_variables(parse_launch(launch_document(**own)))

    assert (variables["MEDLEY_DEVICES"], variables["MEDLEY_DEVICE_COUNT"]) == ("3", "0")
    assert variables["MEDLEY_DEVICE_SHARE_MILLI"] == "250"
    assert variables["MEDLEY_DEVICE_SHARE_MEMORY_MIB"] == "8192"


def test_the_token_is_not_among_the_variables() -> None:
    assert not any(LAUNCH.token in value for value in gang_variables(LAUNCH).values())


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandNotFound, match="'no-such-program' was not found"):
        start_command(LAUNCH, Command(("no-such-program",)), {"PATH": "/usr/bin:/bin"})


def test_a_command_that_may_not_be_executed_is_named(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    without_first_line = tmp_path / "without-first-line"
    without_first_line.write_text("echo\n")
    without_first_line.chmod(0o755)

    for path in (plain, without_first_line, tmp_path):
        with pytest.raises(CommandNotExecutable, match="cannot be executed"):
            start_command(LAUNCH, Command((str(path),)), {})


def test_a_program_learns_the_trace_that_its_job_belongs_to_where_there_is_one() -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert gang_variables(parse_launch(launch_document(traceparent=traceparent)))["TRACEPARENT"] == traceparent
    assert "TRACEPARENT" not in gang_variables(parse_launch(launch_document()))
