"""How long a job's first way takes: from POST to placed, and from POST to the first line a worker printed.

Jobs are submitted one after another to an idle server with the mixed example cluster; the worker prints the time it
came to print, so the second figure is not blurred by how often somebody looks.
"""

import sys
import tempfile
import time
from pathlib import Path

from bench.calibrate import durable_write_ms, interpreter_start_ms, unit_ns
from bench.report import Measurement
from bench.spread import percentile
from tests.builders.eventually import eventually
from tests.builders.server import ROOT, Api, ServerProcess

JOBS = 200
WORKER = "import time; print(time.time())"
FINAL = ("succeeded", "failed", "cancelled")
RECALIBRATE_EVERY = 50


def measure() -> Measurement:
    """Run the benchmark against a server of its own."""
    placed_ms: list[float] = []
    first_line_ms: list[float] = []
    writes_ms, starts_ms, units_ns = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder, "data"), ROOT / "examples" / "clusters" / "mixed.yaml")
        server.start()
        try:
            api = Api(server.address, server.tenant("bench"))
            for number in range(JOBS):
                if number % RECALIBRATE_EVERY == 0:
                    writes_ms.append(durable_write_ms())
                    starts_ms.append(interpreter_start_ms())
                    units_ns.append(unit_ns())
                    print(f"first_way: {number} of {JOBS} jobs", file=sys.stderr)
                placed, first_line = _one_job(api, number)
                placed_ms.append(placed)
                first_line_ms.append(first_line)
            api.close()
        finally:
            server.stop()
    return Measurement(
        figures={
            "placed_p50_ms": percentile(placed_ms, 50),
            "placed_p99_ms": percentile(placed_ms, 99),
            "first_line_p50_ms": percentile(first_line_ms, 50),
            "first_line_p99_ms": percentile(first_line_ms, 99),
            "jobs": float(JOBS),
        },
        calibrators={
            "durable_write_ms": min(writes_ms),
            "interpreter_start_ms": min(starts_ms),
            "unit_ns": min(units_ns),
        },
    )


def _one_job(api: Api, number: int) -> tuple[float, float]:
    """Run one job; return the milliseconds from POST to the answer that says placed, and to the worker's line."""
    body = {
        "name": f"bench-{number}",
        "workers": 1,
        "chips": "h100-sxm",
        "memory_mib": 256,
        "command": [sys.executable, "-I", "-S", "-c", WORKER],
    }
    start, start_s = time.perf_counter(), time.time()
    job = api.want(201, "POST", "/v1/jobs?wait=placed&wait_s=30", body)
    placed_ms = (time.perf_counter() - start) * 1000
    assert job["attempts"], f"not placed: {job}"
    ended = eventually(lambda: _if_ended(api, job["id"]), within_s=60, what="the job's end")
    assert ended["state"] == "succeeded", ended
    logs = api.want(200, "GET", f"/v1/jobs/{job['id']}/logs")
    printed_s = float(logs["entries"][0]["text"].split()[-1])
    return placed_ms, (printed_s - start_s) * 1000


def _if_ended(api: Api, job: str) -> dict[str, str] | None:
    found: dict[str, str] = api.want(200, "GET", f"/v1/jobs/{job}")
    return found if found["state"] in FINAL else None
