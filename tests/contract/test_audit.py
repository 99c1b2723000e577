"""The audit trail: in the transaction of what it tells of, sealed, bounded in time."""

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from scheduler.adapters.database.access.audit import DESCRIBED
from scheduler.adapters.database.storage import Storage, open_storage
from scheduler.core.model.access.audit import Act, Actor, AuditEntry, Outcome
from scheduler.core.model.tenant import Quota, Role, User
from scheduler.ports.directory import AlreadyExists, Rotation
from scheduler.ports.journal import SubmitJob, WishStop, Write
from scheduler.ports.records.audit import AuditFilter
from tests.builders.database import MANY_JOBS, NOON, Database, World, after_noon, make_chip
from tests.builders.eventually import eventually
from tests.contract.test_directory import make_token

ADA = Actor("ada", "t1", "alpha", "the_operation", "request-1")
ALL = AuditFilter()
OF_THE_SERVER = {
    "Place", "Refuse", "Evict", "Resize", "AdvanceResize", "KeepRoom", "GiveRoomBack", "Observe", "NoteWorkers",
    "Beat", "RegisterRendezvous", "ReportProgress",
}  # fmt: skip
"""Writes that are nobody's: the leader's and the workers'."""


def entries(storage: Storage, where: AuditFilter = ALL) -> list[AuditEntry]:
    return list(reversed(storage.audit.entries(where, before=None, limit=999)))


def told(storage: Storage) -> list[tuple[str, str, bool, bool]]:
    """What was done, oldest first: to what, and whether it was there before and after."""
    return [
        (f"{entry.object_kind}/{entry.object_name}", entry.operation, bool(entry.before), bool(entry.after))
        for entry in entries(storage)
    ]


def test_every_change_in_somebodys_name_is_told_with_before_and_after(world: World) -> None:
    directory = world.storage.directory.acting(ADA)
    directory.create_tenant("gamma", NOON)
    directory.set_quota(Quota("gamma", "h100", 4), NOON)
    directory.set_quota(Quota("gamma", "h100", 4), NOON)
    directory.set_quota(Quota("gamma", "h100", 2), NOON)
    directory.lift_quota("gamma", "h100", NOON)
    directory.define_chips([make_chip("h100", memory_mib=1)], NOON)
    directory.create_user(User("bob", "gamma", NOON))
    directory.change_user("bob", lambda bob: replace(bob, disabled_at=after_noon(1)), NOON)
    directory.create_token(make_token())
    directory.rotate_token("t1", Rotation("k", lambda _: "5" * 64, after_noon(9), None), NOON)
    directory.revoke_token("t1", None, NOON)
    directory.revoke_token("t1", None, NOON)
    directory.record_login(User("eve", "gamma", NOON, Role.VIEWER, None, "issuer eve"), make_token(2), "proof")
    assert [(thing, before, after) for thing, _, before, after in told(world.storage)] == [
        ("tenant/gamma", False, True),
        ("quota/gamma/h100", False, True),
        ("quota/gamma/h100", True, True),
        ("quota/gamma/h100", True, False),
        ("chip/h100", True, True),
        ("user/bob", False, True),
        ("user/bob", True, True),
        ("token/t1", False, True),
        ("token/t1", True, True),
        ("token/t1", True, True),
        ("user/eve", False, True),
        ("token/t2", False, True),
    ]
    kept = entries(world.storage)
    assert {(entry.actor, entry.token_id, entry.request_id) for entry in kept} == {("ada", "t1", "request-1")}
    assert '"limit":4' in str(kept[2].before)
    assert '"limit":2' in str(kept[2].after)


def test_neither_a_secret_nor_its_hash_is_ever_told(world: World) -> None:
    directory = world.storage.directory.acting(ADA)
    token = make_token()
    directory.create_token(token)
    directory.rotate_token("t1", Rotation("key-hash", lambda _: "5" * 64, after_noon(9), None), NOON)
    text = str(entries(world.storage))
    for hidden in (token.secret_sha256, "5" * 64, "key-hash"):
        assert hidden not in text


def test_the_servers_own_writes_are_not_in_the_trail(world: World) -> None:
    world.storage.directory.create_tenant("gamma", NOON)
    job = world.submit()
    world.place(job)
    world.cancel(job)
    assert entries(world.storage) == []


def test_jobs_that_people_submit_and_cancel_are_told(world: World) -> None:
    journal, job = world.storage.journal.acting(ADA), world.make_job()
    journal.write([SubmitJob(job, None, MANY_JOBS), SubmitJob(world.make_job(tenant="nobody"), None, MANY_JOBS)])
    journal.write([WishStop(job.id, None, "ada", after_noon(1))])
    journal.write([WishStop(job.id, None, "ada", after_noon(1))])
    assert told(world.storage) == [
        (f"job/{job.id}", "the_operation", False, True),
        (f"job/{job.id}", "the_operation", True, True),
    ]
    assert {entry.tenant for entry in entries(world.storage)} == {"alpha"}


def test_it_is_settled_for_every_write_whether_it_is_told() -> None:
    assert {kind.__name__ for kind in DESCRIBED} | OF_THE_SERVER == {kind.__name__ for kind in get_args(Write)}
    assert not {kind.__name__ for kind in DESCRIBED} & OF_THE_SERVER


def test_a_refused_change_leaves_no_entry(world: World) -> None:
    with pytest.raises(AlreadyExists):
        world.storage.directory.acting(ADA).create_tenant("alpha", NOON)
    assert entries(world.storage) == []


def test_entries_are_found_by_actor_thing_tenant_operation_and_time(world: World) -> None:
    for number, name in enumerate(("ada", "bob")):
        actor = replace(ADA, name=name, operation=f"operation_{number}")
        world.storage.directory.acting(actor).set_quota(Quota("alpha", "h100", number), after_noon(number))
        world.storage.directory.acting(actor).set_quota(Quota("beta", "h100", number), after_noon(number))
    found = [
        [entry.number for entry in entries(world.storage, where)]
        for where in (
            AuditFilter(actor="bob"),
            AuditFilter(tenant="beta"),
            AuditFilter(operation="operation_0"),
            AuditFilter(object_kind="quota", object_name="alpha/h100"),
            AuditFilter(object_kind="token"),
            AuditFilter(since=after_noon(1)),
            AuditFilter(until=after_noon(1), tenant="alpha"),
        )
    ]
    assert found == [[3, 4], [2, 4], [1, 2], [1, 3], [], [3, 4], [1]]
    assert [entry.number for entry in world.storage.audit.entries(ALL, before=3, limit=1)] == [2]


@pytest.mark.parametrize(
    ("damage", "first_broken"),
    [
        ("UPDATE audit_entries SET actor = 'eve' WHERE number = 2", 2),
        ("DELETE FROM audit_entries WHERE number = 2", 3),
        ("DELETE FROM audit_entries WHERE number = 3", 3),
        ("UPDATE audit_head SET sha256 = 'x'", 4),
    ],
)
def test_whoever_changes_the_trail_breaks_its_chain(
    database: Database, world: World, damage: str, first_broken: int
) -> None:
    for devices in (1, 2, 3):
        world.storage.directory.acting(ADA).set_quota(Quota("alpha", "h100", devices), NOON)
    whole = world.storage.audit.check()
    assert (whole.entries, whole.first_broken, whole.last) == (3, None, 3)
    with database.raw() as connection:
        connection.exec_driver_sql(damage)
        connection.commit()
    assert world.storage.audit.check().first_broken == first_broken


def test_a_denied_call_is_noted_without_waiting(world: World) -> None:
    act = Act("operation", "drain_node", "alpha", NOON, None, {"left_out_before": 0}, Outcome.DENIED)
    world.storage.audit.note(ADA, act)
    eventually(lambda: len(entries(world.storage)) == 1, within_s=60)
    assert entries(world.storage)[0].outcome is Outcome.DENIED


def test_what_is_old_is_forgotten_and_the_rest_is_whole(database: Database) -> None:
    storage = open_storage(database.url, database.wake_up, audit_kept=timedelta(days=1))
    try:
        directory = storage.directory.acting(ADA)
        for number in range(60):
            directory.create_tenant(f"old-{number}", NOON)
        for number in range(60):
            directory.create_tenant(f"new-{number}", NOON + timedelta(days=30))
        kept = storage.audit.check()
        assert (kept.entries, kept.first_broken, kept.last) == (60, None, 120)
    finally:
        storage.close()
