"""One data folder and one database file, one server."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.server import ROOT, ServerProcess

INVENTORY = """\
cluster: one
node_types: {t4: {devices: {t4: 1}, cpu_cores: 8, memory_gib: 8}}
racks: {r1: {node: t4}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("second-server")
    (folder / "one.yaml").write_text(INVENTORY)
    return folder


@pytest.fixture(scope="module")
def first(folder: Path) -> ServerProcess:
    return ServerProcess(folder / "data", folder / "one.yaml")


@pytest.mark.parametrize(
    ("data", "database"),
    [
        ("data", None),
        ("data", "sqlite:///{folder}/elsewhere.db"),
        ("other", "sqlite:///{folder}/data/medley.db"),
        ("other", "sqlite+pysqlite:///{folder}/data/../data/medley.db"),
        ("other", "sqlite:///{folder}/data/medley.db?timeout=3"),
    ],
)
def test_a_second_server_refuses_to_start_however_its_database_is_named(
    folder: Path, first: ServerProcess, data: str, database: str | None
) -> None:
    first.start()
    try:
        command = [sys.executable, "-m", "medley", "serve", "--data-folder", str(folder / data)]
        command += ["--inventory", str(folder / "one.yaml"), "--listen", "127.0.0.1:0"]
        command += [] if database is None else ["--database", database.format(folder=folder)]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert (second.returncode, second.stdout) == (5, ""), second.stderr
        assert f"process {first.pid}" in second.stderr
        assert "next: stop that one first" in second.stderr
        with first.operator() as operator:
            assert operator.want(200, "GET", "/v1/whoami")["role"] == "operator"
    finally:
        assert first.stop() == 0
