from dataclasses import replace

from api.text.placements import placement_text
from scheduler.core.model.reason import PlacementNote

NOTE = PlacementNote(
    rank=0,
    node="mixed/n1",
    chip="h100-sxm",
    choice=1,
    choices=1,
    domain_level="rack",
    domain="r1",
    nodes_considered=7,
    devices_free_before=8,
    devices_free_after=4,
)


def test_a_placement_says_where_and_how_tight() -> None:
    want = "tightest fit in rack r1: 8 h100-sxm were free here, 4 stay free; 7 nodes were considered"
    assert placement_text(NOTE) == want


def test_a_placement_says_which_choice_it_was_where_there_were_several() -> None:
    text = placement_text(
        replace(NOTE, choice=2, choices=3, nodes_considered=1, domain_level="node", domain="mixed/n1")
    )
    assert text.startswith("tightest fit on one node:")
    assert text.endswith("1 node was considered; choice 2 of 3")
    assert "across cluster mixed" in placement_text(replace(NOTE, domain_level="cluster", domain="mixed"))


def test_a_worker_without_devices_has_no_chip_to_fit() -> None:
    note = replace(NOTE, chip=None, devices_free_before=0, devices_free_after=0)
    assert placement_text(note) == "room for a worker without devices in rack r1; 7 nodes were considered"


def test_a_share_of_a_device_that_is_in_use_leaves_as_many_free() -> None:
    text = placement_text(replace(NOTE, devices_free_before=1, devices_free_after=1))
    assert "1 h100-sxm was free here and stays free: it shares a device that was in use;" in text
