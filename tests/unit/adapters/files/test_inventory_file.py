from pathlib import Path

import pytest

from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.adapters.files.inventory_file import Inventory, read_inventory
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.core.model.node import DeviceGroup, Node, NodeState
from scheduler.core.model.topology import Topology

EXAMPLES = Path(__file__).resolve().parents[4] / "examples" / "clusters"
MIXED = EXAMPLES / "mixed.yaml"

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


DEEP = """\
cluster: deep
node_types:
  big: {devices: {h100-sxm: 8}, cpu_cores: 192, memory_gib: 2048}
levels: [zone, block, rack]
domains:
  east:
    b1:
      tenant: vision
      r1: {"n-[1-2]": big}
      r2: {tenant: speech, n-3: big, n-4: {type: big, tenant: robots}}
  west:
    b2:
      r3:
        n-5: {type: big, state: degraded, note: one fan is slow}
        n-[6-7]: {type: big, state: drained}
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


def test_domains_of_several_levels_are_told_from_the_smallest(tmp_path: Path) -> None:
    nodes = {node.name: node for node in read(tmp_path, DEEP).nodes}

    assert nodes["n-1"].topology == Topology((("rack", "r1"), ("block", "b1"), ("zone", "east")))
    assert nodes["n-7"].topology == Topology((("rack", "r3"), ("block", "b2"), ("zone", "west")))


def test_a_node_belongs_to_the_tenant_that_is_said_nearest_to_it(tmp_path: Path) -> None:
    owners = {node.name: node.tenant for node in read(tmp_path, DEEP).nodes}

    assert owners == {
        "n-1": "vision", "n-2": "vision", "n-3": "speech", "n-4": "robots", "n-5": None, "n-6": None, "n-7": None,
    }  # fmt: skip


def test_racks_and_whole_clusters_can_belong_to_a_tenant(tmp_path: Path) -> None:
    one_rack = read(tmp_path, SMALL.replace("  r2:\n", "  r2:\n    tenant: vision\n"))
    everything = read(tmp_path, SMALL.replace("racks:\n", "racks:\n  tenant: vision\n"))

    assert [node.name for node in one_rack.nodes if node.tenant == "vision"] == ["last"]
    assert {node.tenant for node in everything.nodes} == {"vision"}


def test_a_node_can_begin_in_another_state_with_a_note(tmp_path: Path) -> None:
    told = {node.name: (node.state, node.note) for node in read(tmp_path, DEEP).nodes}

    assert told["n-1"] == (NodeState.READY, "")
    assert told["n-5"] == (NodeState.DEGRADED, "one fan is slow")
    assert told["n-6"] == told["n-7"] == (NodeState.DRAINED, "")


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        ("[zone, block, rack]", "[zone, node]", ":4: 'node' is a level of every topology; leave it out"),
        ("[zone, block, rack]", "[zone, zone]", ":4: level 'zone' stands here twice; keep one"),
        ("[zone, block, rack]", "[]", ":4: 0 levels; name from 1 to 8 of them"),
        ("[zone, block, rack]", "[zone, Block]", ":4: 'Block' cannot be a name"),
        ("[zone, block, rack]", "[zone, block]", ":9: unknown key 'n-[1-2]'; write one of: note, state, tenant, type"),
        ("[zone, block, rack]", "[zone, block, rack, shelf]", ":9: 'n-[1-2]' cannot be a name"),
        ("levels: [zone, block, rack]\n", "", ":4: 'levels' is missing; name the levels, as in [zone, block, rack]"),
        ("domains:", "racks: {}\ndomains:", ":4: 'levels' beside 'racks'; give either 'racks', or"),
        ("r3:", "r1:", ":13: rack 'r1' is declared twice; give each rack its own name"),
        ("n-5:", "n-3:", ":14: node 'n-3' is declared twice"),
        ("state: degraded", "state: degradde", ":14: unknown state 'degradde'; did you mean 'degraded'?"),
        ("state: degraded", "state: gone", ":14: unknown state 'gone'; write one of: degraded, drained, ready"),
        ("one fan is slow", "x" * 201, ":14: the note 'xxx"),
        ("type: big, state: degraded", "state: degraded", ":14: 'type' is missing; add it"),
        ("tenant: vision", "tenant: Vision", ":8: 'Vision' cannot be a name"),
        ("tenant: robots", "tenants: robots", ":10: unknown key 'tenants'; did you mean 'tenant'?"),
    ],
)
def test_faulty_domains_and_nodes_are_refused_with_their_line(
    tmp_path: Path, before: str, after: str, want: str
) -> None:
    assert before in DEEP
    with pytest.raises(FileError) as error:
        read(tmp_path, DEEP.replace(before, after))
    assert want in str(error.value)


def test_a_file_without_racks_and_domains_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=":1: 'racks' is missing; add it, or 'levels' and 'domains'"):
        read(tmp_path, SMALL.partition("racks:")[0])


def test_the_large_example_has_three_levels_owned_nodes_and_nodes_that_ail() -> None:
    nodes = read_inventory(EXAMPLES / "large.yaml", shipped_catalogue()).nodes

    assert (len(nodes), sum(group.count for node in nodes for group in node.devices)) == (56, 448)
    assert {tuple(level for level, _ in node.topology.domains) for node in nodes} == {("rack", "block", "zone")}
    assert [node.name for node in nodes if node.tenant == "vision"] == ["e-25", "e-26", "e-27", "e-28", "e-29"]
    assert {node.state for node in nodes if node.note} == set(NodeState) - {NodeState.READY, NodeState.GONE}


def test_a_cluster_without_nodes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="the cluster has no nodes"):
        read(tmp_path, SMALL.partition("racks:")[0] + "racks: {}\n")


def test_too_many_nodes_are_refused(tmp_path: Path) -> None:
    racks = "".join(f"  r{number}: {{'r{number}-[1-60000]': big}}\n" for number in range(2))

    with pytest.raises(FileError, match=r":11: too many nodes; declare at most 100,000 in one cluster"):
        read(tmp_path, SMALL.partition("  r1:")[0] + racks)
