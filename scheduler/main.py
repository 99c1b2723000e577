"""The processes of Medley: serve, migrate, and making a new operator token."""

import gc
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from types import FrameType

import uvicorn

from api.web.bounded_http import LONGEST_IDLE_S, BoundedHttp
from scheduler.adapters.database.storage import StorageError
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.adapters.system.process_lock import AlreadyLocked
from scheduler.adapters.telemetry.logs import log_to_stderr
from scheduler.bootstrap import (
    AnotherSchedulerLeads,
    build_server,
    migrate_database,
    reachable_url,
    replace_operator_token,
)
from scheduler.ports.directory import AlreadyExists
from scheduler.ports.journal import StorageUnavailable
from scheduler.settings import (
    DEFAULT_METRICS_LISTEN,
    METRICS_OFF,
    OPERATOR_TOKEN_FILE,
    Settings,
    SettingsError,
    host_and_port,
    load_settings,
)

logger = logging.getLogger(__name__)

EXIT_OK = 0
EXIT_USAGE = 2
EXIT_CONFLICT = 5
EXIT_UNAVAILABLE = 6
EXIT_INTERRUPTED = 130
BACKLOG = 2048
THREAD_SWITCH_S = 0.0005
"""A request passes through several threads, each briefly: at Python's usual 5 ms one busy thread delays them all."""
LONGEST_STREAM_CLOSE_S = 2
"""How long an ending server waits for streams whose readers do not go."""


class CannotListen(Exception):
    """The address or port cannot be had; the message says why."""


START_FAULTS = (
    SettingsError,
    FileError,
    CannotListen,
    AlreadyLocked,
    AnotherSchedulerLeads,
    AlreadyExists,
    StorageError,
    StorageUnavailable,
    OSError,
)
"""What keeps a process from starting and is said in a sentence instead of a traceback."""


def serve(overrides: Mapping[str, str]) -> int:
    """Do what the role says in this process until it is told to end; return the exit status.

    `overrides` are settings given as options of the command, by name; they win over the environment.
    """
    try:
        settings = load_settings(overrides)
        listener = _listen(settings.address)
    except START_FAULTS as error:
        return _refuse(error)
    with listener:
        return _serve(settings, listener)


def migrate(overrides: Mapping[str, str]) -> int:
    """Bring the database's schema up to date; return the exit status."""
    try:
        revision = migrate_database(load_settings(overrides))
    except START_FAULTS as error:
        return _refuse(error)
    print(f"The database's schema is at revision {revision}", flush=True)  # noqa: T201 - said to whoever asked for it
    return EXIT_OK


def new_operator_token(overrides: Mapping[str, str]) -> int:
    """Make a new operator token where the first one was lost; return the exit status."""
    try:
        path = replace_operator_token(load_settings(overrides))
    except START_FAULTS as error:
        return _refuse(error)
    print(f"A new operator token is in {path}; older ones stay valid until revoked", flush=True)  # noqa: T201
    return EXIT_OK


def _listen(listen: str) -> socket.socket:
    host, port = host_and_port(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotListen(f"cannot listen on {listen}: {error.strerror or error}") from error


def _listen_for_metrics(settings: Settings) -> socket.socket | None:
    """Return where metrics are served, None for nowhere. Raises CannotListen where an address was asked for."""
    if settings.metrics_listen == METRICS_OFF:
        return None
    try:
        listener = _listen(settings.metrics_listen or DEFAULT_METRICS_LISTEN)
    except CannotListen as error:
        if settings.metrics_listen is not None:
            raise
        logger.warning("there are no metrics: %s; --metrics-listen names another address, or `off`", error)
        return None
    logger.info("the metrics are at %s/metrics", reachable_url(listener))
    return listener


def _serve(settings: Settings, listener: socket.socket) -> int:
    log_to_stderr(settings.log_level, settings.log_format)
    exits = _Exits()
    try:
        metrics = _listen_for_metrics(settings)
        server = build_server(settings, listener, on_leadership_lost=exits.on_leadership_lost, metrics=metrics)
    except START_FAULTS as error:
        return _refuse(error)
    except KeyboardInterrupt:  # while it waited for another process
        return EXIT_INTERRUPTED
    config = uvicorn.Config(
        server.app,
        http=BoundedHttp,
        ws="none",
        timeout_keep_alive=LONGEST_IDLE_S,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=LONGEST_STREAM_CLOSE_S,
    )
    exits.server = _HttpServer(config, server.announce_end)
    # Until uvicorn handles signals itself. Those it caught it raises again once it has ended; that changes nothing.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, exits.on_signal)
    sys.setswitchinterval(THREAD_SWITCH_S)
    # The state that was just loaded lives as long as the process: Python's search for reference cycles need not walk
    # through it again and again, 0.4 s at 40,000 nodes, and that amid a decision.
    gc.collect()
    gc.freeze()
    server.start()
    _say(f"Medley listens on {reachable_url(listener)}")
    token = settings.data_folder / OPERATOR_TOKEN_FILE
    if token.exists() and settings.role != "api":
        _say(f"The operator's token is in {token}")
    try:
        exits.server.run(sockets=[listener])
    finally:
        server.close(timeout_s=settings.shutdown_s)
    return EXIT_CONFLICT if exits.lost_leadership else EXIT_OK


def _say(line: str) -> None:
    """Say something to whoever started the server, in one write: log lines of other threads do not get into it."""
    print(f"{line}\n", end="", flush=True)  # noqa: T201


class _HttpServer(uvicorn.Server):
    """uvicorn's server, which tells the application that it is about to end."""

    def __init__(self, config: uvicorn.Config, announce_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce_end = announce_end

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order at a signal; at a second one at once."""
        super().handle_exit(sig, frame)
        self.end()

    def end(self) -> None:
        """End in order. The announcement takes locks, which a signal handler must not: a thread makes it."""
        self.should_exit = True
        threading.Thread(target=self._announce_end, name="announcing the end", daemon=True).start()


class _Exits:
    """Ends the server at a signal that comes before it runs, or when another process took the lead."""

    def __init__(self) -> None:
        self.server: _HttpServer | None = None
        self.lost_leadership = False

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.server is not None:
            self.server.should_exit = True

    def on_leadership_lost(self) -> None:
        self.lost_leadership = True
        if self.server is not None:
            self.server.end()


def _refuse(error: Exception) -> int:
    """Say why nothing was started and what to do next; return the exit status."""
    status, what, next_step = _fault(error)
    print(f"medley: {what}\n  next: {next_step}", file=sys.stderr, flush=True)  # noqa: T201
    return status


def _fault(error: Exception) -> tuple[int, str, str]:
    """Return the exit status, what is wrong, and what to do next."""
    what = str(error)
    match error:
        case SettingsError():
            status, next_step = EXIT_USAGE, "see `medley serve --help` and docs/operating.md"
        case FileError():
            status, next_step = EXIT_USAGE, "mend the file and start again"
        case CannotListen():
            status, next_step = (
                EXIT_CONFLICT,
                "choose another --listen ADDRESS:PORT, or --metrics-listen where it is that one",
            )
        case AlreadyLocked(path, holder):
            what = f"another Medley server ({holder}) holds {path}"
            status, next_step = EXIT_CONFLICT, "stop that one first, or give this one another --data-folder"
        case AnotherSchedulerLeads():
            next_step = "stop that one first; this one waits for MEDLEY_START_WAIT_S seconds when it is started again"
            status = EXIT_CONFLICT
        case AlreadyExists():
            what = f"the database knows cluster {error} as one of another kind"
            status, next_step = EXIT_CONFLICT, "give the cluster in the file another name"
        case StorageError():
            what = f"{error.what}: {error.why}"
            status, next_step = EXIT_UNAVAILABLE, error.next_step
        case StorageUnavailable():
            status, next_step = EXIT_UNAVAILABLE, "see that the database runs, and start again"
        case _:
            status, next_step = EXIT_UNAVAILABLE, "see that this user may use the data folder, and start again"
    return status, what, next_step
