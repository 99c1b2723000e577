"""A real server with work on it: what the dashboard is looked at with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.browser.past_use import remember_the_past
from tests.builders.eventually import eventually
from tests.builders.server import Api, ServerProcess

MIXED = Path(__file__).parents[2] / "examples" / "clusters" / "mixed.yaml"
MARKUP = "<img src=x onerror=\"document.title='taken over'\">"
"""As a note of a node, the name of a token, and what a worker prints: shown as it is, and never run."""
LONG_LINE = 1_000_000
"""Characters of a line that a worker prints."""
WAIT = ["sleep", "3600"]
HOSTILE = (
    "import os, sys, time; print(os.environ['MARKUP'] if os.environ['RANK'] == '0' else 'x' * 1_000_000);"
    " print('\\x1b[31mred\\x1b[0m \\x07 done', flush=True); time.sleep(0.2); sys.exit(int(os.environ['RANK']))"
)
JOBS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("vision", {"name": "detector", "chips": "h100-sxm", "workers": 2, "devices_per_worker": 8}),
    ("vision", {"name": "detector-large", "chips": "h100-sxm", "workers": 4, "devices_per_worker": 8}),
    (
        "language",
        {"name": "pretraining", "chips": "mi300x", "workers": 3, "devices_per_worker": 8, "preemptible": False},
    ),
    ("language", {"name": "tokeniser", "chips": "mlu370-x8", "workers": 2, "devices_per_worker": 2}),
    ("language", {"name": "sweep", "chips": "mi300x", "workers": 1, "devices_per_worker": 8, "priority": 5}),
    (
        "search",
        {"name": "half-a-device", "chips": "a800-sxm-80", "workers": 1, "share": {"milli": 500, "memory_mib": 32768}},
    ),
    ("search", {"name": "training", "chips": {"metax-c500": 1, "ascend-910b2": 1}, "training": {"steps": 300}}),
    (
        "hostile",
        {
            "name": "crashing",
            "chips": "mlu590",
            "workers": 2,
            "command": ["python3", "-c", HOSTILE],
            "environment": {"MARKUP": MARKUP},
        },
    ),
)
WAITING = {"detector-large", "sweep"}
"""Of these jobs, those that the others' quotas keep in the queue."""


@dataclass(slots=True)
class Scene:
    """The server, and who may log in."""

    server: ServerProcess
    tokens: dict[str, str] = field(default_factory=dict)
    """A submitter's, by tenant; the operator's as `operator`; one of the tenant search whose name is markup."""
    jobs: dict[str, str] = field(default_factory=dict)
    """Ids by name."""

    @property
    def address(self) -> str:
        """Where the server listens."""
        return self.server.address

    def submit(self, token: str, body: Mapping[str, Any]) -> str:
        """Submit a job with a token, which sleeps unless the body says otherwise; return its id."""
        program = {} if "training" in body or "command" in body else {"command": WAIT}
        with Api(self.address, self.tokens[token]) as api:
            job: str = api.want(201, "POST", "/v1/jobs", {**body, **program})["id"]
        self.jobs[body["name"]] = job
        return job

    def state(self, job: str) -> str:
        """Return the state of a job."""
        with self.server.operator() as operator:
            return str(operator.want(200, "GET", f"/v1/jobs/{self.jobs[job]}")["state"])


@contextmanager
def open_scene(folder: Path) -> Iterator[Scene]:
    """Start a server on the demo's cluster, one node of it degraded, and give it jobs that wait, run and failed."""
    inventory = folder / "cluster.yaml"
    note = MARKUP.replace('"', '\\"')
    ailing = f'"amd-[5-7]": mi300x-8, amd-8: {{type: mi300x-8, state: degraded, note: "{note}"}}'
    text = MIXED.read_text("utf-8").replace('"amd-[5-8]": mi300x-8', ailing)
    assert note in text
    inventory.write_text(text, "utf-8")
    server = ServerProcess(folder / "data", inventory)
    server.start()
    scene = Scene(server)
    try:
        _fill(scene)
        remember_the_past(server.data_folder)
        server.stop()
        server.start()
        yield scene
    finally:
        with server.operator() as operator:
            for job in operator.want(200, "GET", "/v1/jobs/rows?limit=2000")["items"]:
                operator.call("POST", f"/v1/jobs/{job['id']}/cancel")
            eventually(lambda: _is_idle(operator), within_s=40, what="all workers are gone")
        server.stop()


def _fill(scene: Scene) -> None:
    scene.tokens["operator"] = scene.server.operator_token
    with scene.server.operator() as operator:
        for tenant in ("vision", "language", "search"):
            operator.want(201, "POST", "/v1/tenants", {"name": tenant})
            asked = {"name": f"{tenant}-ci", "role": "submitter", "tenant": tenant}
            scene.tokens[tenant] = operator.want(201, "POST", "/v1/tokens", asked)["secret"]
        asked = {"name": MARKUP, "role": "submitter", "tenant": "search"}
        scene.tokens["hostile"] = operator.want(201, "POST", "/v1/tokens", asked)["secret"]
        operator.want(200, "PUT", "/v1/tenants/vision/quotas/h100-sxm", {"devices": 16})
        operator.want(200, "PUT", "/v1/tenants/language/quotas/mi300x", {"devices": 24})
    for tenant, body in JOBS:
        scene.submit(tenant, body)
        if body["name"] not in WAITING:  # or a later job of a higher priority could take its quota
            eventually(partial(_is_decided, scene, body["name"]), within_s=30, what="the job is placed")
    eventually(lambda: scene.state("crashing") == "failed", within_s=60, what="the crashing job has failed")
    eventually(lambda: scene.state("training") == "succeeded", within_s=90, what="the training has succeeded")


def _is_decided(scene: Scene, name: str) -> bool:
    return scene.state(name) != "queued"


def _is_idle(operator: Api) -> bool:
    live = "state=placed&state=starting&state=running&state=stopping"
    return not operator.want(200, "GET", f"/v1/jobs/rows?{live}")["items"]
