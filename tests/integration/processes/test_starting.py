"""Starting processes of several roles: in any order, with the same secret, one scheduler at a time."""

import re
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from scheduler.adapters.database import migrate
from scheduler.bootstrap import build_server
from scheduler.main import START_FAULTS
from scheduler.settings import SettingsError, load_settings
from tests.builders.eventually import eventually
from tests.builders.installation import Installation, running
from tests.builders.server import ServerProcess
from tests.integration.processes.conftest import Trio
from tests.postgres import PostgresServer

PATIENCE_S = 40.0
AT_ONCE = {"MEDLEY_START_WAIT_S": "0"}
CONFLICT, USAGE = 5, 2


def end_of(process: ServerProcess) -> tuple[int, str]:
    """Start a process that ends by itself; return its exit status and what it said."""
    process.launch()
    status = process.ended()
    said = process.log.read_text()
    assert "Traceback" not in said
    assert re.search("next: .", said), said
    return status, said


def refusal(installation: Installation, role: str) -> Exception:
    """Build a process of a role here, which must be refused."""
    options = {"role": role, "database": installation.database, "start_wait_s": "0", "api_url": "http://h:1"}
    options |= {"data_folder": str(installation.folder / f"here-{role}")}
    options |= {"secret_file": str(installation.secret)} if role == "api" else {}
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(START_FAULTS) as caught:
        build_server(load_settings(options), listener, on_leadership_lost=lambda: None)
    return caught.value


def beside(trio: Trio, folder: Path) -> Installation:
    """Return the same installation, for processes that do not wait, in a folder of their own."""
    return Installation(folder, trio.installation.database, settings=AT_ONCE)


def test_an_api_process_with_another_secret_is_refused(trio: Trio, tmp_path: Path) -> None:
    other = beside(trio, tmp_path)
    other.secret.parent.mkdir()
    other.secret.write_text("ab" * 32)
    status, said = end_of(other.api(1))
    assert status == USAGE
    assert "is not the secret that this database belongs to" in said


def test_an_api_process_without_a_secret_is_told_where_to_get_it(trio: Trio, tmp_path: Path) -> None:
    assert "copy server.secret from the scheduler's data folder" in str(refusal(beside(trio, tmp_path), "api"))


def test_a_second_scheduler_leaves_the_first_alone_and_says_so(trio: Trio, tmp_path: Path) -> None:
    status, said = end_of(beside(trio, tmp_path).scheduler(listen="127.0.0.1:0"))
    assert status == CONFLICT
    assert "another scheduler is on this database" in said
    assert trio.scheduler.exit_status() is None


def test_an_api_process_on_a_database_that_nobody_prepared_says_who_does(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    empty = Installation(tmp_path, postgres.create_database(), settings=AT_ONCE)
    empty.secret.parent.mkdir()
    empty.secret.write_text("ab" * 32)
    said = str(refusal(empty, "api"))
    assert "The database's schema is not up to date" in said
    assert "medley migrate" in said
    migrate.upgrade(empty.database)
    assert "No scheduler has run on this database yet" in str(refusal(empty, "api"))


def test_a_waiting_scheduler_takes_over_and_one_with_another_secret_does_not(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    installation = Installation(tmp_path, postgres.create_database())
    first, second = installation.scheduler(), installation.scheduler("second", listen="127.0.0.1:0")
    (tmp_path / "second").mkdir()
    with running(first):
        (tmp_path / "second" / "server.secret").write_text(installation.secret.read_text())
        second.launch()
        try:
            eventually(lambda: "another scheduler is on this database" in second.log.read_text(), within_s=PATIENCE_S)
            first.kill()
            second.wait_until_ready()
        finally:
            assert second.stop() == 0
    stranger = refusal(installation, "scheduler")
    assert isinstance(stranger, SettingsError)
    assert "MEDLEY_REPLACE_SECRET=true" in str(stranger)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"role": "api"}, "needs PostgreSQL"),
        ({"role": "scheduler", "database": "sqlite:////tmp/x.db"}, "needs PostgreSQL"),
        ({"role": "scheduler", "database": "postgresql://h/n"}, "--api-url"),
        ({"role": "api", "database": "postgresql://h/n", "inventory": "x.yaml"}, "drives nothing"),
        ({"role": "both"}, "role"),
        ({"redis_url": "http://h"}, "redis_url"),
        ({"limit_per_token": "fast"}, "UNITS/SECONDS"),
        ({"limit_per_tenant": "0/10"}, "UNITS/SECONDS"),
        ({"scheduler_url": "h:8081"}, "scheduler_url"),
    ],
)
def test_settings_that_do_not_go_together_are_named(options: Mapping[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load_settings(options)
