"""The processes of Medley: serve and migrate."""

import logging
import signal
import socket
import sys
from collections.abc import Mapping
from types import FrameType

import uvicorn

from scheduler.adapters.database.migrate import upgrade
from scheduler.adapters.database.storage import StorageError
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.adapters.system.process_lock import AlreadyLocked
from scheduler.bootstrap import build_server, reachable_url
from scheduler.settings import OPERATOR_TOKEN_FILE, Settings, SettingsError, load_settings, prepare_data_folder

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CONFLICT = 5
EXIT_UNAVAILABLE = 6
BACKLOG = 2048
THREAD_SWITCH_S = 0.0005
"""A request passes through several threads, each briefly: at Python's usual 5 ms one busy thread delays them all."""
LONGEST_STREAM_CLOSE_S = 2
"""How long an ending server waits for streams whose readers do not go."""


def serve(overrides: Mapping[str, str]) -> int:
    """Run the API, deciding and reconciling in this process until it is told to end; return the exit status.

    `overrides` are settings given as options of the command, by name; they win over the environment.
    """
    try:
        settings = load_settings(overrides)
        listener = _listen(settings)
    except SettingsError as error:
        return _refuse(EXIT_USAGE, str(error), "see `medley serve --help`")
    except OSError as error:
        return _refuse(EXIT_CONFLICT, f"cannot listen there: {error}", "choose another --listen ADDRESS:PORT")
    with listener:
        return _serve(settings, listener)


def migrate(overrides: Mapping[str, str]) -> int:
    """Bring the database's schema up to date; return the exit status."""
    try:
        settings = load_settings(overrides)
        prepare_data_folder(settings.data_folder)
        upgrade(settings.database_url)
    except SettingsError as error:
        return _refuse(EXIT_USAGE, str(error), "see `medley migrate --help`")
    except StorageError as error:
        return _refuse(EXIT_UNAVAILABLE, str(error), "see above")
    return EXIT_OK


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)


def _serve(settings: Settings, listener: socket.socket) -> int:
    _log_to_stderr(settings.log_level)
    exits = _Exits()
    try:
        server = build_server(settings, listener, on_leadership_lost=exits.on_leadership_lost)
    except AlreadyLocked as error:
        what = f"another Medley server ({error.args[0]}) uses the database {settings.database_url}"
        return _refuse(EXIT_CONFLICT, what, "stop that one first, or give this one another --data-folder")
    except FileError as error:
        return _refuse(EXIT_USAGE, str(error), "mend the file and start again")
    except StorageError as error:
        return _refuse(EXIT_UNAVAILABLE, str(error), "mend that and start again")
    config = uvicorn.Config(
        server.app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=LONGEST_STREAM_CLOSE_S,
    )
    exits.server = uvicorn.Server(config)
    # uvicorn raises the signals it caught again once it has ended; by then they have done their work.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _already_handled)
    sys.setswitchinterval(THREAD_SWITCH_S)
    server.start()
    print(f"Medley listens on {reachable_url(listener)}", flush=True)  # noqa: T201 - said to whoever started it
    print(f"The operator's token is in {settings.data_folder / OPERATOR_TOKEN_FILE}", flush=True)  # noqa: T201
    try:
        exits.server.run(sockets=[listener])
    finally:
        server.close(timeout_s=settings.shutdown_s)
    return EXIT_CONFLICT if exits.lost_leadership else EXIT_OK


class _Exits:
    """Ends the server when another process took the lead."""

    def __init__(self) -> None:
        self.server: uvicorn.Server | None = None
        self.lost_leadership = False

    def on_leadership_lost(self) -> None:
        self.lost_leadership = True
        if self.server is not None:
            self.server.should_exit = True


def _already_handled(_number: int, _frame: FrameType | None) -> None:
    pass


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _refuse(status: int, what: str, next_step: str) -> int:
    print(f"medley: {what}\n  next: {next_step}", file=sys.stderr, flush=True)  # noqa: T201
    return status
