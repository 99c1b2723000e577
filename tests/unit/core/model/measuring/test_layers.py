"""How long layers take: what counts, and what reports change of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from scheduler.core.model.measuring.layers import (
    LayerProfile,
    LayerSpeed,
    MeasuredLayers,
    Profile,
    ProfileKey,
    layer_speed_of,
    learnt_layers,
    said_layers,
)
from scheduler.core.model.measuring.throughput import MOST_WEIGHT, JobFamily

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAMILY, KEY = JobFamily("alpha", "llama"), ProfileKey("h100", 2, 4)
TIMES = LayerProfile(0.010, 0.020, head_s=0.060)
KNOWN = Profile(FAMILY, KEY, TIMES, 4, None, 1, NOON, TIMES)


def reported(known: Profile, times: LayerProfile, reports: int = 1) -> Profile:
    return learnt_layers(known, MeasuredLayers(FAMILY, KEY, times, reports), NOON)


def test_what_an_operator_says_goes_before_what_is_measured_figure_by_figure() -> None:
    said = said_layers(KNOWN, FAMILY, KEY, LayerProfile(1.0, 2.0), NOON)
    assert (said.times, said.measured, said.version) == (LayerProfile(1.0, 2.0, head_s=0.060), TIMES, 2)
    assert said_layers(None, FAMILY, KEY, TIMES, NOON) == Profile(FAMILY, KEY, None, 0, TIMES, 1, NOON, TIMES)
    later = reported(said, LayerProfile(0.030, 0.040, embedding_s=0.005))
    assert later.times == LayerProfile(1.0, 2.0, embedding_s=0.005, head_s=0.060)


def test_a_figure_that_was_not_measured_stays_as_it_was() -> None:
    new = MeasuredLayers(FAMILY, KEY, LayerProfile(0.020, 0.020, embedding_s=0.005), 4)
    found = learnt_layers(KNOWN, new, NOON).measured
    assert found is not None
    assert found.layer_forward_s == pytest.approx(0.015)
    assert (found.embedding_s, found.head_s) == (0.005, 0.060)


def test_what_was_measured_before_counts_as_so_many_reports_at_most() -> None:
    known = replace(KNOWN, reports=1_000_000)
    found = learnt_layers(known, MeasuredLayers(FAMILY, KEY, LayerProfile(0.020, 0.020), MOST_WEIGHT), NOON)
    assert found.reports == 1_000_000 + MOST_WEIGHT
    assert found.version == 2
    assert found.times.layer_forward_s == pytest.approx(0.015)


def test_the_first_report_is_what_it_says() -> None:
    first = learnt_layers(None, MeasuredLayers(FAMILY, KEY, TIMES, 4), NOON)
    assert first == KNOWN
    only_said = said_layers(None, FAMILY, KEY, LayerProfile(1.0, 2.0), NOON)
    assert reported(only_said, TIMES).measured == TIMES


def test_noise_changes_nothing_that_is_planned_with_until_it_adds_up() -> None:
    drifting = KNOWN
    for _ in range(3):
        drifting = reported(drifting, LayerProfile(0.01011, 0.020, head_s=0.060), 4)
    assert drifting.times is TIMES
    assert drifting.measured != TIMES
    moved = reported(drifting, LayerProfile(0.0104, 0.020, head_s=0.060), 16)
    assert moved.times == moved.measured
    assert layer_speed_of(moved) == LayerSpeed(FAMILY, KEY, moved.times)


def test_a_figure_that_is_known_now_is_planned_with_at_once() -> None:
    found = reported(KNOWN, replace(TIMES, update_s=1e-9))
    assert found.times.update_s == 1e-9
