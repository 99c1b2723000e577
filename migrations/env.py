"""What Alembic runs for every command; the connection comes from `scheduler.adapters.database.migrate`.

To write a new revision: `alembic -c migrations/alembic.ini -x url=sqlite:////tmp/new.db revision --autogenerate`
after bringing that file to the newest schema with the same options and `upgrade head`.
"""

from alembic import context
from sqlalchemy import Connection

from scheduler.adapters.database.engine import open_engines
from scheduler.adapters.database.schema import metadata


def run(connection: Connection) -> None:
    """Run what was asked for on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engines = open_engines(context.get_x_argument(as_dictionary=True)["url"])
    with engines.writing.begin() as opened:
        run(opened)
    engines.close()
