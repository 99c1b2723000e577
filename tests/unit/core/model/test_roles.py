"""Which role covers which, and what is within a scope."""

import pytest

from scheduler.core.model.tenant import TENANT_ROLES, Role, Scope, within


def test_a_tenants_roles_cover_those_below_them() -> None:
    for place, role in enumerate(TENANT_ROLES):
        assert [role.covers(other) for other in TENANT_ROLES] == [index <= place for index in range(3)]


def test_an_operator_covers_all_and_an_auditor_itself_alone() -> None:
    assert all(Role.OPERATOR.covers(role) for role in Role)
    assert [role for role in Role if Role.AUDITOR.covers(role)] == [Role.AUDITOR]
    assert not any(role.covers(Role.OPERATOR) for role in Role if role is not Role.OPERATOR)


READ, BOTH = frozenset({Scope.JOBS_READ}), frozenset({Scope.JOBS_READ, Scope.JOBS_WRITE})


@pytest.mark.parametrize(
    ("wanted", "given", "is_within"),
    [(None, None, True), (READ, None, True), (None, READ, False), (READ, BOTH, True), (BOTH, READ, False)],
)
def test_a_scope_is_within_what_has_all_of_it(
    wanted: frozenset[Scope] | None, given: frozenset[Scope] | None, *, is_within: bool
) -> None:
    assert within(wanted, given) == is_within
