from dataclasses import dataclass, field
from typing import Any

import pytest

from scheduler.adapters.kubernetes.store import WRITTEN_LASTS_S, Store


@dataclass(frozen=True)
class Thing:
    name: str
    uid: str
    version: int


def thing(name: str, version: int, uid: str = "u") -> dict[str, Any]:
    return {"metadata": {"namespace": "n", "name": name, "uid": uid, "resourceVersion": str(version)}}


def view(obj: dict[str, Any]) -> Thing | None:
    metadata = obj["metadata"]
    if obj.get("is_broken"):
        raise RuntimeError("broken")
    return None if obj.get("is_foreign") else Thing(metadata["name"], metadata["uid"], int(metadata["resourceVersion"]))


@dataclass
class Told:
    """A store and what it told, as versions before and after."""

    changes: list[tuple[int | None, int | None]] = field(default_factory=list)
    now_s: float = 0.0
    fails: bool = False

    def __post_init__(self) -> None:
        self.store: Store[Thing] = Store("things", view=view, on_change=self.on_change, monotonic_s=lambda: self.now_s)

    def on_change(self, before: Thing | None, after: Thing | None) -> None:
        self.changes.append((before.version if before else None, after.version if after else None))
        if self.fails:
            raise RuntimeError("listens badly")

    def list(self, position: int, *objects: dict[str, Any]) -> None:
        read = [self.store.read(obj) for obj in objects]
        self.store.replace({key: found for key, found in read if found is not None}, position)

    def versions(self) -> dict[str, int]:
        return {key: found.version for key, found in self.store.snapshot().items()}


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_list_is_told_as_its_differences_and_what_is_gone_first(told: Told) -> None:
    told.list(5, thing("a", 1), thing("b", 2), thing("c", 3))
    told.changes.clear()
    told.list(9, thing("b", 2), thing("c", 8), thing("d", 9))
    assert told.changes == [(1, None), (3, 8), (None, 9)]
    assert told.versions() == {"n/b": 2, "n/c": 8, "n/d": 9}


def test_events_are_told_as_they_come(told: Told) -> None:
    told.list(5)
    told.store.apply(thing("a", 6), is_gone=False)
    told.store.apply(thing("a", 7), is_gone=False)
    told.store.apply(thing("a", 8), is_gone=True)
    assert told.changes == [(None, 6), (6, 7), (7, None)]
    assert told.store.position == 8


def test_an_own_write_is_there_at_once_and_its_event_tells_nothing_new(told: Told) -> None:
    told.list(5)
    told.store.wrote(thing("a", 6))
    assert told.versions() == {"n/a": 6}
    told.store.apply(thing("a", 6), is_gone=False)
    assert told.changes == [(None, 6)]


def test_events_from_before_an_own_write_do_not_undo_it(told: Told) -> None:
    told.list(5)
    told.store.wrote(thing("a", 9))
    told.store.apply(thing("a", 6), is_gone=False)
    told.store.apply(thing("a", 7, uid="older"), is_gone=True)
    assert told.versions() == {"n/a": 9}
    told.store.apply(thing("a", 10), is_gone=False)
    assert told.changes == [(None, 9), (9, 10)]


def test_an_own_write_that_the_watch_has_passed_is_not_taken(told: Told) -> None:
    told.list(5)
    told.store.apply(thing("a", 6), is_gone=False)
    told.store.apply(thing("a", 8), is_gone=True)
    told.store.wrote(thing("a", 7))
    told.store.advance(20)
    told.store.wrote(thing("b", 20))
    assert told.versions() == {}


def test_an_own_write_older_than_another_is_not_taken(told: Told) -> None:
    told.list(5)
    told.store.wrote(thing("a", 9))
    told.store.wrote(thing("a", 8))
    assert told.versions() == {"n/a": 9}


def test_an_own_write_newer_than_a_list_outlives_it(told: Told) -> None:
    told.store.wrote(thing("a", 9))
    told.store.wrote(thing("b", 8))
    told.list(7, thing("b", 6))
    assert told.versions() == {"n/a": 9, "n/b": 8}
    told.list(10, thing("b", 8))
    assert told.versions() == {"n/b": 8}


def test_after_a_cluster_was_set_back_its_list_is_believed(told: Told) -> None:
    told.list(500, thing("a", 400), thing("b", 450))
    told.store.wrote(thing("c", 501))
    told.now_s += WRITTEN_LASTS_S + 1
    told.list(20, thing("a", 10))
    assert told.versions() == {"n/a": 10}
    assert told.store.position == 20
    told.store.apply(thing("a", 21), is_gone=False)
    assert told.versions() == {"n/a": 21}


def test_another_object_under_the_same_name_takes_the_place(told: Told) -> None:
    told.list(5, thing("a", 5, uid="one"))
    told.list(9, thing("a", 9, uid="two"))
    assert told.changes == [(None, 5), (5, 9)]


def test_what_the_view_does_not_want_leaves(told: Told) -> None:
    told.list(5, thing("a", 5))
    told.store.apply({**thing("a", 6), "is_foreign": True}, is_gone=False)
    assert told.versions() == {}


def test_what_cannot_be_read_stays_as_it_was_and_is_logged_once(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    told.list(5, thing("a", 5), {**thing("b", 5), "is_broken": True})
    for version in (6, 7, 8):
        told.store.apply({**thing("a", version), "is_broken": True}, is_gone=False)
    told.list(9, {**thing("a", 9), "is_broken": True})
    assert told.versions() == {"n/a": 5}
    assert [record.message for record in caplog.records] == [
        f"things: {key} cannot be read; it stays as it was known" for key in ("n/b", "n/a")
    ]
    told.store.apply({**thing("a", 10), "is_broken": True}, is_gone=True)
    assert told.versions() == {}


def test_a_bad_listener_does_not_keep_changes_from_being_kept(told: Told) -> None:
    told.fails = True
    told.list(5, thing("a", 5), thing("b", 5))
    told.store.apply(thing("c", 6), is_gone=False)
    assert set(told.versions()) == {"n/a", "n/b", "n/c"}
    assert len(told.changes) == 3


def test_an_unchanged_object_of_a_list_is_not_read_again(told: Told) -> None:
    told.list(5, thing("a", 5))
    before = told.store.get("n/a")
    told.list(9, thing("a", 5))
    assert told.store.get("n/a") is before


def test_a_snapshot_does_not_follow(told: Told) -> None:
    told.list(5, thing("a", 5))
    snapshot = told.store.snapshot()
    told.store.apply(thing("a", 6), is_gone=True)
    assert set(snapshot) == {"n/a"}
