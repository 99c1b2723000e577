from dataclasses import replace

import pytest

from scheduler.core.model.measuring.throughput import (
    MOST_WEIGHT,
    JobFamily,
    Measured,
    Speed,
    Throughput,
    learnt,
    speed_of,
)
from tests.builders.core import NOON, seconds_after_noon

FAMILY = JobFamily("alpha", "resnet")


def measured(units_per_s: float, reports: int = 1) -> Measured:
    return Measured(FAMILY, "h100", units_per_s, reports)


def test_the_first_report_is_what_is_known() -> None:
    assert learnt(None, measured(100.0), NOON) == Throughput(FAMILY, "h100", 100.0, 1, None, 1, NOON)


def test_newer_reports_count_more_the_older_the_others_are() -> None:
    known = learnt(None, measured(100.0, reports=10_000), NOON)
    later = learnt(known, measured(200.0, reports=MOST_WEIGHT), seconds_after_noon(60))
    assert later.measured_per_s == pytest.approx(150.0)
    assert (later.reports, later.version, later.at) == (10_000 + MOST_WEIGHT, 2, seconds_after_noon(60))


def test_what_an_operator_said_counts_and_what_is_measured_is_still_told() -> None:
    said = replace(learnt(None, measured(100.0), NOON), set_per_s=500.0)
    later = learnt(said, measured(300.0), NOON)
    assert (later.units_per_s, later.measured_per_s) == (500.0, 200.0)
    assert learnt(replace(said, measured_per_s=None, reports=0), measured(300.0), NOON).measured_per_s == 300.0


def test_what_is_decided_on_has_two_digits_so_that_noise_changes_nothing() -> None:
    known = learnt(None, measured(1_234.5), NOON)
    assert speed_of(known) == speed_of(learnt(None, measured(1_211.1), NOON)) == Speed(FAMILY, "h100", 1_200.0)
    assert speed_of(replace(known, set_per_s=0.0342)) == Speed(FAMILY, "h100", 0.034, is_set=True)
    assert speed_of(replace(known, measured_per_s=None)).per_s is None
