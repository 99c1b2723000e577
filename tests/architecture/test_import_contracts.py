"""The import rules of `.importlinter` hold for a clean tree, and each of them can be broken."""

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest
from grimp import ImportGraph

from tests.architecture.import_contracts import MayImport
from tests.architecture.tidy.source import ROOT

CALL = "import sys; from importlinter.cli import lint_imports_command as c; sys.argv = ['lint', '--no-cache']; c()"

CLEAN = {
    "scheduler/main.py": "import scheduler.bootstrap",
    "scheduler/bootstrap/roles.py": "import api.app, scheduler.adapters.database.store, uvicorn",
    "scheduler/settings.py": "import pydantic_settings",
    "scheduler/simulator/clock.py": "import scheduler.loops.decide",
    "scheduler/loops/decide.py": "import scheduler.services.decide",
    "scheduler/services/decide.py": "import scheduler.ports.journal, scheduler.core.deciding.cycle",
    "scheduler/adapters/database/store.py": "import sqlalchemy, pydantic, scheduler.ports.journal",
    "scheduler/adapters/files/inventory.py": "import yaml",
    "scheduler/adapters/files/marked_yaml.py": "import yaml",
    "scheduler/adapters/kubernetes/cluster.py": (
        "import scheduler.adapters.files.marked_yaml, scheduler.ports.journal, scheduler.adapters.kubernetes.transport"
    ),
    "scheduler/adapters/kubernetes/transport/calls.py": "import kubernetes, urllib3",
    "scheduler/adapters/local/cluster.py": "import subprocess",
    "scheduler/adapters/redis/link.py": "import redis, scheduler.ports.journal",
    "scheduler/adapters/memory/clock.py": "import scheduler.ports.journal",
    "scheduler/adapters/telemetry/metrics.py": "import prometheus_client, opentelemetry, scheduler.ports.journal",
    "scheduler/adapters/oidc/provider.py": "import httpx2, joserfc, scheduler.ports.identity",
    "scheduler/ports/journal.py": "import scheduler.core.model.job",
    "scheduler/core/deciding/cycle.py": "import scheduler.core.placement.gang, scheduler.core.queueing.order",
    "scheduler/core/placement/gang.py": "import scheduler.core.ledger.index",
    "scheduler/core/queueing/order.py": "import scheduler.core.ledger.index",
    "scheduler/core/ledger/index.py": "import scheduler.core.model.job, bisect",
    "scheduler/core/model/job.py": "import dataclasses",
    "api/app.py": "import fastapi, scheduler.services.decide, scheduler.ports.journal, scheduler.core.model.job",
    "medley/main.py": "import cyclopts, httpx2, medley.commands.processes",
    "medley/commands/processes.py": "import scheduler.main",
    "medley/commands/planning/simulate.py": "import scheduler.simulator.planning",
    "migrations/env.py": "import alembic, scheduler.adapters.database.store",
    "medley_runtime/train.py": "import torch",
}

BREACHES = {
    "scheduler-layers": ("scheduler/services/decide.py", "import scheduler.adapters.memory.clock"),
    "core-layers": ("scheduler/core/ledger/index.py", "import scheduler.core.placement.gang"),
    "adapters-apart": ("scheduler/adapters/memory/clock.py", "import scheduler.adapters.local.cluster"),
    "core": ("scheduler/core/model/job.py", "import pydantic"),
    "ports": ("scheduler/ports/journal.py", "import sqlalchemy"),
    "services": ("scheduler/loops/decide.py", "import fastapi"),
    "database": ("scheduler/adapters/database/store.py", "import yaml"),
    "files": ("scheduler/adapters/files/inventory.py", "import sqlalchemy"),
    "kubernetes": ("scheduler/adapters/kubernetes/cluster.py", "import urllib3"),
    "kubernetes-transport": ("scheduler/adapters/kubernetes/transport/calls.py", "import scheduler.core.model.job"),
    "plain-adapters": ("scheduler/adapters/local/cluster.py", "import fastapi"),
    "oidc": ("scheduler/adapters/oidc/provider.py", "import sqlalchemy"),
    "redis": ("scheduler/adapters/redis/link.py", "import sqlalchemy"),
    "telemetry": ("scheduler/adapters/telemetry/metrics.py", "import fastapi"),
    "settings": ("scheduler/settings.py", "import yaml"),
    "roles": ("scheduler/bootstrap/roles.py", "import sqlalchemy"),
    "api": ("api/app.py", "import scheduler.core.placement.gang"),
    "medley": ("medley/main.py", "import scheduler.core.model.job"),
    "medley-processes": ("medley/commands/processes.py", "import scheduler.bootstrap"),
    "medley-simulating": ("medley/commands/planning/simulate.py", "import scheduler.bootstrap"),
    "runtime": ("medley_runtime/train.py", "import medley.main"),
}


def build(folder: Path, files: dict[str, str]) -> Path:
    """Write packages with these files and the project's import rules."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for package in path.relative_to(folder).parents[:-1]:
            (folder / package / "__init__.py").touch()
    (folder / ".importlinter").write_text((ROOT / ".importlinter").read_text())
    return folder


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask import-linter about a folder, from outside: it keeps what it imported."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", CALL],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def contracts() -> dict[str, str]:
    """Return every contract's id and name."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    head = "importlinter:contract:"
    return {section.removeprefix(head): parser[section]["name"] for section in parser if section.startswith(head)}


def test_a_clean_tree_keeps_every_contract(tmp_path: Path) -> None:
    result = check(build(tmp_path, CLEAN))
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_can_be_broken(tmp_path: Path) -> None:
    files = dict(CLEAN)
    for name, breach in BREACHES.values():
        files[name] += f"\n{breach}"
    result = check(build(tmp_path, files))
    assert result.returncode == 1
    kept = [name for name in contracts().values() if f"{name} BROKEN" not in result.stdout]
    assert not kept, result.stdout


def test_every_contract_has_its_breach() -> None:
    assert set(contracts()) == set(BREACHES)


def test_a_room_that_nobody_named_is_refused(tmp_path: Path) -> None:
    result = check(build(tmp_path, {**CLEAN, "scheduler/plumbing/pipe.py": "import os"}))
    assert result.returncode == 1
    assert "scheduler.plumbing" in result.stdout


@pytest.mark.parametrize(
    ("importer", "imported", "want_kept"),
    [
        ("api.app", "fastapi", True),
        ("api.app", "json", True),
        ("api.app", "api.routes", True),
        ("api.app", "fastapix", False),
        ("api.app", "sqlalchemy", False),
        ("api.special", "sqlalchemy", True),
        ("medley.main", "sqlalchemy", True),
    ],
)
def test_a_room_may_import_what_is_allowed_and_nothing_else(importer: str, imported: str, *, want_kept: bool) -> None:
    graph = ImportGraph()
    graph.add_module(importer)
    graph.add_module(imported)
    graph.add_import(importer=importer, imported=imported, line_number=7, line_contents=f"import {imported}")
    options = {"rooms": ["api"], "apart_from": ["api.special"], "allowed": ["fastapi"]}
    result = MayImport("api", {}, options).check(graph, verbose=False)
    assert result.kept is want_kept
    assert result.metadata["faults"] == ([] if want_kept else [f"{importer} imports {imported} (line 7)"])
