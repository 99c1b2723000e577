"""What servers may do to a reflector, and what it must bear."""

import threading

import pytest

from scheduler.adapters.kubernetes.reflector import Pace
from scheduler.adapters.kubernetes.transport import Timing
from tests.builders.eventually import eventually
from tests.unit.adapters.kubernetes.stand_in import Answering, Asked
from tests.unit.adapters.kubernetes.test_reflector import Cluster, Follow, Pauses, follow, stay, then
from tests.unit.adapters.kubernetes.test_store import thing

__all__ = ["follow"]


def test_no_server_keeps_a_reflector_from_asking_for_more_than_a_minute(follow: Follow) -> None:
    pauses = Pauses(3)
    told = iter(["3600", "10000000000", "1e300"])

    def answer(answering: Answering, asked: Asked) -> None:
        answering.json({}, status=503, headers={"Retry-After": next(told)})

    follow(answer, pace=Pace(), timing=pauses.timing)
    assert pauses.is_over.wait(10)
    assert pauses.seconds == [60, 60, 60]


def test_nothing_but_closing_ends_the_thread(follow: Follow) -> None:
    failures = [OverflowError("timestamp too large"), MemoryError(), RuntimeError()]

    def pause(closing: threading.Event, seconds: float) -> bool:
        if failures:
            raise failures.pop()
        return closing.wait(seconds)

    cluster = Cluster(scripts=[then(ends=Answering.end), then(ends=Answering.end), then(ends=Answering.end), stay])
    reflector = follow(cluster, timing=Timing(pause=pause)).reflector
    eventually(lambda: len(cluster.watches) == 4, within_s=60)
    assert reflector._thread.is_alive()


@pytest.mark.parametrize("causes", [[1], "text", {"a": 1}, 7])
def test_a_refusal_with_details_that_make_no_sense_is_asked_again(follow: Follow, causes: object) -> None:
    cluster = Cluster(
        scripts=[lambda answering, _: answering.json({"details": {"causes": causes}}, status=504), stay],
    )
    follow(cluster)
    eventually(lambda: len(cluster.watches) == 2, within_s=60)


def test_a_page_that_is_too_large_is_asked_for_by_halves(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.adapters.kubernetes.reflector.LARGEST_PAGE_BYTES", 1000)
    objects = [{**thing(f"p{number}", number + 1), "padding": "x" * 300} for number in range(9)]
    limits: list[int] = []

    def answer(answering: Answering, asked: Asked) -> None:
        if "watch" in asked.query:
            stay(answering, asked)
            return
        limits.append(limit := int(asked.query["limit"]))
        begin = int(asked.query.get("continue", "0"))
        going_on = {"continue": str(begin + limit)} if begin + limit < len(objects) else {}
        metadata = {"resourceVersion": "9", **going_on}
        answering.json({"metadata": metadata, "items": objects[begin : begin + limit]})

    following = follow(answer)
    eventually(lambda: following.reflector.is_synced, within_s=60)
    assert len(following.versions()) == 9
    assert limits == [500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert following.reflector._page == 2


def test_a_watch_that_the_server_does_not_end_is_left(follow: Follow) -> None:
    pauses = Pauses(99)

    def never_ending(answering: Answering, asked: Asked) -> None:
        answering.begin()
        pauses.now_s += float(asked.query["timeoutSeconds"]) + 61
        answering.event("BOOKMARK", thing("", 77))
        answering.wait()

    cluster = Cluster(scripts=[never_ending, stay])
    follow(cluster, pace=Pace(), timing=pauses.timing)
    eventually(lambda: len(cluster.watches) == 2, within_s=60)
