"""One node: show it, drain it, take that back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.answers.fleet import node_answer
from api.context import ApiContext
from api.problems import Refusal
from api.schemas.fleet import DrainBody, NodeAnswer
from api.web.dependencies import Caller, ClusterPath, Context
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.failures import not_found
from api.web.guarded_route import GuardedRoute
from api.web.openapi import HAS_CHANGED
from scheduler.core.model.identifiers import NodeId, node_id
from scheduler.core.model.node import Drain
from scheduler.core.model.tenant import Principal
from scheduler.ports.directory import DoesNotExist
from scheduler.ports.journal import Guard
from scheduler.ports.views import NodeView

router = APIRouter(prefix="/v1/nodes/{cluster}/{node}", tags=["fleet"], route_class=GuardedRoute)

NodePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=253, examples=["nvidia-1"])]


async def _node(cluster: ClusterPath, node: NodePath) -> NodeId:
    return node_id(cluster, node)


NodeOfPath = Annotated[NodeId, Depends(_node)]


@router.get("", operation_id="show_node")
def show_node(node: NodeOfPath, context: Context, caller: Caller, response: Response) -> NodeAnswer:
    """Show a node with its devices and who holds what on it. The ETag is that of its being drained."""
    return _answer(_found(context, node), caller, response)


@router.put("/drain", operation_id="drain_node", responses=HAS_CHANGED)
def drain_node(
    node: NodeOfPath,
    body: DrainBody,
    context: Context,
    caller: Caller,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> NodeAnswer:
    """Let a node take nothing new until that is taken back, whatever its cluster says of it. What it runs goes on.

    On Kubernetes the node is not cordoned: others may still use it.
    """
    _found(context, node)
    drain = Drain(caller.name, context.clock.now(), body.note)
    try:
        context.directory.drain_node(node, drain, _guard(if_match))
    except DoesNotExist:
        raise Refusal(not_found("node")) from None
    return _answer(_found(context, node), caller, response)


@router.delete("/drain", operation_id="undrain_node", responses=HAS_CHANGED)
def undrain_node(
    node: NodeOfPath,
    context: Context,
    caller: Caller,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> NodeAnswer:
    """Take a drain back: the node is again what its cluster says. Without effect where nobody drained it."""
    _found(context, node)
    try:
        context.directory.undrain_node(node, context.clock.now(), _guard(if_match))
    except DoesNotExist:
        raise Refusal(not_found("node")) from None
    return _answer(_found(context, node), caller, response)


def _guard(if_match: str | None) -> Guard:
    """Return the guard of a node that is there, and may not be drained: that is a state like any other."""
    return guarded_by(None if if_match == "*" else if_match)


def _found(context: ApiContext, node: NodeId) -> NodeView:
    views = context.views.nodes(cluster=None, chip=None, after=None, limit=1, ids=(node,))
    if not views:
        raise Refusal(not_found("node"))
    return views[0]


def _answer(view: NodeView, caller: Principal, response: Response) -> NodeAnswer:
    response.headers["ETag"] = etag_of(view.drain)
    return node_answer(view, caller)
