"""Figures as Prometheus metrics, and the page they are on."""

import re
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client.exposition import generate_latest

from scheduler.adapters.telemetry import metrics_server
from scheduler.adapters.telemetry.gauges import GAUGES, OF_THE_LEADER, GaugeCollector
from scheduler.adapters.telemetry.instruments import Instruments
from scheduler.adapters.telemetry.metrics import PrometheusTelemetry, described
from scheduler.adapters.telemetry.metrics_server import MetricsServer
from scheduler.core.deciding.parts.tally import CapacityCount, QueueCount
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.loops.loop import LoopHealth
from scheduler.ports.telling.telemetry import (
    SILENCE,
    CycleFigures,
    HeldReading,
    LeaderReadings,
    Readings,
    WaitingReading,
)
from tests.builders.telemetry import samples, scrape, value

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
READINGS = Readings(
    change=77,
    age_s=0.25,
    leader=LeaderReadings(
        epoch=5,
        waiting=[WaitingReading(QueueCount("alpha", None, 3, 500, NOON), 7.5)],
        held=[HeldReading("mixed", "h100", "alpha", 2_500)],
        capacity=[CapacityCount("mixed", "h100", 14, 2, 1)],
        live_attempts=4,
    ),
    loops=[LoopHealth("deciding", 2, "it fails", None)],
    watch_lag_s=[("far", 12.0)],
)


@pytest.fixture
def telemetry() -> PrometheusTelemetry:
    made = PrometheusTelemetry("1.2.3")
    made.registry.register(GaugeCollector(lambda: READINGS))
    return made


def test_what_is_told_is_counted(telemetry: PrometheusTelemetry) -> None:
    telemetry.cycle(CycleFigures(0.002, placed=3, refused=0, rejected=1))
    telemetry.decided(0.004)
    telemetry.submitted("alpha")
    telemetry.placed("alpha", None, 12.0)
    telemetry.stopped(StopReason.PREEMPTED)
    telemetry.evicted(EvictionCause.RECLAIM, 80.5)
    telemetry.retried(StopReason.LOST)
    telemetry.finished("alpha", State.SUCCEEDED)
    telemetry.committed(0.01, 30)
    telemetry.answered("submit_job", 201, 0.02)
    for name, labels, expected in (
        ("medley_decisions_total", {"outcome": "placed"}, 3),
        ("medley_decisions_total", {"outcome": "refused"}, 0),
        ("medley_decisions_total", {"outcome": "rejected"}, 1),
        ("medley_cycle_duration_seconds_sum", {}, 0.002),
        ("medley_decision_latency_seconds_bucket", {"le": "0.005"}, 1),
        ("medley_jobs_submitted_total", {"tenant": "alpha"}, 1),
        ("medley_queue_wait_seconds_sum", {"tenant": "alpha", "chip": "none"}, 12),
        ("medley_attempts_stopped_total", {"reason": "preempted"}, 1),
        ("medley_preemptions_total", {"cause": "reclaim"}, 1),
        ("medley_preemptions_unsaved_device_seconds_total", {"cause": "reclaim"}, 80.5),
        ("medley_attempts_retried_total", {"reason": "lost"}, 1),
        ("medley_gangs_finished_total", {"tenant": "alpha", "state": "succeeded"}, 1),
        ("medley_database_commit_items_sum", {}, 30),
        ("medley_http_requests_total", {"operation": "submit_job", "status": "201"}, 1),
        ("medley_http_request_duration_seconds_count", {"operation": "submit_job"}, 1),
        ("medley_build_info", {"version": "1.2.3"}, 1),
    ):
        assert value(telemetry.registry, name, labels) == expected, (name, labels)


def test_how_things_stand_is_read_at_every_scrape(telemetry: PrometheusTelemetry) -> None:
    for name, labels, expected in (
        ("medley_queue_gangs", {"tenant": "alpha", "chip": "none"}, 3),
        ("medley_queue_devices", {"tenant": "alpha", "chip": "none"}, 0.5),
        ("medley_queue_oldest_wait_seconds", {"tenant": "alpha", "chip": "none"}, 7.5),
        ("medley_devices", {"cluster": "mixed", "chip": "h100", "condition": "usable"}, 14),
        ("medley_devices", {"cluster": "mixed", "chip": "h100", "condition": "unusable"}, 2),
        ("medley_devices", {"cluster": "mixed", "chip": "h100", "condition": "foreign"}, 1),
        ("medley_devices_allocated", {"cluster": "mixed", "chip": "h100", "tenant": "alpha"}, 2.5),
        ("medley_attempts_live", {}, 4),
        ("medley_leader_epoch", {}, 5),
        ("medley_follower_change", {}, 77),
        ("medley_follower_age_seconds", {}, 0.25),
        ("medley_watch_lag_seconds", {"cluster": "far"}, 12),
        ("medley_loop_failures", {"loop": "deciding"}, 2),
    ):
        assert value(telemetry.registry, name, labels) == expected, (name, labels)
    assert value(telemetry.registry, "medley_loop_age_seconds", {"loop": "deciding"}) is None


def test_a_process_that_only_follows_tells_of_itself_alone() -> None:
    followers = PrometheusTelemetry("1")
    followers.registry.register(GaugeCollector(lambda: replace(READINGS, leader=None)))
    told = {name for name, _ in samples(generate_latest(followers.registry).decode())}
    gauges = {gauge.name for gauge in GAUGES}
    assert set(OF_THE_LEADER) == {
        "medley_attempts_live",
        "medley_devices",
        "medley_devices_allocated",
        "medley_leader_epoch",
        "medley_queue_devices",
        "medley_queue_gangs",
        "medley_queue_oldest_wait_seconds",
    }
    assert told & gauges == gauges - {*OF_THE_LEADER, "medley_loop_age_seconds"}


def test_names_follow_the_conventions_of_the_field(telemetry: PrometheusTelemetry) -> None:
    told = [(name, kind, text) for name, kind, _, text in described(telemetry.registry)]
    assert len(told) > 10
    for name, kind, text in [*told, *((gauge.name, "gauge", gauge.text) for gauge in GAUGES)]:
        assert re.fullmatch(r"medley(_[a-z]+)+", name), name
        assert text.endswith("."), name
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(ms|milliseconds|minutes|hours|mib|gib|percent)(_|$)", name), name
        if re.search("latency|duration|wait|age|lag", name):
            assert name.endswith("_seconds"), name


def test_no_label_names_what_there_is_no_end_of(telemetry: PrometheusTelemetry) -> None:
    telemetry.placed("alpha", "h100", 1)
    allowed = {"tenant", "chip", "cluster", "condition", "loop", "outcome", "operation", "reason", "state", "status"}
    allowed |= {"cause", "basis"}
    labels = {label for gauge in GAUGES for label in gauge.labels}
    for family in telemetry.registry.collect():
        if family.name.startswith("medley_"):
            labels |= {label for sample in family.samples for label in sample.labels}
    assert labels <= allowed | {"le", "version"}


@pytest.fixture
def port(telemetry: PrometheusTelemetry) -> int:
    listener = socket.create_server(("127.0.0.1", 0))
    server = MetricsServer(listener, telemetry.registry)
    server.start()
    return int(listener.getsockname()[1])


def test_the_page_is_served_and_nothing_else_is(port: int) -> None:
    status, page = scrape(port)
    assert (status, value(page, "medley_follower_change")) == (200, 77)
    assert scrape(port, "/metrics?name[]=up")[0] == 200
    assert scrape(port, "/")[0] == 404


def test_figures_that_cannot_be_read_fail_one_scrape_and_not_the_server() -> None:
    made, answers = PrometheusTelemetry("1"), [READINGS]
    made.registry.register(GaugeCollector(lambda: answers[0]))
    listener = socket.create_server(("127.0.0.1", 0))
    server = MetricsServer(listener, made.registry)
    server.start()
    port = int(listener.getsockname()[1])
    answers.clear()
    assert scrape(port)[0] == 500
    answers.append(READINGS)
    assert scrape(port)[0] == 200
    server.close()


def test_those_who_connect_and_say_nothing_do_not_keep_a_scraper_away(port: int) -> None:
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(metrics_server.MOST_AT_ONCE - 1)]
    assert scrape(port)[0] == 200
    for one in idle:
        one.close()


def test_without_a_listener_nothing_is_measured() -> None:
    instruments = Instruments(None, "1")
    assert instruments.telemetry is SILENCE
    instruments.read_with(lambda: READINGS)
    instruments.start()
    instruments.close()
    SILENCE.cycle(CycleFigures(0.1, 0, 0, 0))


def test_instruments_serve_what_they_are_told_and_let_go_of_the_port() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    instruments = Instruments(listener, "1")
    instruments.read_with(lambda: READINGS)
    instruments.telemetry.submitted("alpha")
    instruments.start()
    assert value(scrape(port)[1], "medley_jobs_submitted_total", {"tenant": "alpha"}) == 1
    instruments.close()
    with pytest.raises(OSError, match="refused"):
        scrape(port)
