"""Nobody grants more than they hold."""

from datetime import UTC, datetime

import pytest

from scheduler.core.model.tenant import Principal, Role, Token
from scheduler.ports.directory import Directory
from scheduler.services.access.authenticate import secret_sha256
from scheduler.services.access.grant_access import Grant, GrantRefused, create_token

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic_s(self) -> float:
        return 0.0


class Identifiers:
    def new_job_id(self) -> str:
        return "0" * 16

    def new_token_id(self) -> str:
        return "t" * 16


class KeptTokens:
    """The one part of a directory that granting uses."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []

    def create_token(self, token: Token) -> None:
        self.tokens.append(token)


def grant_by(role: Role, tenant: str | None, grant: Grant) -> tuple[str, Token]:
    kept = KeptTokens()
    by = Principal("id", "somebody", role, tenant)
    directory: Directory = kept  # type: ignore[assignment]  # only create_token is called
    new = create_token(directory, Clock(), Identifiers(), by=by, grant=grant)
    assert kept.tokens == [new.token]
    return new.secret, new.token


def asked(role: Role, tenant: str | None) -> Grant:
    return Grant(name="robot", role=role, tenant=tenant, user=None, valid_days=30)


def test_only_the_hash_of_a_secret_is_kept_and_its_end_is_dated() -> None:
    secret, token = grant_by(Role.OPERATOR, None, asked(Role.SUBMITTER, "a"))
    assert token.secret_sha256 == secret_sha256(secret)
    assert token.expires_at is not None
    assert (token.expires_at - NOW).days == 30


def test_an_operator_grants_every_role() -> None:
    for role in Role:
        tenant = None if role.is_cluster_wide else "a"
        assert grant_by(Role.OPERATOR, None, asked(role, tenant))[1].role is role


def test_a_tenant_admin_grants_the_roles_of_its_own_tenant() -> None:
    for role in (Role.VIEWER, Role.SUBMITTER, Role.TENANT_ADMIN):
        assert grant_by(Role.TENANT_ADMIN, "a", asked(role, "a"))[1].tenant == "a"


@pytest.mark.parametrize(
    ("by", "own", "role", "tenant"),
    [
        (Role.TENANT_ADMIN, "a", Role.OPERATOR, None),
        (Role.TENANT_ADMIN, "a", Role.AUDITOR, None),
        (Role.TENANT_ADMIN, "a", Role.VIEWER, "b"),
        (Role.SUBMITTER, "a", Role.VIEWER, "a"),
        (Role.AUDITOR, None, Role.VIEWER, "a"),
        (Role.OPERATOR, None, Role.OPERATOR, "a"),
        (Role.OPERATOR, None, Role.VIEWER, None),
    ],
)
def test_everything_beyond_that_is_refused(by: Role, own: str | None, role: Role, tenant: str | None) -> None:
    with pytest.raises(GrantRefused):
        grant_by(by, own, asked(role, tenant))
