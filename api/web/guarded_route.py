"""The one kind of route: nobody gets past it, and no body is read, before the permission table was asked."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.permissions import PERMISSIONS
from api.web.callers import Caller, admit
from api.web.json_body import JsonRequest
from scheduler.core.model.tenant import Principal
from scheduler.ports.telling.log_context import about


class GuardedRoute(APIRoute):
    """A route of the permission table. Raises LookupError when it is built without an entry there."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler behind the guard."""
        if self.operation_id is None or self.operation_id not in PERMISSIONS:
            raise LookupError(f"the permission table has no entry for the operation {self.operation_id!r}")
        operation = self.operation_id
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.operation = operation
            caller = request.state.caller = await admit(request.app.state.context, request, operation)
            with about(**_subjects(caller, request.path_params)):
                return await handle(JsonRequest(request.scope, request.receive))

        return guarded


def _subjects(caller: Caller, path: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what log lines of a request are about."""
    who: dict[str, str | None] = {}
    if isinstance(caller, Principal):
        who = {"tenant": caller.tenant, "user": caller.name}
    return who | {"job_id": path.get("job"), "attempt_id": path.get("attempt")}
