"""Entries of the audit trail: each seals what it says and the one before it."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from scheduler.core.model.access.audit import FIRST_SEAL, MOST_STATE_BYTES, Act, Actor, AuditEntry, Outcome, make_entry
from tests.builders.core import NOON

ADA = Actor("ada", "t1", "demo", "set_quota", "request-1")
ACT = Act("quota", "demo/h100", "demo", NOON, None, {"devices": 4, "at": NOON, "of": frozenset({"b", "a"})})
OTHER: dict[type, Any] = {str: "x" * 64, int: 99, type(NOON): NOON + timedelta(microseconds=1), type(None): "x"}


def test_an_entry_says_who_did_what_and_follows_the_one_before() -> None:
    first = make_entry(1, FIRST_SEAL, ADA, ACT)
    second = make_entry(2, first.sha256, ADA, replace(ACT, outcome=Outcome.DENIED))
    assert (first.actor, first.token_id, first.operation, first.object_name) == ("ada", "t1", "set_quota", "demo/h100")
    assert json.loads(first.after or "") == {"at": "2026-01-01T12:00:00.000000Z", "devices": 4, "of": ["a", "b"]}
    assert second.previous_sha256 == first.sha256
    assert first.is_genuine()
    assert second.is_genuine()


@pytest.mark.parametrize("name", [field.name for field in fields(AuditEntry)])
def test_whatever_is_changed_afterwards_shows(name: str) -> None:
    entry = make_entry(1, FIRST_SEAL, ADA, ACT)
    present = getattr(entry, name)
    other: Any = Outcome.DENIED if name == "outcome" else OTHER[type(present)]
    assert not replace(entry, **{name: other}).is_genuine()


def test_what_is_kept_of_a_thing_is_bounded() -> None:
    entry = make_entry(1, FIRST_SEAL, ADA, replace(ACT, after={"text": "x" * 10 * MOST_STATE_BYTES}))
    assert len(entry.after or "") < MOST_STATE_BYTES
    assert json.loads(entry.after or "")["left_out"] == "40971 bytes"


def test_what_has_no_place_in_an_entry_is_refused() -> None:
    with pytest.raises(TypeError):
        make_entry(1, FIRST_SEAL, ADA, replace(ACT, after={"secret": object()}))
