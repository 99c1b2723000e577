"""Tenants, quotas, users and tokens as the API shows them."""

from api.schemas.access import NewTokenAnswer, QuotaAnswer, TenantAnswer, TokenAnswer, UserAnswer
from scheduler.core.model.tenant import Quota, Scope, Scopes, Tenant, Token, User
from scheduler.services.access.grant_access import NewToken


def tenant_answer(tenant: Tenant) -> TenantAnswer:
    """Return a tenant."""
    return TenantAnswer(name=tenant.name, created_at=tenant.created_at)


def quota_answer(quota: Quota) -> QuotaAnswer:
    """Return a quota."""
    return QuotaAnswer(tenant=quota.tenant, chip=quota.chip, devices=quota.devices)


def user_answer(user: User) -> UserAnswer:
    """Return a user."""
    return UserAnswer(
        name=user.name,
        tenant=user.tenant,
        role=user.role,
        is_disabled=user.disabled_at is not None,
        disabled_at=user.disabled_at,
        has_login=user.subject is not None,
        created_at=user.created_at,
    )


def token_answer(token: Token) -> TokenAnswer:
    """Return a token without its hash."""
    return TokenAnswer(
        id=token.id,
        name=token.name,
        role=token.role,
        tenant=token.tenant,
        user=token.user,
        scope=scope_answer(token.scope),
        is_login=token.is_login,
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        last_used_at=token.last_used_at,
        old_secret_until=token.old_secret_until,
    )


def scope_answer(scope: Scopes) -> tuple[Scope, ...] | None:
    """Return a scope in the order of the alphabet."""
    return None if scope is None else tuple(sorted(scope))


def new_token_answer(new: NewToken) -> NewTokenAnswer:
    """Return a token just made, with its secret."""
    return NewTokenAnswer(**token_answer(new.token).model_dump(), secret=new.secret)
