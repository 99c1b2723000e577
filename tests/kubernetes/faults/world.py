"""A whole Medley in this process, on any API server: what the bootstrap builds, with the loops that it starts."""

import socket
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from api.context import ApiContext
from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.bootstrap import Server, build_server
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.group import FAILURES, FINAL, FailureClass, State, StopReason
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import AnyOf, CommandProgram, JobKind, JobSpec
from scheduler.core.model.node import Node
from scheduler.core.model.resources import WorkerShape
from scheduler.ports.cluster import Finding
from scheduler.ports.journal import Rejected
from scheduler.ports.views import JobView
from scheduler.services.cancel_job import cancel_job
from scheduler.services.submit_job import Accepted, Submission, submit_job
from scheduler.settings import load_settings
from tests.builders.eventually import eventually

TENANT = "demo"
CLUSTER = "east"
CHIP = "h100-sxm"
RESOURCE = "nvidia.com/gpu"
API_URL = "http://medley.example:8080"
"""No worker of these tests calls it."""
PATIENCE_S = 60.0
STOP_LIMIT_S = 20.0
DEADLINES = {"unschedulable_s": 3, "start_s": 20, "image_pull_s": 2, "configuration_s": 2}
"""Short ones: a test waits for them."""
HELD = "SELECT node_id, resource, used FROM node_resources WHERE used > 0"


def entry(kubeconfig: Path, namespace: str, *, name: str = CLUSTER, **changes: Any) -> dict[str, Any]:
    """Return a cluster as an operator describes it in the clusters' file."""
    described = {"name": name, "kubeconfig": str(kubeconfig), "namespace": namespace, "deadlines": dict(DEADLINES)}
    return described | {"images": ["registry.example/"], **changes}


@dataclass
class World:
    """One Medley and the clusters that it drives. `close` ends it; `start` then begins its next life."""

    folder: Path
    clusters: Sequence[Mapping[str, Any]]
    """What stands in its clusters' file."""
    ours: Callable[[], list[str]]
    """Returns what of Medley's is there on the API server."""
    is_lost: bool = False
    """Whether it lost its lead."""
    _server: Server | None = None
    _listener: socket.socket | None = None

    def start(self) -> None:
        """Build a server as `medley serve` does, and start its loops; no request is answered."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "clusters.yaml"
        file.write_text(yaml.safe_dump({"clusters": [dict(cluster) for cluster in self.clusters]}))
        self._listener = socket.create_server(("127.0.0.1", 0))
        data = str(self.folder / "data")
        options = {"cluster": "kubernetes", "clusters": str(file), "data_folder": data, "api_url": API_URL}
        settings = load_settings(options)
        self._server = build_server(settings, self._listener, on_leadership_lost=self._lose)
        directory = self.context.directory
        if directory.tenant(TENANT) is None:
            directory.create_tenant(TENANT, self.context.clock.now())
        self._server.start()

    def close(self) -> None:
        """End it in order; pods go on."""
        if self._server is not None:
            self._server.announce_end()
            self._server.close(timeout_s=STOP_LIMIT_S)
            self._server = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    @property
    def context(self) -> ApiContext:
        """What its API is built with."""
        assert self._server is not None, "it is not started"
        context: ApiContext = self._server.app.state.context
        return context

    def driven(self, name: str = CLUSTER) -> KubernetesCluster:
        """Return the driver of a cluster."""
        found = next(port for port in self.context.clusters if port.name == name)
        assert isinstance(found, KubernetesCluster)
        return found

    def submit(self, *, workers: int = 2, devices: int = 1, retries: int = 1, **changes: Any) -> JobId:
        """Submit a job of tenant `demo`; `environment` may be a mapping."""
        environment = tuple(sorted(dict(changes.pop("environment", {})).items()))
        spec = JobSpec(
            name=changes.pop("name", "job"),
            kind=JobKind.TRAINING,
            workers=workers,
            shape=WorkerShape(devices, 1000, 1024),
            chips=changes.pop("chips", AnyOf((CHIP,))),
            program=CommandProgram(("train",)),
            environment=environment,
            retries=retries,
            grace_s=1,
            **changes,
        )
        context = self.context
        submission = Submission(TENANT, "ada", spec, None)
        accepted = submit_job(
            context.journal, context.clock, context.identifiers, submission, clusters=context.clusters
        )
        assert isinstance(accepted, Accepted), accepted
        assert not isinstance(accepted.outcome, Rejected), accepted
        context.wake_up.notify()
        return accepted.job.id

    def job(self, job: JobId) -> JobView:
        """Return a job and all that became of it."""
        view = self.context.views.job(job, tenant=None)
        assert view is not None
        return view

    def wait(self, job: JobId, what: str, is_so: Callable[[JobView], bool], *, within_s: float = PATIENCE_S) -> JobView:
        """Wait until a job is as wanted."""

        def look() -> JobView | None:
            view = self.job(job)
            return view if is_so(view) else None

        try:
            return eventually(look, within_s=within_s, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.story(job)}") from error

    def running(self, job: JobId, *, attempt: int = 1) -> Attempt:
        """Wait until all workers of a job's attempt run, and return it."""

        def is_so(view: JobView) -> bool:
            return view.state is State.RUNNING and view.attempts[-1].number == attempt

        return self.wait(job, f"attempt {attempt} running", is_so).attempts[-1]

    def stopped(self, job: JobId, *, attempt: int = 1) -> Attempt:
        """Wait until a job's attempt is over and holds nothing, and return it."""

        def is_so(view: JobView) -> bool:
            return len(view.attempts) >= attempt and view.attempts[attempt - 1].ended_at is not None

        return self.wait(job, f"the end of attempt {attempt}", is_so).attempts[attempt - 1]

    def cancel(self, job: JobId) -> None:
        """Have a job stopped as its user does."""
        cancel_job(self.context.journal, self.context.clock, job=job, tenant=TENANT, by="ada")
        self.context.wake_up.notify()

    def ends(
        self,
        job: JobId,
        reason: StopReason | None,
        failure_class: FailureClass | None,
        *,
        charged: int,
        attempts: int | None = None,
    ) -> JobView:
        """Check how a job's first attempt ended and what it cost; then end the job, and see that nothing is left.

        A job that is tried again is cancelled once its next attempt runs.
        """
        first = self.stopped(job)
        assert first.stop_reason is reason, self.story(job)
        assert (FAILURES[reason].failure_class if reason else None) is failure_class
        view = self.wait(
            job,
            "its next life or its end",
            # one that always fails may be seen running before it fails again
            lambda view: view.state in FINAL | {State.RUNNING} and view.groups[0].failures >= charged,
        )
        assert view.groups[0].failures == charged, self.story(job)
        if attempts is not None:
            assert len(view.attempts) == attempts, self.story(job)
        if view.state is State.RUNNING:
            assert len(view.attempts) > 1, self.story(job)
        return self.finish(job)

    def finish(self, *jobs: JobId) -> JobView:
        """Cancel jobs where they still live, see that nothing of any is left, and return the first one."""
        for job in jobs:
            if self.job(job).state not in FINAL:
                self.cancel(job)
        views = [self.wait(job, "its end", lambda view: view.state in FINAL) for job in jobs]
        self.leaves_nothing()
        return views[0]

    def leaves_nothing(self) -> None:
        """Wait until no object of ours is left on the API server and nothing is held in the database."""

        def is_empty() -> bool:
            found[:] = [*self.ours(), *self.held()]
            return not found

        found: list[str] = []
        try:
            eventually(is_empty, within_s=PATIENCE_S, what="nothing left")
        except AssertionError as error:
            raise AssertionError(f"left over: {found}") from error
        assert not self.is_lost

    def held(self) -> list[str]:
        """Return what the database's guarded counters say is held."""
        with closing(sqlite3.connect(self.folder / "data" / "medley.db")) as database:
            return [f"{used} {resource} of {node}" for node, resource, used in database.execute(HELD)]

    def nodes(self, cluster: str = CLUSTER) -> dict[str, Node]:
        """Return what is recorded of nodes, by their names."""
        seen = self.context.views.nodes(cluster=cluster, chip=None, after=None, limit=1000)
        return {each.node.name: each.node for each in seen}

    def check(self, cluster: str = CLUSTER) -> list[Finding]:
        """Return what `medley clusters check` says of a cluster."""
        return list(self.driven(cluster).check())

    def story(self, job: JobId) -> str:
        """Return all that became of a job, for people."""
        view = self.job(job)
        lines = [f"{view.state}, failures {view.groups[0].failures}, refusal {view.refusal}"]
        for one in view.attempts:
            where = sorted({allocation.node for allocation in one.allocations})
            lines.append(f"{one.id} on {where}: {one.state} {one.stop_reason} {one.workers}")
        return "\n".join(lines)

    def _lose(self) -> None:
        self.is_lost = True


def nodes_of(attempt: Attempt) -> list[str]:
    """Return the names of the nodes of an attempt's workers, by rank."""
    return [allocation.node.partition("/")[2] for allocation in attempt.allocations]


def bad(findings: Sequence[Finding]) -> list[Finding]:
    """Return what does not work."""
    return [finding for finding in findings if not finding.is_ok]
