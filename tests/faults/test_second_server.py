"""One database file, one server."""

import subprocess
import sys
from pathlib import Path

from tests.builders.server import ROOT, ServerProcess

INVENTORY = """\
cluster: one
node_types: {t4: {devices: {t4: 1}, cpu_cores: 8, memory_gib: 8}}
racks: {r1: {node: t4}}
"""


def test_a_second_server_on_the_same_database_refuses_to_start_and_says_what_to_do(tmp_path: Path) -> None:
    inventory = tmp_path / "one.yaml"
    inventory.write_text(INVENTORY)
    first = ServerProcess(tmp_path / "data", inventory)
    first.start()
    try:
        command = [sys.executable, "-m", "medley", "serve", "--data-folder", str(first.data_folder)]
        second = subprocess.run(
            [*command, "--inventory", str(inventory), "--listen", "127.0.0.1:0"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 5
        assert f"process {first.pid}" in second.stderr
        assert "next: stop that one first" in second.stderr
        with first.operator() as operator:
            assert operator.want(200, "GET", "/v1/whoami")["role"] == "operator"
    finally:
        assert first.stop() == 0
