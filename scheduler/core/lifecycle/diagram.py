"""The transition table as a picture and as tables, so that the documentation cannot differ from the code."""

from collections.abc import Sequence
from datetime import UTC, datetime

from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import TABLE, RetryRule, Verdict, apply_event
from scheduler.core.model.group import FAILURES, FINAL, HOLDING, Group, State, StopReason

_NOW = datetime(2000, 1, 1, tzinfo=UTC)
"""Any time: outcomes are compared by state alone."""


def state_diagram() -> str:
    """Return the table as a Mermaid state diagram: one arrow per move, none for what is ignored or illegal."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.QUEUED}: submitted"]
    for state, row in TABLE.items():
        for event, following in row.items():
            if isinstance(following, Verdict):
                continue
            if event is Event.GONE:
                lines.extend(_arrows_after_stop())
            else:
                lines.append(f"    {state} --> {following}: {event}")
    lines.extend(f"    {state} --> [*]" for state in State if state in FINAL)
    return "\n".join(lines) + "\n"


def transition_table() -> str:
    """Return a Markdown table of every state and every event; states that hold devices are bold."""
    rows = [[f"**{state}**" if state in HOLDING else str(state), *_cells(state)] for state in TABLE]
    return _table(["state", *Event], rows)


def stop_table() -> str:
    """Return a Markdown table of what follows when a stopped attempt's workers are gone, weakest reason first."""
    rows = [
        [
            reason,
            after_stop(reason, retries=1),
            after_stop(reason, retries=0),
            FAILURES[reason].failure_class,
            FAILURES[reason].budget,
            FAILURES[reason].sentence,
        ]
        for reason in StopReason
    ]
    head = ["stop reason", "while retries are left", "when none is left", "whose doing", "what it costs", "in words"]
    return _table(head, rows)


def after_stop(reason: StopReason, *, retries: int) -> State:
    """Return the state after a stop for this reason, with so many retries left."""
    stopping = Group("any", "any", 0, State.STOPPING, version=1, attempts=1, failures=0, stop_reason=reason)
    moved = apply_event(stopping, Event.GONE, rule=RetryRule(retries), now=_NOW)
    if isinstance(moved, Verdict):
        raise TypeError("a stopping group always moves when its workers are gone")
    return moved.state


def _arrows_after_stop() -> list[str]:
    causes: dict[State, list[str]] = {state: [] for state in (State.QUEUED, State.FAILED, State.CANCELLED)}
    for reason in StopReason:
        with_retries, without = after_stop(reason, retries=1), after_stop(reason, retries=0)
        if with_retries is without:
            causes[without].append(reason)
    causes[State.QUEUED].append("retry left")
    causes[State.FAILED].append("no retry left")
    return [f"    {State.STOPPING} --> {state}: {Event.GONE} ({', '.join(causes[state])})" for state in causes]


def _cells(state: State) -> list[str]:
    cells = []
    for event in Event:
        following = TABLE[state][event]
        if state is State.STOPPING and event is Event.GONE:
            cells.append("see below")
        else:
            cells.append("" if following is Verdict.IGNORED else str(following))
    return cells


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
