"""Replicas of a server, as the API shows them."""

from typing import Any

from api.schemas.reason import ReasonAnswer
from api.schemas.text import Answer, Moment, with_examples
from scheduler.core.model.group import State, StopReason

REPLICA_EXAMPLE: dict[str, Any] = {
    "replica": 0,
    "state": "running",
    "is_ready": True,
    "address": "10.0.3.17:8000",
    "nodes": ["mixed/nvidia-1"],
    "attempt": "01jd3v9k2m0a7b4c-g0-a1",
    "version": 1,
    "attempts": 1,
    "failures": 0,
    "stop_reason": None,
    "not_before": None,
    "placed_at": "2026-01-01T00:00:00.020000Z",
    "ready_since": "2026-01-01T00:00:01.500000Z",
    "reasons": [],
}


class ReplicaAnswer(Answer):
    """One replica: where it is, whether it is ready, and how it fared."""

    replica: int
    """From 0; a replica that is not wanted any more leaves its number to a later one."""
    state: State
    is_ready: bool
    """Whether all its workers run, and it answers at its readiness path."""
    address: str | None
    """Where its rank 0 listens, as HOST:PORT; null while it does not run."""
    nodes: tuple[str, ...]
    """Of the workers of its present attempt; empty where it has none."""
    attempt: str | None
    """The present attempt, or the latest one."""
    version: int | None
    """Of the job, as which the attempt runs or ran; null before the first."""
    attempts: int
    failures: int
    """In a row, since it last ran for ten minutes: the pause before the next attempt grows with them."""
    stop_reason: StopReason | None
    """Why the latest attempt was stopped."""
    not_before: Moment | None
    """No new attempt before this."""
    placed_at: Moment | None
    ready_since: Moment | None
    reasons: tuple[ReasonAnswer, ...]
    """Why it waits."""


class ReplicaListAnswer(Answer):
    """Replicas of a server that are wanted, leave, or failed for good."""

    model_config = with_examples({"wanted": 1, "ready": 1, "version": 1, "items": [REPLICA_EXAMPLE], "next": None})

    wanted: int
    ready: int
    version: int
    """Of the job: grows by one each time it is replaced."""
    items: tuple[ReplicaAnswer, ...]
    """By number; all of them where this answers a change."""
    next: str | None
    """Cursor of the next page; null on the last one."""


class ReplicaProspectAnswer(Answer):
    """Of a server that is not submitted: how many replicas would be placed now, and where."""

    wanted: int
    placed: int
    """The others would wait."""
    nodes: tuple[tuple[str, ...], ...]
    """Of each replica that would be placed, from 0, those of its workers."""


class ReplicaCountAnswer(Answer):
    """A server's replicas in short."""

    wanted: int
    ready: int
    """How many of them serve now."""
