"""The picture and tables of the life of a group say what the transition table says."""

import re

from scheduler.core.lifecycle.diagram import after_stop, state_diagram, stop_table, transition_table
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import TABLE, Verdict
from scheduler.core.model.group import HOLDING, State, StopReason

ARROW = re.compile(r"^    (\S+) --> (\S+?)(?:: (.*))?$")


def arrows() -> list[tuple[str, str, str]]:
    """Return every arrow as source, target and label."""
    found = (ARROW.match(line) for line in state_diagram().splitlines()[1:])
    return [(match[1], match[2], match[3] or "") for match in found if match]


def test_the_picture_is_a_mermaid_state_diagram_of_arrows_only() -> None:
    first, *rest = state_diagram().splitlines()
    assert first == "stateDiagram-v2"
    assert len(arrows()) == len(rest)


def test_every_move_of_the_table_has_its_arrow() -> None:
    want_moves = {
        (state, following, event)
        for state, row in TABLE.items()
        for event, following in row.items()
        if isinstance(following, State) and event is not Event.GONE
    }
    inner = {arrow for arrow in arrows() if "[*]" not in arrow[:2] and not arrow[2].startswith(Event.GONE)}
    assert inner == want_moves


def test_only_final_states_lead_out_and_only_queued_leads_in() -> None:
    assert [target for source, target, _ in arrows() if source == "[*]"] == [State.QUEUED]
    assert [source for source, target, _ in arrows() if target == "[*]"] == ["succeeded", "failed", "cancelled"]


def test_the_end_of_a_stop_has_one_arrow_per_outcome_with_its_causes() -> None:
    ends = {
        target: label for source, target, label in arrows() if source == State.STOPPING and label.startswith("gone")
    }
    assert ends == {
        State.QUEUED: (
            "gone (preempted, replaced, start-refused, resize-failed, lost, node-rejected, disrupted, retry left)"
        ),
        State.FAILED: "gone (unstartable, time-limit, no retry left)",
        State.CANCELLED: "gone (scaled-down, cancelled)",
    }


def test_a_charged_stop_fails_the_group_once_no_retry_is_left() -> None:
    assert after_stop(StopReason.WORKER_FAILED, retries=1) is State.QUEUED
    assert after_stop(StopReason.WORKER_FAILED, retries=0) is State.FAILED
    assert after_stop(StopReason.PREEMPTED, retries=0) is State.QUEUED


def test_the_table_has_a_row_per_state_and_a_column_per_event() -> None:
    head, _, *rows = transition_table().splitlines()
    assert head == f"| state | {' | '.join(Event)} |"
    assert [row.split(" | ")[0].strip("| *") for row in rows] == list(TABLE)
    assert {row.split(" | ")[0].strip("| *") for row in rows if row.startswith("| **")} == set(HOLDING)


def test_a_cell_is_a_state_illegal_or_empty() -> None:
    queued = transition_table().splitlines()[2]
    assert queued == "| queued | placed | failed |  |  |  |  | cancelled |  | illegal |  |"
    assert Verdict.IGNORED not in transition_table()


def test_the_stop_table_lists_every_reason_weakest_first() -> None:
    rows = stop_table().splitlines()[2:]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == list(StopReason)
    want = "| worker-failed | queued | failed | program | retries | a worker ended with an exit code other than 0 |"
    assert want in rows
