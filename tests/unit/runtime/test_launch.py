import json
from pathlib import Path
from typing import Any

import pytest
from medley_runtime.endings import BadLaunch
from medley_runtime.launch import Command, ReferenceTraining, parse_launch, read_launch

from tests.builders.runtime import TOKEN, launch_document, reference_training


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
        ({"version": 2}, "version is 2"),
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


@pytest.mark.parametrize("document", [None, [], "launch", 1])
def test_anything_but_an_object_is_refused(document: object) -> None:
    with pytest.raises(BadLaunch, match="the whole is not a JSON object"):
        parse_launch(document)
