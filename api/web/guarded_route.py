"""The one kind of route: nobody gets past it, and no body is read, before the permission table was asked."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.permissions import PERMISSIONS, scope_of
from api.web.callers import Caller, Wanted, actor_of, admit
from api.web.json_body import JsonRequest
from scheduler.core.model.tenant import Principal
from scheduler.ports.telling.log_context import about


class GuardedRoute(APIRoute):
    """A route of the permission table. Raises LookupError when it is built without an entry there."""

    wanted: Wanted
    """What opens it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler behind the guard."""
        if self.operation_id is None or self.operation_id not in PERMISSIONS:
            raise LookupError(f"the permission table has no entry for the operation {self.operation_id!r}")
        operation = self.operation_id
        scope = scope_of(operation, [str(tag) for tag in self.tags], self.methods or ())
        self.wanted = wanted = Wanted(operation, PERMISSIONS[operation], scope)
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.operation = wanted.operation
            context = request.app.state.context
            caller = request.state.caller = await admit(context, request, wanted)
            request.state.actor = actor_of(request, caller, wanted.operation)
            with about(**_subjects(caller, request.path_params)):
                return await handle(JsonRequest(request.scope, request.receive))

        return guarded


def _subjects(caller: Caller, path: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what log lines of a request are about."""
    who: dict[str, str | None] = {}
    if isinstance(caller, Principal):
        who = {"tenant": caller.tenant, "user": caller.name}
    return who | {"job_id": path.get("job"), "attempt_id": path.get("attempt")}
