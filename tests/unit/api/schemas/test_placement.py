"""How large workers may be and where they may stand: what is accepted, what it means, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.schemas.job_request import JobRequest
from scheduler.core.model.job import Alternative, AnyOf, Choice, CommandProgram, WorkerRole
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import Apart, Closeness, Spread

LEAST = {"name": "first", "workers": 4, "chips": "h100-sxm"}
SHARE = {"milli": 500, "memory_mib": 40_960}
LABELS = {"team": "vision"}
MANY_CHIPS = [f"chip-{number}" for number in range(16)]


def request(**changes: Any) -> JobRequest:
    return JobRequest.model_validate({**LEAST, **changes})


def test_a_share_takes_the_place_of_whole_devices() -> None:
    want = WorkerShape(0, 1000, 4096, share_milli=500, share_memory_mib=40_960)
    assert request(share=SHARE).to_spec().shape == want
    assert request(share=SHARE, devices_per_worker=0).to_spec().shape == want
    assert request(share=SHARE).body_sha256() == request(share=SHARE, devices_per_worker=0).body_sha256()


def test_what_an_alternative_leaves_out_is_as_in_the_job() -> None:
    other, shared, larger = (
        request(
            devices_per_worker=8,
            cpu_milli=2000,
            alternatives=[{"workers": 8, "chips": ["a800", "mi300x"]}, {"share": SHARE}, {"devices_per_worker": 4}],
        )
        .to_spec()
        .alternatives
    )
    assert other == Alternative(8, WorkerShape(8, 2000, 4096), ("a800", "mi300x"))
    assert shared == Alternative(4, WorkerShape(0, 2000, 4096, 500, 40_960), ("h100-sxm",))
    assert larger == Alternative(4, WorkerShape(4, 2000, 4096), ("h100-sxm",))


def test_an_alternative_of_a_share_may_be_whole_devices() -> None:
    whole, smaller = (
        request(share=SHARE, alternatives=[{"devices_per_worker": 1}, {"cpu_milli": 500}]).to_spec().alternatives
    )
    assert whole.shape == WorkerShape(1, 1000, 4096)
    assert smaller.shape == WorkerShape(0, 500, 4096, 500, 40_960)


def test_a_role_has_no_devices_unless_it_says_so() -> None:
    spec = request(
        roles=[
            {"name": "launcher", "command": ["mpirun"]},
            {"name": "reader", "workers": 2, "share": SHARE, "chips": "t4"},
        ]
    ).to_spec()
    assert spec.roles == (
        WorkerRole("launcher", 1, WorkerShape(0, 1000, 4096), (), CommandProgram(("mpirun",))),
        WorkerRole("reader", 2, WorkerShape(0, 1000, 4096, 500, 40_960), ("t4",)),
    )


def test_wishes_about_places_reach_the_specification() -> None:
    spec = request(
        topology={"require": "rack", "prefer": ["nvlink", "rack"]},
        spread={"most": 2},
        apart={"labels": {"b": "2", "a": "1"}},
        exclusive=True,
        node_labels={"zone": "z1", "node-role.kubernetes.io/worker": ""},
        choose="best",
    ).to_spec()
    assert spec.closeness == Closeness("rack", ("nvlink", "rack"))
    assert (spec.spread, spec.apart) == (Spread("node", 2), Apart("node", (("a", "1"), ("b", "2"))))
    assert (spec.exclusive, spec.choice) == (True, Choice.BEST)
    assert spec.node_labels == (("node-role.kubernetes.io/worker", ""), ("zone", "z1"))


def test_without_wishes_nothing_is_asked_of_places() -> None:
    spec = request().to_spec()
    assert (spec.closeness, spec.spread, spec.apart, spec.exclusive) == (Closeness(None, None), None, None, False)
    assert (spec.choice, spec.alternatives, spec.roles, spec.node_labels) == (Choice.ORDERED, (), (), ())
    assert spec.chips == AnyOf(("h100-sxm",))
    assert request(topology={"prefer": []}).to_spec().closeness == Closeness(None, ())


@pytest.mark.parametrize(
    ("changes", "want_field"),
    [
        ({"share": {"milli": 0, "memory_mib": 1}}, "share"),
        ({"share": {"milli": 1000, "memory_mib": 1}}, "share"),
        ({"share": {"milli": 500, "memory_mib": 0}}, "share"),
        ({"share": {"milli": 500}}, "share"),
        ({"share": {"milli": 0.5, "memory_mib": 1}}, "share"),
        ({"share": SHARE, "devices_per_worker": 1}, "share"),
        ({"devices_per_worker": 0}, "share"),
        ({"choose": "cheapest"}, "choose"),
        ({"alternatives": [{}]}, "alternatives"),
        ({"alternatives": [{"workers": 0}]}, "alternatives"),
        ({"alternatives": [{"workers": 1025}]}, "alternatives"),
        ({"alternatives": [{"chips": {"t4": 2}}]}, "alternatives"),
        ({"alternatives": [{"share": SHARE, "devices_per_worker": 2}]}, "alternatives"),
        ({"alternatives": [{"workers": 8}] * 9}, "alternatives"),
        ({"alternatives": [{"chips": MANY_CHIPS}] * 4}, "alternatives"),
        ({"chips": {"t4": 4}, "alternatives": [{"workers": 8}]}, "alternatives"),
        ({"roles": [{"name": "worker"}]}, "roles"),
        ({"roles": [{"name": "launcher"}, {"name": "launcher"}]}, "roles"),
        ({"roles": [{"name": f"r{number}"} for number in range(9)]}, "roles"),
        ({"roles": [{"name": "launcher", "workers": 1021}]}, "roles"),
        ({"roles": [{"name": "a", "workers": 600}], "alternatives": [{"workers": 500}]}, "roles"),
        ({"roles": [{"name": "launcher", "devices_per_worker": 1}]}, "roles"),
        ({"roles": [{"name": "launcher", "share": SHARE}]}, "roles"),
        ({"roles": [{"name": "launcher", "chips": "t4"}]}, "roles"),
        ({"roles": [{"name": "launcher", "command": [""]}]}, "roles"),
        ({"roles": [{"name": "a", "devices_per_worker": 1, "chips": MANY_CHIPS}], "chips": MANY_CHIPS}, "roles"),
        ({"topology": {"require": ""}}, "topology"),
        ({"topology": {"require": "Rack 1"}}, "topology"),
        ({"topology": {"prefer": ["rack", "rack"]}}, "topology"),
        ({"topology": {"required": "rack"}}, "topology"),
        ({"topology": None}, "topology"),
        ({"spread": {"most": 0}}, "spread"),
        ({"spread": {"most": 1}, "topology": {"require": "node"}}, "spread"),
        ({"spread": {"level": "rack", "most": 3}, "topology": {"require": "node"}}, "spread"),
        ({"spread": {"level": "rack", "most": 3}, "topology": {"require": "rack"}}, "spread"),
        ({"spread": {"level": "cluster", "most": 3}}, "spread"),
        ({"apart": {"level": "rack"}}, "apart"),
        ({"apart": {"labels": {}}}, "apart"),
        ({"apart": {"labels": {"a b": "c"}}}, "apart"),
        ({"exclusive": "yes"}, "exclusive"),
        ({"exclusive": 1}, "exclusive"),
        ({"node_labels": {"": "a"}}, "node_labels"),
        ({"node_labels": {"a": "\u202e"}}, "node_labels"),
        ({"node_labels": {f"l{number}": "x" for number in range(17)}}, "node_labels"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(changes: dict[str, Any], want_field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        request(**changes)
    assert {error["loc"][0] for error in refused.value.errors()} == {want_field}


@pytest.mark.parametrize(
    "changes",
    [
        {"spread": {"level": "rack", "most": 1}, "topology": {"require": "zone"}},
        {"spread": {"level": "node", "most": 4}, "topology": {"require": "node"}},
        {"spread": {"level": "node", "most": 2}, "topology": {"require": "node"}, "alternatives": [{"workers": 2}]},
        {"spread": {"level": "cluster", "most": 4}},
        {"topology": {"require": "cluster", "prefer": None}},
        {"share": None, "spread": None, "apart": None},
        {"chips": MANY_CHIPS, "alternatives": [{"chips": MANY_CHIPS}] * 3},
        {"roles": [{"name": "launcher", "workers": 1020}]},
    ],
)
def test_what_can_be_is_accepted(changes: dict[str, Any]) -> None:
    request(**changes).to_spec()


def test_a_contradiction_says_what_to_do_about_it() -> None:
    with pytest.raises(ValidationError, match=r"at most 1 of 4 workers per node cannot be, for topology\.require asks"):
        request(spread={"most": 1}, topology={"require": "node"})
    with pytest.raises(ValidationError, match="either devices_per_worker or a share"):
        request(share=SHARE, devices_per_worker=2)
    with pytest.raises(ValidationError, match="are 80 choices; at most 64"):
        request(chips=MANY_CHIPS, alternatives=[{"workers": 8}] * 4)


def test_chip_types_are_found_wherever_they_are_named() -> None:
    asked = request(
        chips=["a", "b"],
        alternatives=[{"workers": 2}, {"chips": "c"}, {"chips": ["b", "d"]}],
        roles=[{"name": "launcher"}, {"name": "reader", "devices_per_worker": 1, "chips": ["a", "e"]}],
    )
    assert asked.chip_names() == ("a", "b", "c", "d", "e")
    pointers = [asked.pointer_to(chip) for chip in asked.chip_names()]
    assert pointers == ["/chips/0", "/chips/1", "/alternatives/1/chips", "/alternatives/2/chips/1", "/roles/1/chips/1"]


def test_the_order_of_labels_does_not_count_for_the_idempotency_key() -> None:
    one, other = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert request(node_labels=one).body_sha256() == request(node_labels=other).body_sha256()
    assert request(apart={"labels": one}).body_sha256() == request(apart={"labels": other}).body_sha256()


def test_every_wish_counts_for_the_idempotency_key() -> None:
    asked = [
        request(),
        request(share=SHARE),
        request(choose="best"),
        request(alternatives=[{"workers": 8}]),
        request(roles=[{"name": "launcher"}]),
        request(topology={"require": "rack"}),
        request(topology={"prefer": []}),
        request(spread={}),
        request(apart={"labels": LABELS}),
        request(exclusive=True),
        request(node_labels=LABELS),
    ]
    assert len({each.body_sha256() for each in asked}) == len(asked)
