import json
from dataclasses import replace
from pathlib import Path

from medley_runtime.launch import read_launch

from scheduler.adapters.kubernetes.launch import gang_document, rank_variables
from scheduler.adapters.local.launch import launch_document
from scheduler.core.model.attempt import Allocation
from scheduler.ports.cluster import GangOrder
from tests.builders.blueprints import with_spec
from tests.builders.cluster import order


def mixed_gang() -> GangOrder:
    given = order("echo", "größe", workers=2)
    other = replace(given.allocations[1], node="test/n2", chip="mlu590", slots=(4, 5))
    return replace(given, allocations=(given.allocations[0], other), torch_devices=("cuda", "mlu"))


def test_the_runtime_reads_what_it_reads_on_a_local_cluster(tmp_path: Path) -> None:
    given = mixed_gang()
    (tmp_path / "gang.json").write_text(gang_document(given, devices_are_simulated=True))
    (tmp_path / "token").write_text(given.token)

    for rank in range(2):
        (tmp_path / "whole.json").write_text(json.dumps(launch_document(given, rank)))
        variables = rank_variables(rank) | {
            "MEDLEY_LAUNCH": str(tmp_path / "gang.json"),
            "MEDLEY_TOKEN_FILE": str(tmp_path / "token"),
        }
        assert read_launch(variables) == read_launch({"MEDLEY_LAUNCH": str(tmp_path / "whole.json")})


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
    gang = replace(given, allocations=allocations, torch_devices=("cuda",) * workers)

    assert len(gang_document(gang, devices_are_simulated=False).encode()) < 1024 * 1024
