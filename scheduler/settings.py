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

OPERATOR_TOKEN_FILE = "operator.token"  # noqa: S105 - a file's name
SECRET_FILE = "server.secret"  # noqa: S105 - a file's name
SECRET_BYTES = 32
LAST_PORT = 65_535
DEFAULT_METRICS_LISTEN = "127.0.0.1:9464"
METRICS_OFF = "off"
_LISTEN = re.compile(r"([^\s:\[\]]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})", re.ASCII)

_API_URL = re.compile(r"https?://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?", re.ASCII)


class Settings(BaseSettings):
    """How one server runs."""

    model_config = SettingsConfigDict(env_prefix="MEDLEY_", extra="forbid", frozen=True)

    data_folder: Path = Path(".medley")
    """Folder of everything that is kept: database, secrets, workers' files."""
    database: str | None = None
    """URL of the database; SQLite in the data folder where it is not given."""
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
    listen: str = "127.0.0.1:8080"
    """Address and port of the API; port 0 takes a free one."""
    metrics_listen: str | None = None
    """Address and port of the metrics, or `off`; without it DEFAULT_METRICS_LISTEN, if that port is free."""
    api_url: str | None = None
    """Where workers reach the API; without it the address that is listened on."""
    runtime_python: Path = Path(sys.executable)
    """The interpreter that has medley-runtime, for workers of the local cluster."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    """Log lines for people, or one JSON object a line for programs."""
    shutdown_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long an ending server waits for open requests and its loops."""

    @field_validator("listen")
    @classmethod
    def _has_host_and_port(cls, listen: str) -> str:
        match = _LISTEN.fullmatch(listen)
        if match is None or int(match["port"]) > LAST_PORT:
            raise ValueError(f"name an address and a port up to {LAST_PORT}, such as 127.0.0.1:8080 or [::1]:8080")
        return listen

    @field_validator("metrics_listen")
    @classmethod
    def _has_host_and_port_or_is_off(cls, listen: str | None) -> str | None:
        return listen if listen in (None, METRICS_OFF) else cls._has_host_and_port(str(listen))

    @field_validator("api_url")
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

    @property
    def database_url(self) -> str:
        """The database's URL."""
        return self.database or f"sqlite:///{(self.data_folder / 'medley.db').resolve()}"

    @property
    def host(self) -> str:
        """Where the API listens."""
        return host_and_port(self.listen)[0]

    @property
    def port(self) -> int:
        """The API's port, 0 for a free one."""
        return host_and_port(self.listen)[1]


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


def server_secret(data: Path) -> bytes:
    """Return the secret that attempt tokens are derived from; made at the first start, kept in a 0600 file.

    Raises SettingsError where the file holds something else.
    """
    path = data / SECRET_FILE
    if not path.exists():
        write_private(path, secrets.token_hex(SECRET_BYTES))
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise SettingsError(f"{path} is damaged; remove it, and workers that run now lose their access to the API")
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
