"""Calibrators measure something."""

from bench.calibrate import durable_write_ms, interpreter_start_ms, unit_ns


def test_every_calibrator_gives_a_time_that_a_machine_can_have() -> None:
    assert 1 < unit_ns() < 100_000
    assert 0.001 < durable_write_ms() < 10_000
    assert 1 < interpreter_start_ms() < 60_000
