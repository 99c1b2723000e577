"""The environment as typed values: every setting is `MEDLEY_` and its name, or an option of the command."""

import os
import re
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from scheduler.core.queueing.decay import DEFAULT_HALF_LIFE_S
from scheduler.core.queueing.order import DEFAULT_AGEING_S
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import DEFAULT_ROUND_S, PolicyName, RoundByRound, policy_of
from scheduler.core.queueing.rounds.allocating import Goal

OPERATOR_TOKEN_FILE = "operator.token"  # noqa: S105 - a file's name
SECRET_FILE = "server.secret"  # noqa: S105 - a file's name
SECRET_BYTES = 32
LAST_PORT = 65_535
DEFAULT_LISTEN = "127.0.0.1:8080"
DEFAULT_SCHEDULER_LISTEN = "127.0.0.1:8081"
DEFAULT_METRICS_LISTEN = "127.0.0.1:9464"
METRICS_OFF = "off"
READING_CONNECTIONS = {"all": 16, "api": 12, "scheduler": 8}
"""To the database, by role, where nothing else is set; one that writes comes on top."""
_LISTEN = re.compile(r"([^\s:\[\]]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})", re.ASCII)

_RATE = re.compile(r"(?P<units>[1-9]\d{0,8})/(?P<window_s>[1-9]\d{0,5})", re.ASCII)
_REDIS_URL = re.compile(r"(rediss?|unix)://\S+")
_API_URL = re.compile(r"https?://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?", re.ASCII)


class Settings(BaseSettings):
    """How one server runs."""

    model_config = SettingsConfigDict(env_prefix="MEDLEY_", extra="forbid", frozen=True)

    role: Literal["all", "api", "scheduler"] = "all"
    """What this process does: everything; or answer requests; or decide, and drive the clusters."""
    data_folder: Path = Path(".medley")
    """Folder of everything that is kept: database, secrets, workers' files."""
    database: str | None = None
    """URL of the database; SQLite in the data folder where it is not given."""
    database_connections: Annotated[int, Field(ge=2, le=500)] | None = None
    """The most connections for reading; without it what suits the role."""
    redis_url: str | None = None
    """Where Redis is, which tells processes of each other's changes and shares their callers' limits."""
    secret_file: Path | None = None
    """Where the server's secret is, the same in all processes; `server.secret` in the data folder where not given."""
    replace_secret: bool = False
    """Whether a scheduler with another secret than the database knows may start, and make strangers of what runs."""
    cluster: Literal["local", "kubernetes"] = "local"
    """What runs the workers: processes of this machine, or Kubernetes."""
    inventory: Path | None = None
    """YAML file with the nodes of the local cluster."""
    clusters: Path | None = None
    """YAML file with the Kubernetes clusters; without it there is one, named `kubernetes`, with the built-in rules."""
    kubeconfig: Path | None = None
    """How to reach that one cluster; without it as a pod of the cluster itself."""
    chips: Path | None = None
    """YAML file with further chip types."""
    scoring: Path | None = None
    """YAML file with what places are judged by; without it the built-in weights, and a mix of jobs that is learnt."""
    order: PolicyName = PolicyName.FAIR
    """Who of those that wait is next."""
    ageing_s: Annotated[float, Field(ge=0, le=1_000_000)] = DEFAULT_AGEING_S
    """Each point of priority counts as if the job had been submitted so much earlier; 0: it goes before all else."""
    use_half_life_s: Annotated[float, Field(ge=0, le=366 * 86_400)] = DEFAULT_HALF_LIFE_S
    """After so long, what a queue held counts half in its fair share; 0: only what it holds now counts."""
    round_s: Annotated[float, Field(ge=1, le=86_400)] = DEFAULT_ROUND_S
    """How long a round is, where the order goes by rounds."""
    rounds_for: Goal = Goal.FAIRNESS
    """What turns are given for in a round: that all make progress alike, or that jobs are done soonest on average."""
    login: Path | None = None
    """YAML file with the organisation's login; without it people log in with tokens."""
    preemption: Literal["off", "tenant", "everywhere"] = "tenant"
    """For whom running jobs may be stopped: for nobody, or for jobs of higher priority, of their tenant or of any."""
    preemption_after_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    """How long an attempt runs undisturbed before it may be stopped for another one."""
    audit_days: Annotated[int, Field(ge=1, le=36_500)] = 365
    """How long entries of the audit trail are kept."""
    reservations: Annotated[int, Field(ge=0, le=128)] = 16
    """So many of the gangs that wait longest have room kept for them at a time; 0: nobody does."""
    reserve_after_s: Annotated[float, Field(ge=0, le=2_592_000)] = 300.0
    """How long a gang waits before room is kept for it."""
    listen: str | None = None
    """Address and port of the API, or of a scheduler; port 0 takes a free one."""
    metrics_listen: str | None = None
    """Address and port of the metrics, or `off`; without it DEFAULT_METRICS_LISTEN, if that port is free."""
    scheduler_url: str = f"http://{DEFAULT_SCHEDULER_LISTEN}"
    """Where an API process asks the scheduler for workers' output."""
    limit_per_token: str = "2000/10"  # noqa: S105 - a rate
    """UNITS/SECONDS that one token may spend: so many at once, and so many again in that time; or `off`."""
    limit_per_tenant: str = "8000/10"
    """The same for all tokens of a tenant together."""
    limit_per_address: str = "100/10"
    """The same for requests from one address whose token opens nothing, and for logins from there."""
    api_url: str | None = None
    """Where workers reach the API; without it the address that is listened on."""
    runtime_python: Path = Path(sys.executable)
    """The interpreter that has medley-runtime, for workers of the local cluster."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    """Log lines for people, or one JSON object a line for programs."""
    start_wait_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """How long an API process waits for a scheduler's preparations, and a scheduler for another one's end."""
    shutdown_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long an ending server waits for open requests and its loops."""

    @field_validator("listen")
    @classmethod
    def _has_host_and_port(cls, listen: str | None) -> str | None:
        match = None if listen is None else _LISTEN.fullmatch(listen)
        if listen is None:
            return None
        if match is None or int(match["port"]) > LAST_PORT:
            raise ValueError(f"name an address and a port up to {LAST_PORT}, such as 127.0.0.1:8080 or [::1]:8080")
        return listen

    @field_validator("metrics_listen")
    @classmethod
    def _has_host_and_port_or_is_off(cls, listen: str | None) -> str | None:
        return listen if listen in (None, METRICS_OFF) else cls._has_host_and_port(str(listen))

    @field_validator("limit_per_token", "limit_per_tenant", "limit_per_address")
    @classmethod
    def _is_a_rate(cls, limit: str) -> str:
        if limit != "off" and not _RATE.fullmatch(limit):
            raise ValueError("name it as UNITS/SECONDS, such as 1000/10, or off")
        return limit

    @field_validator("redis_url")
    @classmethod
    def _names_redis(cls, redis_url: str | None) -> str | None:
        if redis_url is not None and not _REDIS_URL.fullmatch(redis_url):
            raise ValueError("name it as redis://[USER:PASSWORD@]HOST:PORT[/NUMBER], rediss://... or unix://PATH")
        return redis_url

    @field_validator("api_url", "scheduler_url")
    @classmethod
    def _is_a_url(cls, api_url: str | None) -> str | None:
        if api_url is not None and not _API_URL.fullmatch(api_url):
            raise ValueError("name it as http://HOST:PORT or https://HOST:PORT, with nothing after it")
        return api_url

    @model_validator(mode="after")
    def _fits_the_kind_of_cluster(self) -> Self:
        if self.cluster == "kubernetes" and self.inventory is not None:
            raise ValueError("inventory is for the local cluster; with Kubernetes the nodes are those of its clusters")
        if self.cluster == "local" and (self.clusters is not None or self.kubeconfig is not None):
            raise ValueError("clusters and kubeconfig are for Kubernetes; add --cluster kubernetes")
        if self.clusters is not None and self.kubeconfig is not None:
            raise ValueError("give clusters or kubeconfig, not both: the clusters' file names a kubeconfig for each")
        return self

    @model_validator(mode="after")
    def _fits_the_role(self) -> Self:
        if self.role == "all":
            return self
        if self.database is None or not self.database.startswith("postgres"):
            raise ValueError(
                f"the role {self.role} shares its database with other processes: it needs PostgreSQL; "
                "give --database postgresql://USER:PASSWORD@HOST/NAME"
            )
        if self.role == "scheduler" and self.api_url is None:
            raise ValueError("a scheduler serves no API: say where its workers reach one, with --api-url")
        if self.role == "api" and self.inventory is not None:
            raise ValueError("inventory is for the scheduler: an API process drives nothing")
        return self

    @property
    def ordering(self) -> Ordering:
        """Who of those that wait is next."""
        rounds = RoundByRound(
            self.round_s,
            self.rounds_for,
            moves_running=self.preemption != "off",
            least_run_s=self.preemption_after_s,
        )
        policy = policy_of(self.order, half_life_s=self.use_half_life_s, rounds=rounds)
        return Ordering(policy, self.ageing_s, stops_overtakers=self.preemption != "off")

    @property
    def database_url(self) -> str:
        """The database's URL."""
        return self.database or f"sqlite:///{(self.data_folder / 'medley.db').resolve()}"

    @property
    def reading_connections(self) -> int:
        """The most connections to the database for reading."""
        return self.database_connections or READING_CONNECTIONS[self.role]

    @property
    def address(self) -> str:
        """Where this process listens, as HOST:PORT."""
        return self.listen or (DEFAULT_SCHEDULER_LISTEN if self.role == "scheduler" else DEFAULT_LISTEN)

    @property
    def secret_path(self) -> Path:
        """Where the server's secret is."""
        return self.secret_file or self.data_folder / SECRET_FILE

    @property
    def host(self) -> str:
        """Where the API listens."""
        return host_and_port(self.address)[0]

    @property
    def port(self) -> int:
        """The API's port, 0 for a free one."""
        return host_and_port(self.address)[1]


def host_and_port(listen: str) -> tuple[str, int]:
    """Return both parts of an address that was found well-formed."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


class SettingsError(ValueError):
    """A setting is unusable; the message names it and says why."""


def load_settings(options: Mapping[str, str]) -> Settings:
    """Return the settings of the environment, with those given as options of the command put over them.

    Raises SettingsError.
    """
    try:
        return Settings(**options)  # type: ignore[arg-type]  # texts, which pydantic turns into what the fields are
    except ValidationError as error:
        faults = (_fault(one["loc"], one["msg"].removeprefix("Value error, ")) for one in error.errors())
        raise SettingsError("; ".join(faults)) from error


def _fault(location: tuple[int | str, ...], message: str) -> str:
    """Return what is wrong; a fault of settings that do not go together has no one place."""
    return f"{location[0]}: {message}" if location else message


def prepare_data_folder(data: Path) -> None:
    """Make the data folder, or take over an existing one, readable by its owner alone. Raises OSError."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    data.chmod(0o700)


def require_runtime(python: Path) -> None:
    """Raise SettingsError unless the interpreter for workers is a program that this user may run."""
    if shutil.which(python) is None:
        raise SettingsError(f"runtime_python: {python} is not a program that this user may run")


def wants_traces(environment: Mapping[str, str]) -> bool:
    """Say whether the usual variables of OpenTelemetry name somebody to send traces to."""
    exporter = environment.get("OTEL_TRACES_EXPORTER", "")
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or exporter == "none":
        return False
    targets = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return "otlp" in exporter.split(",") or any(environment.get(name) for name in targets)


def process_environment() -> dict[str, str]:
    """Return this process's environment, of which workers get a few variables."""
    return dict(os.environ)


def rate(limit: str) -> tuple[int, int] | None:
    """Return the units and the seconds of a limit, None where it is off."""
    match = _RATE.fullmatch(limit)
    return None if match is None else (int(match["units"]), int(match["window_s"]))


def server_secret(data: Path) -> bytes:
    """Return the secret that attempt tokens are derived from; made at the first start, kept in a 0600 file.

    Raises SettingsError where the file holds something else.
    """
    path = data / SECRET_FILE
    if not path.exists():
        write_private(path, secrets.token_hex(SECRET_BYTES))
    return read_secret(path)


def read_secret(path: Path) -> bytes:
    """Return the secret in a file. Raises SettingsError where it holds something else, OSError."""
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise SettingsError(
            f"{path} is damaged: it holds {2 * SECRET_BYTES} hexadecimal digits; copy it from where it is whole, or "
            "remove it, and workers that run now lose their access to the API"
        )
    return secret


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone reads, whole or not at all, and durable when this returns."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
