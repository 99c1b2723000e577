from pathlib import Path

import pytest
from medley_runtime.endings import CommandNotExecutable, CommandNotFound
from medley_runtime.launch import Command, parse_launch
from medley_runtime.user_command import gang_variables, start_command

from tests.builders.runtime import launch_document

LAUNCH = parse_launch(launch_document())


def test_a_program_learns_its_place_in_the_gang() -> None:
    variables = gang_variables(parse_launch(launch_document(rank=2, world_size=4)))

    assert (variables["RANK"], variables["WORLD_SIZE"]) == ("2", "4")
    assert (variables["LOCAL_RANK"], variables["LOCAL_WORLD_SIZE"]) == ("0", "1")
    assert variables["MEDLEY_DEVICES"] == "2,3"
    assert variables["MEDLEY_CHIP"] == "h100-sxm"


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
