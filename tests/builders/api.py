"""A whole API on a real SQLite database and a fake cluster, with a token per role and a scheduler that is stepped."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import create_app
from api.context import ApiContext, Check
from api.web.bounded_http import LONGEST_IDLE_S, BoundedHttp
from scheduler.adapters.database.storage import Storage, open_storage
from scheduler.adapters.memory.cluster import FakeCluster
from scheduler.adapters.memory.fake_worker import Behaviour
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.identifiers import SystemIdentifiers
from scheduler.adapters.system.rate_limits import InProcessRateLimits
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.model.chip import ChipType
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.tenant import Role, Scopes
from scheduler.core.model.topology import RACK, Topology
from scheduler.ports.cluster import GangOrder
from scheduler.ports.rate_limit import Rate
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.access.grant_access import Grant, draft_token
from scheduler.services.access.meter_requests import Meter
from scheduler.services.access.note_denied import DeniedCalls
from scheduler.services.access.server_secrets import ServerSecrets
from scheduler.services.decide_once import Decider
from scheduler.services.follow_changes import FollowedState
from scheduler.services.heartbeats.hearing import Hearing
from scheduler.services.keep_lead import Lead
from scheduler.services.planning.plan_training import TrainingPlanner
from scheduler.services.planning.waiting import Waiting
from scheduler.services.questions.forecasting import Forecaster
from scheduler.services.questions.suppose import Supposer
from scheduler.services.reconcile_once import LaunchTerms, Reconciler
from scheduler.services.sync_inventory import InventorySync
from tests.builders.database import empty_sqlite
from tests.builders.eventually import eventually
from tests.builders.issuer import TrustingIssuer, a_login

SERVER_SECRET = b"not a secret"
CHIPS = ("h100-sxm", "mi300x")
TENANTS = ("demo", "beta")
AMPLE = Rate(1_000_000, 1)
"""More than any test asks for."""
JOB: Mapping[str, Any] = {"name": "first", "workers": 2, "chips": "h100-sxm", "command": ["true"]}


@dataclass(slots=True)
class ApiWorld:
    """An API, and everything behind it."""

    app: FastAPI
    storage: Storage
    context: ApiContext
    cluster: FakeCluster
    checks: list[Check]
    behaviours: dict[int, Behaviour]
    """What the worker of a rank will do; without an entry it runs until it is stopped."""
    issuer: TrustingIssuer
    tokens: dict[tuple[Role, str | None], str] = field(default_factory=dict)

    def token(self, role: Role, tenant: str | None = "demo") -> str:
        """Return a token's secret, made at the first call."""
        owner = None if role.is_cluster_wide else tenant
        if (role, owner) not in self.tokens:
            self.tokens[role, owner] = self.new_token(role, tenant)
        return self.tokens[role, owner]

    def new_token(
        self, role: Role, tenant: str | None = "demo", *, scope: Scopes = None, is_login: bool = False
    ) -> str:
        """Make a token and return its secret."""
        owner = None if role.is_cluster_wide else tenant
        grant = Grant(name=f"{role}-of-{owner}", role=role, tenant=owner, user=None, valid_days=None, scope=scope)
        new = draft_token(self.context.clock, self.context.identifiers, grant)
        self.storage.directory.create_token(replace(new.token, is_login=is_login))
        return new.secret

    def session(self, role: Role, tenant: str | None = "demo") -> TestClient:
        """Return a browser with a session, whose page sends what its changes need."""
        browser = self.bearer(None)
        browser.cookies.set("medley_session", self.new_token(role, tenant, is_login=True))
        browser.headers["X-CSRF-Token"] = browser.get("/v1/whoami").json()["csrf_token"]
        return browser

    def client(self, role: Role = Role.SUBMITTER, tenant: str | None = "demo") -> TestClient:
        """Return a client for a role of a tenant."""
        return self.bearer(self.token(role, tenant))

    def bearer(self, secret: str | None) -> TestClient:
        """Return a client that sends this token, and leaves an event stream once it began."""
        headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        return TestClient(GoneAfterFirstChunk(self.app), headers=headers)

    def submit(self, tenant: str = "demo", **changes: Any) -> str:
        """Submit a job; return its id."""
        answer = self.client(Role.SUBMITTER, tenant).post("/v1/jobs", json={**JOB, **changes})
        assert answer.status_code == 201, answer.json()
        return str(answer.json()["id"])

    def step(self) -> None:
        """Decide once, then drive the cluster once."""
        followed = FollowedState(self.storage.views, self.context.clock)
        lead = Lead.take(self.storage.leadership, "the test")
        Decider(followed, self.storage.journal, self.context.clock, self.context.wake_up, lead=lead).decide_once()
        terms = LaunchTerms(api_url="http://127.0.0.1:1", tokens=self.context.attempt_tokens)
        Reconciler(
            self.cluster,
            followed,
            self.storage.journal,
            self.storage.directory,
            clock=self.context.clock,
            terms=terms,
            lead=lead,
        ).reconcile_once()

    def rows(self) -> dict[str, int]:
        """Return the number of rows of every table, once all is written that was to be written soon."""
        self.storage.writer.call(lambda _: None)
        with self.storage.engines.read() as connection:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
            return {name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names}


class GoneAfterFirstChunk:
    """A client that leaves an event stream once it began: streams do not end by themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = asyncio.Event()
        is_stream = is_over = False

        async def receive_or_leave() -> Message:
            if is_stream:
                await began.wait()
                return {"type": "http.disconnect"}
            return await receive()

        async def send_watched(message: Message) -> None:
            nonlocal is_stream, is_over
            if message["type"] == "http.response.start":
                is_stream = any(value.startswith(b"text/event-stream") for _, value in message["headers"])
            else:
                is_over = not message.get("more_body", False)
                began.set()
            await send(message)

        await self._app(scope, receive_or_leave, send_watched)
        if is_stream and not is_over:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


@contextmanager
def open_world(folder: Path, *, nodes: int = 2, meter: Meter | None = None) -> Iterator[ApiWorld]:
    """Give an API with the tenants demo and beta, and two nodes of 8 devices per chip type unless said otherwise."""
    wake_up, clock, identifiers = InProcessWakeUp(), SystemClock(), SystemIdentifiers()
    behaviours: dict[int, Behaviour] = {}

    def script(_order: GangOrder, rank: int) -> Behaviour:
        return behaviours.get(rank, Behaviour(output=f"rank {rank} began\n"))

    storage = open_storage(empty_sqlite(folder).url, wake_up)
    try:
        directory = storage.directory
        directory.define_chips([chip_type(name) for name in CHIPS], clock.now())
        for tenant in TENANTS:
            directory.create_tenant(tenant, clock.now())
        fleet = [make_node(f"{chip}-{number}", chip) for chip in CHIPS for number in range(nodes)]
        cluster = FakeCluster("mixed", fleet, clock=clock, script=script)
        InventorySync(directory, clock, cluster, kind="local").sync_once()
        issuer = TrustingIssuer()
        checks: list[Check] = [Check("database", is_ok=True, detail="answers")]
        context = ApiContext(
            journal=storage.journal,
            directory=directory,
            queues=storage.queues,
            views=storage.views,
            clock=clock,
            identifiers=identifiers,
            wake_up=wake_up,
            followed=(followed := FollowedState(storage.views, clock)),
            hearing=Hearing(storage.journal, clock, followed),
            clusters=(cluster,),
            attempt_tokens=AttemptTokens(SERVER_SECRET),
            meter=meter or Meter(InProcessRateLimits(clock), AMPLE, AMPLE, AMPLE),
            readiness=lambda: tuple(checks),
            ending=threading.Event(),
            usage=storage.usage,
            throughputs=storage.throughputs,
            profiles=storage.profiles,
            audit=storage.audit,
            secrets=ServerSecrets(SERVER_SECRET),
            denied=DeniedCalls(clock),
            forecaster=(forecaster := Forecaster(followed, clock, in_background=False)),
            supposer=Supposer(followed, clock, Rules(min_run_s=0)),
            planner=TrainingPlanner(followed, Waiting(followed, clock, identifiers, forecaster), in_background=False),
            login=a_login(issuer, SERVER_SECRET),
        )
        yield ApiWorld(create_app(context), storage, context, cluster, checks, behaviours, issuer)
    finally:
        storage.close()


def chip_type(name: str) -> ChipType:
    """Build a chip type about which little is known."""
    return ChipType(
        name=name,
        vendor="NVIDIA",
        model=name.upper(),
        memory_mib=81_920,
        dense_bf16_tflops=989.0,
        measured_tflops=None,
        memory_bandwidth_gb_s=3350.0,
        link_bandwidth_gb_s=900.0,
        link="NVLink 4",
        torch_device="cuda",
        collective_library="nccl",
        estimated_fields=("dense_bf16_tflops",),
    )


def make_node(name: str, chip: str, *, devices: int = 8) -> Node:
    """Build a node of the cluster mixed."""
    topology = Topology(((RACK, "r1"),))
    return Node("mixed", name, (DeviceGroup(chip, devices, 81_920),), 128_000, 1_048_576, pods=110, topology=topology)


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a port of the loopback interface; give its address."""
    config = uvicorn.Config(
        app,
        port=0,
        http=BoundedHttp,
        ws="none",
        timeout_keep_alive=LONGEST_IDLE_S,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, within_s=60, what="the server starts")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One server-sent event as a client sees it."""

    kind: str
    number: int | None
    data: Any


class EventReader:
    """Reads one event stream from a served application."""

    def __init__(self, address: str, path: str, token: str, headers: Mapping[str, str] | None = None) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc, timeout=20)
        self._connection.request("GET", path, headers={"Authorization": f"Bearer {token}", **(headers or {})})
        self.response = self._connection.getresponse()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self._connection.close()

    def read_block(self) -> dict[str, str]:
        """Return the fields up to the next empty line; a comment has an empty name. Empty at the end."""
        fields: dict[str, str] = {}
        while line := self.response.readline().decode():
            if line == "\n":
                return fields
            name, _, value = line.rstrip("\n").partition(": " if not line.startswith(":") else ":")
            fields[name] = value
        return fields

    def read(self, count: int) -> list[SentEvent]:
        """Return the next events, fewer where the stream ends."""
        found: list[SentEvent] = []
        while len(found) < count and (block := self.read_block()):
            if "event" in block:
                number = int(block["id"]) if "id" in block else None
                found.append(SentEvent(block["event"], number, json.loads(block["data"])))
        return found
