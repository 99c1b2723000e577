import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.permissions import ABOUT_ONESELF, CLUSTER_WIDE, PERMISSIONS, Open
from api.web.guarded_route import GuardedRoute
from scheduler.core.model.tenant import Role

ROUTES = [route for router in ROUTERS for route in router.routes]
CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def routes_by_operation() -> dict[str, APIRoute]:
    return {str(route.operation_id): route for route in ROUTES if isinstance(route, APIRoute)}


def test_every_route_has_an_entry_and_every_entry_a_route() -> None:
    assert routes_by_operation().keys() == PERMISSIONS.keys()


def test_every_route_is_behind_the_guard() -> None:
    assert ROUTES
    assert [route for route in ROUTES if not isinstance(route, GuardedRoute)] == []


def test_no_two_routes_share_an_operation_id() -> None:
    assert len(routes_by_operation()) == len(ROUTES)


def test_every_route_but_the_servers_own_is_versioned() -> None:
    unversioned = {name for name, route in routes_by_operation().items() if not route.path.startswith("/v1/")}
    assert unversioned == {"is_alive", "is_ready", "show_openapi", "show_dashboard", "show_dashboard_file"}


def test_a_route_without_an_entry_cannot_be_built() -> None:
    async def endpoint() -> None:
        """Do nothing."""

    with pytest.raises(LookupError, match="unheard_of"):
        GuardedRoute("/v1/unknown", endpoint, operation_id="unheard_of")


def test_an_auditor_changes_nothing() -> None:
    routes = routes_by_operation()
    for name, access in PERMISSIONS.items():
        if not isinstance(access, Open) and Role.AUDITOR in access:
            assert name in ABOUT_ONESELF or not (routes[name].methods or set()) & CHANGES, name


def test_a_tenants_roles_include_each_other_upwards() -> None:
    for name, access in PERMISSIONS.items():
        if isinstance(access, Open):
            continue
        if Role.VIEWER in access:
            assert Role.SUBMITTER in access, name
        if Role.SUBMITTER in access:
            assert Role.TENANT_ADMIN in access, name


def test_nobody_without_a_tenant_submits() -> None:
    submit = PERMISSIONS["submit_job"]
    assert not isinstance(submit, Open)
    assert not submit & CLUSTER_WIDE
