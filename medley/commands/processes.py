"""The processes of Medley itself: the only commands that run the scheduler rather than talk to it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated

from cyclopts import Parameter

Text = str | None
Data = Annotated[
    Text, Parameter(name=["--data-folder", "--data"], help="Folder of everything that is kept (default .medley).")
]
Database = Annotated[Text, Parameter(help="URL of the database (default: SQLite in the data folder).")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class OnKubernetes:
    """Options for workers on Kubernetes."""

    clusters: Annotated[Text, Parameter(help="YAML file with the Kubernetes clusters.")] = None
    kubeconfig: Annotated[
        Text, Parameter(help="How to reach the one Kubernetes cluster (default: as a pod of it).")
    ] = None
    api_url: Annotated[Text, Parameter(help="Where workers reach the API (default: where it listens).")] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Telling:
    """Options for where the server answers, and what it tells of itself."""

    listen: Annotated[Text, Parameter(help="HOST:PORT of the API (default 127.0.0.1:8080).")] = None
    metrics_listen: Annotated[
        Text, Parameter(help="HOST:PORT of the metrics, or `off` (default 127.0.0.1:9464, if it is free).")
    ] = None
    log_format: Annotated[Text, Parameter(help="Log lines as text (default) or json.")] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class InProcesses:
    """Options for several processes on one PostgreSQL."""

    role: Annotated[Text, Parameter(help="What this process does: all (default), api or scheduler.")] = None
    redis_url: Annotated[Text, Parameter(help="Redis for hints and shared limits (default: none).")] = None
    secret_file: Annotated[
        Text, Parameter(help="The server's secret, the same for all (default: server.secret in the data folder).")
    ] = None
    scheduler_url: Annotated[
        Text, Parameter(help="Where an API process finds the scheduler (default http://127.0.0.1:8081).")
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Rules:
    """Options for what there is to ask for, what is chosen, and how much callers may ask for."""

    chips: Annotated[Text, Parameter(help="YAML file with further chip types.")] = None
    scoring: Annotated[Text, Parameter(help="YAML file with what places are judged by.")] = None
    order: Annotated[Text, Parameter(help="Who is next: fair (default), fifo, las, srtf, srsf or rounds.")] = None
    login: Annotated[Text, Parameter(help="YAML file with the organisation's login.")] = None
    limit_per_token: Annotated[Text, Parameter(help="UNITS/SECONDS of a token, or off (default 2000/10).")] = None
    limit_per_tenant: Annotated[Text, Parameter(help="The same of all its tenant's (default 8000/10).")] = None
    limit_per_address: Annotated[Text, Parameter(help="The same of bad tokens and logins (default 100/10).")] = None


def serve(
    *,
    data_folder: Data = None,
    cluster: Annotated[Text, Parameter(help="What runs the workers: local (default) or kubernetes.")] = None,
    inventory: Annotated[Text, Parameter(help="YAML file with the nodes of the local cluster.")] = None,
    database: Database = None,
    rules: Rules = Rules(),
    telling: Telling = Telling(),
    kubernetes: OnKubernetes = OnKubernetes(),
    processes: InProcesses = InProcesses(),
) -> int:
    """Run Medley until Ctrl-C, with workers on this machine or on Kubernetes: all of it, or one role of several."""
    with _no_garbage():
        from scheduler.main import serve as serve_medley  # noqa: PLC0415 - a client's machine need not load the server

    here = _given(data_folder=data_folder, cluster=cluster, inventory=inventory)
    further = asdict(rules) | asdict(telling) | asdict(kubernetes) | asdict(processes)
    return serve_medley(here | _given(database=database, **further))


def migrate(*, data_folder: Data = None, database: Database = None) -> int:
    """Bring the database's schema up to date. `medley serve` does it too, where the database is its own."""
    from scheduler.main import migrate as migrate_database  # noqa: PLC0415 - as above

    return migrate_database(_given(data_folder=data_folder, database=database))


def operator_token(*, data_folder: Data = None, database: Database = None) -> int:
    """Make a new operator token and write it to operator.token in the data folder, for when the first one was lost."""
    from scheduler.main import new_operator_token  # noqa: PLC0415 - as above

    return new_operator_token(_given(data_folder=data_folder, database=database))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Have nobody look for garbage while modules are loaded, who make none: it would take a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _given(**options: str | None) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}
