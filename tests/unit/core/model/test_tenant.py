from dataclasses import replace

import pytest

from scheduler.core.model.tenant import Principal, Role, Token
from tests.builders.core import NOON, seconds_after_noon

TOKEN = Token("t1", "ci", Role.SUBMITTER, "alpha", None, "00" * 32, created_at=NOON)


def test_a_token_without_an_end_opens_until_it_is_revoked() -> None:
    assert TOKEN.is_valid(seconds_after_noon(10**9))
    assert not replace(TOKEN, revoked_at=NOON).is_valid(NOON)


def test_a_token_ends_at_the_very_moment_it_expires() -> None:
    expiring = replace(TOKEN, expires_at=seconds_after_noon(60))
    assert expiring.is_valid(seconds_after_noon(59))
    assert not expiring.is_valid(seconds_after_noon(60))


@pytest.mark.parametrize("role", Role)
def test_only_operators_and_auditors_belong_to_no_tenant(role: Role) -> None:
    assert role.is_cluster_wide == (role in {Role.OPERATOR, Role.AUDITOR})


def test_a_tenants_role_sees_its_own_tenant_alone() -> None:
    principal = Principal("t1", "ci", Role.TENANT_ADMIN, "alpha")
    assert principal.may_see("alpha")
    assert not principal.may_see("beta")


def test_a_cluster_wide_role_sees_every_tenant() -> None:
    assert Principal("t2", "audit", Role.AUDITOR, None).may_see("beta")
