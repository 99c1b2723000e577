"""How long layers take: what counts, and what reports change of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from scheduler.core.model.measuring.layers import (
    LayerProfile,
    MeasuredLayers,
    Profile,
    ProfileKey,
    layer_speed_of,
    learnt_layers,
)
from scheduler.core.model.measuring.throughput import MOST_WEIGHT, JobFamily

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAMILY, KEY = JobFamily("alpha", "llama"), ProfileKey("h100", 2, 4)
TIMES = LayerProfile(0.010, 0.020, head_s=0.060)
KNOWN = Profile(FAMILY, KEY, TIMES, 4, None, 1, NOON)


def test_what_an_operator_says_goes_before_what_is_measured_figure_by_figure() -> None:
    assert KNOWN.times == TIMES
    assert replace(KNOWN, said=LayerProfile(1.0, 2.0)).times == LayerProfile(1.0, 2.0, head_s=0.060)
    assert replace(KNOWN, measured=None, said=LayerProfile(1.0, 2.0)).times == LayerProfile(1.0, 2.0)


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
    assert learnt_layers(None, MeasuredLayers(FAMILY, KEY, TIMES, 2), NOON) == replace(KNOWN, reports=2)
    only_said = replace(KNOWN, measured=None, reports=0, said=LayerProfile(1.0, 2.0))
    assert learnt_layers(only_said, MeasuredLayers(FAMILY, KEY, TIMES), NOON).measured == TIMES


def test_what_is_planned_with_has_three_digits() -> None:
    fine = replace(KNOWN, measured=LayerProfile(0.0123456, 1234.56, embedding_s=0.0, update_s=1e-9))
    assert layer_speed_of(fine).times == LayerProfile(0.0123, 1230.0, embedding_s=0.0, update_s=1e-9)
