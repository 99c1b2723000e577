from datetime import UTC, datetime
from typing import get_args

import pytest

from api.answers.events import event_answer, is_visible
from scheduler.core.model.change import (
    KIND_OF,
    Change,
    ChangeBody,
    ChipDefined,
    ChipGroupRemoved,
    ChipGroupSet,
    ClusterSeen,
    GroupMoved,
    GroupPlaced,
    JobSubmitted,
    NodeSeen,
    QueueQuotaLifted,
    QueueQuotaSet,
    QueueSet,
    TenantCreated,
)
from scheduler.core.model.group import State
from scheduler.core.model.node import Cluster
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueQuota
from scheduler.core.model.tenant import Principal, Role
from tests.builders.api import chip_type
from tests.builders.core import make_allocation, make_group, make_job, make_node

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = make_job(tenant="demo")


def change(body: ChangeBody, tenant: str | None = None) -> Change:
    return Change(7, NOW, tenant, JOB.id if tenant else None, body)


def reader(role: Role, tenant: str | None = None) -> Principal:
    return Principal("t", "ada", role, tenant)


OF_DEMO = [
    change(JobSubmitted(JOB, ()), "demo"),
    change(GroupMoved(make_group(JOB, State.RUNNING), "a"), "demo"),
    change(TenantCreated("demo"), "demo"),
    change(QueueQuotaSet(QueueQuota("demo", "h100", limit=8)), "demo"),
    change(QueueQuotaLifted("demo", "h100"), "demo"),
    change(QueueSet(Queue("train", tenant="demo"))),
]
OF_EVERYBODY = [
    change(ClusterSeen(Cluster("mixed", "local"))),
    change(NodeSeen(make_node())),
    change(ChipDefined(chip_type("h100"))),
    change(ChipGroupSet(ChipGroup("fast", ("h100",)))),
    change(ChipGroupRemoved("fast")),
]


def test_every_kind_of_change_has_a_name_on_the_wire() -> None:
    assert set(KIND_OF) == set(get_args(ChangeBody))
    assert len(set(KIND_OF.values())) == len(KIND_OF)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER, Role.TENANT_ADMIN])
def test_a_tenant_sees_what_is_its_own_and_what_is_everybodys(role: Role) -> None:
    assert all(is_visible(one, reader(role, "demo")) for one in OF_DEMO + OF_EVERYBODY)
    assert not any(is_visible(one, reader(role, "beta")) for one in OF_DEMO)
    assert all(is_visible(one, reader(role, "beta")) for one in OF_EVERYBODY)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_cluster_wide_roles_see_everything(role: Role) -> None:
    assert all(is_visible(one, reader(role)) for one in OF_DEMO + OF_EVERYBODY)


def test_an_event_says_where_each_worker_went() -> None:
    placed = GroupPlaced(make_group(JOB, State.PLACED), f"{JOB.id}-g0-a1", (make_allocation((0, 1)),), ())
    answer = event_answer(change(placed, "demo"), "demo")
    assert (answer.kind, answer.state, answer.number) == ("group-placed", State.PLACED, 7)
    want_worker = {"rank": 0, "node": "mixed/n1", "chip": "h100", "devices": [0, 1], "why": ""}
    want_worker |= {"role": "worker", "devices_counted": 0, "share": None}
    assert answer.data == {"attempt": f"{JOB.id}-g0-a1", "number": 1, "workers": [want_worker]}


@pytest.mark.parametrize("one", OF_DEMO + OF_EVERYBODY)
def test_every_event_can_be_written_as_json(one: Change) -> None:
    assert event_answer(one, None).model_dump_json().startswith('{"number":7,')
