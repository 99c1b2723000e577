"""Bringing a database to the schema of this code, and back.

Each start asks for the revision; Alembic, which takes a quarter of a second to load, is loaded where that is another.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Connection, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

import migrations
from scheduler.adapters.database.engine import Engines, open_engines
from scheduler.adapters.database.failures import StorageError, short_text
from scheduler.adapters.database.schema import metadata

if TYPE_CHECKING:
    from alembic.config import Config

_REVISION = text("SELECT version_num FROM alembic_version")
_UPGRADE_LOCK = 0x6D65646C6579
"""Key of the PostgreSQL lock that lets one process upgrade at a time."""


class SchemaBehind(StorageError):
    """The database's schema is older than this code; whoever may bring it up to date has not done so yet."""


def require_newest(engines: Engines) -> None:
    """Raise SchemaBehind, or StorageError where the database is newer than this code, unless its schema is the newest.

    Changes nothing. Raises StorageUnavailable.
    """
    with engines.read() as connection:
        present = present_revision(connection)
    _refuse_newer(present)
    if present != newest_revision():
        raise SchemaBehind(
            "The database's schema is not up to date",
            why=f"it is {present or 'empty'}, and this Medley works with {newest_revision()}.",
            next_step="Start the scheduler, or run `medley migrate`: either brings it up to date.",
        )


def upgrade(url: str) -> str:
    """Bring the database to the newest schema, in one transaction, and return its revision.

    Without effect on one that is there already; several processes may call it at once. Raises StorageError where
    the database cannot be opened or is newer than this code.
    """
    with _alone(url) as connection:
        present = present_revision(connection)
        newest = newest_revision()
        _refuse_newer(present)
        if present != newest:
            _to_newest(connection)
            _check_references(connection)
    return newest


def make_schema(engines: Engines) -> None:
    """Bring an empty database to the newest schema, in one transaction of its writing connection."""
    with engines.writing.begin() as connection:
        _to_newest(connection)


def _to_newest(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - as above

    command.upgrade(_config(connection), "head")


def _refuse_newer(present: str | None) -> None:
    if present not in (None, *known_revisions()):
        raise StorageError(
            "The database is newer than this Medley",
            why=f"its schema is {present}, the newest that this Medley knows is {newest_revision()}.",
            next_step="Install the Medley that wrote it, or restore a backup.",
        )


def downgrade(url: str, revision: str) -> None:
    """Take the database back to an older revision; `base` removes every table. What newer schemas held is lost."""
    from alembic import command  # noqa: PLC0415 - as above

    with _alone(url) as connection:
        command.downgrade(_config(connection), revision)


def drift(url: str) -> list[str]:
    """Return how the database's tables differ from the code's, empty where they agree."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - as above
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - as above

    with _alone(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [str(difference) for difference in compare_metadata(context, metadata)]
        return differences + _differing_checks(connection)


def newest_revision() -> str:
    """Return the revision this code works with."""
    return known_revisions()[-1]


@cache
def known_revisions() -> tuple[str, ...]:
    """Return every revision this code knows the way from, in order, by the names of the files of migrations/."""
    return tuple(sorted(file.stem.split("_")[1] for file in _folder().glob("versions/migration_*.py")))


def present_revision(connection: Connection) -> str | None:
    """Return the revision of a database's schema, None where it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(_REVISION).scalar()


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """Give a connection in a transaction that no other upgrade runs beside. Raises StorageError."""
    engines = open_engines(url)
    try:
        with engines.writing.connect() as connection:
            if connection.dialect.name == "sqlite":
                # Changing a table means to make it anew, and the old one cannot go while rows refer to it. The
                # driver's own connection is asked, since within a transaction this has no effect.
                connection.connection.execute("PRAGMA foreign_keys=OFF").close()
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
                yield connection
    except SQLAlchemyError as error:
        raise StorageError(
            f"Medley cannot use its database {make_url(url).render_as_string(hide_password=True)}",
            why=f"{short_text(error)}.",
            next_step="Check that it is running, that the URL names it, and that Medley may create tables in it.",
        ) from error
    finally:
        engines.close()


def _check_references(connection: Connection) -> None:
    """Raise StorageError where an upgrade left rows of SQLite that refer to nothing; it is then undone."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StorageError(
            "Medley's database cannot be upgraded",
            why=f"a row of its table {broken[0]} refers to a row of {broken[2]} that is not there.",
            next_step="Restore a backup; the database is as it was before.",
        )


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _folder() -> Path:
    return Path(migrations.__file__).parent


def _differing_checks(connection: Connection) -> list[str]:
    """Return differences of CHECK constraints, which Alembic does not compare.

    Their text is compared on SQLite only: PostgreSQL keeps it in words of its own.
    """
    inspector = inspect(connection)
    has_text = connection.dialect.name == "sqlite"
    differences = []
    for table in (each for each in metadata.sorted_tables if inspector.has_table(each.name)):
        checks = [each for each in table.constraints if isinstance(each, CheckConstraint)]
        wanted = {(str(each.name), str(each.sqltext) if has_text else "") for each in checks}
        reflected = inspector.get_check_constraints(table.name)
        present = {(str(each["name"]), each["sqltext"] if has_text else "") for each in reflected}
        differences += [f"{table.name}: {name} {condition}".rstrip() for name, condition in sorted(wanted ^ present)]
    return differences
