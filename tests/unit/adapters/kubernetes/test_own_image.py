"""The commands by which an image without the runtime is given one, run as they are but for the folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

from scheduler.adapters.kubernetes.rendering import pod
from tests.builders.blueprints import blueprint, with_spec
from tests.builders.cluster import order
from tests.builders.runtime import launch_document

RUNTIME = Path(__file__).parents[4] / "runtime"


def test_the_copied_runtime_starts_the_command_beside_the_images_own_modules(tmp_path: Path) -> None:
    folder = tmp_path / "medley"
    launch = tmp_path / "launch.json"
    launch.write_text(json.dumps(launch_document(program={"kind": "command", "argv": ["/usr/bin/env"]})))
    spec = pod(blueprint(with_spec(order("wait"), image="own"), images=["own"]), 0, "owner-uid")["spec"]

    for _ in "an init container may run again after its node restarted", "as here":
        run(spec["initContainers"][0]["command"], folder, PYTHONPATH=str(RUNTIME))
    printed = run(spec["containers"][0]["command"], folder, MEDLEY_LAUNCH=str(launch), PYTHONPATH="/of/the/image")

    assert f"PYTHONPATH=/of/the/image:{folder}" in printed.splitlines()
    assert "MEDLEY_JOB=job-1" in printed.splitlines()
    assert not list(folder.rglob("__pycache__")), "what cannot be written to needs none"


def run(command: list[str], folder: Path, **environment: str) -> str:
    """Run a container's command in a Python that has nothing installed."""
    assert command[:2] == ["python3", "-c"]
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", command[2].replace("/medley/runtime", str(folder))],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
