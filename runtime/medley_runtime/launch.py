"""The launch document, version 1: what Medley tells a worker. Fields that are not known here are left alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, Union

from medley_runtime.endings import BadLaunch

LAUNCH_VARIABLE = "MEDLEY_LAUNCH"
VERSION = 1
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


Program = Union[Command, ReferenceTraining]


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
    node: str
    chip: str
    torch_device: str
    """The device module of torch, such as cuda or npu."""
    devices: tuple[int, ...]
    """Slots on the node."""
    devices_are_simulated: bool
    api_url: str
    token: str
    """Good for this attempt only."""
    grace_s: int
    """Between SIGTERM and SIGKILL."""
    program: Program

    def __repr__(self) -> str:
        """Name the worker, never the token."""
        return f"Launch(attempt={self.attempt!r}, rank={self.rank}, world_size={self.world_size})"


def read_launch(environment: Mapping[str, str]) -> Launch:
    """Return the document that MEDLEY_LAUNCH names. Raises BadLaunch."""
    path = environment.get(LAUNCH_VARIABLE, "")
    if not path:
        raise BadLaunch(f"{LAUNCH_VARIABLE} is not set, so there is no launch document to read; {NEXT}")
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib would double the start time of a command
            document = json.load(file)
    except (OSError, ValueError) as error:
        raise BadLaunch(f"the launch document {path} cannot be read: {error}; {NEXT}") from error
    try:
        return parse_launch(document)
    except BadLaunch as error:
        raise BadLaunch(f"the launch document {path} is not valid: {error}; {NEXT}") from error


def parse_launch(document: object) -> Launch:
    """Return the typed document. Raises BadLaunch with what is wrong."""
    fields = _Fields(document, "")
    version = fields.take("version", int)
    if version != VERSION:
        raise BadLaunch(f"version is {version}, and this runtime knows version {VERSION} only")
    launch = Launch(
        job=fields.take("job", str),
        job_name=fields.take("job_name", str),
        tenant=fields.take("tenant", str),
        attempt=fields.take("attempt", str),
        attempt_number=fields.take_count("attempt_number"),
        generation=fields.take_count("generation"),
        rank=fields.take("rank", int),
        world_size=fields.take_count("world_size"),
        node=fields.take("node", str),
        chip=fields.take("chip", str),
        torch_device=fields.take("torch_device", str),
        devices=fields.take_all("devices", int),
        devices_are_simulated=fields.take("devices_are_simulated", bool),
        api_url=fields.take("api_url", str),
        token=fields.take("token", str),
        grace_s=fields.take("grace_s", int),
        program=_program(fields.take("program", dict)),
    )
    if not 0 <= launch.rank < launch.world_size:
        raise BadLaunch(
            f"rank is {launch.rank}, and a gang of {launch.world_size} has ranks 0 to {launch.world_size - 1}"
        )
    return launch


def _program(document: object) -> Program:
    fields = _Fields(document, "program.")
    kind = fields.take("kind", str)
    if kind == "command":
        return _command(fields)
    if kind == "reference-training":
        return _reference_training(fields)
    raise BadLaunch(f"program.kind is {kind!r}, and this runtime knows command and reference-training")


def _command(fields: _Fields) -> Command:
    argv = fields.take_all("argv", str)
    if not argv or not argv[0]:
        raise BadLaunch("program.argv names no program")
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
