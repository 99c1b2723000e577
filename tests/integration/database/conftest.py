"""A PostgreSQL server that is as durable as in production, one per file of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import DURABLE, PostgresServer, running_postgres


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[PostgresServer]:
    with running_postgres(*DURABLE) as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'medley.db'}"
