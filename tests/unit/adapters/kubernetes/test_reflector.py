import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scheduler.adapters.kubernetes.reflector import Pace, Reflector, Resource
from scheduler.adapters.kubernetes.transport import Credentials, Timing, Transport
from tests.builders.eventually import eventually
from tests.unit.adapters.kubernetes.stand_in import Answering, Asked, StandIn, kubeconfig, serving
from tests.unit.adapters.kubernetes.test_store import Thing, thing, view

QUICK = Pace(silence_s=0.3, first_pause_s=0.001, longest_pause_s=0.002)


@dataclass
class Cluster:
    """Answers a list, and watches by one script after the other; the last one serves all that follow."""

    version: int = 10
    objects: list[dict[str, Any]] = field(default_factory=list)
    scripts: list[Callable[[Answering, Asked], None]] = field(default_factory=list)
    lists: list[Asked] = field(default_factory=list)
    watches: list[Asked] = field(default_factory=list)

    def __call__(self, answering: Answering, asked: Asked) -> None:
        if "watch" not in asked.query:
            self.lists.append(asked)
            answering.json({"metadata": {"resourceVersion": str(self.version)}, "items": self.objects})
            return
        self.watches.append(asked)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        script(answering, asked)


def stay(answering: Answering, asked: Asked) -> None:
    answering.begin()
    answering.wait()


def then(*events: tuple[str, dict[str, Any]], ends: Callable[[Answering], None] = Answering.wait) -> Any:
    def script(answering: Answering, asked: Asked) -> None:
        answering.begin()
        for kind, obj in events:
            answering.event(kind, obj)
        ends(answering)

    return script


def raw(content: bytes) -> Any:
    def script(answering: Answering, asked: Asked) -> None:
        answering.begin()
        answering.piece(content)
        answering.wait()

    return script


@dataclass
class Following:
    reflector: Reflector[Thing]
    stand_in: StandIn
    changes: list[tuple[int | None, int | None]]

    def versions(self) -> dict[str, int]:
        return {key: found.version for key, found in self.reflector.snapshot().items()}


Follow = Callable[..., Following]


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Follow]:
    with ExitStack() as stack:

        def start(
            answer: Callable[[Answering, Asked], None],
            *,
            pace: Pace = QUICK,
            timing: Timing | None = None,
            resource: Resource | None = None,
        ) -> Following:
            stand_in = stack.enter_context(serving(answer))
            transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
            changes: list[tuple[int | None, int | None]] = []
            reflector: Reflector[Thing] = Reflector(
                transport,
                resource or Resource("/things", {"labelSelector": "a=b"}, "things"),
                view=view,
                on_change=lambda before, after: changes.append(
                    (before.version if before else None, after.version if after else None)
                ),
                timing=timing,
                pace=pace,
            )
            stack.callback(transport.close)
            stack.callback(reflector.close)
            reflector.start()
            return Following(reflector, stand_in, changes)

        yield start


def test_a_list_and_then_a_watch_keep_the_store(follow: Follow) -> None:
    cluster = Cluster(objects=[thing("a", 3)])
    cluster.scripts = [then(("ADDED", thing("b", 11)), ("MODIFIED", thing("a", 12)), ("DELETED", thing("b", 13)))]
    following = follow(cluster, pace=replace(QUICK, silence_s=30))
    assert following.reflector.wait_synced(5)
    eventually(lambda: len(following.changes) == 4, within_s=60)
    assert following.changes == [(None, 3), (None, 11), (3, 12), (11, None)]
    assert following.versions() == {"n/a": 12}
    assert following.reflector.get("n/a") == Thing("a", "u", 12)
    (watch,) = cluster.watches
    assert watch.query["resourceVersion"] == "10"
    assert watch.query["allowWatchBookmarks"] == "true"
    assert watch.query["labelSelector"] == cluster.lists[0].query["labelSelector"] == "a=b"
    assert 240 <= int(watch.query["timeoutSeconds"]) <= 480
    assert "resourceVersion" not in cluster.lists[0].query


def test_a_list_is_read_page_by_page_and_taken_over_when_it_is_complete(follow: Follow) -> None:
    seen: list[dict[str, int]] = []
    followings: list[Following] = []

    def answer(answering: Answering, asked: Asked) -> None:
        if "watch" in asked.query:
            stay(answering, asked)
            return
        page = int(asked.query.get("continue", "0"))
        if followings:
            seen.append(followings[0].versions())
        going_on = {"continue": str(page + 1)} if page < 2 else {}
        answering.json({"metadata": {"resourceVersion": "9", **going_on}, "items": [thing(f"p{page}", page + 1)]})

    followings.append(follow(answer))
    assert followings[0].reflector.wait_synced(5)
    assert followings[0].versions() == {"n/p0": 1, "n/p1": 2, "n/p2": 3}
    assert all(not versions for versions in seen)
    assert {asked.query["limit"] for asked in followings[0].stand_in.asked if "watch" not in asked.query} == {"500"}


def test_a_page_that_is_too_old_begins_the_list_anew(follow: Follow) -> None:
    refusals = [410]

    def answer(answering: Answering, asked: Asked) -> None:
        if "watch" in asked.query:
            stay(answering, asked)
        elif "continue" not in asked.query:
            answering.json({"metadata": {"resourceVersion": "9", "continue": "x"}, "items": [thing("a", 1)]})
        elif refusals:
            answering.json({"reason": "Expired"}, status=refusals.pop())
        else:
            answering.json({"metadata": {"resourceVersion": "9"}, "items": [thing("b", 2)]})

    following = follow(answer)
    assert following.reflector.wait_synced(5)
    assert following.versions() == {"n/a": 1, "n/b": 2}


def test_bookmarks_say_where_the_next_watch_begins(follow: Follow) -> None:
    cluster = Cluster(scripts=[then(("BOOKMARK", thing("", 77)), ends=Answering.end), stay])
    follow(cluster)
    eventually(lambda: len(cluster.watches) == 2, within_s=60)
    assert cluster.watches[1].query["resourceVersion"] == "77"
    assert len(cluster.lists) == 1


@pytest.mark.parametrize("ends", [Answering.end, Answering.cut])
def test_a_watch_that_ends_goes_on_where_it_was(follow: Follow, ends: Callable[[Answering], None]) -> None:
    cluster = Cluster(scripts=[then(("ADDED", thing("a", 11)), ends=ends), then(("ADDED", thing("b", 12)))])
    following = follow(cluster)
    eventually(lambda: following.versions() == {"n/a": 11, "n/b": 12}, within_s=60)
    assert cluster.watches[1].query["resourceVersion"] == "11"
    assert len(cluster.lists) == 1


def test_a_half_open_watch_is_found_and_goes_on_where_it_was(follow: Follow) -> None:
    cluster = Cluster(scripts=[then(("ADDED", thing("a", 11))), then(("ADDED", thing("b", 12)))])
    following = follow(cluster)
    eventually(lambda: "n/b" in following.versions(), within_s=60)
    assert cluster.watches[1].query["resourceVersion"] == "11"
    assert len(cluster.lists) == 1
    assert Pace().silence_s < 90


EXPIRED = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}


@pytest.mark.parametrize(
    "script",
    [
        then(("ERROR", EXPIRED)),
        then(("ERROR", {**EXPIRED, "code": 500})),
        then(("ERROR", {})),
        then(("UNKNOWN", thing("a", 11))),
        then(("ADDED", {"metadata": {}})),
        raw(b'{"type": "ADDED", "object": {"metada\n'),
        raw(b"[]\n"),
        raw(b"[" * 100_000 + b"\n"),
        lambda answering, _: answering.json(EXPIRED, status=410),
        lambda answering, _: answering.json({"reason": "BadRequest"}, status=400),
        lambda answering, _: answering.json(
            {"details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}}, status=504
        ),
    ],
    ids=["410", "500", "empty", "unknown", "nameless", "cut", "list", "deep", "http-410", "http-400", "too-large"],
)
def test_what_only_a_list_can_mend_leads_to_one_with_a_difference(
    follow: Follow, script: Callable[[Answering, Asked], None]
) -> None:
    go = threading.Event()

    def when_told(answering: Answering, asked: Asked) -> None:
        go.wait(10)
        script(answering, asked)

    cluster = Cluster(objects=[thing("a", 3), thing("b", 4)], scripts=[when_told, stay])
    following = follow(cluster, pace=replace(QUICK, silence_s=30))
    assert following.reflector.wait_synced(5)
    cluster.objects, cluster.version = [thing("b", 14)], 20
    following.changes.clear()
    go.set()
    eventually(lambda: len(cluster.watches) == 2, within_s=60)
    assert following.changes == [(3, None), (4, 14)]
    assert following.reflector.health.relists == 1
    assert cluster.watches[1].query["resourceVersion"] == "20"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_server_is_asked_again_for_the_watch_alone(follow: Follow, status: int) -> None:
    def refuse(answering: Answering, asked: Asked) -> None:
        answering.json({}, status=status, headers={"Retry-After": "0.01"})

    cluster = Cluster(scripts=[refuse, then(("ADDED", thing("a", 11)))])
    following = follow(cluster)
    eventually(lambda: following.versions() == {"n/a": 11}, within_s=60)
    assert len(cluster.lists) == 1


class Pauses:
    """Stands in for time and chance: pauses are noted instead of waited for, and the last one is never over."""

    def __init__(self, count: int) -> None:
        self.seconds: list[float] = []
        self.count = count
        self.now_s = 0.0
        self.is_over = threading.Event()

    def pause(self, closing: threading.Event, seconds: float) -> bool:
        self.seconds.append(seconds)
        self.now_s += seconds
        if len(self.seconds) >= self.count:
            self.is_over.set()
            return closing.wait(30)
        return False

    @property
    def timing(self) -> Timing:
        return Timing(monotonic_s=lambda: self.now_s, random=lambda: 0.5, pause=self.pause)


def test_a_server_that_closes_at_once_is_asked_less_and_less(follow: Follow) -> None:
    pauses = Pauses(12)
    cluster = Cluster(scripts=[then(ends=Answering.end)])
    follow(cluster, pace=Pace(relist_s=1e9), timing=pauses.timing)
    assert pauses.is_over.wait(10)
    assert pauses.seconds[:4] == pytest.approx([0.075, 0.15, 0.3, 0.6])
    assert pauses.seconds[-1] == pytest.approx(22.5)
    assert all(after >= before for before, after in pairwise(pauses.seconds))
    assert len(cluster.watches) == 12
    within_two_s = sum(1 for number in range(12) if sum(pauses.seconds[:number]) < 2)
    assert within_two_s <= 6


def test_a_watch_that_lasted_makes_the_next_pause_short_again(follow: Follow) -> None:
    pauses = Pauses(5)
    followings: list[Following] = []

    def last(answering: Answering, asked: Asked) -> None:
        answering.begin()
        answering.event("ADDED", thing("a", 11))
        eventually(lambda: followings and followings[0].changes, within_s=60)  # by then it knows when it began
        pauses.now_s += 11
        answering.end()

    brief = then(ends=Answering.end)
    cluster = Cluster(scripts=[brief, brief, last, brief, brief])
    followings.append(follow(cluster, pace=Pace(relist_s=1e9), timing=pauses.timing))
    assert pauses.is_over.wait(10)
    assert pauses.seconds == pytest.approx([0.075, 0.15, 0.075, 0.15, 0.3])


def test_pauses_are_jittered_and_respect_what_the_server_wishes(follow: Follow) -> None:
    pauses = Pauses(2)
    timing = replace(pauses.timing, random=iter([0.0, 1.0, 1.0]).__next__)

    def answer(answering: Answering, asked: Asked) -> None:
        answering.json({}, status=503, headers={"Retry-After": "7"} if len(pauses.seconds) == 1 else {})

    follow(answer, pace=Pace(), timing=timing)
    assert pauses.is_over.wait(10)
    assert pauses.seconds == [pytest.approx(0.05), 7]


def test_from_time_to_time_everything_is_listed_anew(follow: Follow) -> None:
    pauses = Pauses(3)

    def last(answering: Answering, asked: Asked) -> None:
        answering.begin()
        pauses.now_s += float(asked.query["timeoutSeconds"])
        answering.end()

    cluster = Cluster(scripts=[last])
    follow(cluster, pace=Pace(), timing=pauses.timing)
    assert pauses.is_over.wait(10)
    assert [int(watch.query["timeoutSeconds"]) for watch in cluster.watches] == [360, 240, 360]
    assert len(cluster.lists) == 2


def test_health_says_how_old_the_news_are_and_what_is_wrong(follow: Follow) -> None:
    pauses = Pauses(1)
    refuse = threading.Event()
    refuse.set()
    cluster = Cluster(scripts=[stay])

    def answer(answering: Answering, asked: Asked) -> None:
        if refuse.is_set():
            answering.json({"reason": "Forbidden", "message": "may not"}, status=403)
        else:
            cluster(answering, asked)

    failing = follow(answer, timing=pauses.timing).reflector
    assert pauses.is_over.wait(10)
    assert (failing.is_synced, failing.health.age_s, failing.health.relists) == (False, None, 0)
    assert failing.health.last_error == "GET /things: 403 Forbidden: may not"
    refuse.clear()
    pauses = Pauses(99)
    well = follow(answer, timing=pauses.timing, pace=Pace()).reflector
    eventually(lambda: cluster.watches and well.health.last_error is None, within_s=60)
    pauses.now_s += 12
    assert well.is_synced
    assert well.health.age_s == pytest.approx(12)


def test_a_failure_that_lasts_is_logged_once(follow: Follow, caplog: pytest.LogCaptureFixture) -> None:
    pauses = Pauses(5)
    follow(lambda answering, _: answering.json({"message": "may not"}, status=403), timing=pauses.timing)
    assert pauses.is_over.wait(10)
    told = [record.message for record in caplog.records if record.name.startswith("scheduler.")]
    assert told == ["things: GET /things: 403: may not"]


def test_an_own_write_is_seen_before_the_watch_tells(follow: Follow) -> None:
    go = threading.Event()

    def late(answering: Answering, asked: Asked) -> None:
        answering.begin()
        go.wait(10)
        for version in (11, 12, 13):
            answering.event("MODIFIED", thing("a", version))
        answering.wait()

    following = follow(Cluster(scripts=[late]), pace=replace(QUICK, silence_s=30))
    assert following.reflector.wait_synced(5)
    following.reflector.wrote(thing("a", 12))
    assert following.versions() == {"n/a": 12}
    go.set()
    eventually(lambda: following.versions() == {"n/a": 13}, within_s=60)
    assert following.changes == [(None, 12), (12, 13)]


def test_one_object_that_cannot_be_read_does_not_stop_the_watch(follow: Follow) -> None:
    broken = {**thing("a", 11), "is_broken": True}
    cluster = Cluster(objects=[broken], scripts=[then(("ADDED", broken), ("ADDED", thing("b", 12)))])
    following = follow(cluster, pace=replace(QUICK, silence_s=30))
    eventually(lambda: following.versions() == {"n/b": 12}, within_s=60)
    assert (len(cluster.lists), len(cluster.watches)) == (1, 1)


def test_metadata_alone_can_be_asked_for(follow: Follow) -> None:
    cluster = Cluster(scripts=[stay])
    follow(cluster, resource=Resource("/things", {}, "things", is_metadata_only=True))
    eventually(lambda: cluster.watches, within_s=60)
    assert cluster.lists[0].headers["Accept"].startswith("application/json;as=PartialObjectMetadataList;")
    assert cluster.watches[0].headers["Accept"].startswith("application/json;as=PartialObjectMetadata;")


def test_closing_ends_a_quiet_watch_at_once_and_keeps_what_is_stored(follow: Follow) -> None:
    following = follow(Cluster(objects=[thing("a", 3)], scripts=[stay]), pace=Pace())
    reflector = following.reflector
    eventually(lambda: reflector.is_synced and reflector._stream, within_s=60)
    reflector.close()
    reflector.close()
    assert not reflector._thread.is_alive()
    assert following.versions() == {"n/a": 3}


def test_one_that_was_never_started_can_be_closed(tmp_path: Path) -> None:
    transport = Transport(Credentials(tmp_path / "none"))
    Reflector(transport, Resource("/things"), view=view, on_change=lambda *_: None).close()


def test_a_long_watch_line_leads_to_a_list(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.adapters.kubernetes.transport.streams.LONGEST_LINE_BYTES", 1000)
    large = json.dumps({"type": "ADDED", "object": {**thing("a", 11), "x": "y" * 2000}}).encode()
    cluster = Cluster(scripts=[raw(large), stay])
    follow(cluster)
    eventually(lambda: len(cluster.lists) == 2, within_s=60)
