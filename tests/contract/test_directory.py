"""Tenants, users, tokens, quotas, clusters and chip types."""

from dataclasses import replace

import pytest

from scheduler.adapters.database.storage import Storage
from scheduler.core.model.change import (
    ChipDefined,
    ClusterSeen,
    QueueQuotaLifted,
    QueueQuotaSet,
    QueueSet,
    TenantCreated,
)
from scheduler.core.model.node import Cluster
from scheduler.core.model.sharing.queue import Queue, QueueQuota
from scheduler.core.model.tenant import Holder, Quota, Role, Scope, Tenant, Token, User
from scheduler.ports.directory import AlreadyExists, DoesNotExist
from tests.builders.database import NOON, World, after_noon, make_chip


def make_token(number: int = 1, **differing: object) -> Token:
    token = Token(f"t{number}", "laptop", Role.SUBMITTER, "alpha", None, f"{number:064d}", NOON, after_noon(60))
    return replace(token, **differing)  # type: ignore[arg-type] # fields of a token


def test_a_tenant_is_created_once_and_told_in_the_feed(storage: Storage) -> None:
    assert storage.directory.create_tenant("alpha", NOON) == Tenant("alpha", NOON)
    with pytest.raises(AlreadyExists, match="alpha"):
        storage.directory.create_tenant("alpha", after_noon(1))
    assert storage.directory.tenant("alpha") == Tenant("alpha", NOON)
    assert storage.directory.tenant("beta") is None
    told = [(one.number, one.at, one.tenant, one.body) for one in storage.views.changes_after(0, limit=9)]
    own = QueueSet(Queue("alpha", tenant="alpha"))
    assert told == [(1, NOON, "alpha", TenantCreated("alpha")), (2, NOON, "alpha", own)]


def test_names_are_listed_byte_by_byte_in_pages(storage: Storage) -> None:
    names = ["B", "_x", "a", "a-1", "a1", "b", "é"]
    for name in reversed(names):
        storage.directory.create_tenant(name, NOON)
        storage.directory.create_user(User(name, name, NOON))
    assert [tenant.name for tenant in storage.directory.tenants(after=None, limit=99)] == names
    assert [tenant.name for tenant in storage.directory.tenants(after="a", limit=2)] == ["a-1", "a1"]
    assert [user.name for user in storage.directory.users(tenant=None, after="a1", limit=99)] == ["b", "é"]


def test_a_user_belongs_to_a_tenant_that_exists_or_to_none(world: World) -> None:
    directory = world.storage.directory
    assert directory.create_user(User("ann", "alpha", NOON)) == User("ann", "alpha", NOON)
    directory.create_user(User("root", None, NOON))
    with pytest.raises(AlreadyExists, match="ann"):
        directory.create_user(User("ann", "beta", NOON))
    with pytest.raises(DoesNotExist, match="gamma"):
        directory.create_user(User("bob", "gamma", NOON))
    assert directory.users(tenant="alpha", after=None, limit=9) == [User("ann", "alpha", NOON)]
    assert [user.name for user in directory.users(tenant=None, after=None, limit=9)] == ["ann", "root"]


def test_a_token_is_found_by_the_hash_of_its_secret(world: World) -> None:
    directory = world.storage.directory
    ann = directory.create_user(User("ann", "alpha", NOON))
    token = make_token(user="ann", scope=frozenset({Scope.JOBS_READ, Scope.FLEET_READ}))
    directory.create_token(token)
    assert directory.holder_of(token.secret_sha256) == Holder(token, ann, token.secret_sha256)
    assert directory.holder_of("f" * 64) is None


def test_a_token_is_refused_for_a_known_id_or_hash_and_for_an_unknown_tenant_or_user(world: World) -> None:
    directory = world.storage.directory
    directory.create_token(make_token(1))
    for token in (make_token(2, id="t1"), make_token(2, secret_sha256=make_token(1).secret_sha256)):
        with pytest.raises(AlreadyExists):
            directory.create_token(token)
    for token in (make_token(3, tenant="gamma"), make_token(3, user="nobody")):
        with pytest.raises(DoesNotExist):
            directory.create_token(token)


def test_tokens_are_listed_by_id_of_one_tenant_or_of_all(world: World) -> None:
    directory = world.storage.directory
    tokens = [make_token(1), make_token(2, tenant="beta"), make_token(3, tenant=None, role=Role.OPERATOR)]
    for token in tokens:
        directory.create_token(token)
    assert directory.tokens(tenant=None, after=None, limit=9) == tokens
    assert directory.tokens(tenant="beta", after=None, limit=9) == tokens[1:2]
    assert directory.tokens(tenant=None, after="t1", limit=1) == tokens[1:2]


def test_a_revoked_token_keeps_its_first_time(world: World) -> None:
    directory = world.storage.directory
    directory.create_token(make_token())
    revoked = directory.revoke_token("t1", "alpha", after_noon(5))
    assert revoked == make_token(revoked_at=after_noon(5))
    assert directory.revoke_token("t1", None, after_noon(9)) == revoked
    assert directory.token("t1", "alpha") == revoked


def test_another_tenants_token_does_not_exist(world: World) -> None:
    world.storage.directory.create_token(make_token())
    for token_id, tenant in (("t1", "beta"), ("t9", None)):
        with pytest.raises(DoesNotExist):
            world.storage.directory.revoke_token(token_id, tenant, NOON)


def test_a_quota_is_set_changed_and_lifted(world: World) -> None:
    directory = world.storage.directory
    before = world.storage.views.last_change()
    for devices in (4, 4, 2):
        directory.set_quota(Quota("alpha", "h100", devices), NOON)
    directory.set_quota(Quota("alpha", "ascend-910b", 1), NOON)
    assert directory.quotas("alpha") == [Quota("alpha", "ascend-910b", 1), Quota("alpha", "h100", 2)]
    assert directory.quotas("beta") == []
    directory.lift_quota("alpha", "h100", NOON)
    with pytest.raises(DoesNotExist):
        directory.lift_quota("alpha", "h100", NOON)
    assert [change.body for change in world.storage.views.changes_after(before, limit=9)] == [
        QueueQuotaSet(QueueQuota("alpha", "h100", limit=4)),
        QueueQuotaSet(QueueQuota("alpha", "h100", limit=2)),
        QueueQuotaSet(QueueQuota("alpha", "ascend-910b", limit=1)),
        QueueQuotaLifted("alpha", "h100"),
    ]


def test_a_quota_needs_its_tenant_and_its_chip(world: World) -> None:
    for quota in (Quota("gamma", "h100", 1), Quota("alpha", "abacus", 1)):
        with pytest.raises(DoesNotExist):
            world.storage.directory.set_quota(quota, NOON)


def test_the_catalogue_counts_what_really_changed(storage: Storage) -> None:
    unknown = make_chip("abacus", memory_mib=None, dense_bf16_tflops=None, link=None, estimated_fields=())
    chips = [unknown, make_chip("h100")]
    assert storage.directory.define_chips(chips, NOON) == 2
    assert storage.directory.chips() == chips
    changed = [unknown, make_chip("h100", measured_tflops=612.5)]
    assert storage.directory.define_chips(changed, NOON) == 1
    assert storage.directory.define_chips(changed, NOON) == 0
    assert storage.directory.chips() == changed
    assert [change.body for change in storage.views.changes_after(2, limit=9)] == [ChipDefined(changed[1])]


def test_a_cluster_is_registered_once_and_keeps_its_kind(storage: Storage) -> None:
    for _ in range(2):
        storage.directory.register_cluster(Cluster("mixed", "local"), NOON)
    with pytest.raises(AlreadyExists, match="local"):
        storage.directory.register_cluster(Cluster("mixed", "kubernetes"), NOON)
    assert storage.directory.clusters() == [Cluster("mixed", "local")]
    assert [change.body for change in storage.views.changes_after(0, limit=9)] == [
        ClusterSeen(Cluster("mixed", "local"))
    ]


def test_what_a_cluster_can_do_may_change_and_the_feed_tells_it_once(storage: Storage) -> None:
    changed = Cluster("mixed", "kubernetes", binds_devices=False, enforces_shares=False)
    for cluster in (Cluster("mixed", "kubernetes"), changed, changed):
        storage.directory.register_cluster(cluster, NOON)
    assert storage.directory.clusters() == [changed]
    bodies = [change.body for change in storage.views.changes_after(0, limit=9)]
    assert bodies == [ClusterSeen(Cluster("mixed", "kubernetes")), ClusterSeen(changed)]
