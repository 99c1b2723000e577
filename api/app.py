"""The application: routes, the frame around them, and the document that describes them."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from api.context import ApiContext
from api.dashboard import pages
from api.relay import relay_routes
from api.routes import (
    events,
    fleet,
    health,
    nodes,
    plans,
    scheduler,
    service,
    tenants,
    usage,
    whatif,
    workers,
)
from api.routes.access import audit, login, tokens, users
from api.routes.jobs import arrays, changes, jobs, output, replicas
from api.routes.sharing import queues, shares
from api.routes.speeds import profiles, throughputs
from api.streaming.log_readers import LogReaders
from api.streaming.streams import MOST_STREAMS, MOST_STREAMS_OF_A_TENANT, Streams
from api.web.failures import install_failures
from api.web.frame import RequestFrame
from api.web.guarded_route import GuardedRoute
from api.web.openapi import DESCRIPTION, TITLE, build_document

ROUTERS = (
    jobs.router,
    changes.router,
    output.router,
    events.router,
    fleet.router,
    nodes.router,
    throughputs.router,
    profiles.router,
    whatif.router,
    plans.router,
    usage.router,
    tenants.router,
    queues.router,
    shares.router,
    users.router,
    tokens.router,
    audit.router,
    login.router,
    workers.router,
    replicas.router,
    arrays.router,
    scheduler.router,
    service.router,
    health.router,
    pages.router,
)


class MedleyApi(FastAPI):
    """The REST service; its OpenAPI document is made once."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            self.openapi_schema = build_document(self)
        return self.openapi_schema


def create_app(context: ApiContext) -> FastAPI:
    """Return the ASGI application; it reads no environment and opens nothing by itself."""
    app = _framed(context)
    app.state.streams = Streams(MOST_STREAMS, MOST_STREAMS_OF_A_TENANT)
    app.state.log_readers = LogReaders()
    app.state.operations = [
        route.wanted for router in ROUTERS for route in router.routes if isinstance(route, GuardedRoute)
    ]
    for router in ROUTERS:
        app.include_router(router)
    return app


def create_scheduler_app(context: ApiContext, process_token: str) -> FastAPI:
    """Return what a scheduler without an API answers: whether it is well, and what API processes ask it for."""
    app = _framed(context)
    app.include_router(health.router)
    app.router.routes.extend(relay_routes(context.clusters, process_token))
    return app


def _framed(context: ApiContext) -> MedleyApi:
    app = MedleyApi(
        title=TITLE,
        version=version("medley"),
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = context
    app.add_middleware(RequestFrame, telemetry=context.telemetry, tracer=context.tracer)
    install_failures(app)
    return app
