"""One Medley of two API processes and a scheduler, for the tests of this folder, which leave it as it was."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.builders.installation import Installation, running
from tests.builders.redis import RedisServer
from tests.builders.server import Api, ServerProcess
from tests.postgres import FAST, PostgresServer, running_postgres

UNITS_PER_TOKEN = 400


@dataclass
class Trio:
    """Two API processes and a scheduler that run."""

    installation: Installation
    postgres: PostgresServer
    redis: RedisServer
    scheduler: ServerProcess
    first: ServerProcess
    second: ServerProcess

    def token(self, tenant: str = "team") -> str:
        """Return a new token, whose allowance is full."""
        return self.installation.tenant_token(self.first, tenant)

    def operator(self) -> Api:
        """Return an operator's connection to the first API process."""
        return Api(self.first.address, self.installation.operator_token())


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres(*FAST) as server:
        yield server


@pytest.fixture(scope="session")
def trio(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trio]:
    """The API processes are started first, on a database that nobody has prepared."""
    limits = {"MEDLEY_LIMIT_PER_TOKEN": f"{UNITS_PER_TOKEN}/3600", "MEDLEY_LIMIT_PER_TENANT": "off"}
    folder = tmp_path_factory.mktemp("trio")
    installation = Installation(folder, postgres.create_database(), redis_server.url, settings=limits)
    first, second, scheduler = installation.api(1), installation.api(2), installation.scheduler()
    with running(first, second, scheduler):
        yield Trio(installation, postgres, redis_server, scheduler, first, second)
