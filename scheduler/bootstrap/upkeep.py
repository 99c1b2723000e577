"""What is done to a data folder and its database while no server runs on it."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from scheduler.adapters.database.migrate import upgrade
from scheduler.adapters.database.storage import open_storage
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.identifiers import SystemIdentifiers
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.bootstrap.storage import lock_folder
from scheduler.services.prepare_first_start import make_operator_token
from scheduler.settings import OPERATOR_TOKEN_FILE, Settings, write_private


def migrate_database(settings: Settings) -> str:
    """Bring the database's schema up to date and return its revision, while no server runs on it.

    Raises AlreadyLocked, StorageError, OSError.
    """
    with ExitStack() as resources:
        lock_folder(settings, resources)
        return upgrade(settings.database_url)
    raise AssertionError("unreachable: the block returns or raises")


def replace_operator_token(settings: Settings) -> Path:
    """Make a new operator token, while no server runs on the data folder, and return the file it is in.

    Raises AlreadyLocked, StorageError, StorageUnavailable, OSError.
    """
    path = settings.data_folder / OPERATOR_TOKEN_FILE
    with ExitStack() as resources:
        lock_folder(settings, resources)
        storage = open_storage(settings.database_url, InProcessWakeUp())
        resources.callback(storage.close)
        keep = partial(write_private, path)
        make_operator_token(storage.directory, SystemClock(), SystemIdentifiers(), keep_secret=keep)
    return path
