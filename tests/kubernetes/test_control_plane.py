"""The test bed's own promises: it starts, breaks on request, and leaves nothing behind, even when its run is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.cluster import is_gone
from tests.builders.eventually import eventually
from tests.kubernetes.testbed.api import Api, Refused, path_of, trusting
from tests.kubernetes.testbed.binaries import VERSION
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.processes import NotReady, Program

PATIENCE_S = 30.0
ROOT = Path(__file__).parents[2]
KILLED_RUN = """
import os, signal
from tests.kubernetes.testbed.control_plane import ControlPlane
plane = ControlPlane()
plane.start()
programs = (plane.store, plane.api_server, plane.controllers, plane.scheduler, plane.kwok)
print(plane.folder, *[program.pid for program in programs], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def config_map(name: str) -> dict[str, object]:
    return {"metadata": {"name": name}, "data": {}}


def test_it_is_the_pinned_version(control_plane: ControlPlane) -> None:
    assert control_plane.api.get("/version")["gitVersion"] == VERSION


def test_what_is_stored_outlives_a_killed_api_server(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.api.create(path_of("configmaps", namespace=namespace), config_map("kept"))
    control_plane.kill_api_server()
    with pytest.raises(OSError, match="refused"):
        Api(control_plane.url, tls=trusting(control_plane.authority.own.certificate)).get("/version")
    control_plane.start_api_server()
    assert control_plane.api.find(path_of("configmaps", "kept", namespace=namespace)) is not None


def test_a_watch_at_a_compacted_version_is_refused(control_plane: ControlPlane, namespace: str) -> None:
    maps = path_of("configmaps", namespace=namespace)
    old = control_plane.api.create(maps, config_map("old"))["metadata"]["resourceVersion"]
    control_plane.api.create(maps, config_map("new"))
    control_plane.kill_api_server()
    control_plane.compact_store()
    control_plane.start_api_server()
    events = control_plane.api.watch(maps, watch="true", resourceVersion=old)
    first = next(iter(events))
    events.close()
    assert b'"code":410' in first


def test_a_paused_api_server_keeps_its_callers_waiting(control_plane: ControlPlane, namespace: str) -> None:
    maps = path_of("configmaps", namespace=namespace)
    control_plane.api_server.pause()
    try:
        with pytest.raises(TimeoutError):
            control_plane.api.watch(maps, silence_s=0.5, watch="true")
    finally:
        control_plane.api_server.resume()
    assert control_plane.api.get(maps)["kind"] == "ConfigMapList"


def test_a_user_may_do_nothing_until_a_role_says_so(control_plane: ControlPlane, namespace: str) -> None:
    ada = control_plane.api_as("ada", "engineers")
    with pytest.raises(Refused, match='User "ada" cannot list resource "pods"'):
        ada.get(path_of("pods", namespace=namespace))
    ada.close()
    assert "token:" in control_plane.kubeconfig_of_account(namespace, "default").read_text()
    assert "client-key-data:" in control_plane.kubeconfig("ada", "engineers").read_text()


def test_a_killed_run_leaves_nothing_behind(control_plane: ControlPlane) -> None:
    command = [sys.executable, "-c", KILLED_RUN]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=120, check=False)
    folder, *pids = run.stdout.split()
    assert len(pids) == 5
    for pid in pids:
        eventually(lambda pid=pid: is_gone(int(pid)), within_s=PATIENCE_S, what=f"the end of {pid}")  # type: ignore[misc]
    eventually(lambda: not Path(folder).exists(), within_s=PATIENCE_S, what=f"the removal of {folder}")


def test_a_program_that_ends_at_once_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    program = Program(["/bin/sh", "-c", "echo no such flag; exit 2"], log=tmp_path / "log")
    program.start()
    with pytest.raises(NotReady, match="no such flag"):
        program.wait_until(lambda: False, within_s=PATIENCE_S)
    program.kill()
