from datetime import UTC, datetime, timedelta
from typing import Any

from scheduler.adapters.kubernetes.notes import MOST_OF_ONE_WORKER, MOST_WAITING, EventView, Notes, event_view
from scheduler.core.model.identifiers import WorkerKey

START = datetime(2026, 1, 1, tzinfo=UTC)
WORKER = WorkerKey("0a1b2c3d4e5f6g7h-g0-a1", 2)


def event(**changes: Any) -> dict[str, Any]:
    """Build an event as the API has it."""
    document = {
        "metadata": {"uid": "e", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:01Z"},
        "involvedObject": {"kind": "Pod", "namespace": "n", "name": WORKER.name, "uid": "u"},
        "type": "Warning",
        "reason": "FailedScheduling",
        "message": "0/3 nodes\nare available",
        "lastTimestamp": "2026-01-01T00:00:05Z",
    }
    return document | changes


def notes() -> Notes:
    return Notes(lambda pod, uid: WORKER if (pod, uid) == (f"n/{WORKER.name}", "u") else None)


def view(**changes: Any) -> EventView:
    found = event_view(event(**changes))
    assert found is not None
    return found


def test_an_event_is_noted_once_however_often_it_is_repeated() -> None:
    kept = notes()

    kept.changed(None, view())
    kept.changed(view(), view(lastTimestamp="2026-01-01T00:01:00Z"))

    noted = kept.drain()
    assert [(one.attempt, one.rank, one.text) for one in noted] == [
        (WORKER.attempt, 2, "FailedScheduling: 0/3 nodes are available")
    ]
    assert noted[0].at == START + timedelta(seconds=5)
    assert kept.drain() == []


def test_routine_is_not_even_kept_but_a_warning_of_the_same_name_is() -> None:
    assert event_view(event(type="Normal", reason="Pulled")) is None
    assert event_view(event(type="Normal", reason="Pulling")) is not None
    assert event_view(event(type="Warning", reason="Pulled")) is not None


def test_what_is_about_others_is_not_noted() -> None:
    kept = notes()

    kept.changed(None, view(involvedObject={"namespace": "n", "name": WORKER.name, "uid": "other"}))
    kept.changed(view(), None)

    assert kept.drain() == []


def test_an_event_of_the_newer_form_has_its_time_elsewhere() -> None:
    newer = view(lastTimestamp=None, eventTime="2026-01-01T00:00:03.000001Z")

    assert newer.at == START + timedelta(seconds=3, microseconds=1)
    assert view(series={"lastObservedTime": "2026-01-01T00:00:09Z"}).at == START + timedelta(seconds=9)


def test_there_are_bounds() -> None:
    kept = notes()
    for number in range(MOST_OF_ONE_WORKER + 5):
        kept.changed(None, view(message=str(number)))
    assert len(kept.drain()) == MOST_OF_ONE_WORKER

    many = Notes(lambda pod, _: WorkerKey(pod, 0))
    for number in range(MOST_WAITING + 5):
        many.changed(None, view(involvedObject={"namespace": "n", "name": str(number)}))
    assert len(many.drain()) == MOST_WAITING
    assert view(message="x" * 5000).message.endswith("…")
