from pathlib import Path

import pytest

from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.adapters.files.inventory_file import Inventory, read_inventory
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.topology import Topology

MIXED = Path(__file__).resolve().parents[4] / "examples" / "clusters" / "mixed.yaml"

SMALL = """\
cluster: small
node_types:
  big:
    devices: {h100-sxm: 8, t4: 2}
    cpu_cores: 192
    memory_gib: 2048
    pods: 20
    labels: {zone: a}
racks:
  r1:
    n-[08-10]: big
  r2:
    last: big
"""


def read(tmp_path: Path, content: str) -> Inventory:
    path = tmp_path / "cluster.yaml"
    path.write_text(content)
    return read_inventory(path, shipped_catalogue())


def test_a_range_of_names_makes_alike_nodes(tmp_path: Path) -> None:
    inventory = read(tmp_path, SMALL)

    assert inventory.cluster == "small"
    assert [node.name for node in inventory.nodes] == ["n-08", "n-09", "n-10", "last"]
    assert inventory.nodes[0] == Node(
        cluster="small",
        name="n-08",
        devices=(DeviceGroup("h100-sxm", 8, 81920), DeviceGroup("t4", 2, 16384)),
        cpu_milli=192_000,
        memory_mib=2_097_152,
        pods=20,
        topology=Topology((("rack", "r1"),)),
        labels=(("zone", "a"),),
    )
    assert inventory.nodes[3].topology.domain("rack") == "r2"


def test_the_example_is_five_vendors_in_two_racks_each() -> None:
    chips = {chip.name: chip for chip in shipped_catalogue()}
    inventory = read_inventory(MIXED, list(chips.values()))

    racks: dict[str, set[str | None]] = {}
    for node in inventory.nodes:
        for group in node.devices:
            racks.setdefault(chips[group.chip].vendor, set()).add(node.topology.domain("rack"))

    assert len(inventory.nodes) == 40
    assert sum(group.count for node in inventory.nodes for group in node.devices) == 300
    assert sorted(racks) == ["AMD", "Cambricon", "Huawei", "MetaX", "NVIDIA"]
    assert {len(domains) for domains in racks.values()} == {2}


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        ("h100-sxm: 8", "h100-smx: 8", ":4: unknown chip 'h100-smx'; did you mean 'h100-sxm'?"),
        ("h100-sxm: 8", "h100-sxm: 0", ":4: 0 is out of range; write a number from 1 to 64"),
        ("h100-sxm: 8", "h100-sxm: -8", ":4: -8 is out of range; write a number from 1 to 64"),
        ("h100-sxm: 8", "h100-sxm: 1000000000", ":4: 1,000,000,000 is out of range"),
        ("h100-sxm: 8", "h100-sxm: 1.5", ":4: here stands the number 1.5; write a whole number"),
        ("h100-sxm: 8", "h100-sxm: many", ":4: here stands text; write a whole number"),
        ("{h100-sxm: 8, t4: 2}", "{}", ":4: 0 chip types on one node; declare from 1 to 16 of them"),
        ("cpu_cores: 192", "cpu_cores: 0", ":5: 0 is out of range"),
        ("memory_gib", "memory", ":6: unknown key 'memory'; did you mean 'memory_gib'?"),
        ("    cpu_cores: 192\n", "", ":3: 'cpu_cores' is missing; add it"),
        ("zone: a", "zone: 'a b'", ":8: 'a b' cannot be in a label"),
        ("last: big", "last: bgi", ":13: unknown node type 'bgi'; did you mean 'big'?"),
        ("last: big", "n-09: big", ":13: node 'n-09' is declared twice; give each node its own name"),
        ("last: big", "n-[9-8]: big", ":13: 'n-[9-8]' is no range; write the smaller number first"),
        ("last: big", "n-[1-999999]: big", ":13: 'n-[1-999999]' is no range"),
        ("last: big", "a/b: big", ":13: 'a/b' cannot be a name; use at most 63 lower-case letters"),
        ("last: big", "LAST: big", ":13: 'LAST' cannot be a name"),
        ("last: big", "last: big\n    last: big", ":14: 'last' stands here twice, first in line 13"),
        ("cluster: small", "cluster: a/b", ":1: 'a/b' cannot be a name"),
        ("cluster: small\n", "", ":1: 'cluster' is missing; add it"),
        ("  r2:", "  R 2:", ":12: 'R 2' cannot be a name"),
        ("  r2:\n    last: big\n", "  r2: 7\n", ":12: here stands the number 7; write a mapping"),
        ("racks:", "rocks:", "unknown key 'rocks'; did you mean 'racks'?"),
    ],
)
def test_a_faulty_cluster_file_is_refused_with_its_line(tmp_path: Path, before: str, after: str, want: str) -> None:
    assert before in SMALL
    with pytest.raises(FileError) as error:
        read(tmp_path, SMALL.replace(before, after))
    assert want in str(error.value)
    assert str(error.value).startswith(f"{tmp_path / 'cluster.yaml'}:")


def test_a_cluster_without_nodes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="the cluster has no nodes"):
        read(tmp_path, SMALL.partition("racks:")[0] + "racks: {}\n")


def test_too_many_nodes_are_refused(tmp_path: Path) -> None:
    racks = "".join(f"  r{number}: {{'r{number}-[1-60000]': big}}\n" for number in range(2))

    with pytest.raises(FileError, match=r":11: too many nodes; declare at most 100,000 in one cluster"):
        read(tmp_path, SMALL.partition("  r1:")[0] + racks)
