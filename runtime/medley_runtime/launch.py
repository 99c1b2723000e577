"""The launch document, version 1 to 5: what Medley tells a worker. Fields that are not known here are left alone.

It is one worker's, or that of a whole gang: then `ranks` lists what differs from rank to rank, and the variables
MEDLEY_RANK and MEDLEY_TOKEN_FILE say which rank this is, and where its token is.

Version 2 adds what a gang of one role on whole devices has no need of: `roles`, each with its `world_size` and maybe a
`program` of its own; a rank's `role`, `role_rank` and `program_rank`; and a rank with a share of a device, or none.

Version 3 is version 2 with `checkpoints`: where the job's checkpoints are, and how many of them, how often.
Version 4 is version 3, where `checkpoints` may be null, with `serving` for rank 0 of a server: where it is to listen.
Version 5 is that of a gang which may go on with more or fewer workers: a runtime that knows less would stay as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, Union

from medley_runtime.endings import BadLaunch

LAUNCH_VARIABLE = "MEDLEY_LAUNCH"
RANK_VARIABLE = "MEDLEY_RANK"
TOKEN_FILE_VARIABLE = "MEDLEY_TOKEN_FILE"  # noqa: S105 - a variable's name
LARGEST_TOKEN = 4096
PLAIN_VERSION, ROLES_VERSION, CHECKPOINTS_VERSION, SERVING_VERSION, ELASTIC_VERSION = range(1, 6)
LAST_PORT = 65_535
MAIN_ROLE = "worker"
"""Of all ranks of a gang that has no roles."""
NEXT = "is the worker started by Medley, with a runtime that fits its server?"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Command:
    """The program is the user's own."""

    argv: tuple[str, ...]


@dataclass(frozen=True)
class ReferenceTraining:
    """The program is the built-in training; sizes are counts of tokens, layers and so on."""

    steps: int
    batch: int
    """Sequences per step and worker."""
    sequence: int
    """Tokens per sequence."""
    width: int
    layers: int
    heads: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class ReferenceServing:
    """The program is the built-in server, of the model of the built-in training."""

    folder: str | None
    """Where the training's checkpoints are; None: fresh weights are served."""
    seed: int
    """Of fresh weights."""


Program = Union[Command, ReferenceTraining, ReferenceServing]


@dataclass(frozen=True)
class Company:
    """A worker among those of its gang that have something in common."""

    rank: int
    """From 0, in the order of the gang's ranks."""
    world_size: int


@dataclass(frozen=True)
class Checkpoints:
    """Where and how often a training saves itself."""

    folder: str
    """Of the job, the same for all its ranks and attempts; an absolute path."""
    interval_s: int
    keep: int
    """So many of the latest stay."""


@dataclass(frozen=True)
class Serving:
    """Where a server listens."""

    host: str
    port: int
    readiness_path: str | None
    """A GET of it is to be answered with 200 to 399 while the server is ready; None: nobody asks."""


@dataclass(frozen=True)
class Launch:
    """One worker's place in a gang and what it is to do."""

    job: str
    job_name: str
    tenant: str
    attempt: str
    attempt_number: int
    generation: int
    rank: int
    world_size: int
    """All ranks of the gang, whatever their roles."""
    role: str
    in_role: Company
    """Among the ranks of its role."""
    in_program: Company
    """Among the ranks that run the same program: the job's, or its role's own."""
    node: str
    chip: str | None
    """None for a worker without devices."""
    torch_device: str
    """The device module of torch, such as cuda or npu; cpu for a worker without devices."""
    devices: tuple[int, ...]
    """Slots on the node; empty where the cluster picks the devices."""
    device_count: int
    """Whole devices."""
    share_milli: int
    """Of one device's compute, in thousandths; 0 for whole devices and for none."""
    share_memory_mib: int
    devices_are_simulated: bool
    api_url: str
    token: str
    """Good for this attempt only."""
    grace_s: int
    """Between SIGTERM and SIGKILL."""
    program: Program
    checkpoints: Checkpoints | None = None
    """None: nothing that a worker writes outlives it."""
    serving: Serving | None = None
    """Of rank 0 of a server."""
    is_elastic: bool = False
    """Its gang may go on with more or fewer workers."""
    traceparent: str = ""
    """The W3C trace context of the request that submitted the job; empty where there is none."""

    def __repr__(self) -> str:
        """Name the worker, never the token."""
        return f"Launch(attempt={self.attempt!r}, rank={self.rank}, world_size={self.world_size})"


def read_launch(environment: Mapping[str, str]) -> Launch:
    """Return the document that MEDLEY_LAUNCH names, as far as it is this worker's. Raises BadLaunch."""
    path = environment.get(LAUNCH_VARIABLE, "")
    if not path:
        raise BadLaunch(f"{LAUNCH_VARIABLE} is not set, so there is no launch document to read; {NEXT}")
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib would double the start time of a command
            document = json.load(file)
    except (OSError, ValueError) as error:
        raise BadLaunch(f"the launch document {path} cannot be read: {error}; {NEXT}") from error
    try:
        if isinstance(document, dict) and "ranks" in document:
            document = _own_part(document, environment)
        return parse_launch(document)
    except BadLaunch as error:
        raise BadLaunch(f"the launch document {path} is not valid: {error}; {NEXT}") from error


def _own_part(document: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return one worker's document, made of a gang's. Raises BadLaunch."""
    ranks = _Fields(document, "").take("ranks", list)
    if document.get("world_size") != len(ranks):
        raise BadLaunch(f"world_size is {document.get('world_size')!r}, and the document has {len(ranks)} ranks")
    text = environment.get(RANK_VARIABLE, "")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(len(ranks))) and int(text) < len(ranks)):
        raise BadLaunch(f"{RANK_VARIABLE} is {text!r}, and the document has {len(ranks)} ranks, from 0")
    rank = int(text)
    if not isinstance(ranks[rank], dict):
        raise BadLaunch(f"ranks[{rank}] is not a JSON object")
    gang = {name: value for name, value in document.items() if name != "ranks"}
    return {**gang, **ranks[rank], "rank": rank, "token": _token(environment)}


def _token(environment: Mapping[str, str]) -> str:
    """Return the token of the file that MEDLEY_TOKEN_FILE names; no message ever shows it. Raises BadLaunch."""
    path = environment.get(TOKEN_FILE_VARIABLE, "")
    if not path:
        raise BadLaunch(f"{TOKEN_FILE_VARIABLE} is not set, so there is no token to read")
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 - as above
            token = file.read(LARGEST_TOKEN + 1).strip()
    except OSError as error:
        raise BadLaunch(f"the token in {path} cannot be read: {error}") from error
    except ValueError:
        token = ""
    if not token.isprintable() or not 0 < len(token) <= LARGEST_TOKEN:
        raise BadLaunch(f"the file {path} holds no token of at most {LARGEST_TOKEN} printable characters")
    return token


def parse_launch(document: object) -> Launch:
    """Return the typed document. Raises BadLaunch with what is wrong."""
    fields = _Fields(document, "")
    version = fields.take("version", int)
    if not PLAIN_VERSION <= version <= ELASTIC_VERSION:
        raise BadLaunch(f"version is {version}, and this runtime knows {PLAIN_VERSION} to {ELASTIC_VERSION}")
    place = _place(fields, has_roles=version >= ROLES_VERSION)
    launch = Launch(
        job=fields.take("job", str),
        job_name=fields.take("job_name", str),
        tenant=fields.take("tenant", str),
        attempt=fields.take("attempt", str),
        attempt_number=fields.take_count("attempt_number"),
        generation=fields.take_count("generation"),
        rank=fields.take("rank", int),
        world_size=fields.take_count("world_size"),
        role=place.role,
        in_role=place.in_role,
        in_program=place.in_program,
        node=fields.take("node", str),
        chip=None if version >= ROLES_VERSION and fields.is_null("chip") else fields.take("chip", str),
        torch_device=fields.take("torch_device", str),
        devices=fields.take_all("devices", int),
        device_count=_device_count(fields),
        share_milli=fields.take_or("share_milli", 0),
        share_memory_mib=fields.take_or("share_memory_mib", 0),
        devices_are_simulated=fields.take("devices_are_simulated", bool),
        api_url=fields.take("api_url", str),
        token=fields.take("token", str),
        grace_s=fields.take("grace_s", int),
        program=place.program,
        checkpoints=_checkpoints(fields) if version >= CHECKPOINTS_VERSION else None,
        serving=_serving(fields) if version >= SERVING_VERSION and fields.has("serving") else None,
        is_elastic=version >= ELASTIC_VERSION,
        traceparent=fields.take("traceparent", str) if fields.has("traceparent") else "",
    )
    if not 0 <= launch.rank < launch.world_size:
        raise BadLaunch(
            f"rank is {launch.rank}, and a gang of {launch.world_size} has ranks 0 to {launch.world_size - 1}"
        )
    return launch


@dataclass(frozen=True)
class _Place:
    """What a worker is within its gang, and what it does there."""

    role: str
    in_role: Company
    in_program: Company
    program: Program


def _place(fields: _Fields, *, has_roles: bool) -> _Place:
    program = _program(fields.take("program", dict), "program.")
    if not has_roles:
        whole = Company(fields.take("rank", int), fields.take_count("world_size"))
        return _Place(MAIN_ROLE, whole, whole, program)
    role = fields.take("role", str)
    roles = {name: _Fields(one, f"roles.{name}.") for name, one in fields.take("roles", dict).items()}
    if role not in roles:
        raise BadLaunch(f"role is {role!r}, which is not among the roles ({', '.join(roles)})")
    sizes = {name: one.take_count("world_size") for name, one in roles.items()}
    if roles[role].has("program"):
        company = sizes[role]
        program = _program(roles[role].take("program", dict), f"roles.{role}.program.")
        if isinstance(program, ReferenceTraining):
            raise BadLaunch(f"role {role} has a reference training of its own, and a gang trains one model")
    else:
        company = sum(size for name, size in sizes.items() if not roles[name].has("program"))
    in_role = Company(fields.take("role_rank", int), sizes[role])
    in_program = Company(fields.take("program_rank", int), company)
    if not (0 <= in_role.rank < in_role.world_size and 0 <= in_program.rank < in_program.world_size):
        raise BadLaunch(
            f"role_rank {in_role.rank} or program_rank {in_program.rank} is not below the count of its ranks"
        )
    return _Place(role, in_role, in_program, program)


def _checkpoints(fields: _Fields) -> Checkpoints | None:
    if fields.is_null("checkpoints"):
        return None
    own = _Fields(fields.take("checkpoints", dict), "checkpoints.")
    folder = own.take("folder", str)
    if not folder.startswith("/") or "\0" in folder:
        raise BadLaunch(f"checkpoints.folder is {folder!r}, and an absolute path is wanted")
    return Checkpoints(folder, own.take_count("interval_s"), own.take_count("keep"))


def _serving(fields: _Fields) -> Serving:
    own = _Fields(fields.take("serving", dict), "serving.")
    port = own.take_count("port")
    if port > LAST_PORT:
        raise BadLaunch(f"serving.port is {port}, and ports end at {LAST_PORT}")
    path = None if own.is_null("readiness_path") else own.take("readiness_path", str)
    return Serving(own.take("host", str), port, path)


def _device_count(fields: _Fields) -> int:
    if fields.has("share_milli"):
        return 0
    return fields.take_or("device_count", len(fields.take_all("devices", int)))


def _program(document: object, prefix: str) -> Program:
    fields = _Fields(document, prefix)
    kind = fields.take("kind", str)
    if kind == "command":
        return _command(fields, prefix)
    if kind == "reference-training":
        return _reference_training(fields)
    if kind == "reference-serving":
        folder = None if fields.is_null("folder") else fields.take("folder", str)
        return ReferenceServing(folder, fields.take_or("seed", 1))
    known = "command, reference-training and reference-serving"
    raise BadLaunch(f"{prefix}kind is {kind!r}, and this runtime knows {known}")


def _command(fields: _Fields, prefix: str) -> Command:
    argv = fields.take_all("argv", str)
    if not argv or not argv[0]:
        raise BadLaunch(f"{prefix}argv names no program")
    return Command(argv)


def _reference_training(fields: _Fields) -> ReferenceTraining:
    training = ReferenceTraining(
        steps=fields.take_count("steps"),
        batch=fields.take_count("batch"),
        sequence=fields.take_count("sequence"),
        width=fields.take_count("width"),
        layers=fields.take_count("layers"),
        heads=fields.take_count("heads"),
        learning_rate=fields.take_positive("learning_rate"),
        seed=fields.take("seed", int),
    )
    if training.width % training.heads:
        raise BadLaunch(f"program.width {training.width} cannot be shared out evenly to {training.heads} heads")
    return training


class _Fields:
    """An object of the document; takes its fields out with their types checked."""

    def __init__(self, document: object, prefix: str) -> None:
        if not isinstance(document, dict):
            raise BadLaunch(f"{prefix.rstrip('.') or 'the whole'} is not a JSON object")
        self._document: dict[str, Any] = document
        self._prefix = prefix

    def take(self, name: str, kind: type[Value]) -> Value:
        if name not in self._document:
            raise BadLaunch(f"{self._prefix}{name} is missing")
        value = self._document[name]
        if not _is_a(value, kind):
            raise BadLaunch(f"{self._prefix}{name} is {value!r}, and {kind.__name__} is wanted")
        return value  # type: ignore[no-any-return]  # just checked

    def has(self, name: str) -> bool:
        return name in self._document

    def is_null(self, name: str) -> bool:
        return self.has(name) and self._document[name] is None

    def take_or(self, name: str, default: int) -> int:
        """Return a number from 0 that may be left out."""
        value = self.take(name, int) if self.has(name) else default
        if value < 0:
            raise BadLaunch(f"{self._prefix}{name} is {value}, and at least 0 is wanted")
        return value

    def take_all(self, name: str, kind: type[Value]) -> tuple[Value, ...]:
        values = self.take(name, list)
        if not all(_is_a(value, kind) for value in values):
            raise BadLaunch(f"{self._prefix}{name} is {values!r}, and a list of {kind.__name__} is wanted")
        return tuple(values)

    def take_count(self, name: str) -> int:
        value = self.take(name, int)
        if value < 1:
            raise BadLaunch(f"{self._prefix}{name} is {value}, and at least 1 is wanted")
        return value

    def take_positive(self, name: str) -> float:
        value = self._document.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, float) or not 0 < value < float("inf"):
            raise BadLaunch(f"{self._prefix}{name} is {value!r}, and a number above 0 is wanted")
        return value


def _is_a(value: object, kind: type) -> bool:
    """Tell JSON's types apart: to Python, a bool would be an int."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
