"""The fleet: nodes, pools, clusters, chip types and who uses them."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers.fleet import check_answer, chip_answer, chip_type, node_answer, pool_answer
from api.answers.sparse import sparse
from api.context import ApiContext
from api.problems import Refusal
from api.schemas.fleet import (
    ChipAnswer,
    ChipBody,
    ChipPage,
    ClusterAnswer,
    ClusterCheckAnswer,
    ClusterPage,
    NodePage,
    PoolPage,
    TenantUseAnswer,
    UtilisationAnswer,
)
from api.schemas.queries import NodeQuery, SparsePage
from api.web.cursors import NAME_KEY, NODE_KEY, cut_page, decode_cursor, page_of_whole
from api.web.dependencies import Caller, ChipPath, ClusterPath, Context, Page
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.failures import not_found
from api.web.guarded_route import GuardedRoute
from api.web.openapi import HAS_CHANGED
from scheduler.core.model.identifiers import ChipName, TenantName

router = APIRouter(prefix="/v1", tags=["fleet"], route_class=GuardedRoute)

TENANTS_PER_READ = 200


@router.get("/nodes", operation_id="list_nodes")
def list_nodes(context: Context, caller: Caller, query: Annotated[NodeQuery, Query()]) -> NodePage | SparsePage:
    """List nodes with their devices and who holds what on them."""
    after = decode_cursor(query.cursor, NODE_KEY)
    found = context.views.nodes(
        cluster=query.cluster, chip=query.chip, ids=query.node, after=after, limit=query.limit + 1
    )
    page, following = cut_page(found, query.limit, lambda view: view.node.id)
    return sparse(NodePage(items=tuple(node_answer(view, caller) for view in page), next=following), query.fields)


@router.get("/pools", operation_id="list_pools")
def list_pools(context: Context, query: Page) -> PoolPage | SparsePage:
    """List pools by name: the nodes of one cluster that have the same devices."""
    after = decode_cursor(query.cursor, NODE_KEY)
    page, following = page_of_whole(context.views.pools(), after, query.limit, lambda pool: pool.name)
    return sparse(PoolPage(items=tuple(pool_answer(pool) for pool in page), next=following), query.fields)


@router.get("/clusters", operation_id="list_clusters")
def list_clusters(context: Context, query: Page) -> ClusterPage | SparsePage:
    """List clusters by name: one per adapter that the server was started with."""
    after = decode_cursor(query.cursor, NAME_KEY)
    page, following = page_of_whole(context.directory.clusters(), after, query.limit, lambda cluster: cluster.name)
    items = tuple(ClusterAnswer(name=cluster.name, kind=cluster.kind) for cluster in page)
    return sparse(ClusterPage(items=items, next=following), query.fields)


@router.get("/clusters/{cluster}/check", operation_id="check_cluster")
def check_cluster(cluster: ClusterPath, context: Context) -> ClusterCheckAnswer:
    """Look at everything that Medley needs of a cluster; takes up to half a minute where it does not answer."""
    found = next((one for one in context.clusters if one.name == cluster), None)
    if found is None:
        raise Refusal(not_found("cluster"))
    return check_answer(cluster, found.check())


@router.get("/utilisation", operation_id="show_utilisation")
def show_utilisation(context: Context, caller: Caller) -> UtilisationAnswer:
    """Show who uses what now; a tenant's roles see their own tenant's rows."""
    return UtilisationAnswer(
        pools=tuple(pool_answer(pool) for pool in context.views.pools()),
        tenants=_uses(context, caller.tenant),
    )


@router.get("/chips", operation_id="list_chips")
def list_chips(context: Context, query: Page) -> ChipPage | SparsePage:
    """List the chip types that jobs can ask for, by name."""
    after = decode_cursor(query.cursor, NAME_KEY)
    page, following = page_of_whole(context.directory.chips(), after, query.limit, lambda chip: chip.name)
    return sparse(ChipPage(items=tuple(chip_answer(chip) for chip in page), next=following), query.fields)


@router.get("/chips/{chip}", operation_id="show_chip")
def show_chip(chip: ChipPath, context: Context, response: Response) -> ChipAnswer:
    """Show a chip type, with its ETag."""
    found = context.directory.chip(chip)
    if found is None:
        raise Refusal(not_found("chip type"))
    response.headers["ETag"] = etag_of(found)
    return chip_answer(found)


@router.put("/chips/{chip}", operation_id="define_chip", responses=HAS_CHANGED)
def define_chip(
    chip: ChipPath, body: ChipBody, context: Context, response: Response, *, if_match: IfMatch = None
) -> ChipAnswer:
    """Add a chip type to the catalogue, or replace what is known about one."""
    defined = chip_type(chip, body)
    context.directory.define_chips([defined], context.clock.now(), guarded_by(if_match))
    response.headers["ETag"] = etag_of(defined)
    return chip_answer(defined)


def _uses(context: ApiContext, tenant: TenantName | None) -> tuple[TenantUseAnswer, ...]:
    held: dict[tuple[TenantName, ChipName], int] = defaultdict(int)
    for use in context.views.tenant_use(tenant):
        held[use.tenant, use.chip] += use.devices
    names = [tenant] if tenant is not None else _tenant_names(context)
    quotas = {(quota.tenant, quota.chip): quota.devices for name in names for quota in context.directory.quotas(name)}
    return tuple(
        TenantUseAnswer(tenant=name, chip=chip, devices_held=held.get((name, chip), 0), quota=quotas.get((name, chip)))
        for name, chip in sorted(held.keys() | quotas.keys())
    )


def _tenant_names(context: ApiContext) -> Iterator[TenantName]:
    after: TenantName | None = None
    while page := context.directory.tenants(after=after, limit=TENANTS_PER_READ):
        yield from (tenant.name for tenant in page)
        after = page[-1].name
