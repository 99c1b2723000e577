"""What a scheduler answers to the API processes of its Medley: output of workers, and checks of clusters.

They have no way to the clusters of their own. The routes are no part of the public API: whoever has the server's
secret may call them, and nobody else.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.problems import Code, Problem, Refusal
from api.streaming.log_readers import LogReaders
from api.web.failures import not_found
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import ClusterReader, Clusters

MOST_AT_ONCE = 16
MOST_BYTES = 4 * 1024 * 1024
LONGEST_WAIT_S = 10.0

_Answer = Callable[[ClusterReader, Request], Any]


def relay_routes(clusters: Clusters, token: str) -> list[Route]:
    """Return the routes for other processes, which send `token`."""
    readers = LogReaders(MOST_AT_ONCE)

    def answering(answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            _require(token, request)
            cluster = next((one for one in clusters if one.name == request.path_params["cluster"]), None)
            if cluster is None:
                raise Refusal(not_found("cluster"))
            return JSONResponse(await readers.read(lambda: answer(cluster, request)))

        return endpoint

    return [
        Route("/internal/v1/clusters/{cluster}/logs", answering(_logs)),
        Route("/internal/v1/clusters/{cluster}/check", answering(_check)),
    ]


def _require(token: str, request: Request) -> None:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.encode()):
        detail = "This address is for other processes of this Medley."
        raise Refusal(Problem(Code.NOT_AUTHENTICATED, detail, "give all processes the same server secret"))


def _logs(cluster: ClusterReader, request: Request) -> dict[str, Any]:
    asked = request.query_params
    try:
        worker = WorkerKey(asked["attempt"], int(asked["rank"]))
        offset, limit = max(int(asked["offset"]), 0), min(max(int(asked["limit"]), 1), MOST_BYTES)
        within_s = min(max(float(asked["within_s"]), 0.0), LONGEST_WAIT_S)
        return asdict(cluster.logs(worker, offset=offset, limit=limit, within_s=within_s))
    except (KeyError, ValueError) as error:
        raise Refusal(Problem(Code.BAD_REQUEST, f"It lacks what is needed: {error}.")) from None


def _check(cluster: ClusterReader, _request: Request) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in cluster.check()]
